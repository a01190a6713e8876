"""A schedule that brings nothing any more is an alert, until it brings something."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from domain import alerts, audits, schedules
from domain.access import SYSTEM
from domain.alerts import Alert, AlertKind, Resolution
from domain.audits import AuditState
from domain.ids import new_id
from domain.measuring import EngineName, FormFactor, Phase
from domain.schedules import silence
from domain.schedules.rules import silent_from
from tests.databases import everybodys
from tests.domain.schedules.benches import NOON, Bench, bench

__all__ = ["bench"]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Timing:
    """All that decides when a schedule fires."""

    def __init__(self, cron: str | None = None, every_minutes: int | None = None, jitter_seconds: int = 0) -> None:
        self.id, self.created_at, self.time_zone = UUID(int=1), NOON, "UTC"
        self.cron, self.every_minutes, self.jitter_seconds = cron, every_minutes, jitter_seconds


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("timing", "last", "silent"),
    [
        (Timing(every_minutes=1), "2026-05-13T12:00:30", "2026-05-13T13:00:30"),
        (Timing(every_minutes=30), "2026-05-13T12:05", "2026-05-13T14:00"),
        (Timing("0 * * * *"), "2026-05-13T12:05", "2026-05-13T16:00"),
        (Timing("0 6 * * *"), "2026-05-13T06:05", "2026-05-17T06:00"),
        # From Friday on Monday, Tuesday and Wednesday bring nothing: a weekend is no silence.
        (Timing("0 6 * * MON-FRI"), "2026-05-15T06:05", "2026-05-21T06:00"),
        (Timing("0 0 30 2 *"), "2026-05-13T12:00", None),
    ],
)
def test_three_firings_that_bring_nothing_until_the_fourth_are_silence_and_an_hour_at_least(
    timing: Timing, last: str, silent: str | None
) -> None:
    assert silent_from(timing, at(last)) == (at(silent) if silent else None)


async def watch(bench: Bench) -> int:
    async with bench.database.work(SYSTEM) as work:
        return await schedules.watch(work)


async def finished(bench: Bench, schedule_id: UUID, page_id: UUID, state: AuditState = AuditState.FINISHED) -> None:
    """An audit of the schedule that ends now."""
    row: dict[str, Any] = {
        "id": new_id(),
        "workspace_id": bench.workspace_id,
        "site_id": bench.site_id,
        "page_id": page_id,
        "profile_id": await bench.profile("Probe"),
        "profile_version": 1,
        "environment": "production",
        "engine": EngineName.PROBE,
        "form_factor": FormFactor.DESKTOP,
        "state": state,
        "schedule_id": schedule_id,
        "requested_by": "",
        "requested_url": "",
        "requested_at": bench.clock.now,
        "finished_at": bench.clock.now,
        "phase": Phase.ENDED,
        "runs": 1,
        "scores": [],
        "user_timings": [],
    }
    async with everybodys(bench.database) as connection:
        await connection.execute(insert(audits.Audit), [row])


async def found(bench: Bench) -> list[tuple[AlertKind, Resolution | None]]:
    async with everybodys(bench.database) as connection:
        return [tuple(row) for row in await connection.execute(select(Alert.kind, Alert.resolution).order_by(Alert.id))]


async def test_silence_begins_once_and_ends_when_an_audit_of_the_schedule_finishes(bench: Bench) -> None:
    [page] = await bench.add_pages(1)
    id = await bench.create(every_minutes=60)
    assert await watch(bench) == 0
    bench.clock.now = NOON + 4 * HOUR - MINUTE
    assert await watch(bench) == 0
    bench.clock.now = NOON + 4 * HOUR
    await finished(bench, id, page, AuditState.FAILED)  # which brings nothing
    assert await watch(bench) == 1
    assert await found(bench) == [(AlertKind.SILENCE, None)]
    assert await watch(bench) == 0, "a silent one is looked at each minute"
    bench.clock.now += MINUTE
    assert await watch(bench) == 1
    assert await found(bench) == [(AlertKind.SILENCE, None)]
    bench.clock.now += MINUTE / 2
    await finished(bench, id, page)
    bench.clock.now += MINUTE / 2
    assert await watch(bench) == 1
    assert await found(bench) == [(AlertKind.SILENCE, Resolution.RECOVERED)]
    bench.clock.now += 3 * HOUR
    assert await watch(bench) == 0
    bench.clock.now += HOUR
    await watch(bench)
    assert await found(bench) == [(AlertKind.SILENCE, Resolution.RECOVERED), (AlertKind.SILENCE, None)]


async def test_what_is_paused_or_deleted_is_not_silent_and_counts_anew_when_it_is_resumed(bench: Bench) -> None:
    await bench.add_pages(1)
    first, second = await bench.create(every_minutes=60), await bench.create("other", every_minutes=60)
    bench.clock.now = NOON + 4 * HOUR
    assert await watch(bench) == 2
    await bench.do(schedules.pause, schedule_id=first)
    await bench.do(schedules.delete, schedule_id=second)
    assert await found(bench) == [(AlertKind.SILENCE, Resolution.DISABLED)] * 2
    bench.clock.now += 9 * HOUR
    assert await watch(bench) == 0
    await bench.do(schedules.resume, schedule_id=first)
    bench.clock.now += 3 * HOUR
    assert await watch(bench) == 0
    bench.clock.now += HOUR
    assert await watch(bench) == 1
    assert (await found(bench))[2:] == [(AlertKind.SILENCE, None)]


async def test_what_somebody_ended_by_hand_is_silent_again_as_late_as_if_it_had_brought_something(bench: Bench) -> None:
    await bench.create(every_minutes=60)
    bench.clock.now = NOON + 4 * HOUR
    await watch(bench)
    async with everybodys(bench.database) as connection:
        id = (await connection.execute(select(Alert.id))).scalar_one()
    async with bench.database.work(bench.actor) as work:
        await alerts.resolve(work, alert_id=id)
    bench.clock.now += MINUTE
    assert await watch(bench) == 1
    bench.clock.now += 3 * HOUR - 2 * MINUTE
    assert await watch(bench) == 0
    bench.clock.now += HOUR + 2 * MINUTE
    await watch(bench)
    assert await found(bench) == [(AlertKind.SILENCE, Resolution.BY_PERSON), (AlertKind.SILENCE, None)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nobody_walks_the_history_of_audits(bench: Bench) -> None:
    """Each question is answered by the end of an index."""
    plans = []
    for query in (silence._DUE, silence._LAST):
        statement = str(query.statement.compile(dialect=bench.database.reads.dialect))
        values = dict.fromkeys(query.statement.compile().params)
        async with everybodys(bench.database) as connection:
            explained = await connection.execute(text(f"EXPLAIN QUERY PLAN {_named(statement, values)}"))
            plans.append(" ".join(row[3] for row in explained))
    assert "ix_schedules_quiet_at (quiet_at<?)" in plans[0]
    assert "ix_audits_schedule_id_state_finished_at (schedule_id=? AND state=?" in plans[1]
    assert not any("SCAN" in plan or "TEMP B-TREE FOR ORDER BY" in plan for plan in plans[1:])


def _named(statement: str, values: dict[str, Any]) -> str:
    """The statement with nulls for its parameters: what is looked up changes no plan."""
    return re.sub(r"\?", "NULL", re.sub(r":\w+", "NULL", statement))
