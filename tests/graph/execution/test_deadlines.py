"""Deadlines of operations: what asyncio.timeout promises, with one timer for all of them."""

from __future__ import annotations

import asyncio
import gc
import time
from asyncio import AbstractEventLoop, CancelledError, Task
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from contextvars import Context
from types import TracebackType
from typing import Any
from weakref import ref

import pytest
import uvloop

from graph.execution.deadlines import Deadlines

SOON = 0.05
LATER = 60.0
FACTORIES = [asyncio.new_event_loop, uvloop.new_event_loop]
BOTH_LOOPS = pytest.mark.parametrize("loop", FACTORIES, ids=["asyncio", "uvloop"])


def run(main: Callable[[], Awaitable[Any]], loop: Callable[[], AbstractEventLoop] = asyncio.new_event_loop) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(10):
            return await main()

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(bounded())


async def within(deadlines: Deadlines, seconds: float) -> str:
    with deadlines.one():
        await asyncio.sleep(seconds)
    return "done"


def waiting(deadlines: Deadlines) -> int:
    """How many have begun and not ended."""
    assert deadlines._queue is not None
    return len(deadlines._queue.running)


@BOTH_LOOPS
def test_what_takes_too_long_is_stopped_at_about_its_deadline(loop: Callable[[], AbstractEventLoop]) -> None:
    async def main() -> float:
        clock = asyncio.get_running_loop().time
        deadlines, begun = Deadlines(SOON), clock()
        with pytest.raises(TimeoutError) as told:
            await within(deadlines, LATER)
        assert isinstance(told.value.__cause__, CancelledError)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        assert waiting(deadlines) == 0
        return clock() - begun

    assert SOON * 0.9 <= run(main, loop) < 5


@BOTH_LOOPS
def test_they_run_out_in_the_order_in_which_they_began(loop: Callable[[], AbstractEventLoop]) -> None:
    async def main() -> None:
        deadlines, ended = Deadlines(SOON), list[int]()

        async def one(number: int) -> None:
            with suppress(TimeoutError):
                await within(deadlines, LATER)
            ended.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(one(number))
                await asyncio.sleep(SOON / 4)
        assert ended == [0, 1, 2, 3, 4, 5]

    run(main, loop)


@BOTH_LOOPS
def test_what_ends_in_time_is_not_stopped_later(loop: Callable[[], AbstractEventLoop]) -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON * 8)
        assert await within(deadlines, 0) == "done"
        assert waiting(deadlines) == 0
        await asyncio.sleep(SOON * 6)
        # The timer is still set for the one before; what begins now has all its time.
        assert await within(deadlines, SOON * 4) == "done"
        assert waiting(deadlines) == 0

    run(main, loop)


def test_a_cancellation_from_outside_stays_one() -> None:
    async def main() -> None:
        deadlines = Deadlines(LATER)
        task = asyncio.create_task(within(deadlines, LATER))
        await asyncio.sleep(0)
        task.cancel("left")
        with pytest.raises(CancelledError):
            await task
        assert task.cancelled()
        assert task.cancelling() == 1
        assert waiting(deadlines) == 0

    run(main)


@pytest.mark.parametrize("outside", [SOON * 0.8, SOON * 1.2], ids=["outside-first", "deadline-first"])
def test_a_cancellation_from_outside_at_the_same_time_stays_one(outside: float) -> None:
    async def main() -> None:
        both = Deadlines(SOON).one()

        async def stuck() -> None:
            with both:
                await asyncio.sleep(LATER)

        task = asyncio.create_task(stuck())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(outside, task.cancel)
        time.sleep(SOON * 1.5)  # so that the task has no turn between them
        with pytest.raises(CancelledError):
            await task
        assert both.has_passed
        assert (task.cancelled(), task.cancelling()) == (True, 1)

    run(main)


@BOTH_LOOPS
def test_a_timer_that_comes_after_a_cancellation_does_not_hide_it(loop: Callable[[], AbstractEventLoop]) -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON)

        async def slow_to_leave() -> None:
            with deadlines.one():
                try:
                    await asyncio.sleep(LATER)
                finally:
                    await asyncio.sleep(LATER)

        task = asyncio.create_task(slow_to_leave())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(CancelledError):
            await task
        assert (task.cancelled(), task.cancelling()) == (True, 1)

    run(main, loop)


class Theirs(AbstractContextManager[None]):
    """asyncio.timeout has to be awaited, but never waits."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    def __enter__(self) -> None:
        with suppress(StopIteration):
            self._timeout.__aenter__().send(None)

    def __exit__(self, type: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None) -> None:
        with suppress(StopIteration):
            self._timeout.__aexit__(type, raised, traceback).send(None)


Make = Callable[[float], AbstractContextManager[None]]


async def swallowed(make: Make) -> None:
    """What does not let itself be stopped."""
    with make(SOON):
        with suppress(CancelledError):
            await asyncio.sleep(LATER)
        await asyncio.sleep(0)


async def replaced(make: Make) -> None:
    """What says something else when it is stopped."""
    with make(SOON):
        try:
            await asyncio.sleep(LATER)
        except CancelledError:
            raise KeyError("else") from None


async def outer_first(make: Make) -> None:
    with make(SOON), make(LATER):
        await asyncio.sleep(LATER)


async def inner_first(make: Make) -> None:
    with make(LATER):
        with suppress(TimeoutError), make(SOON):
            await asyncio.sleep(LATER)
        await asyncio.sleep(0)


async def both_at_once(make: Make) -> None:
    with make(SOON):
        try:
            with make(SOON):
                await asyncio.sleep(LATER)
        except TimeoutError:
            raise KeyError("the inner one") from None


async def within_a_cancelled_task(make: Make) -> None:
    """A task that was cancelled before it came here, and went on."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    with suppress(CancelledError):
        await asyncio.sleep(LATER)
    with make(SOON):
        await asyncio.sleep(LATER)


