"""Connections that are kept open, each used by one statement at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from domain.metering import PoolCounts

WAIT_SECONDS = 30.0


class Closing(Protocol):
    async def close(self) -> Any: ...


C = TypeVar("C", bound=Closing)


class Pool(Generic[C]):
    """At most so many; what was used last is used next. They are made when they are needed."""

    def __init__(self, connect: Callable[[], Awaitable[C]], is_open: Callable[[C], bool], most: int) -> None:
        self._connect = connect
        self._is_open = is_open
        self._most = most
        self._made = 0
        self._idle: list[C] = []
        self._waiting: deque[asyncio.Future[C | None]] = deque()
        self._coming: set[asyncio.Future[C]] = set()
        self._leaving: set[asyncio.Future[None]] = set()
        self._closed = False

    @property
    def counts(self) -> PoolCounts:
        return PoolCounts(len(self._idle), self._made - len(self._idle) - len(self._coming) - len(self._leaving))

    async def take(self) -> C:
        """To be given back, or dropped. Raises TimeoutError when none becomes free, and what connecting raises."""
        while True:
            while self._idle:
                connection = self._idle.pop()
                if self._is_open(connection):
                    return connection
                self._gone()
            if self._made < self._most:
                return await self._new()
            freed = await self._next()
            if freed is not None:
                self._idle.append(freed)  # it may have been closed since it was given back

    def give(self, connection: C) -> None:
        """It can be used again, unless it was closed meanwhile."""
        if self._closed:
            self.drop(connection)
        elif not self._is_open(connection):
            self._gone()
        elif not self._wake(connection):
            self._idle.append(connection)

    def drop(self, connection: C) -> None:
        """Nobody knows what it is still at: it is closed, in its own time."""
        leaving = asyncio.get_running_loop().create_task(self._leave(connection))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Those that are idle at once, and the others when they are given back."""
        self._closed = True
        while self._idle:
            self.drop(self._idle.pop())
        while leaving := self._coming | self._leaving:
            await asyncio.wait(leaving)
        self._closed = False

    async def _new(self) -> C:
        self._made += 1
        coming = asyncio.ensure_future(self._connect())
        try:
            return await asyncio.shield(coming)
        except asyncio.CancelledError:
            # It is made to its end, and the next one has it.
            self._coming.add(coming)
            coming.add_done_callback(self._came)
            raise
        except BaseException:
            self._gone()
            raise

    def _came(self, coming: asyncio.Future[C]) -> None:
        self._coming.discard(coming)
        if coming.cancelled() or coming.exception() is not None:
            self._gone()
        else:
            self.give(coming.result())

    async def _next(self) -> C | None:
        """One that was given back; None where there is room for a new one."""
        coming: asyncio.Future[C | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(coming)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await coming
        except BaseException:
            if coming.done() and not coming.cancelled():  # it came in the very moment in which nobody waited any more
                freed = coming.result()
                if freed is not None:
                    self.give(freed)
                else:
                    self._wake(None)
            raise

    async def _leave(self, connection: C) -> None:
        try:
            await connection.close()
        except Exception:  # noqa: S110 - it is gone, one way or another
            pass
        finally:
            self._gone()

    def _gone(self) -> None:
        self._made -= 1
        self._wake(None)

    def _wake(self, connection: C | None) -> bool:
        while self._waiting:
            coming = self._waiting.popleft()
            if not coming.done():
                coming.set_result(connection)
                return True
        return False
