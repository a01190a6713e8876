"""The embedded bus: the tables of events and jobs themselves, woken in process and polled across processes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, distinct, select

from domain import history
from domain.base import Query, UtcDateTime
from domain.errors import DatabaseAway
from domain.ports import Reader
from domain.work import EventRow, StoredJob

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
RETRY_SECONDS = 1.0


class _KindRow(NamedTuple):
    kind: str


_WAITING = Query(
    _KindRow,
    select(distinct(StoredJob.kind)).where(
        StoredJob.claim.is_(None),
        StoredJob.dead_at.is_(None),
        StoredJob.ready_at <= bindparam("now", type_=UtcDateTime()),
    ),
).beyond_reach("Kinds alone, to wake this process's workers.")


class OutboxBus:
    """Start it once a process, inside the event loop.

    It belongs to SQLite, whose writers take turns, so that an event has its place in the history when it is committed.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._woken = asyncio.Event()
        self._bells: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._news = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """The tables are there whenever the database is."""
        return True

    def wake(self) -> None:
        """There is something new: do not wait for the next poll."""
        self._woken.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._poll(), name="outbox bus")

    async def stop(self) -> None:
        """After the read under way, which is not broken off: a connection would be lost with it."""
        if self._task is not None:
            self._stopping = True
            self._woken.set()
            await self._task

    @asynccontextmanager
    async def calls(self, kind: str) -> AsyncGenerator[OutboxCalls, None]:
        yield OutboxCalls(self, kind)

    async def events(self, after: int) -> AsyncGenerator[EventRow, None]:
        while True:
            news = self._news
            try:
                rows = await self._reader.all(history.AFTER, after=after)
            except DatabaseAway:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for row in rows:
                after = row.sequence
                yield row
            if len(rows) < history.BATCH:
                await news.wait()

    async def waits(self, kind: str) -> bool:
        """Whether there is a job of this kind that nobody has."""
        try:
            return kind in {row.kind for row in await self._reader.all(_WAITING, now=datetime.now(UTC))}
        except DatabaseAway:
            await asyncio.sleep(RETRY_SECONDS)
            return False

    async def rung(self, kind: str, seconds: float) -> bool:
        """Wait for the poll to find a job of this kind; whether it did."""
        bell = self._bells[kind]
        bell.clear()
        # Not wait_for: until Python 3.12 it swallows a cancellation that comes together with the bell.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await bell.wait()
        return bell.is_set()

    async def _poll(self) -> None:
        while not self._stopping:
            self._woken.clear()
            news, self._news = self._news, asyncio.Event()
            news.set()
            if self._bells:
                try:
                    for row in await self._reader.all(_WAITING, now=datetime.now(UTC)):
                        if row.kind in self._bells:
                            self._bells[row.kind].set()
                except DatabaseAway:
                    _log.warning("The database is away; trying again.")
                    await asyncio.sleep(RETRY_SECONDS)
                except Exception:
                    _log.exception("The jobs could not be read; trying again.")
                    await asyncio.sleep(RETRY_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()


class OutboxCalls:
    """Every waiting worker is called, and the claim decides who gets the job."""

    def __init__(self, bus: OutboxBus, kind: str) -> None:
        self._bus = bus
        self._kind = kind

    async def next(self, seconds: float) -> OutboxDelivery | None:
        if await self._bus.waits(self._kind) or await self._bus.rung(self._kind, seconds):
            return OutboxDelivery()
        return None


class OutboxDelivery:
    """Nothing to tell: the job's row says how it stands."""

    async def working(self) -> None: ...

    async def done(self) -> None: ...

    async def again(self, seconds: float) -> None: ...
