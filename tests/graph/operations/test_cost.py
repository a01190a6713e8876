"""What an operation may cost: a number for its text and variables, found in time linear in the text."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query, parse

from graph.operations.cost import Cost, costs
from graph.operations.weights import Weights
from graph.schema import schema
from tests.graph.operations.test_measures import bomb

CORE = schema._schema
WEIGHTS = Weights(CORE)


def compiled(text: str) -> Cost:
    (cost,) = costs(CORE, WEIGHTS, parse(text))
    return cost


def price(text: str, /, **variables: Any) -> float:
    return compiled(text)(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", 0),
        ('{ site(id: "x") { id name } }', 1),
        ('{ site(id: "x") { id workspace { id } profiles { id } } }', 1 + 1 + 10),
        ('{ site(id: "x") { pages(first: 3) { nodes { id } } } }', 1 + 1 + 3),
        ('{ site(id: "x") { pages { nodes { id } } } }', 1 + 1 + 20),
        (
            '{ site(id: "x") { pages(first: 3) { nodes { id } edges { cursor node { id } } pageInfo { endCursor } } } }',
            2 + 3 + 6 + 1,
        ),
        ('{ page(id: "x") { audits(last: 7) { nodes { id } } } }', 1 + 1 + 7),
        ('{ page(id: "x") { audits(first: 5, last: 7) { nodes { id } } } }', 1 + 1 + 7),
        ('{ page(id: "x") { audits { nodes { id } } } }', 1 + 1 + 20),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('mutation { auditCancel(input: {audit: "x"}) { __typename } }', 10),
        ("{ a: viewer { key { id } } b: viewer { key { id } } }", 4),
        ("{ nothing { more { still } } }", 0),
    ],
)
def test_a_thing_costs_one_and_a_list_as_many_as_it_may_have(text: str, expected: float) -> None:
    assert price(text) == expected


NODE = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
  ... on Site { pages(first: 50) { nodes { id } } } ... on Page { site { id } } ... on Node { id } } }"""


def test_of_several_possible_types_the_dearest_counts() -> None:
    assert price(NODE, ids=["a"]) == 1 + 1 + 50
    assert price(NODE, ids=["a", "b"]) == 2 * (1 + 1 + 50)


def test_variables_say_how_many() -> None:
    text = '{ site(id: "x") { pages(first: %s) { nodes { latestAudit { id } } } } }'
    cost = compiled("query ($n: Int!) " + text % "$n")
    assert [cost({"n": number}) for number in (0, 1, 20, 100)] == [price(text % number) for number in (0, 1, 20, 100)]
    assert cost({}) == cost({"n": None}) == cost({"n": 20.0}) == price(text % 20)
    assert cost({"n": "many"}) == cost({"n": True}) == cost({"n": 0.5}) == cost({"n": 100.0}) == price(text % 100)
    assert cost({"n": -5}) == price(text % 0)
    assert cost({"n": 10**9}) == price(text % 100), "more than that is refused by the field"


def test_what_a_variable_leaves_out_costs_nothing() -> None:
    text = 'query ($a: Boolean!, $b: Boolean!) { site(id: "x") @include(if: $a) { workspace @skip(if: $b) { id } } }'
    assert {(a, b): price(text, a=a, b=b) for a in (True, False) for b in (True, False)} == {
        (True, True): 1,
        (True, False): 2,
        (False, True): 0,
        (False, False): 0,
    }


def test_a_fragment_costs_what_its_selection_costs_in_its_place() -> None:
    spread = """query ($n: Int!) { site(id: "x") { ...S } }
      fragment S on Site { pages(first: $n) { ...P } } fragment P on PageConnection { nodes { ...N } pageInfo { ...I } }
      fragment N on Page { latestAudit { id } } fragment I on PageInfo { endCursor }"""
    inline = 'query ($n: Int!) { site(id: "x") { pages(first: $n) { nodes { latestAudit { id } } pageInfo { endCursor } } } }'
    assert [price(spread, n=number) for number in (1, 7)] == [price(inline, n=number) for number in (1, 7)] == [5, 17]


def test_a_look_at_the_schema_costs_the_same_however_much_is_looked_at() -> None:
    whole = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True, one_of=True
    )
    assert price(whole) == price("{ __schema { queryType { name } } }") == price('{ __type(name: "X") { name } }') == 20_000


def test_a_look_at_many_lists_of_the_schema_costs_more() -> None:
    text = "fragment F on __Type { fields { type { ...G } args { name } } } fragment G on __Type { ... { fields { name } } }"

    def of(number: int) -> float:
        return price("{ __schema { " + " ".join(f"a{each}: types {{ ...F }}" for each in range(number)) + " } } " + text)

    assert [of(number) for number in (1, 5, 6, 12)] == [20_000, 20_000, 24_000, 48_000]
    skipped = "query ($no: Boolean!) { __schema { " + "types @skip(if: $no) { name } " * 30 + "} }"
    assert [price(skipped, no=no) for no in (False, True)] == [30_000, 20_000]


def test_what_multiplies_ends_at_a_number_and_not_in_a_flood() -> None:
    text = '{ site(id: "x") ' + "{ pages(first: 100) { nodes { site " * 15 + "{ id }" + " } } }" * 15 + " }"
    assert price(text) == 1e15


@pytest.mark.parametrize("fragments", [20, 600])
def test_doubling_fragments_are_priced_once_each(fragments: int) -> None:
    assert price(bomb(fragments).replace("__typename", "viewer { key { id } }")) == min(1e15, 2.0**fragments * 2)
    varied = (
        bomb(fragments).replace("__typename", "viewer @skip(if: $no) { key { id } }").replace("{", "query ($no: Boolean!) {", 1)
    )
    cost = compiled(varied)
    assert (cost({"no": False}), cost({"no": True})) == (min(1e15, 2.0**fragments * 2), 0)
    assert len(cost._program) < 4 * fragments + 10


def test_costs_are_those_of_each_operation_for_itself() -> None:
    found = costs(
        CORE,
        WEIGHTS,
        parse('query A { viewer { key { id } } } query B($n: Int) { site(id: "x") { pages(first: $n) { nodes { id } } } }'),
    )
    assert [cost({"n": 4}) for cost in found] == [2, 6]
