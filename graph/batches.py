"""Reads by key, together: of all fields of a level, and of all operations of a process that see the same.

While a statement of a kind is on its way (at most two), further keys wait and go together in the next: there is no timer
where nobody waits, and nothing is kept. A batch is read after all its keys were asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Any, Generic, TypeVar

from domain.errors import DatabaseAway

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

AT_ONCE = 2
MOST_KEYS = 1_000
"""Of several askers together; one alone may ask for more."""

PATIENCE_SECONDS = 0.05
"""So long keys wait for others' statements, which may be slow ones."""

Read = Callable[[Collection[K]], Awaitable[Mapping[K, V]]]


class Batches:
    """Those of one process. A lane is of one kind of read and one reach: nobody is answered from what others may see."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane[Any, Any]] = {}

    def ask(self, kind: Hashable, keys: Collection[K], read: Read[K, V]) -> Asker[K, V]:
        """`read` is the same for all of one kind. Whoever asks takes the answer, or leaves."""
        lane = self._lanes.get(kind)
        if lane is None:
            lane = self._lanes[kind] = _Lane(read, lambda: self._lanes.pop(kind, None))
        asker: Asker[K, V] = Asker(keys)
        lane.join(asker)
        return asker


class Asker(Generic[K, V]):
    __slots__ = ("batch", "coming", "keys")

    def __init__(self, keys: Collection[K]) -> None:
        self.keys = keys
        self.coming: asyncio.Future[Mapping[K, V]] = asyncio.get_running_loop().create_future()
        self.batch: _Batch | None = None

    async def answer(self) -> Mapping[K, V]:
        """At least these keys' values, as far as there are any.

        Raises what the read raises for these keys alone. Whoever leaves takes nobody with them.
        """
        try:
            return await self.coming
        except asyncio.CancelledError:
            self.leave()
            raise

    def leave(self) -> None:
        if self.batch is not None:
            self.batch.left()
        if not self.coming.cancel() and not self.coming.cancelled():
            self.coming.exception()  # which nobody is told of any more


class _Batch:
    """One statement on its way; when the last of its askers has left, nobody needs it."""

    __slots__ = ("askers", "task")

    def __init__(self, askers: int) -> None:
        self.askers = askers
        self.task: asyncio.Task[None] | None = None

    def left(self) -> None:
        self.askers -= 1
        if not self.askers and self.task is not None:
            self.task.cancel()


class _Lane(Generic[K, V]):
    """`end` is called when nothing waits or runs."""

    def __init__(self, read: Read[K, V], end: Callable[[], object]) -> None:
        self._read = read
        self._end = end
        self._waiting: list[Asker[K, V]] = []
        self._running = 0
        self._next: asyncio.Handle | None = None

    def join(self, asker: Asker[K, V]) -> None:
        self._waiting.append(asker)
        if self._next is None:
            self._plan()

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        if self._running < AT_ONCE:
            self._next = loop.call_soon(self._go)  # whoever asks in this turn of the loop goes with them
        else:
            self._next = loop.call_later(PATIENCE_SECONDS, self._go)

    def _go(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        waiting = [asker for asker in self._waiting if not asker.coming.done()]
        askers, keys = waiting[:1], sum(len(asker.keys) for asker in waiting[:1])
        for asker in waiting[1:]:
            keys += len(asker.keys)
            if keys > MOST_KEYS:
                break
            askers.append(asker)
        self._waiting = waiting[len(askers) :]
        if askers:
            self._start(askers)
        if self._waiting:
            self._plan()
        elif not self._running:
            self._end()

    def _start(self, askers: list[Asker[K, V]]) -> None:
        batch = _Batch(len(askers))
        for asker in askers:
            asker.batch = batch
        self._running += 1
        batch.task = asyncio.get_running_loop().create_task(self._run(askers))

    async def _run(self, askers: list[Asker[K, V]]) -> None:
        try:
            keys = askers[0].keys if len(askers) == 1 else dict.fromkeys(key for asker in askers for key in asker.keys)
            found = await self._read(keys)
        except Exception as error:
            self._failed(askers, error)
        except asyncio.CancelledError:
            for asker in askers:
                asker.coming.cancel()
            raise
        else:
            for asker in askers:
                if not asker.coming.done():
                    asker.coming.set_result(found)
        finally:
            self._running -= 1
            if self._waiting or not self._running:
                self._go()

    def _failed(self, askers: list[Asker[K, V]], error: Exception) -> None:
        left = [asker for asker in askers if not asker.coming.done()]
        if len(askers) == 1 or isinstance(error, DatabaseAway):
            for asker in left:
                asker.coming.set_exception(error)
        else:  # whose keys it were is found out by asking for each by themselves
            for asker in left:
                self._start([asker])
