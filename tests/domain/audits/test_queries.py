"""Reads of audits: the newest, the history, the list, and never another tenant's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from domain import audits
from domain.access import SYSTEM, Reach
from domain.audits import AUDITS, Latest
from domain.ids import new_id
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.databases import Counter
from tests.domain.audits.benches import Tenant, taker, tenant
from tests.domain.audits.engines import ToldEngine

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = {"profile": None, "environment": None, "since": None, "until": None}


class Day:
    """One page measured three times, ten minutes apart: TTFB 100, 200, 300."""

    def __init__(self, acme: Tenant, ids: list[UUID], page: UUID, profile: UUID) -> None:
        self.acme, self.ids, self.page, self.profile = acme, ids, page, profile


@pytest.fixture
async def day(database: SqlDatabase, tmp_path: Path) -> Day:
    acme = await tenant(database)
    here = await taker(database, tmp_path / "files")
    ids = []
    for number in range(3):
        database._clock = lambda number=number: START + timedelta(minutes=10 * number)  # type: ignore[misc]
        ids += await acme.request()
        await here.perform(ToldEngine((100.0 * (number + 1),)))
    first = await acme.read(ids[0])
    return Day(acme, ids, first.page_id, first.profile_id)


async def newest(day: Day, which: Latest, *pages: UUID) -> list[UUID | None]:
    pages = pages or (day.page,)
    found = await audits.latest(day.acme.database.reader, day.acme.actor.reach, pages, which)
    return [found[page].id if page in found else None for page in pages]


async def test_the_latest_audit_is_the_newest_finished_one_of_its_profile_and_environment(day: Day) -> None:
    await day.acme.request()  # waits still
    assert await newest(day, Latest(), day.page, new_id()) == [day.ids[2], None]
    assert await newest(day, Latest(day.profile)) == [day.ids[2]]
    assert await newest(day, Latest(await day.acme.profile("Lighthouse mobile"))) == [None]
    assert await newest(day, Latest(environment="preview")) == [None]


async def test_of_two_that_finished_in_the_same_moment_the_later_asked_for_is_the_latest(day: Day) -> None:
    async with day.acme.database.work(SYSTEM) as work:
        await work.db.execute(update(audits.Audit).values(finished_at=START))
    assert await newest(day, Latest()) == [day.ids[2]]


async def test_the_latest_of_many_pages_are_one_statement(day: Day) -> None:
    counter = Counter(day.acme.database)
    await newest(day, Latest(), day.page, *(new_id() for _ in range(50)))
    assert len(counter) == 1


async def listed(day: Day, **filters: object) -> list[int]:
    found = await AUDITS.under(day.acme.database.reader, day.acme.actor.reach, [day.page], Window(), **{**ALL, **filters})
    return [day.ids.index(row.id) for row in found[day.page].rows]


async def test_a_pages_audits_come_newest_first_and_time_is_half_open(day: Day) -> None:
    assert await listed(day) == [2, 1, 0]
    second = START + timedelta(minutes=10)
    assert await listed(day, since=second) == [2, 1]
    assert await listed(day, until=second) == [0]
    assert await listed(day, since=second, until=second + timedelta(microseconds=1)) == [1]
    assert await listed(day, profile=day.profile, environment="production") == [2, 1, 0]
    assert await listed(day, profile=new_id()) == []
    assert await listed(day, environment="preview") == []


async def test_no_read_shows_another_tenants_audit(day: Day) -> None:
    reader = day.acme.database.reader
    finding = (await audits.FINDINGS.under(reader, day.acme.actor.reach, [day.ids[0]], Window()))[day.ids[0]].rows[0]
    run = (await audits.runs_by_audits(reader, day.acme.actor.reach, [day.ids[0]]))[day.ids[0]][0]
    for reach in (Reach(), Reach.whole((await tenant(day.acme.database, "other")).id)):
        assert await audits.by_ids(reader, reach, day.ids) == {}
        assert await audits.latest(reader, reach, [day.page], Latest()) == {}
        assert await audits.runs_by_audits(reader, reach, day.ids[:1]) == {day.ids[0]: []}
        assert await audits.findings_by_ids(reader, reach, [finding.id]) == {}
        assert (await AUDITS.under(reader, reach, [day.page], Window(), **ALL))[day.page].rows == []
        assert (await audits.FINDINGS.under(reader, reach, day.ids[:1], Window()))[day.ids[0]].rows == []
        assert (await audits.REQUESTS.under(reader, reach, [run.id], Window()))[run.id].rows == []


async def test_a_read_of_nothing_is_nothing(day: Day) -> None:
    reader, reach = day.acme.database.reader, day.acme.actor.reach
    assert await audits.by_ids(reader, reach, []) == {}
    assert await audits.latest(reader, reach, [], Latest()) == {}
