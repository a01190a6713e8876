"""The scheduler: one acts, another takes over, and what dead workers left is put right."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from app import bootstrap, scheduler
from app.wiring import House
from domain import audits, leases, schedules, sites
from domain.access import SYSTEM, Actor
from domain.audits import AuditState
from domain.measuring import EngineName
from tests.app.houses import file, opened, state
from tests.app.test_worker import eventually
from tests.domain.audits.benches import lapse
from tests.domain.audits.engines import ToldEngine


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STAND_BY_SECONDS", "TICK_SECONDS", "SWEEP_SECONDS", "TIDY_SECONDS"):
        monkeypatch.setattr(scheduler, name, 0.05)


@asynccontextmanager
async def scheduling(house: House) -> AsyncGenerator[asyncio.Event, None]:
    stop = asyncio.Event()
    task = asyncio.create_task(scheduler.schedule(house, stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def take(house: House, id: UUID) -> None:
    from app.worker import appear

    runner = await appear(house)
    assert await audits.take(house.database, runner_id=runner, pool="default", engines=[EngineName.PROBE], only=id)


async def holder(house: House) -> str | None:
    lease = await leases.look(house.database.reader, scheduler.LEASE)
    return lease.holder if lease is not None and lease.token is not None else None


async def eventually_true(condition: object, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_what_a_vanished_worker_had_waits_again(tmp_path: Path) -> None:
    async with opened(tmp_path, ToldEngine(ttfbs=(100,))) as (house, actor):
        audit = await file(house, actor)
        await take(house, audit)
        await lapse(house.database)
        async with scheduling(house):
            await eventually_true(lambda: in_state(house, actor, audit, AuditState.QUEUED))


async def in_state(house: House, actor: Actor, audit: UUID, wanted: AuditState) -> bool:
    return await state(house, actor, audit) == wanted


async def test_the_files_of_what_was_deleted_are_deleted(tmp_path: Path) -> None:
    from app import worker

    async with opened(tmp_path, ToldEngine(ttfbs=(100,))) as (house, actor):
        audit_id, stop = await file(house, actor), asyncio.Event()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))

        def kept() -> int:
            return sum(len(files) for _, _, files in os.walk(tmp_path / "files"))

        await eventually(lambda: kept() == 2)
        await eventually_true(lambda: in_state(house, actor, audit_id, AuditState.FINISHED))
        stop.set()
        await working
        row = (await audits.by_ids(house.database.reader, actor.reach, [audit_id]))[audit_id]
        async with house.database.work(actor) as work:
            await sites.delete(work, site_id=row.site_id)
        async with scheduling(house):
            await eventually(lambda: kept() == 0)


async def test_a_due_schedule_asks_for_its_audits(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, actor):
        (workspace_id,) = actor.roles
        async with house.database.work(actor) as work:
            page = await sites.find_or_create_page(work, workspace_id=workspace_id, url="http://127.0.0.1/")
            await schedules.create(work, site_id=page.site_id, name="often", every_minutes=1)
            await work.db.flush()
            await work.db.execute(update(schedules.Schedule).values(next_at=work.now - timedelta(seconds=1)))
        async with scheduling(house):
            await eventually_true(lambda: has_audit(house, actor, page.id))


async def has_audit(house: House, actor: Actor, page_id: UUID) -> bool:
    from domain.paging import Window

    listed = await audits.AUDITS.of(
        house.database.reader, actor.reach, page_id, Window(), profile=None, environment=None, since=None, until=None
    )
    return len(listed.rows) == 1


async def test_of_two_one_acts_and_the_other_takes_over_when_it_stops(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, _), bootstrap.embedded(house.settings) as (other, _):
        async with scheduling(house):
            await eventually_true(lambda: acts(house))
            async with scheduling(other):
                await asyncio.sleep(0.3)
                first = await leases.look(house.database.reader, scheduler.LEASE)
                assert first is not None
                assert first.fence == 1
        async with scheduling(other):
            await eventually_true(lambda: acts(house))
            second = await leases.look(house.database.reader, scheduler.LEASE)
            assert second is not None
            assert second.fence == 2
        assert not await acts(house), "a lease was not given back"


async def acts(house: House) -> bool:
    return await holder(house) is not None


async def test_who_lost_the_lease_stands_by_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, ToldEngine(ttfbs=(100,))) as (house, actor):
        audit = await file(house, actor)
        await take(house, audit)
        async with scheduling(house):
            await eventually_true(lambda: acts(house))
            async with house.database.work(SYSTEM) as work:
                far = work.now + timedelta(hours=1)
                await work.db.execute(update(leases.StoredLease).values(token=UUID(int=1), holder="there", until=far))
            await asyncio.sleep(0.3)
            await lapse(house.database)
            await asyncio.sleep(0.5)
            assert await state(house, actor, audit) == AuditState.RUNNING
            assert await holder(house) == "there"
