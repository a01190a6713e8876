"""Whether those who stay still may: the key behind a subscription or a socket is read again while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import math
from datetime import UTC, datetime
from uuid import UUID
from weakref import WeakValueDictionary

from opentelemetry.trace import SpanKind

from domain import keys, metering, tracing
from domain.access import Actor, Permission
from domain.errors import DatabaseAway, NotAllowed, ProblemCode
from domain.ports import Reader
from domain.work import EventRow

FRESH_SECONDS = 1.0
"""What was read of a key is good for so long, for all who stay with it."""

RETRY_SECONDS = 1.0


class Standing:
    """One key's in this process."""

    def __init__(self, actor: Actor) -> None:
        self._asked = self._actor = actor
        self._read_at = -math.inf
        self._turn = asyncio.Lock()

    async def now(self, reader: Reader) -> Actor:
        """The actor as they are now; while the database is away, as they were last known."""
        with contextlib.suppress(DatabaseAway):
            await self._look(reader)
        return self._actor

    async def require(self, reader: Reader, workspace_id: UUID, event: EventRow | None = None) -> Actor:
        """The actor as they are now. Raises NotAllowed or NotFound where they may not read this workspace any more.

        `event` is what has just happened and is delivered if they may: that is traced and counted. While the database is
        away, nothing can be known, and so nothing is delivered.
        """
        with tracing.follow(event.trace if event else None, "deliver event", kind=SpanKind.CONSUMER):
            while not self._is_fresh():
                try:
                    await self._look(reader)
                    break
                except DatabaseAway:
                    await asyncio.sleep(RETRY_SECONDS)
            if self._asked.roles and not self._actor.roles:
                message = "This API key was revoked: sign in with another one."
                raise NotAllowed(message, Permission.READ, ProblemCode.NOT_SIGNED_IN)
            self._actor.require(Permission.READ, workspace_id)
        if event is not None:
            metering.event_delivered((datetime.now(UTC) - event.at).total_seconds())
        return self._actor

    def _is_fresh(self) -> bool:
        return asyncio.get_running_loop().time() - self._read_at < FRESH_SECONDS

    async def _look(self, reader: Reader) -> None:
        async with self._turn:
            if not self._is_fresh():
                began = asyncio.get_running_loop().time()
                self._actor = await keys.current(reader, self._asked)
                self._read_at = began


class Standings:
    """Those of all keys with which somebody stays: each is read once a second at most, however many they are."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[UUID, Standing] = WeakValueDictionary()

    def of(self, actor: Actor) -> Standing:
        """To be held for as long as it is asked."""
        if actor.key_id is None:
            return Standing(actor)
        return self._known.setdefault(actor.key_id, Standing(actor))
