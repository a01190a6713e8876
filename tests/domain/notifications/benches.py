"""A workspace with channels, a clock that goes on when told, and whoever carries what is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from domain import alerts, notifications, sites
from domain.access import SYSTEM, Actor
from domain.alerts import AlertKind, AlertSeverity, Condition
from domain.ids import new_id
from domain.keyring import Keyring
from domain.mails import Mail
from domain.notifications import Answer, ChannelKind, Means, Outcome
from domain.paging import Window
from domain.work import EventKind, StoredEvent, StoredJob
from infra.db.database import SqlDatabase
from tests.databases import everybodys, new_workspace

NOON = datetime(2026, 5, 13, 12, tzinfo=UTC)
KEYRING = Keyring([b"a secret of thirty-two characters"])
URL = "https://hooks.example/here?token=x"


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Posted(NamedTuple):
    url: str
    headers: dict[str, str]
    body: bytes


class Told:
    """A poster and a mailer that do what they are told: answer, take, or raise; at last they take everything."""

    def __init__(self, *says: Answer | Exception) -> None:
        self.says, self.posts, self.mails = list(says), list[Posted](), list[Mail]()

    async def post(self, url: str, headers: Any, body: bytes) -> Answer:
        self.posts.append(Posted(url, dict(headers), body))
        said = self.says.pop(0) if self.says else Answer(204, "", None)
        if isinstance(said, Exception):
            raise said
        return said

    async def send(self, mail: Mail) -> None:
        if self.says and isinstance(said := self.says.pop(0), Exception):
            raise said
        self.mails.append(mail)


class Bench:
    """Seen by the workspace's owner."""

    def __init__(self, database: SqlDatabase, clock: Clock, workspace_id: UUID, actor: Actor, site_id: UUID) -> None:
        self.database, self.clock, self.workspace_id, self.actor, self.site_id = database, clock, workspace_id, actor, site_id

    async def channel(self, kind: ChannelKind = ChannelKind.WEBHOOK, name: str = "here", **given: Any) -> UUID:
        return (await self.made(kind, name, **given)).promised.id

    async def made(self, kind: ChannelKind = ChannelKind.WEBHOOK, name: str = "here", **given: Any) -> notifications.Created:
        to = {"emails": ["ann@example.org"]} if kind is ChannelKind.EMAIL else {"url": URL}
        values = {"workspace_id": self.workspace_id, "kind": kind, "name": name, "keyring": KEYRING, **to, **given}
        async with self.database.work(self.actor) as work:
            return await notifications.create(work, **values)

    async def do(self, action: Any, **given: Any) -> Any:
        async with self.database.work(self.actor) as work:
            return await action(work, **given)

    def condition(self, key: str = "page:1:failure", **given: Any) -> Condition:
        said = {"kind": AlertKind.FAILURE, "severity": AlertSeverity.ERROR, "title": "The page / cannot be measured"}
        return Condition(**{"workspace_id": self.workspace_id, "site_id": self.site_id, "key": key, **said, **given})

    async def hold(self, key: str = "page:1:failure", **given: Any) -> alerts.Held:
        async with self.database.work(SYSTEM) as work:
            return await alerts.hold(work, self.condition(key, **given))

    async def end(self, key: str = "page:1:failure") -> UUID | None:
        async with self.database.work(SYSTEM) as work:
            return await alerts.end(work, self.workspace_id, key)

    async def alert(self, id: UUID) -> alerts.AlertRow:
        return (await alerts.by_ids(self.database.reader, self.actor.reach, [id]))[id]

    async def perform(self, told: Told, keyring: Keyring = KEYRING) -> tuple[Outcome, str] | None:
        """Work the next delivery; None when none is due."""
        claim = await notifications.take(self.database)
        if claim is None:
            return None
        return await notifications.perform(self.database, Means(told, told, keyring, "https://pace.example"), claim)

    async def deliveries(self, channel_id: UUID) -> list[notifications.DeliveryRow]:
        """Oldest first."""
        list_ = notifications.DELIVERIES
        return list(reversed((await list_.of(self.database.reader, self.actor.reach, channel_id, Window(100))).rows))

    async def attempts(self, delivery_id: UUID) -> list[notifications.AttemptRow]:
        found = await notifications.attempts_by_deliveries(self.database.reader, self.actor.reach, [delivery_id])
        return list(found[delivery_id])

    async def read(self, channel_id: UUID) -> notifications.ChannelRow:
        return (await notifications.channels_by_ids(self.database.reader, self.actor.reach, [channel_id]))[channel_id]

    async def jobs(self) -> list[Any]:
        async with everybodys(self.database) as connection:
            return list(await connection.execute(select(StoredJob.__table__)))

    async def until_ready(self) -> timedelta:
        """Move the clock to when the only job is due; how far that was."""
        [job] = await self.jobs()
        moved, self.clock.now = job.ready_at - self.clock.now, job.ready_at
        return moved  # type: ignore[no-any-return]

    async def said(self, *kinds: EventKind) -> list[tuple[EventKind, dict[str, Any]]]:
        events = select(StoredEvent.kind, StoredEvent.payload).where(StoredEvent.kind.in_(kinds)).order_by(StoredEvent.id)
        async with everybodys(self.database) as connection:
            return [(row.kind, row.payload) for row in await connection.execute(events)]

    async def page(self, path: str = "/") -> UUID:
        id, here = new_id(), {"workspace_id": self.workspace_id, "site_id": self.site_id}
        async with everybodys(self.database) as connection:
            row = {"id": id, **here, "name": path, "path": path, "created_at": NOON}
            await connection.execute(insert(sites.Page), [row])
        return id


@pytest.fixture
async def bench(database: SqlDatabase) -> Bench:
    clock = Clock()
    database._clock = clock
    workspace_id, actor = await new_workspace(database)
    async with database.work(actor) as work:
        site = await sites.create(work, workspace_id=workspace_id, origin="https://shop.example", tags=["shop"])
    return Bench(database, clock, workspace_id, actor, site.id)