async def cancelled_by_itself(make: Make) -> None:
    with make(LATER):
        raise CancelledError("mine")


async def raised(make: Make) -> None:
    with make(LATER):
        raise KeyError("exceptions pass")


async def a_timeout_of_its_own(make: Make) -> None:
    with make(LATER):
        raise TimeoutError("mine")


@pytest.mark.parametrize(
    "told",
    [
        swallowed,
        replaced,
        outer_first,
        inner_first,
        both_at_once,
        within_a_cancelled_task,
        cancelled_by_itself,
        raised,
        a_timeout_of_its_own,
    ],
    ids=lambda told: told.__name__,
)
def test_it_ends_as_with_the_timeout_of_asyncio(told: Callable[[Make], Awaitable[None]]) -> None:
    async def outcome(make: Make) -> tuple[object, ...]:
        task: Task[None] = asyncio.ensure_future(told(make))
        await asyncio.wait({task})
        error = None if task.cancelled() else task.exception()
        return type(error), str(error), task.cancelled(), task.cancelling()

    async def main() -> None:
        several = {seconds: Deadlines(seconds) for seconds in (SOON, LATER)}
        assert await outcome(lambda seconds: several[seconds].one()) == await outcome(Theirs)
        assert [waiting(each) for each in several.values() if each._queue] in ([0], [0, 0])

    run(main)


def test_of_two_that_run_out_at_once_in_one_task_the_outer_one_tells() -> None:
    async def main() -> None:
        deadlines, inner = Deadlines(SOON), list[type[BaseException]]()

        async def nested() -> None:
            with deadlines.one():
                try:
                    await within(deadlines, LATER)
                except BaseException as error:
                    inner.append(type(error))
                    raise

        task = asyncio.create_task(nested())
        await asyncio.sleep(0)
        time.sleep(SOON * 1.5)  # so that both have passed when the timer comes
        with pytest.raises(TimeoutError):
            await task
        assert inner == [CancelledError]
        assert waiting(deadlines) == 0

    run(main)


class Counting(asyncio.SelectorEventLoop):
    """Knows how many timers of deadlines were set, and how many of them are still to come."""

    set = set_now = 0

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        def come(*given: Any) -> None:
            self.set_now -= 1
            callback(*given)

        if not is_of_deadlines(callback):
            return super().call_at(when, callback, *args, context=context)
        self.set += 1
        self.set_now += 1
        return super().call_at(when, come, *args, context=context)


def is_of_deadlines(callback: object) -> bool:
    return type(getattr(callback, "__self__", None)).__module__ == Deadlines.__module__


def test_thousands_need_one_timer_at_a_time_and_leave_nothing_behind() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Counting)
        deadlines, begun = Deadlines(SOON), loop.time()
        await asyncio.gather(*(within(deadlines, 0) for _ in range(3_000)))
        while loop.time() < begun + SOON * 4:
            await asyncio.gather(*(within(deadlines, SOON / 10) for _ in range(100)))
            assert loop.set_now <= 1
        assert 1 <= loop.set <= 2 * (loop.time() - begun) / SOON + 1
        assert waiting(deadlines) == 0
        running = [asyncio.create_task(within(deadlines, LATER)) for _ in range(1_000)]
        await asyncio.sleep(0)
        assert waiting(deadlines) == 1_000
        assert loop.set_now <= 1  # none where it is about to come
        await asyncio.wait(running)
        assert {type(each.exception()) for each in running} == {TimeoutError}
        assert waiting(deadlines) == 0
        await asyncio.sleep(SOON * 2)
        assert loop.set_now == 0

    run(main, Counting)


@BOTH_LOOPS
def test_one_after_another_many_loops_are_served_and_none_is_kept(loop: Callable[[], AbstractEventLoop]) -> None:
    deadlines, loops = Deadlines(SOON), list[ref[AbstractEventLoop]]()

    async def main() -> None:
        loops.append(ref(asyncio.get_running_loop()))
        with pytest.raises(TimeoutError):
            await within(deadlines, LATER)
        assert await within(deadlines, 0) == "done"  # and the loop is closed before the timer comes

    for _ in range(3):
        run(main, loop)
    gc.collect()
    assert [each() for each in loops] == [None, None, None]


def test_loops_that_take_turns_each_end_what_is_theirs() -> None:
    deadlines = Deadlines(SOON)
    with asyncio.Runner() as one, asyncio.Runner() as other:
        runners = [one, other]

        async def begin() -> Task[str]:
            task = asyncio.create_task(within(deadlines, LATER))
            await asyncio.sleep(0)
            return task

        async def end(task: Task[str]) -> None:
            await asyncio.wait({task}, timeout=5)
            assert isinstance(task.exception(), TimeoutError)

        begun = [each.run(begin()) for each in runners]
        for runner, task in zip(runners, begun, strict=True):
            runner.run(end(task))


def test_only_a_task_has_a_deadline() -> None:
    async def main() -> None:
        told = asyncio.get_running_loop().create_future()

        def outside() -> None:
            try:
                with Deadlines(SOON).one():
                    pass
            except RuntimeError as error:
                told.set_result(str(error))

        asyncio.get_running_loop().call_soon(outside)
        assert await told == "Only a task has a deadline."

    run(main)
