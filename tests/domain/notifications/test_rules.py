"""Who is told of what, and how often it is tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from domain.notifications import About, AlertKind, AlertSeverity
from domain.notifications.model import RouteRow
from domain.notifications.rules import DEAD_AFTER, PAUSES, is_dead, matches, pause, retry_after, shown, told
from tests.domain.notifications.benches import NOON

SITE, OTHER, CHANNEL = UUID(int=1), UUID(int=2), UUID(int=3)
ABOUT = About(AlertKind.BREACH, AlertSeverity.ERROR, SITE, ["client-a", "shop"], "production")


def route(**given: Any) -> RouteRow:
    row = RouteRow(UUID(int=9), UUID(int=8), CHANNEL, None, AlertSeverity.WARNING, None, [], None, NOON)
    return row._replace(**given)


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        ({}, True),
        ({"kinds": ["BREACH", "SILENCE"]}, True),
        ({"kinds": ["SILENCE"]}, False),
        ({"severity": AlertSeverity.ERROR}, True),
        ({"site_id": SITE}, True),
        ({"site_id": OTHER}, False),
        ({"tags": ["client-a"]}, True),
        ({"tags": ["client-a", "shop"]}, True),
        ({"tags": ["client-a", "client-b"]}, False),
        ({"environment": "production"}, True),
        ({"environment": "ci"}, False),
        ({"tags": ["client-a"], "kinds": ["VERDICT"]}, False),
    ],
)
def test_all_that_a_route_names_must_be_so(given: dict[str, Any], matched: bool) -> None:
    assert matches(route(**given), ABOUT) is matched


def test_what_is_less_grave_than_the_route_says_is_left_out() -> None:
    warning = ABOUT._replace(severity=AlertSeverity.WARNING)
    assert [matches(route(severity=each), warning) for each in AlertSeverity] == [True, False]


class Channel(NamedTuple):
    id: UUID
    everything: bool


def test_a_channel_gets_everything_or_what_its_routes_say_and_each_alert_once() -> None:
    everything, routed, unrouted = Channel(UUID(int=5), True), Channel(CHANNEL, False), Channel(UUID(int=6), False)
    routes = [route(), route(tags=["shop"]), route(channel_id=unrouted.id, kinds=["SILENCE"])]
    assert told([everything, routed, unrouted], routes, ABOUT) == [everything.id, routed.id]


def test_pauses_are_those_of_standard_webhooks_and_a_tenth_at_most() -> None:
    found = [pause(tries, CHANNEL) for tries in range(1, 11)]
    assert found[-1] is None
    for rest, least in zip(found, PAUSES, strict=False):
        assert rest is not None
        assert least <= rest <= least * 1.1
    assert found == [pause(tries, CHANNEL) for tries in range(1, 11)], "no dice"
    assert pause(1, SITE) != pause(1, OTHER)


def test_a_server_that_says_later_is_believed_within_bounds() -> None:
    assert pause(1, CHANNEL, timedelta(minutes=7)) == timedelta(minutes=7)
    assert pause(1, CHANNEL, timedelta(days=40)) == timedelta(days=1)
    assert pause(3, CHANNEL, timedelta(seconds=1)) == pause(3, CHANNEL)
    assert pause(10, CHANNEL, timedelta(minutes=7)) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("Wed, 13 May 2026 12:05:00 GMT", 300),
        ("Wed, 13 May 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("9999999999999", None),
    ],
)
def test_what_retry_after_means(text: str | None, seconds: int | None) -> None:
    assert retry_after(text, NOON) == (timedelta(seconds=seconds) if seconds is not None else None)


def test_a_channel_is_dead_after_five_days_and_ten_tries() -> None:
    long, short = NOON - DEAD_AFTER, NOON - DEAD_AFTER + timedelta(seconds=1)
    assert [is_dead(since, 10, NOON) for since in (long, short, None)] == [True, False, False]
    assert not is_dead(long, 9, NOON)


def test_of_an_answer_its_printable_beginning_is_kept() -> None:
    assert shown("\x1b[2J\r\nno\x00 \u2028 such" + "x" * 600) == ("[2J no    such" + "x" * 600)[:500]
