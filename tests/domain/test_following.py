"""A workspace's events for one subscriber, over real tables and a real hub: no gap and no repeat, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from domain import following, history
from domain.access import SYSTEM
from domain.errors import InvalidInput, ProblemCode
from domain.following import Checkpoint, Happened, HistoryLost, Lagged, Wanted
from domain.ids import new_id
from domain.paging import write_cursor
from domain.work import Event, EventKind
from infra.bus import hub as hubs
from infra.bus.hub import Hub
from infra.db.database import SqlDatabase
from tests.feeding import feeding, number

HERE, THERE = UUID(int=1), UUID(int=2)
STARTED, FINISHED = EventKind.AUDIT_STARTED, EventKind.AUDIT_FINISHED
Said = Happened | Checkpoint | Lagged | HistoryLost
S = TypeVar("S")


@pytest.fixture
async def hub(database: SqlDatabase) -> AsyncGenerator[Hub, None]:
    async with feeding(database) as started:
        yield started


class Subscriber:
    """Takes what is said one by one, and fails when nothing comes."""

    def __init__(self, stream: AsyncGenerator[Said, None]) -> None:
        self._stream = stream

    async def next(self) -> Said:
        async with asyncio.timeout(20):
            return await anext(self._stream)

    async def numbers(self, number: int) -> list[int]:
        """The payloads of the next events; checkpoints are passed over."""
        found: list[int] = []
        while len(found) < number:
            said = await self.next()
            assert isinstance(said, Happened | Checkpoint), said
            found += [said.event.payload["n"]] if isinstance(said, Happened) else []
        return found


@asynccontextmanager
async def subscribed(
    database: SqlDatabase, hub: Hub, after: str | None = None, wanted: Wanted | None = None, silence: float = 30.0
) -> AsyncGenerator[Subscriber, None]:
    stream = following.follow(database.reader, hub, wanted or Wanted(HERE), after, silence=silence)
    async with aclosing(stream):
        yield Subscriber(stream)


async def say(
    database: SqlDatabase,
    *numbers: int,
    workspace: UUID = HERE,
    kind: EventKind = STARTED,
    site: UUID | None = None,
    settle: bool = True,
) -> None:
    async with database.work(SYSTEM) as work:
        for each in numbers:
            work.say(Event(kind, workspace, new_id(), site, {"n": each}))
    while settle and not database.is_sqlite and await number(database):
        pass


async def cursor(database: SqlDatabase, sequence: int | None = None, workspace: UUID = HERE) -> str:
    """The place behind this event; the present end by default."""
    state = await history.state(database.reader)
    return history.cursor(state.id, workspace, state.last if sequence is None else sequence)


@contextmanager
def long_ago(database: SqlDatabase) -> Generator[None, None, None]:
    """What is said in it is old enough to be forgotten."""
    clock, database._clock = database._clock, lambda: datetime.now(UTC) - history.KEPT - timedelta(minutes=1)
    yield
    database._clock = clock


async def forget(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await history.published(work, (await history.state(database.reader)).last)
    async with database.work(SYSTEM) as work:
        await history.forget(work)


async def test_who_brings_no_cursor_begins_now(database: SqlDatabase, hub: Hub) -> None:
    await say(database, 1, 2)
    async with subscribed(database, hub) as subscriber:
        assert await subscriber.next() == Checkpoint(await cursor(database, 2), live=True)
        await say(database, 3)
        said = await subscriber.next()
        assert isinstance(said, Happened)
        assert (said.cursor, said.event.sequence, said.event.payload) == (await cursor(database, 3), 3, {"n": 3})


async def test_who_brings_one_hears_what_was_missed_then_what_comes(database: SqlDatabase, hub: Hub) -> None:
    await say(database, 1, 2)
    after = await cursor(database)
    await say(database, 3, 4)
    await say(database, 5, workspace=THERE)
    async with subscribed(database, hub, after) as subscriber:
        assert await subscriber.next() == Checkpoint(after, live=False)
        missed = [await subscriber.next(), await subscriber.next()]
        assert [each.event.payload["n"] for each in missed if isinstance(each, Happened)] == [3, 4]
        assert [each.cursor for each in missed] == [await cursor(database, 3), await cursor(database, 4)]
        assert await subscriber.next() == Checkpoint(await cursor(database, 5), live=True)
        await say(database, 6)
        assert await subscriber.numbers(1) == [6]


async def test_the_last_cursor_brings_nothing_twice(database: SqlDatabase, hub: Hub) -> None:
    await say(database, 1)
    after = await cursor(database)
    async with subscribed(database, hub, after) as subscriber:
        assert [await subscriber.next(), await subscriber.next()] == [Checkpoint(after, False), Checkpoint(after, True)]


@pytest.mark.parametrize("missed", [history.BATCH - 1, history.BATCH, history.BATCH + 1, 2 * history.BATCH + 3])
async def test_however_much_was_missed_it_is_said_whole(database: SqlDatabase, hub: Hub, missed: int) -> None:
    after = await cursor(database)
    await say(database, *range(missed))
    async with subscribed(database, hub, after) as subscriber:
        assert await subscriber.numbers(missed) == list(range(missed))
        assert await subscriber.next() == Checkpoint(await cursor(database), live=True)


async def test_who_comes_back_again_and_again_while_all_write_hears_each_event_once_in_order(
    database: SqlDatabase, hub: Hub
) -> None:
    writers, each = 3, 40
    other = SqlDatabase(database.url)

    async def write(who: int) -> None:
        for place in range(each):
            await say(other if who % 2 else database, who * each + place, settle=False)
            await asyncio.sleep(0)

    after = await cursor(database)
    writing = [asyncio.create_task(write(who)) for who in range(writers)]
    heard: list[tuple[int, int]] = []
    leave_after = 0
    while len(heard) < writers * each:
        leave_after = leave_after % 7 + 1
        async with subscribed(database, hub, after, silence=0.3) as subscriber:
            for _ in range(leave_after):
                said = await subscriber.next()
                after = said.cursor
                if isinstance(said, Happened):
                    heard.append((said.event.sequence, said.event.payload["n"]))
    await asyncio.gather(*writing)
    await other.close()
    assert [sequence for sequence, _ in heard] == list(range(1, writers * each + 1))
    for who in range(writers):
        assert [n for _, n in heard if n // each == who] == [who * each + place for place in range(each)]


ONE, OTHER = UUID(int=11), UUID(int=12)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(HERE), [0, 1, 2, 3]),
        (Wanted(HERE, kinds=frozenset({FINISHED})), [1, 2, 3]),
        (Wanted(HERE, sites=frozenset({ONE})), [0, 1]),
        (Wanted(HERE, kinds=frozenset({FINISHED}), sites=frozenset({ONE, OTHER})), [1, 2]),
        (Wanted(HERE, sites=frozenset()), []),
    ],
    ids=["all", "a kind", "a site", "a kind of two sites", "no site"],
)
async def test_only_what_is_wanted_is_said_before_the_seam_and_behind_it(
    database: SqlDatabase, hub: Hub, wanted: Wanted, expected: list[int]
) -> None:
    async def all_sorts(first: int) -> None:
        await say(database, first, kind=STARTED, site=ONE)
        await say(database, first + 1, kind=FINISHED, site=ONE)
        await say(database, first + 2, kind=FINISHED, site=OTHER)
        await say(database, first + 3, kind=FINISHED)
        await say(database, first + 4, kind=FINISHED, site=ONE, workspace=THERE)

    after = await cursor(database)
    await all_sorts(0)
    async with subscribed(database, hub, after, wanted) as subscriber:
        assert await subscriber.numbers(len(expected)) == expected
        assert isinstance(await subscriber.next(), Checkpoint)
        await all_sorts(10)
        assert await subscriber.numbers(len(expected)) == [10 + n for n in expected]


async def test_the_cursor_of_a_subscriber_who_hears_nothing_moves_on(database: SqlDatabase, hub: Hub) -> None:
    wanted = Wanted(HERE, frozenset({FINISHED}))
    async with subscribed(database, hub, wanted=wanted, silence=0.2) as subscriber:
        first = await subscriber.next()
        await say(database, 1, 2, 3)
        while (said := await subscriber.next()).cursor == first.cursor:
            assert said == Checkpoint(first.cursor, live=True)
        while said.cursor != await cursor(database):
            said = await subscriber.next()
            assert isinstance(said, Checkpoint)
    async with subscribed(database, hub, said.cursor) as again:
        assert [await again.next(), await again.next()] == [Checkpoint(said.cursor, False), Checkpoint(said.cursor, True)]


async def test_what_others_say_does_not_put_a_checkpoint_off(database: SqlDatabase, hub: Hub) -> None:
    async with subscribed(database, hub, wanted=Wanted(HERE, frozenset({FINISHED})), silence=0.3) as subscriber:
        await subscriber.next()

        async def chat() -> None:
            while True:
                await say(database, 0)
                await asyncio.sleep(0.05)

        chatting = asyncio.create_task(chat())
        assert isinstance(await subscriber.next(), Checkpoint)
        chatting.cancel()
        await asyncio.gather(chatting, return_exceptions=True)


async def test_who_is_too_slow_is_told_what_they_missed_and_can_fetch_it(
    database: SqlDatabase, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "QUEUE", 5)
    async with subscribed(database, hub) as slow:
        await slow.next()
        await say(database, 0)
        assert await slow.numbers(1) == [0]
        since = await cursor(database)
        await say(database, *range(1, 13))
        async with asyncio.timeout(10):
            while hub.position < 13:
                await asyncio.sleep(0.01)
        lagged = await slow.next()
        assert lagged == Lagged(await cursor(database, 11), 10, since)
        assert await slow.numbers(2) == [11, 12]
        await say(database, 13)
        assert await slow.numbers(1) == [13]
    async with subscribed(database, hub, since) as back:
        assert await back.numbers(13) == list(range(1, 14))


async def test_a_place_that_is_forgotten_is_told_with_the_oldest_that_is_not(database: SqlDatabase, hub: Hub) -> None:
    after = await cursor(database)
    with long_ago(database):
        await say(database, 1, 2)
    await say(database, 3)
    await forget(database)
    async with subscribed(database, hub, after) as subscriber:
        lost, live = await subscriber.next(), await subscriber.next()
        assert lost == HistoryLost(await cursor(database, 3), await cursor(database, 2))
        assert live == Checkpoint(await cursor(database, 3), live=True)
        await say(database, 4)
        assert await subscriber.numbers(1) == [4]
    assert isinstance(lost, HistoryLost)
    async with subscribed(database, hub, lost.oldest) as back:
        assert await back.numbers(2) == [3, 4]


async def test_another_history_and_a_place_that_is_not_yet_are_lost_too(database: SqlDatabase, hub: Hub) -> None:
    await say(database, 1)
    for after in (history.cursor(new_id(), HERE, 1), await cursor(database, 2), await cursor(database, 10**17)):
        async with subscribed(database, hub, after) as subscriber:
            assert await subscriber.next() == HistoryLost(await cursor(database, 1), await cursor(database, 0))
            assert await subscriber.next() == Checkpoint(await cursor(database, 1), live=True)


async def test_a_history_begun_anew_is_another_one(database: SqlDatabase, hub: Hub) -> None:
    await say(database, 1)
    after = await cursor(database)
    async with database.work(SYSTEM) as work:
        await history.begin_anew(work, new_id(), 7)
    async with subscribed(database, hub, after) as subscriber:
        assert await subscriber.next() == HistoryLost(await cursor(database, 7), await cursor(database, 7))


async def test_what_is_forgotten_during_the_replay_is_told(database: SqlDatabase, hub: Hub) -> None:
    after = await cursor(database)
    old = history.BATCH + 5
    with long_ago(database):
        await say(database, *range(old))
    await say(database, *range(old, old + 5))
    async with subscribed(database, hub, after) as subscriber:
        assert await subscriber.numbers(1) == [0]
        await forget(database)
        assert await subscriber.numbers(history.BATCH - 1 + 5) == [*range(1, history.BATCH), *range(old, old + 5)]
        assert await subscriber.next() == HistoryLost(await cursor(database), await cursor(database, old))
        assert await subscriber.next() == Checkpoint(await cursor(database), live=True)


async def test_what_is_no_cursor_of_this_workspace_is_refused(database: SqlDatabase, hub: Hub) -> None:
    await say(database, 1)
    state = await history.state(database.reader)
    name = f"events.{state.id.hex}"
    good = await cursor(database)
    for after in (
        "",
        "nonsense",
        "é" * 9,
        good[:-3],
        good + "AA",
        await cursor(database, workspace=THERE),
        write_cursor("sites", HERE, ["a", 1]),
        write_cursor(name, HERE, [-1]),
        write_cursor(name, HERE, ["1", "2"]),
        write_cursor(name, HERE, ["¹"]),
        write_cursor(name, HERE, ["9" * 19]),
        write_cursor(name, HERE.hex.upper() + "X", [1]),
        write_cursor("events.nonsense", HERE, [1]),
    ):
        with pytest.raises(InvalidInput) as refused:
            async with subscribed(database, hub, after) as subscriber:
                await subscriber.next()
        assert [(fault.path, fault.code) for fault in refused.value.faults] == [(("after",), ProblemCode.CURSOR_INVALID)], after
    assert hub._followers == {}


async def test_two_processes_over_one_database_hear_the_same(database: SqlDatabase, hub: Hub) -> None:
    other = SqlDatabase(database.url)
    async with feeding(other) as far, subscribed(database, hub) as near, subscribed(other, far) as distant:
        await near.next()
        await distant.next()
        await say(database, 1)
        await say(other, 2)
        assert await near.numbers(2) == [1, 2]
        assert await distant.numbers(2) == [1, 2]
    await other.close()


async def test_who_leaves_leaves_nothing_behind(database: SqlDatabase, hub: Hub) -> None:
    after = await cursor(database)
    await say(database, 1, 2, 3)
    for taken in range(8):
        async with subscribed(database, hub, after, silence=0.05) as subscriber:
            for _ in range(taken):
                await subscriber.next()
            assert sum(map(len, hub._followers.values())) == (1 if taken else 0)
        assert hub._followers == {}
        # A generator that was not closed by whoever iterated over it is closed by a task of its own.
        await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if type(task.get_coro()).__name__ == "async_generator_athrow"] == []


async def test_who_is_cancelled_while_waiting_leaves_nothing_behind(database: SqlDatabase, hub: Hub) -> None:
    heard: list[Any] = []

    async def listen() -> None:
        async with subscribed(database, hub) as subscriber:
            while True:
                heard.append(await subscriber.next())

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        while not heard:
            await asyncio.sleep(0.01)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert hub._followers == {}
