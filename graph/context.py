"""What every resolver can reach: the services, the actor, and loaders that live as long as one operation."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import strawberry
from strawberry.extensions import SchemaExtension

from domain import files, sites
from domain.access import NOBODY, Actor
from domain.errors import DatabaseAway
from domain.ids import Kind, encode
from domain.ports import Database, Feed, Reader, Storage
from domain.work import Work

from .loaders import HISTORY, Loaders
from .operations.documents import Document
from .standing import Standing, Standings

LINK_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Services:
    """What wiring hands over. `base_url` is how this server is reached from outside, without a slash at its end."""

    database: Database
    feed: Feed
    storage: Storage
    seal: sites.Seal
    pepper: bytes = field(repr=False)
    link_secret: bytes = field(repr=False)
    base_url: str
    standings: Standings = field(default_factory=Standings)


@dataclass(slots=True)
class Context:
    services: Services
    actor: Actor = NOBODY
    connection_params: dict[str, object] | None = None
    document: Document | None = None
    standing: Standing | None = field(default=None, init=False)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.fresh()

    def fresh(self) -> None:
        """Forget what was loaded: before each event, and after each write."""
        self.loaders = Loaders(self.services.database.reader, self.actor.reach)

    @property
    def reader(self) -> Reader:
        return self.services.database.reader

    def work(self) -> AbstractAsyncContextManager[Work]:
        return self.services.database.work(self.actor)

    async def file_link(self, row: files.FileRow) -> str:
        """The storage's own link where it can make one, else ours."""
        link = await self.services.storage.link(row.storage_key, seconds=int(LINK_LIFETIME.total_seconds()))
        token = files.sign(row.id, datetime.now(UTC) + LINK_LIFETIME, self.services.link_secret)
        return link or f"{self.services.base_url}/files/{token}"

    def report_link(self, audit_id: UUID) -> str:
        token = files.sign(audit_id, datetime.now(UTC) + LINK_LIFETIME, self.services.link_secret)
        return f"{self.services.base_url}/report/{encode(Kind.AUDIT, audit_id)}?token={token}"


Info = strawberry.Info[Context, None]


class ContextPerOperation(SchemaExtension):
    """A WebSocket makes one context for all its operations; loaders must not live so long."""

    async def on_operation(self) -> AsyncGenerator[None, None]:
        shared: Context = self.execution_context.context
        actor = shared.actor
        if shared.connection_params is not None:  # a socket, which may live longer than its key is good
            shared.standing = shared.standing or shared.services.standings.of(actor)
            actor = await shared.standing.now(shared.reader)
        context = self.execution_context.context = Context(shared.services, actor, document=shared.document)
        if "eventCursor" in (self.execution_context.query or ""):
            # Before anything else is read, so that nothing can happen between the state and its cursor.
            with contextlib.suppress(DatabaseAway):
                await context.loaders.history.load(HISTORY)
        try:
            yield
        except BaseException:
            # Whoever cancels an operation, or lets it run out of time, does not wait for what it was still reading.
            context.loaders.stop()
            raise
