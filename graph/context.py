"""What every resolver can reach: the services, the actor, and loaders that live as long as one operation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain import accounts, actors, audits, documents, files, keys
from domain.access import Actor
from domain.caching import Cache
from domain.ids import Kind, encode
from domain.keyring import LINKS, Keyring
from domain.ports import Database, Feed, Reader, Storage
from domain.work import Origin, Work

from .batches import Batches
from .callers import Caller
from .cookies import Cookies
from .loaders import HISTORY, Loaders
from .policy import Policy
from .standing import Standings

if TYPE_CHECKING:
    from .operations.budgets import Charge

LINK_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Services:
    """What wiring hands over. `base_url` is how this server is reached from outside, without a slash at its end."""

    database: Database
    feed: Feed
    storage: Storage
    keyring: Keyring = field(repr=False)
    base_url: str
    cache: Cache
    texts: Cache
    signing: accounts.Signing
    passwords: accounts.Passwords
    cookies: Cookies = field(default_factory=lambda: Cookies(secure=False))
    registration: accounts.Registration = accounts.Registration.CLOSED
    usage: documents.Usage = field(default_factory=documents.Usage)
    key_uses: keys.Uses = field(default_factory=keys.Uses)
    policy: Policy = field(default_factory=Policy)
    standings: Standings = field(default_factory=Standings)
    batches: Batches = field(default_factory=Batches)


@dataclass(slots=True)
class Context:
    """Of one operation, or one event. `resumed`: the last event that a reconnecting client saw; `charge`: what it paid.

    `set_cookies`: what a browser is to carry from now on, as values of Set-Cookie; None where the answer can carry none.
    `own`: the ids of the person who signed in by it and of their session, which the answer may tell of. `ration`: what it
    had of histories.
    """

    services: Services
    actor: Actor
    caller: Caller
    resumed: str | None = None
    charge: Charge | None = field(default=None, init=False)
    set_cookies: list[str] | None = field(default=None, init=False)
    own: frozenset[UUID] = field(default=frozenset(), init=False)
    reads_history: bool = field(default=False, init=False)
    ration: audits.Ration = field(default_factory=audits.Ration, init=False)
    _loaders: Loaders | None = field(default=None, init=False)

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.services.database.reader, self.actor.reach, self.services.batches, self.ration)
        return self._loaders

    def fresh(self) -> None:
        """Forget what was loaded: before each event, and after each write."""
        self.need_no_more()
        self._loaders = None

    def need_no_more(self) -> None:
        """What was read ahead, and then was for nothing, is not waited for."""
        if self._loaders is not None:
            self._loaders.loads.need_no_more()

    async def preload(self) -> None:
        """Before anything else is read, so that nothing can happen between the state and its `eventCursor`."""
        if self.reads_history:
            await self.loaders.history.load(HISTORY)

    async def become(self) -> None:
        """Whoever asks is more or less than before: what is read from here on is what they see now."""
        self.actor = await actors.afresh(self.reader, self.actor)
        if self.caller.standing is not None:
            self.caller.standing.doubt()
        self.fresh()
        await self.preload()

    @property
    def reader(self) -> Reader:
        return self.services.database.reader

    @asynccontextmanager
    async def work(self) -> AsyncGenerator[Work, None]:
        async with self.services.database.work(self.actor, self.origin) as work:
            if self.caller.standing is not None:  # what it says may be a second old
                work.renew = actors.current
            yield work

    @property
    def origin(self) -> Origin:
        return self.caller.origin

    def is_own(self, id: UUID) -> bool:
        """Whether it is the person's or the session's who is signed in. No API key tells of the person behind it."""
        return id in self.own or (self.actor.is_signed_in and id in (self.actor.user_id, self.actor.session_id))

    async def file_link(self, row: files.FileRow) -> str:
        """The storage's own link where it can make one, else ours."""
        link = await self.services.storage.link(row.storage_key, seconds=int(LINK_LIFETIME.total_seconds()))
        token = files.sign(row.id, datetime.now(UTC) + LINK_LIFETIME, self.services.keyring.derive(LINKS))
        return link or f"{self.services.base_url}/files/{token}"

    def report_link(self, audit_id: UUID) -> str:
        token = files.sign(audit_id, datetime.now(UTC) + LINK_LIFETIME, self.services.keyring.derive(LINKS))
        return f"{self.services.base_url}/report/{encode(Kind.AUDIT, audit_id)}?token={token}"


Info = strawberry.Info[Context, None]
