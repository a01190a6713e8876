"""How long operations may take. All of a process may take as long, so they run out in the order in which they began.

That is what one timer for all of them needs; asyncio.timeout has one for each, and the loop sorts them.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from weakref import ref


class Deadlines:
    """For whatever takes no longer than so many seconds: `with deadlines.one(): …`, which raises TimeoutError then."""

    __slots__ = ("_queue", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._queue: _Queue | None = None

    def one(self) -> Deadline:
        return Deadline(self)

    def begin(self, deadline: Deadline) -> _Queue:
        loop = asyncio.get_running_loop()
        queue = self._queue
        if queue is None or queue.loop() is not loop:
            # What began in another loop is ended by that one's timer.
            queue = self._queue = _Queue(loop)
        deadline.when = loop.time() + self._seconds
        queue.running[deadline] = None
        if not queue.is_set:
            queue.set(deadline)
        return queue


class Deadline:
    """As asyncio.timeout is it: a cancellation by somebody else stays one, at the same time too."""

    __slots__ = ("_before", "_deadlines", "_queue", "_task", "has_passed", "when")

    when: float

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.has_passed = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Only a task has a deadline.")
        self._task = task
        self._before = task.cancelling()
        self._queue = self._deadlines.begin(self)

    def __exit__(
        self, type: type[BaseException] | None, raised: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if not self.has_passed:
            del self._queue.running[self]
        elif self._task.uncancel() <= self._before and type is asyncio.CancelledError:
            raise TimeoutError from raised

    def stop(self) -> None:
        self.has_passed = True
        self._task.cancel()


class _Queue:
    """What runs in one loop, the oldest first. While there is something, the timer is set for what was the oldest then."""

    __slots__ = ("is_set", "loop", "running")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = ref(loop)
        self.running: dict[Deadline, None] = {}
        self.is_set = False

    def set(self, oldest: Deadline) -> None:
        asyncio.get_running_loop().call_at(oldest.when, self._stop)
        self.is_set = True

    def _stop(self) -> None:
        now = asyncio.get_running_loop().time()
        self.is_set = False
        passed = []
        for deadline in self.running:
            if deadline.when > now:
                self.set(deadline)
                break
            passed.append(deadline)
        for deadline in passed:
            self.running.pop(deadline, None)
            deadline.stop()
