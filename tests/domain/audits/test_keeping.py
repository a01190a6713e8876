"""Old audits are deleted: which ones, with what, how many at once, and in nobody's way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from domain import audits, files, sites
from domain.access import SYSTEM, Reach
from domain.audits import Audit, AuditState, Finding, Run, keeping
from domain.base import Base
from domain.ids import new_id
from domain.work import StoredJob
from infra.db.database import SqlDatabase
from tests.databases import everybodys
from tests.domain.audits.benches import taker, tenant
from tests.domain.audits.engines import ToldEngine
from tests.domain.audits.lines import Line, line
from tests.graph.filled import Request

KEPT = timedelta(days=90)
LATER = datetime.now(UTC) + timedelta(days=400)
OLD = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def acme(database: SqlDatabase) -> Line:
    made = await line(database)
    database._clock = lambda: LATER
    return made


async def forget(database: SqlDatabase, kept: timedelta = KEPT) -> int:
    async with database.work(SYSTEM) as work:
        return await audits.forget(work, kept)


def days(*numbers: float) -> list[tuple[datetime, float]]:
    """That many days before it is later, and the number as the TTFB."""
    return [(LATER - timedelta(days=number), number) for number in numbers]


async def test_what_ended_longer_ago_is_deleted(acme: Line) -> None:
    ids = await acme.add(*days(300, 90.1, 90, 89, 1))
    assert await forget(acme.database) == 2
    assert await acme.kept(ids) == [2, 3, 4]
    assert await forget(acme.database) == 0


async def test_the_newest_finished_one_of_a_page_a_profile_and_an_environment_stays(acme: Line) -> None:
    ids = await acme.add(*days(300, 200))
    ids += await acme.add(*days(310, 210), environment="preview")
    ids += await acme.add(*days(320, 220), profile_id=await _another_profile(acme))
    ids += await acme.add(*days(230), environment="broken", state=AuditState.FAILED)
    assert await forget(acme.database) == 4
    assert await acme.kept(ids) == [1, 3, 5]


async def test_of_two_that_finished_in_the_same_moment_the_later_asked_for_stays(acme: Line) -> None:
    ids = await acme.add(*days(300, 300))
    assert await forget(acme.database) == 1
    assert await acme.kept(ids) == [1]


async def test_what_has_not_ended_stays_and_what_ended_otherwise_goes(acme: Line) -> None:
    ids = []
    for state in AuditState:
        ended = {} if state in audits.ENDED else {"finished_at": None}
        ids += await acme.add(*days(300), state=state, environment=state.lower(), **ended)
    assert await forget(acme.database) == 2
    states = [*AuditState]
    assert [states[place] for place in await acme.kept(ids)] == [AuditState.QUEUED, AuditState.RUNNING, AuditState.FINISHED]


async def test_what_was_given_up_stays_while_it_may_be_tried_again(acme: Line) -> None:
    ids = await acme.add(*days(300, 301), state=AuditState.FAILED)
    async with acme.database.work(SYSTEM) as work:
        given_up = {"workspace_id": acme.page.workspace_id, "priority": 0, "deliveries": 3}
        times = {"at": OLD, "ready_at": OLD, "dead_at": OLD}
        work.db.add(StoredJob(id=new_id(), kind="audit.probe", subject=ids[0], **given_up, **times))
    assert await forget(acme.database) == 1
    assert await acme.kept(ids) == [0]


async def test_no_more_than_a_batch_goes_at_once_and_the_oldest_first(acme: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = keeping._OLD.limit(3)
    monkeypatch.setattr(keeping, "_OLD", limited)
    ids = await acme.add(*days(300, 299, 298, 297, 296, 1))
    assert await forget(acme.database) == 3
    assert await acme.kept(ids) == [3, 4, 5]
    assert await forget(acme.database) == 2


async def test_what_was_measured_goes_with_it(database: SqlDatabase, tmp_path: Path) -> None:
    acme = await tenant(database)
    here = await taker(database, tmp_path / "files")
    ids = []
    for number in range(2):
        ids += await acme.request()
        await here.perform(ToldEngine((100.0 + number,)))
    assert await _rows(database, Run, Finding, Request, files.File) == [2, 4, 4, 4]
    assert len(here.files()) == 4
    database._clock = lambda: LATER
    assert await forget(database) == 1
    assert [*(await audits.by_ids(database.reader, Reach.whole(acme.id), ids))] == [ids[1]]
    assert await _rows(database, Run, Finding, Request, files.File) == [1, 2, 2, 4]
    assert await audits.sweep_files(database, here.storage) == 2
    assert await _rows(database, files.File) == [2]
    assert len(here.files()) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_reads_and_who_writes_goes_on_meanwhile(acme: Line) -> None:
    ids = await acme.add(*days(*range(300, 290, -1), 1))
    async with asyncio.timeout(10), everybodys(acme.database) as reading, everybodys(acme.database) as writing:
        rows = await reading.stream(select(Audit.id).order_by(Audit.id), execution_options={"yield_per": 1})
        assert (await anext(rows))[0] == ids[0]
        await writing.execute(update(Audit).where(Audit.id == ids[3]).values(engine_version="13.0.0"))
        async with acme.database.work(SYSTEM) as work:
            # All but the one that is just being written.
            assert await audits.forget(work, KEPT) == 9
            # And before it is committed, others read what was there, and write.
            assert await acme.kept(ids) == [*range(11)]
            ids += await acme.add(*days(0.5))
            await writing.execute(update(Audit).where(Audit.id == ids[10]).values(engine_version="13.0.0"))
        assert [row[0] async for row in rows] == ids[1:11]
    assert await acme.kept(ids) == [3, 10, 11]
    assert await forget(acme.database) == 1


async def _another_profile(acme: Line) -> UUID:
    found = await sites.profiles_by_workspace(acme.database.reader, acme.actor.reach, [acme.page.workspace_id])
    return next(profile.id for profile in found[acme.page.workspace_id] if profile.id != acme.profile)


async def _rows(database: SqlDatabase, *tables: type[Base]) -> list[int]:
    async with everybodys(database) as connection:
        return [(await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in tables]
