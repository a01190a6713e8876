"""An alert opens once and ends once, however often it is seen, and people are told so and no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import event, select

from domain import alerts, notifications, reactions
from domain.access import SYSTEM, Actor, Role
from domain.alerts import AlertKind, AlertSeverity, AlertState, Held, Resolution, holding, queries
from domain.audits import AuditState
from domain.errors import Conflict, InvalidInput, NotAllowed, ProblemCode
from domain.measuring import FailureKind
from domain.notifications import Moment
from domain.paging import Window
from domain.work import EventKind
from infra.db.reader import Compiled
from tests.databases import everybodys
from tests.domain.notifications.benches import NOON, Bench, bench

__all__ = ["bench"]

ALL = {"kinds": list(AlertKind), "severities": list(AlertSeverity)}
ALERTS = (
    EventKind.ALERT_OPENED,
    EventKind.ALERT_WORSENED,
    EventKind.ALERT_RESOLVED,
    EventKind.ALERT_ACKNOWLEDGED,
    EventKind.ALERT_SNOOZED,
)


async def told(bench: Bench, channel_id: object) -> list[Moment]:
    return [row.moment for row in await bench.deliveries(channel_id)]  # type: ignore[arg-type]


async def kinds(bench: Bench) -> list[EventKind]:
    return [kind for kind, _ in await bench.said(*ALERTS)]


async def remind(bench: Bench) -> int:
    async with bench.database.work(SYSTEM) as work:
        return await alerts.remind(work)


async def test_crossings_are_told_and_repetitions_are_counted(bench: Bench) -> None:
    channel = await bench.channel()
    first = await bench.hold(details={"value": 1})
    bench.clock.now += timedelta(minutes=5)
    again = await bench.hold(details={"value": 2}, title="Otherwise")
    assert (first.opened, again.opened, again.alert_id) == (True, False, first.alert_id)
    row = await bench.alert(first.alert_id)
    assert (row.state, row.occurrences, row.details) == (AlertState.OPEN, 2, {"value": 2})
    assert (row.opened_at, row.last_seen_at) == (NOON, NOON + timedelta(minutes=5))
    assert row.title == "Otherwise"
    assert await told(bench, channel) == [Moment.OPENED]

    assert await bench.end() == first.alert_id
    assert await bench.end() is None
    row = await bench.alert(first.alert_id)
    assert (row.state, row.resolution, row.resolved_at) == (AlertState.RESOLVED, Resolution.RECOVERED, bench.clock.now)
    assert await told(bench, channel) == [Moment.OPENED, Moment.RESOLVED]

    anew = await bench.hold()
    assert anew.opened
    assert anew.alert_id != first.alert_id
    assert await kinds(bench) == [EventKind.ALERT_OPENED, EventKind.ALERT_RESOLVED, EventKind.ALERT_OPENED]


async def test_of_many_who_find_it_at_once_one_opens_it(bench: Bench) -> None:
    channel = await bench.channel()
    held = await asyncio.gather(*(bench.hold() for _ in range(6)))
    assert sorted(each.opened for each in held) == [False] * 5 + [True]
    assert len({each.alert_id for each in held}) == 1
    assert (await bench.alert(held[0].alert_id)).occurrences == 6
    assert await told(bench, channel) == [Moment.OPENED]


async def test_what_is_wrong_elsewhere_is_another_alert(bench: Bench) -> None:
    assert (await bench.hold("a")).alert_id != (await bench.hold("b")).alert_id
    await bench.end("a")
    assert not (await bench.hold("b")).opened


async def test_of_what_somebody_knows_nothing_but_its_end_is_told(bench: Bench) -> None:
    channel, alert = await bench.channel(), (await bench.hold()).alert_id
    await bench.do(alerts.acknowledge, alert_id=alert)
    await bench.do(alerts.acknowledge, alert_id=alert)
    await bench.hold()
    row = await bench.alert(alert)
    assert (row.state, row.acknowledged_at) == (AlertState.ACKNOWLEDGED, NOON)
    assert await told(bench, channel) == [Moment.OPENED]
    await bench.end()
    assert await told(bench, channel) == [Moment.OPENED, Moment.RESOLVED]
    assert await kinds(bench) == [EventKind.ALERT_OPENED, EventKind.ALERT_ACKNOWLEDGED, EventKind.ALERT_RESOLVED]


async def test_what_was_put_off_is_told_again_when_its_time_is_over_and_it_is_so_still(bench: Bench) -> None:
    channel, alert = await bench.channel(), (await bench.hold()).alert_id
    until = NOON + timedelta(days=2)
    await bench.do(alerts.snooze, alert_id=alert, until=until)
    bench.clock.now = until - timedelta(microseconds=1)
    await bench.hold()
    assert await remind(bench) == 0
    assert (await bench.alert(alert)).state is AlertState.SNOOZED
    assert await told(bench, channel) == [Moment.OPENED]
    bench.clock.now = until
    assert (await remind(bench), await remind(bench)) == (1, 0)
    row = await bench.alert(alert)
    assert (row.state, row.snoozed_until) == (AlertState.OPEN, None)
    assert await told(bench, channel) == [Moment.OPENED, Moment.REMINDER]
    assert [payload["state"] for _, payload in await bench.said(EventKind.ALERT_SNOOZED)] == ["SNOOZED", "OPEN"]


async def test_what_ended_while_it_was_put_off_is_not_told_again(bench: Bench) -> None:
    channel, alert = await bench.channel(), (await bench.hold()).alert_id
    await bench.do(alerts.snooze, alert_id=alert, until=NOON + timedelta(hours=1))
    await bench.end()
    bench.clock.now += timedelta(hours=2)
    assert await remind(bench) == 0
    assert await told(bench, channel) == [Moment.OPENED, Moment.RESOLVED]


@pytest.mark.parametrize("until", [timedelta(), timedelta(seconds=-1), timedelta(days=30, seconds=1)])
async def test_nothing_is_put_off_for_longer_than_thirty_days_or_into_the_past(bench: Bench, until: timedelta) -> None:
    alert = (await bench.hold()).alert_id
    with pytest.raises(InvalidInput) as refused:
        await bench.do(alerts.snooze, alert_id=alert, until=NOON + until)
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [(("until",), ProblemCode.OUT_OF_RANGE)]


async def test_what_is_put_off_no_longer_is_open(bench: Bench) -> None:
    alert = (await bench.hold()).alert_id
    await bench.do(alerts.snooze, alert_id=alert, until=NOON + timedelta(days=30))
    await bench.do(alerts.snooze, alert_id=alert, until=None)
    assert (await bench.alert(alert)).state is AlertState.OPEN


async def test_what_somebody_ended_is_told_once_and_opens_anew_when_it_is_seen_again(bench: Bench) -> None:
    channel, alert = await bench.channel(), (await bench.hold()).alert_id
    await bench.do(alerts.resolve, alert_id=alert)
    assert (await bench.alert(alert)).resolution is Resolution.BY_PERSON
    for action in (alerts.resolve, alerts.acknowledge):
        with pytest.raises(Conflict, match=r"^This alert is resolved already\.$"):
            await bench.do(action, alert_id=alert)
    assert await bench.end() is None
    assert (await bench.hold()).opened
    assert await told(bench, channel) == [Moment.OPENED, Moment.RESOLVED, Moment.OPENED]


@pytest.mark.parametrize(
    "worse",
    [{"severity": AlertSeverity.ERROR}, {"details": {"LCP": "1 s", "CLS": "0.3"}, "added": {"CLS"}}],
    ids=["graver", "more"],
)
async def test_what_gets_worse_is_told_again_also_to_those_who_knew_of_it(bench: Bench, worse: dict[str, Any]) -> None:
    channel = await bench.channel()
    first: dict[str, Any] = {"severity": AlertSeverity.WARNING, "details": {"LCP": "1 s"}}
    alert = (await bench.hold(**first)).alert_id
    await bench.do(alerts.acknowledge, alert_id=alert)
    assert await bench.hold(**first | worse, title="Worse") == Held(alert, opened=False)
    row = await bench.alert(alert)
    assert (row.state, row.title, row.acknowledged_at) == (AlertState.OPEN, "Worse", None)
    assert (row.severity, row.details) == ((first | worse)["severity"], (first | worse)["details"])
    await bench.hold(**first)
    assert (await bench.alert(alert)).severity is (first | worse)["severity"], "it never falls"
    assert await told(bench, channel) == [Moment.OPENED, Moment.WORSENED]
    assert await kinds(bench) == [EventKind.ALERT_OPENED, EventKind.ALERT_ACKNOWLEDGED, EventKind.ALERT_WORSENED]


async def test_what_is_deleted_ends_its_alerts_first_and_those_who_were_told_are_told(bench: Bench) -> None:
    channel, page = await bench.channel(), await bench.page()
    await bench.hold("page", page_id=page)
    await bench.hold("site")
    stranger = Actor(roles={bench.workspace_id: Role.VIEWER})
    for action, given in ((reactions.delete_page, {"page_id": page}), (reactions.delete_site, {"site_id": bench.site_id})):
        before = await told(bench, channel)
        with pytest.raises(NotAllowed):
            async with bench.database.work(stranger) as work:
                await action(work, **given)
        assert await told(bench, channel) == before
        await bench.do(action, **given)
        assert await told(bench, channel) == [*before, Moment.RESOLVED]
    said = [payload["title"] for _, payload in await bench.said(EventKind.ALERT_RESOLVED)]
    assert said == ["The page / cannot be measured"] * 2


class Ended(NamedTuple):
    """What is looked at of an audit that has ended."""

    state: AuditState
    failure_kind: FailureKind | None = None
    failure_message: str | None = None
    failure_code: str | None = None
    requested_url: str = "https://shop.example/"
    environment: str = "production"
    finished_at: datetime = NOON
    workspace_id: UUID = UUID(int=0)
    site_id: UUID = UUID(int=0)
    page_id: UUID = UUID(int=0)
    profile_id: UUID = UUID(int=1)
    id: UUID = UUID(int=2)


async def test_a_page_that_cannot_be_measured_is_an_alert_until_it_is_measured(bench: Bench) -> None:
    here = {"workspace_id": bench.workspace_id, "site_id": bench.site_id, "page_id": await bench.page()}
    found = []
    for audit in (
        Ended(AuditState.FAILED, FailureKind.PAGE, "The certificate has expired.", "TLS_FAILURE", **here),  # type: ignore[arg-type]
        Ended(AuditState.CANCELLED, **here),  # type: ignore[arg-type]
        Ended(AuditState.FINISHED, environment="ci", **here),  # type: ignore[arg-type]
        Ended(AuditState.FINISHED, **here),  # type: ignore[arg-type]
        Ended(AuditState.FAILED, FailureKind.ENGINE, "It crashed.", "CRASH", **here),  # type: ignore[arg-type]
    ):
        async with bench.database.work(SYSTEM) as work:
            await alerts.judge_failures(work, bench.actor.reach, [audit])  # type: ignore[list-item]
        rows = (
            await alerts.ALERTS[False].of(bench.database.reader, bench.actor.reach, bench.workspace_id, Window(), **ALL)
        ).rows
        found.append([(row.severity, row.state) for row in rows])
    error, warning = AlertSeverity.ERROR, AlertSeverity.WARNING
    assert found[:3] == [[(error, AlertState.OPEN)]] * 3
    assert found[3:] == [[(error, AlertState.RESOLVED)], [(warning, AlertState.OPEN), (error, AlertState.RESOLVED)]]
    assert rows[1].details["why"] == "The certificate has expired."


async def test_a_site_that_is_down_takes_as_many_statements_as_one_page_of_it(bench: Bench) -> None:
    """All are opened, seen, found worse and ended while others wait for the transaction."""
    channel = await bench.channel()
    pages = [await bench.page(f"/{number}") for number in range(9)]
    sent: list[str] = []
    event.listen(bench.database.writes.sync_engine, "before_cursor_execute", lambda _1, _2, text, *_: sent.append(text))

    async def counted(pages: list[UUID], severity: AlertSeverity | None) -> int:
        sent.clear()
        async with bench.database.work(SYSTEM) as work:
            if severity is None:
                assert len(await alerts.end_all(work, bench.workspace_id, [page.hex for page in pages])) == len(pages)
            else:
                conditions = [bench.condition(page.hex, page_id=page, severity=severity) for page in reversed(pages)]
                held = await alerts.hold_all(work, conditions)
        if severity is not None:
            assert [(await bench.alert(each.alert_id)).subject for each in held] == [each.key for each in conditions]
        return len(sent)

    for severity in (AlertSeverity.WARNING, AlertSeverity.WARNING, AlertSeverity.ERROR, None):
        assert await counted(pages[1:], severity) == await counted(pages[:1], severity) < 20
    rows = await bench.deliveries(channel)
    assert Counter(row.moment for row in rows) == dict.fromkeys((Moment.OPENED, Moment.WORSENED, Moment.RESOLVED), len(pages))
    async with everybodys(bench.database) as connection:
        messages = (await connection.execute(select(notifications.Delivery.message))).scalars().all()
    assert Counter(message["data"]["page"]["path"] for message in messages) == {f"/{number}": 3 for number in range(9)}
    assert Counter(await kinds(bench)) == dict.fromkeys(ALERTS[:3], len(pages))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (holding._OPEN_IN_TURN, "(workspace_id=? AND subject=?"),
        (queries._OPEN, "(workspace_id=? AND subject=?"),
        (holding._OPEN_OF_PAGES, "uq_alerts_open (workspace_id=?)"),
    ],
    ids=["to be held", "by what is wrong", "of pages"],
)
async def test_open_alerts_are_not_looked_for_among_all_that_ever_were(bench: Bench, query: Any, expected: str) -> None:
    read = Compiled(query, bench.database.reads.dialect).text
    plan = await bench.database.reads.fetch(f"EXPLAIN QUERY PLAN {read}", ["[]"] * read.count("?"))
    assert plan[0][-1].startswith("SEARCH alerts USING INDEX")
    assert expected in plan[0][-1]
