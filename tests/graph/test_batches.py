"""Keys of concurrent requests are read together, and what becomes of one request is nobody else's business."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

import pytest

from domain.errors import DatabaseAway
from graph import batches
from graph.batches import AT_ONCE, Batches

KIND = "things of acme"


class Table:
    """What can be read: numbers, doubled. Each read waits until it is let go."""

    def __init__(self) -> None:
        self.reads: list[list[int]] = []
        self.running = 0
        self.stopped = 0
        self.poison: int | None = None
        self.away = False
        self._open = asyncio.Event()

    def let_go(self) -> None:
        self._open.set()
        self._open = asyncio.Event()

    async def read(self, keys: Collection[int]) -> Mapping[int, int]:
        self.reads.append(list(keys))
        self.running += 1
        try:
            await self._open.wait()
            if self.away:
                raise DatabaseAway("The database went away.")
            if self.poison in keys:
                raise ValueError(f"{self.poison} is poison")
            return {key: key * 2 for key in keys if key >= 0}
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        finally:
            self.running -= 1


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def shared() -> Batches:
    return Batches()


def ask(shared: Batches, table: Table, *keys: int, kind: str = KIND) -> asyncio.Task[Mapping[int, int]]:
    return asyncio.create_task(shared.ask(kind, keys, table.read).answer())


async def turn() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


async def test_who_asks_in_the_same_moment_is_read_together_and_each_key_once(shared: Batches, table: Table) -> None:
    asked = [ask(shared, table, 1, 2), ask(shared, table, 2, 3), ask(shared, table, -1)]
    await turn()
    table.let_go()
    found = await asyncio.gather(*asked)
    assert table.reads == [[1, 2, 3, -1]]
    assert [(each.get(2), each.get(-1)) for each in found] == [(4, None)] * 3


async def test_while_two_are_on_their_way_the_others_wait_and_go_in_one(shared: Batches, table: Table) -> None:
    asked = []
    for key in range(10):
        asked.append(ask(shared, table, key))
        await turn()
    assert table.reads == [[0], [1]]
    assert table.running == AT_ONCE
    table.let_go()
    await turn()
    assert table.reads == [[0], [1], [2, 3, 4, 5, 6, 7, 8, 9]]
    table.let_go()
    assert [each.get(key) for key, each in enumerate(await asyncio.gather(*asked))] == [key * 2 for key in range(10)]


async def test_nobody_waits_for_others_slow_statements_for_long(
    shared: Batches, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "PATIENCE_SECONDS", 0.01)
    asked = []
    for key in range(3):
        asked.append(ask(shared, table, key))
        await turn()
    async with asyncio.timeout(10):
        while len(table.reads) < 3:
            await asyncio.sleep(0.005)
    assert table.running == 3
    table.let_go()
    await asyncio.gather(*asked)


async def test_what_fails_fails_for_whose_key_it_was_alone(shared: Batches, table: Table) -> None:
    table.poison = 13
    asked = [ask(shared, table, 1), ask(shared, table, 13), ask(shared, table, 2)]
    for _ in range(2):
        await turn()
        table.let_go()
    good, bad, other = await asyncio.gather(*asked, return_exceptions=True)
    assert (good, other) == ({1: 2}, {2: 4})
    assert isinstance(bad, ValueError)
    assert table.reads == [[1, 13, 2], [1], [13], [2]]


async def test_a_database_that_is_away_is_so_for_all_and_is_not_asked_for_each_of_them(shared: Batches, table: Table) -> None:
    table.away = True
    asked = [ask(shared, table, key) for key in range(3)]
    await turn()
    table.let_go()
    assert [type(each) for each in await asyncio.gather(*asked, return_exceptions=True)] == [DatabaseAway] * 3
    assert table.reads == [[0, 1, 2]]


async def test_who_leaves_takes_nobody_with_them(shared: Batches, table: Table) -> None:
    leaving, staying = ask(shared, table, 1), ask(shared, table, 2)
    await turn()
    leaving.cancel()
    await turn()
    assert (leaving.cancelled(), table.running) == (True, 1)
    table.let_go()
    assert (await staying)[2] == 4


async def test_when_all_have_left_the_read_is_stopped(shared: Batches, table: Table) -> None:
    asked = [ask(shared, table, 1), ask(shared, table, 2)]
    await turn()
    for each in asked:
        each.cancel()
    await turn()
    assert (table.running, table.stopped) == (0, 1)


async def test_who_leaves_before_it_is_read_is_not_read_for(shared: Batches, table: Table) -> None:
    asked = []
    for key in range(4):
        asked.append(ask(shared, table, key))
        await turn()
    asked[2].cancel()
    await turn()
    table.let_go()
    await turn()
    assert table.reads == [[0], [1], [3]]
    table.let_go()
    assert (await asked[3])[3] == 6


async def test_different_kinds_share_nothing(shared: Batches, table: Table) -> None:
    asked = [ask(shared, table, 1), ask(shared, table, 1, kind="things of others")]
    await turn()
    table.let_go()
    await asyncio.gather(*asked)
    assert table.reads == [[1], [1]]


async def test_nothing_is_left_when_everybody_was_answered_or_has_left(shared: Batches, table: Table) -> None:
    before = asyncio.all_tasks()
    table.poison = 7
    asked = []
    for round in range(30):
        asked += [ask(shared, table, round, 7 if round % 5 == 0 else round + 100) for _ in range(3)]
        if round % 3 == 0:
            asked[-1].cancel()
        await asyncio.sleep(0)
        table.let_go()
    async with asyncio.timeout(10):
        while not all(each.done() for each in asked):
            table.let_go()
            await asyncio.sleep(0)
    with suppress(ValueError):
        await asyncio.gather(*asked, return_exceptions=True)
    await turn()
    assert (asyncio.all_tasks(), shared._lanes, table.running) == (before, {}, 0)
