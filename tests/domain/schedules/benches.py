"""A site with pages, its schedules, and a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from domain import audits, leases, schedules, sites
from domain.access import Actor
from domain.ids import new_id
from domain.work import EventKind, StoredEvent
from infra.db.database import SqlDatabase
from tests.databases import everybodys, new_workspace

NOON = datetime(2026, 5, 13, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def to(self, time: str) -> None:
        """To this time of the clock's day, or of another one."""
        self.now = datetime.fromisoformat(time if "T" in time else f"{self.now.date()}T{time}").replace(tzinfo=UTC)


class Bench:
    """A workspace with one site, seen by its owner."""

    def __init__(self, database: SqlDatabase, clock: Clock, workspace_id: UUID, actor: Actor, site_id: UUID) -> None:
        self.database, self.clock, self.workspace_id, self.actor, self.site_id = database, clock, workspace_id, actor, site_id

    async def add_pages(self, number: int) -> list[UUID]:
        """Their ids in the order in which they are audited."""
        ids = [new_id() for _ in range(number)]
        given = {"workspace_id": self.workspace_id, "site_id": self.site_id, "created_at": NOON}
        rows = [{"id": id, "name": id.hex, "path": f"/{id.hex}", **given} for id in ids]
        async with everybodys(self.database) as connection:
            await connection.execute(insert(sites.Page), rows)
        return ids

    async def create(self, name: str = "daily", **given: Any) -> UUID:
        given = given if "every_minutes" in given else {"cron": "0 13 * * *", **given}
        async with self.database.work(self.actor) as work:
            return (await schedules.create(work, **{"site_id": self.site_id, "name": name, **given})).id

    async def do(self, action: Any, schedule_id: UUID, **given: Any) -> Any:
        async with self.database.work(self.actor) as work:
            return await action(work, schedule_id=schedule_id, **given)

    async def read(self, id: UUID) -> schedules.ScheduleRow:
        return (await schedules.by_ids(self.database.reader, self.actor.reach, [id]))[id]

    async def profile(self, name: str) -> UUID:
        found = await sites.profiles_by_workspace(self.database.reader, self.actor.reach, [self.workspace_id])
        return next(profile.id for profile in found[self.workspace_id] if profile.name == name)

    async def lead(self) -> leases.Lease:
        lease = await leases.acquire(self.database, "scheduler", holder="here", lasts=timedelta(seconds=30))
        assert lease is not None
        return lease

    async def fire(self, lease: leases.Lease | None = None, limit: int = 50) -> int:
        """Fire until nothing is due; how many transactions it took."""
        lease = lease or await self.lead()
        rounds = 0
        while (fired := await schedules.fire_due(self.database, lease, limit)).schedules:
            assert fired.broken is None, repr(fired.broken and fired.broken.__cause__)
            rounds += 1
        await leases.release(self.database, lease)
        return rounds

    async def audits(self) -> list[Any]:
        """All that were ever asked for, in order."""
        async with everybodys(self.database) as connection:
            return list(await connection.execute(select(audits.Audit.__table__).order_by(audits.Audit.__table__.c.id)))

    async def said(self) -> list[tuple[EventKind, dict[str, Any]]]:
        """What was told of schedules, in order."""
        kinds = (EventKind.SCHEDULE_FIRED, EventKind.SCHEDULE_SKIPPED)
        events = select(StoredEvent.kind, StoredEvent.payload).where(StoredEvent.kind.in_(kinds)).order_by(StoredEvent.id)
        async with everybodys(self.database) as connection:
            return [(row.kind, row.payload) for row in await connection.execute(events)]


async def new_bench(database: SqlDatabase, clock: Clock, slug: str = "acme") -> Bench:
    workspace_id, actor = await new_workspace(database, slug)
    async with database.work(actor) as work:
        site = await sites.create(work, workspace_id=workspace_id, origin=f"https://{slug}.example")
    return Bench(database, clock, workspace_id, actor, site.id)


@pytest.fixture
async def bench(database: SqlDatabase) -> AsyncGenerator[Bench, None]:
    clock = Clock()
    opened = SqlDatabase(database.url, clock=clock)
    yield await new_bench(opened, clock)
    await opened.close()
