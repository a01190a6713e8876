"""The feed of a process: one subscription to the bus, fanned out to followers with bounded queues of their own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from domain import history, metering
from domain.ports import Bus, Missed, Reader
from domain.work import EventRow

_log = logging.getLogger(__name__)

QUEUE = 1_000
RETRY_SECONDS = 1.0


class Hub:
    """Start it once a process, inside the event loop."""

    def __init__(self, bus: Bus, reader: Reader) -> None:
        self._bus = bus
        self._reader = reader
        self._followers: dict[UUID, set[HubFollower]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.position = 0

    async def start(self) -> None:
        self.position = (await history.state(self._reader)).last
        self._task = asyncio.create_task(self._deliver(), name="event hub")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def follow(self, workspace_id: UUID, subject: UUID | None = None) -> Generator[HubFollower, None, None]:
        follower = HubFollower(self, subject)
        self._followers[workspace_id].add(follower)
        metering.subscribed()
        try:
            yield follower
        finally:
            metering.unsubscribed()
            self._followers[workspace_id].discard(follower)
            if not self._followers[workspace_id]:
                del self._followers[workspace_id]

    async def _deliver(self) -> None:
        while True:
            try:
                async with contextlib.aclosing(self._bus.events(self.position)) as events:
                    async for event in events:
                        self.position = event.sequence
                        for follower in self._followers.get(event.workspace_id, ()):
                            follower.put(event)
            except Exception:
                # The position is kept, so nothing is missed.
                _log.exception("The events could not be followed; trying again.")
                await asyncio.sleep(RETRY_SECONDS)


class HubFollower:
    """A slow one loses what is in its queue, and is told so; nobody waits for it."""

    def __init__(self, hub: Hub, subject: UUID | None) -> None:
        self._hub = hub
        self._subject = subject
        self._queue: deque[EventRow] = deque()
        self._filled = asyncio.Event()
        self._taken = hub.position
        self._missed = 0
        self._missed_until = 0

    @property
    def position(self) -> int:
        return self._taken if self._queue or self._missed else max(self._taken, self._hub.position)

    def put(self, event: EventRow) -> None:
        if self._subject is not None and event.subject != self._subject:
            return
        if len(self._queue) >= QUEUE:
            self._missed += len(self._queue)
            self._missed_until = self._queue[-1].sequence
            self._queue.clear()
        self._queue.append(event)
        self._filled.set()

    async def next(self, seconds: float) -> EventRow | Missed | None:
        if not self._filled.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._filled.wait()
        if self._missed:
            missed = Missed(self._missed, self._taken, self._missed_until)
            self._missed, self._taken = 0, missed.until
            return missed
        if not self._queue:
            return None
        event = self._queue.popleft()
        if not self._queue:
            self._filled.clear()
        self._taken = event.sequence
        return event
