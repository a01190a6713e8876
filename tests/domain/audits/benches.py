"""Workspaces whose audits wait, and what takes them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import update

from domain import audits, jobs, runners, sites
from domain.access import SYSTEM, Actor
from domain.keyring import Keyring
from domain.measuring import Engine, EngineName
from domain.work import StoredJob
from infra.db.database import SqlDatabase
from infra.storage.disk import DiskStorage
from tests.databases import new_workspace

SEAL = Keyring([b"secret"])


class Tenant:
    """A workspace and its owner."""

    def __init__(self, database: SqlDatabase, id: UUID, actor: Actor) -> None:
        self.database, self.id, self.actor = database, id, actor

    async def request(self, *urls: str, **given: object) -> list[UUID]:
        async with self.database.work(self.actor) as work:
            return [
                (await audits.request(work, workspace_id=self.id, url=url, **given)).id  # type: ignore[arg-type]
                for url in urls or ("http://127.0.0.1:1/",)
            ]

    async def read(self, id: UUID) -> audits.AuditRow:
        return (await audits.by_ids(self.database.reader, self.actor.reach, [id]))[id]

    async def profile(self, name: str) -> UUID:
        found = await sites.profiles_by_workspace(self.database.reader, self.actor.reach, [self.id])
        return next(profile.id for profile in found[self.id] if profile.name == name)


async def tenant(database: SqlDatabase, slug: str = "acme") -> Tenant:
    return Tenant(database, *await new_workspace(database, slug))


async def lapse(database: SqlDatabase) -> None:
    """All workers died half an hour ago."""
    async with database.work(SYSTEM) as work:
        await work.db.execute(update(StoredJob).values(claim_until=work.now - timedelta(minutes=30)))


async def sweep(database: SqlDatabase) -> jobs.Lapsed:
    """And nobody rests."""
    async with database.work(SYSTEM) as work:
        lapsed = await audits.sweep(work)
        await work.db.execute(update(StoredJob).values(ready_at=work.now))
        return lapsed


class Taker:
    """A runner with its storage."""

    def __init__(self, database: SqlDatabase, storage: DiskStorage, folder: Path, runner: UUID) -> None:
        self.database, self.storage, self.folder, self.runner = database, storage, folder, runner

    async def take(self, *engines: EngineName, only: UUID | None = None) -> audits.Claim | None:
        wanted = engines or (EngineName.PROBE,)
        return await audits.take(self.database, runner_id=self.runner, pool="default", engines=wanted, only=only)

    async def perform(self, engine: Engine, claim: audits.Claim | None = None) -> None:
        claim = claim or await self.take()
        assert claim is not None
        await audits.perform(self.database, self.storage, engine, SEAL, claim)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


async def taker(database: SqlDatabase, folder: Path) -> Taker:
    async with database.work(SYSTEM) as work:
        runner = await runners.appear(work, name="here", location="local", pool="default", engines=[*EngineName])
    return Taker(database, DiskStorage(folder), folder, runner)
