"""A house with one workspace, and audits in it that were measured by an engine which does as it is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from fastapi import FastAPI

from app import report
from app.metering import BacklogMeter
from app.settings import Environment, Settings
from app.wiring import House
from domain import accounts, audits, documents, files, keys, runners, sites
from domain.access import SYSTEM, Actor
from domain.ids import Kind, encode
from domain.keyring import LINKS, Keyring
from domain.measuring import EngineName, Measured, Order, Phase, Reached, RunResult
from domain.metering import Backlog
from infra.bus.hub import Hub
from infra.bus.outbox import OutboxBus
from infra.cache.memory import MemoryCache
from infra.db.database import SqlDatabase
from infra.email.console import ConsoleMailer
from infra.email.rendering import Renderer
from infra.engines.guard import Guard
from infra.storage.disk import DiskStorage
from infra.telemetry import Telemetry
from infra.webhooks import GuardedPoster
from tests.databases import new_workspace

KEYRING = Keyring([b"s" * 32])
SECRET = KEYRING.derive(LINKS)
URL = "http://127.0.0.1:1/pricing"


class Replay:
    """Answers with these runs, whatever is asked; `failure` comes after them."""

    def __init__(self, name: EngineName, runs: Sequence[RunResult], failure: Exception | None = None) -> None:
        self.name, self.runs, self.failure = name, runs, failure

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        for index, run in enumerate(self.runs):
            yield Reached(Phase.LOADING, index)
            yield Measured(index, run)
        if self.failure is not None:
            raise self.failure


class Shelf:
    """What the tests of the report need: audits to show, links to them, and a client to open them with."""

    def __init__(self, house: House, workspace: UUID, actor: Actor, runner: UUID, profiles: dict[str, UUID]) -> None:
        self.house, self.workspace, self.actor, self.runner, self.profiles = house, workspace, actor, runner, profiles
        app = FastAPI()
        app.include_router(report.routes(house))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pacemark.test")

    async def request(self, profile: str = "Probe", url: str = URL, **given: object) -> UUID:
        asked = {"workspace_id": self.workspace, "url": url, "profile_id": self.profiles[profile], **given}
        async with self.house.database.work(self.actor) as work:
            return (await audits.request(work, **asked)).id  # type: ignore[arg-type]

    async def take(self, engine: EngineName) -> audits.Claim:
        claim = await audits.take(self.house.database, runner_id=self.runner, pool="default", engines=[engine])
        assert claim is not None
        return claim

    async def perform(self, engine: Replay) -> None:
        claim = await self.take(engine.name)
        await audits.perform(self.house.database, self.house.storage, engine, self.house.keyring, claim)

    async def measure(self, engine: Replay, profile: str = "Probe", url: str = URL) -> UUID:
        id = await self.request(profile, url)
        await self.perform(engine)
        return id

    def link(self, id: UUID, *, good_for: timedelta = timedelta(hours=1), secret: bytes = SECRET) -> str:
        token = files.sign(id, datetime.now(UTC) + good_for, secret)
        return f"/report/{encode(Kind.AUDIT, id)}?token={token}"

    async def open(self, id: UUID) -> str:
        answer = await self.client.get(self.link(id))
        assert answer.status_code == 200, answer.text
        return answer.text


async def nothing_waits() -> Backlog:
    return Backlog()


async def furnish(database: SqlDatabase, folder: Path) -> Shelf:
    workspace, actor = await new_workspace(database)
    async with database.work(SYSTEM) as work:
        runner = await runners.appear(work, name="fra-1", location="Frankfurt", pool="default", engines=list(EngineName))
    profiles = (await sites.profiles_by_workspace(database.reader, actor.reach, [workspace]))[workspace]
    house = House(
        settings=Settings.model_validate({"env": Environment.TEST, "data": folder}),
        database=database,
        bus=(bus := OutboxBus(database.reader)),
        hub=Hub(bus, database.reader),
        cache=MemoryCache(),
        texts=MemoryCache(),
        telemetry=Telemetry(service_name="pacemark-test", service_version="0"),
        backlog=BacklogMeter(nothing_waits),
        usage=documents.Usage(),
        key_uses=keys.Uses(),
        storage=DiskStorage(folder / "files"),
        engines={},
        keyring=KEYRING,
        signing=accounts.Signing(database, KEYRING, "http://pacemark.test"),
        passwords=accounts.Passwords(),
        oidc=None,
        mailer=ConsoleMailer(Renderer("http://pacemark.test")),
        poster=GuardedPoster(Guard(allow_private=True)),
    )
    return Shelf(house, workspace, actor, runner, {profile.name: profile.id for profile in profiles})
