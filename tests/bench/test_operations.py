"""What is asked by whom, and when two answers are the same."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain

import pytest

from bench.operations import WORKLOADS, asked, comparable, difference, shared

PAGES = [f"page_{number:032x}" for number in range(200)]


@pytest.mark.parametrize("workload", ["lookup", "history", "refused"])
@pytest.mark.parametrize("connections", [1, 8, 64])
def test_all_pages_are_asked_for_and_no_two_connections_ask_for_the_same(workload: str, connections: int) -> None:
    plan = shared(workload, PAGES, connections)
    assert len(plan.asks) == connections
    assert sorted(chain(*plan.asks)) == list(range(200))
    assert [json.loads(body)["variables"]["id"] for body in plan.bodies] == PAGES


def test_more_connections_than_pages_share_them() -> None:
    assert shared("lookup", PAGES[:2], 5).asks == [[0], [1], [0], [1], [0]]


@pytest.mark.parametrize("connections", [1, 8])
def test_the_mixture_has_sixteen_lookups_three_histories_and_a_dashboard(connections: int) -> None:
    plan = shared("mixed", PAGES, connections)
    kinds = [json.loads(body)["query"].split("(")[0] for body in plan.bodies]
    for asks in plan.asks:
        for begin in range(0, len(asks), 20):
            counted = Counter(kinds[index] for index in asks[begin : begin + 20])
            assert counted == {"query Lookup": 16, "query History": 3, "query Dashboard": 1}
    pages = [{json.loads(plan.bodies[index])["variables"].get("id") for index in asks} - {None} for asks in plan.asks]
    assert sorted(chain(*pages)) == PAGES


def test_dashboards_of_the_mixture_do_not_come_all_at_once() -> None:
    plan = shared("mixed", PAGES, 4)
    assert [asks.index(400) for asks in plan.asks] == [19, 14, 9, 4]


def test_every_workload_has_a_request() -> None:
    for workload in WORKLOADS:
        assert all(json.loads(each.body)["query"].startswith("query ") for each in asked(workload, PAGES))


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"a": [{"b": 1.0}]}, {"a": [{"b": 1}]}, None),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ".a[0].b is 2, not 1"),
        ({"a": True}, {"a": 1}, ".a is 1, not True"),
        ({"a": None}, {"a": 0}, ".a is 0, not None"),
        ({"a": [1]}, {"a": [1, 2]}, ".a has 2 items, not 1"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "the answer has the fields ['b', 'a'], not ['a', 'b']"),
        ({"a": []}, {"a": {}}, ".a is {}, not []"),
    ],
)
def test_two_answers_are_the_same_or_the_first_difference_is_named(ours: object, theirs: object, said: str | None) -> None:
    assert difference(ours, theirs) == said


def test_errors_are_compared_by_message_and_path_alone() -> None:
    one = {"data": {"a": None}, "errors": [{"message": "no", "path": ["a"], "extensions": {"code": "X"}}]}
    other = {"errors": [{"message": "no", "locations": [], "path": ["a"]}], "data": {"a": None}}
    assert difference(comparable("refused", one), comparable("refused", other)) is None
    other["errors"] = [{"message": "no"}]
    said = "[1][0][1] is None, not ['a']"
    assert difference(comparable("refused", one), comparable("refused", other)) == said


def test_an_introspection_is_compared_in_any_order_and_without_graphqls_own_types() -> None:
    one = {"data": {"__schema": {"types": [{"name": "B"}, {"name": "A"}, {"name": "__Type", "fields": [1]}]}}}
    other = {"data": {"__schema": {"types": [{"name": "A"}, {"name": "__Type", "fields": [2]}, {"name": "B"}]}}}
    assert difference(comparable("introspection", one), comparable("introspection", other)) is None
