"""What waits in the database, asked of it seldom and told to whoever collects metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType

import structlog

from domain import metering
from domain.metering import Backlog

EVERY_SECONDS = 5.0
PATIENCE_SECONDS = 2.0

log = structlog.get_logger()


class BacklogMeter:
    """Shows what `read` last gave, while its block lasts; nothing while the database is away."""

    def __init__(
        self,
        read: Callable[[], Awaitable[Backlog]],
        *,
        every_seconds: float = EVERY_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._read = read
        self._every_seconds = every_seconds
        self._patience_seconds = patience_seconds
        self._backlog = Backlog()
        self._due = 0.0
        self._turn = asyncio.Lock()

    def __enter__(self) -> BacklogMeter:
        self._unwatch = metering.watch_backlog(lambda: self._backlog)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._unwatch()

    async def refresh(self) -> None:
        """Ask, unless that was done a moment ago. Never raises for a database that is away or slow."""
        async with self._turn:
            if time.monotonic() < self._due:
                return
            try:
                async with asyncio.timeout(self._patience_seconds):
                    self._backlog = await self._read()
            except Exception as error:
                if self._backlog != Backlog():
                    log.warning("What waits could not be counted.", error=type(error).__name__)
                self._backlog = Backlog()
            self._due = time.monotonic() + self._every_seconds

    async def run(self) -> None:
        """Refresh for ever, for a process whose metrics nobody comes to fetch."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._every_seconds)
