"""What a process hears of the history, over the tables alone: on PostgreSQL too, where NATS would carry it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from domain import history
from domain.access import SYSTEM
from domain.work import Work
from infra.bus.hub import Hub
from infra.bus.outbox import OutboxBus
from infra.db.database import SqlDatabase

POLL_SECONDS = 0.2


class Numbering:
    """Gives events their places where writers do not take turns, as the relay does."""

    def __init__(self, database: SqlDatabase, bus: OutboxBus) -> None:
        self._database = database
        self._bus = bus
        self._woken = asyncio.Event()
        self._stopping = False

    def committed(self, work: Work) -> None:
        self._woken.set()
        self._bus.wake()

    async def run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            while await number(self._database):
                self._bus.wake()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()


async def number(database: SqlDatabase) -> int:
    """How many events got their places."""
    async with database.work(SYSTEM) as work:
        return await history.number(work)


@asynccontextmanager
async def feeding(database: SqlDatabase) -> AsyncGenerator[Hub, None]:
    """A process's hub, told of what it commits itself and finding what others commit."""
    bus = OutboxBus(database.reader)
    hub = Hub(bus, database.reader)
    numbering = Numbering(database, bus)
    database.committed = numbering.committed
    relay = asyncio.create_task(numbering.run()) if not database.is_sqlite else None
    await bus.start()
    await hub.start()
    try:
        yield hub
    finally:
        numbering.stop()
        if relay is not None:
            await relay
        await hub.stop()
        await bus.stop()
