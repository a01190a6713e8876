"""The embedded bus: the outbox table itself, read on from its end, woken in process and polled across processes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select

from domain.base import Query, query
from domain.ports import Reader
from domain.work import Message, Outbox

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
RETRY_SECONDS = 1.0
BATCH = 500
QUEUE = 1_000


class _OutboxRow(NamedTuple):
    id: int
    topic: str
    name: str
    workspace_id: UUID
    payload: dict[str, Any]


class _EndRow(NamedTuple):
    id: int


_AFTER = Query(
    _OutboxRow,
    query(_OutboxRow, Outbox).where(Outbox.id > bindparam("after")).statement.order_by(Outbox.id).limit(BATCH),
)
_END = Query(_EndRow, select(func.coalesce(func.max(Outbox.id), 0)))


class OutboxBus:
    """Start it once a process, inside the event loop.

    On SQLite, whose writers take turns, each listener gets every message once, in the order of the commits. PostgreSQL
    gives ids out before the commit: there a message whose transaction ends after a later one's may be passed over, so
    that it is a nudge to look at the row, never the only word of something. On both, a listener that lags by more than
    QUEUE messages loses the oldest.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._woken = asyncio.Event()
        self._listeners: dict[str, set[asyncio.Queue[Message]]] = defaultdict(set)
        self._position = 0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something new: do not wait for the next poll."""
        self._woken.set()

    async def start(self) -> None:
        self._position = await self._end()
        self._task = asyncio.create_task(self._tail(), name="outbox bus")

    async def stop(self) -> None:
        """After the read under way, which is not broken off: a connection would be lost with it."""
        if self._task is not None:
            self._stopping = True
            self._woken.set()
            await self._task

    @asynccontextmanager
    async def listen(self, *topics: str) -> AsyncGenerator[QueueListener, None]:
        queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE)
        for topic in topics:
            self._listeners[topic].add(queue)
        try:
            yield QueueListener(queue)
        finally:
            for topic in topics:
                self._listeners[topic].discard(queue)
                if not self._listeners[topic]:
                    del self._listeners[topic]

    async def _end(self) -> int:
        row = await self._reader.first(_END)
        return row.id if row else 0

    async def _tail(self) -> None:
        while not self._stopping:
            try:
                rows = await self._reader.all(_AFTER, after=self._position)
            except Exception:
                # The database is away for a moment; the position is kept, so nothing is missed.
                _log.exception("The outbox could not be read; trying again.")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for row in rows:
                self._position = row.id
                self._deliver(Message(row.topic, row.name, row.workspace_id, row.payload))
            if len(rows) < BATCH and not self._stopping:
                # Not wait_for: until Python 3.12 it swallows a cancellation that comes together with the wake.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._woken.wait()
                self._woken.clear()

    def _deliver(self, message: Message) -> None:
        for queue in self._listeners.get(message.topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(message)


class QueueListener:
    """One listener's end of the bus."""

    def __init__(self, queue: asyncio.Queue[Message]) -> None:
        self._queue = queue

    async def __aiter__(self) -> AsyncIterator[Message]:
        while True:
            yield await self._queue.get()

    async def next(self, seconds: float) -> Message | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._queue.get()
        return None
