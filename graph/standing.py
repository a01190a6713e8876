"""Whether those who stay still may: what is known of a key or a session is read again once a second, for all with it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from opentelemetry.trace import SpanKind

from domain import accounts, actors, metering, tracing
from domain.access import NOBODY, Actor, Permission
from domain.errors import DatabaseAway, NotAllowed, ProblemCode
from domain.keyring import Keyring
from domain.ports import Reader
from domain.work import EventRow

log = structlog.get_logger()

FRESH_SECONDS = 1.0
"""What was read of a key is good for so long."""

LOOK_SECONDS = 0.5
"""How often it is looked after those who stay: within a second of its revocation a key opens nothing."""

RETRY_SECONDS = 1.0
KEPT = 10_000
"""So many keys are known without asking, those used last."""

REVOKED = "This API key or session is good no longer: sign in again."


class Standing:
    """One key's or access token's in this process. `until`: when the token expires, by the loop's clock."""

    def __init__(self, actor: Actor, read_at: float = -math.inf, until: float = math.inf) -> None:
        self._until = until
        self._asked = self._actor = actor
        self._read_at = read_at
        self._failed_at = self._doubted_at = -math.inf
        self._turn = asyncio.Lock()
        self._staying: set[Callable[[], None]] = set()

    async def now(self, reader: Reader) -> Actor:
        """The actor as they are now; while the database is away, as they were last known."""
        if not self.is_fresh:
            with contextlib.suppress(DatabaseAway):
                await self._look(reader)
        return self._actor

    async def require(
        self, reader: Reader, workspace_id: UUID, event: EventRow | None = None, *, site_id: UUID | None = None
    ) -> Actor:
        """The actor as they are now. Raises NotAllowed or NotFound where they may read this workspace, or site, no more.

        `event` is what has just happened and is delivered if they may: that is traced and counted. While the database is
        away, nothing can be known, and so nothing is delivered.
        """
        with tracing.follow(event.trace if event else None, "deliver event", kind=SpanKind.CONSUMER):
            while not (self.is_fresh or self.revoked):
                try:
                    await self._look(reader)
                    break
                except DatabaseAway:
                    await asyncio.sleep(RETRY_SECONDS)
            if self.revoked:
                raise NotAllowed(REVOKED, Permission.READ, ProblemCode.NOT_SIGNED_IN)
            self._actor.require(Permission.READ, workspace_id, site_id)
        if event is not None:
            metering.event_delivered((datetime.now(UTC) - event.at).total_seconds())
        return self._actor

    @property
    def asked(self) -> Actor:
        """The actor as they came."""
        return self._asked

    @property
    def known(self) -> Actor:
        """The actor as they were last known."""
        return self._actor

    @property
    def revoked(self) -> bool:
        return self._asked.is_somebody and not self._actor.is_somebody

    @property
    def is_fresh(self) -> bool:
        now = asyncio.get_running_loop().time()
        return now - self._read_at < FRESH_SECONDS and self._read_at > self._doubted_at and now < self._until

    def doubt(self) -> None:
        """They have just become more or less: what was read before is not good any more."""
        self._doubted_at = asyncio.get_running_loop().time()

    async def _look(self, reader: Reader) -> None:
        async with self._turn:
            began = asyncio.get_running_loop().time()
            if self.is_fresh or self.revoked:
                return
            if began >= self._until:
                self.learn(NOBODY, began)
                return
            if began - self._failed_at < RETRY_SECONDS:  # who waited for their turn does not wait for the next failure too
                raise DatabaseAway("The database could not be reached a moment ago.")
            try:
                (actor,) = await actors.current(reader, [self._asked])
            except DatabaseAway:
                self._failed_at = asyncio.get_running_loop().time()
                raise
            self.learn(actor, began)

    def learn(self, actor: Actor, read_at: float) -> None:
        """How the actor stood then; who stays with a key that is good no longer is told."""
        self._actor, self._read_at = NOBODY if read_at >= self._until else actor, read_at
        if self.revoked:
            for leave in tuple(self._staying):
                leave()


class Standings:
    """Those of all keys and sessions: each is read once a second at most, however many ask or stay with it."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[UUID, Standing] = WeakValueDictionary()
        self._by_digest: OrderedDict[bytes, Standing] = OrderedDict()
        self._staying: dict[Standing, int] = {}
        self._looking: asyncio.Task[None] | None = None

    def of(self, actor: Actor) -> Standing:
        """To be held for as long as it is asked."""
        id = actor.key_id or actor.session_id
        return self._known.setdefault(id, Standing(actor)) if id is not None else Standing(actor)

    def fresh(self, text: str) -> Standing | None:
        """Of whoever brings this key or token, where that was read a moment ago."""
        digest = _digest(text)
        known = self._by_digest.get(digest)
        if known is None or not known.is_fresh or known.revoked:
            return None
        self._by_digest.move_to_end(digest)
        return known

    async def of_bearer(self, reader: Reader, text: str, keyring: Keyring, signing: accounts.Signing) -> Standing | None:
        """Of whoever brings this key or access token; None when it is neither, or no longer good. Raises DatabaseAway."""
        digest = _digest(text)
        known = self._by_digest.get(digest)
        if known is None:
            known = await self._found(reader, text, keyring, signing)
            if known is None:
                return None
            self._by_digest[digest] = known
            while len(self._by_digest) > KEPT:
                self._by_digest.popitem(last=False)
        else:
            self._by_digest.move_to_end(digest)
            await known.now(reader)
        if known.revoked:
            self._by_digest.pop(digest, None)
            return None
        return known

    async def _found(self, reader: Reader, text: str, keyring: Keyring, signing: accounts.Signing) -> Standing | None:
        began = asyncio.get_running_loop().time()
        if text.startswith("pmk_"):
            actor = await actors.of_key(reader, text, keyring)
            return self._known.setdefault(actor.key_id, Standing(actor, began)) if actor and actor.key_id else None
        try:
            access = await signing.read(text)
        except accounts.Unreadable:
            return None
        actor = await actors.of_session(reader, access.user_id, access.session_id)
        lasts = (access.expires_at - datetime.now(UTC)).total_seconds()
        # Not shared with the session's other tokens: each ends when it says.
        return Standing(actor, began, began + lasts) if actor is not None else None

    def stay(self, standing: Standing, reader: Reader, leave: Callable[[], None]) -> Callable[[], None]:
        """`leave` is called within a second of a revocation, or of a token's end. Returns what ends the stay."""
        standing._staying.add(leave)
        self._staying[standing] = self._staying.get(standing, 0) + 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(reader), name="standings")

        def gone() -> None:
            standing._staying.discard(leave)
            self._staying[standing] -= 1
            if not self._staying[standing]:
                del self._staying[standing]
            if not self._staying and self._looking is not None:
                self._looking.cancel()
                self._looking = None

        return gone

    async def _look(self, reader: Reader) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            known, began = tuple(self._staying), asyncio.get_running_loop().time()
            try:
                for standing, actor in zip(known, await actors.current(reader, [each.asked for each in known]), strict=True):
                    standing.learn(actor, began)
            except DatabaseAway:
                continue
            except Exception:
                log.exception("Those who stay could not be looked after; trying again.")


def _digest(text: str) -> bytes:
    """By which a key is found again: the keys themselves are not held."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=32).digest()


NOBODYS = Standing(NOBODY, math.inf)
"""Of whoever brings nothing: there is nothing to read."""
