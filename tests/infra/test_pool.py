"""Connections that are kept: as many as allowed, used again, and given back whatever becomes of who had them."""

from __future__ import annotations

import asyncio

import pytest

from infra.db import pool as pools
from infra.db.pool import Pool


class Connection:
    def __init__(self, number: int) -> None:
        self.number = number
        self.is_open = True
        self.closing = asyncio.Event()
        self.closing.set()

    async def close(self) -> None:
        await self.closing.wait()
        self.is_open = False


class Server:
    """Whatever is connected to."""

    def __init__(self) -> None:
        self.made: list[Connection] = []
        self.away = False
        self.slow: asyncio.Event | None = None

    async def connect(self) -> Connection:
        if self.slow is not None:
            await self.slow.wait()
        if self.away:
            raise OSError("nobody is there")
        self.made.append(Connection(len(self.made)))
        return self.made[-1]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def pool(server: Server) -> Pool[Connection]:
    return Pool(server.connect, lambda connection: connection.is_open, 2)


async def turn() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_what_was_used_last_is_used_next(pool: Pool[Connection]) -> None:
    one, two = await pool.take(), await pool.take()
    assert pool.counts == (0, 2)
    pool.give(one)
    pool.give(two)
    assert (await pool.take()).number == two.number
    assert pool.counts == (1, 1)


async def test_who_comes_when_all_are_used_has_the_next_in_line(pool: Pool[Connection], server: Server) -> None:
    one, _ = await pool.take(), await pool.take()
    waiting = [asyncio.create_task(pool.take()) for _ in range(2)]
    await turn()
    pool.give(one)
    assert await waiting[0] is one
    pool.give(one)
    assert await waiting[1] is one
    assert len(server.made) == 2


async def test_who_waits_too_long_is_told(pool: Pool[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "WAIT_SECONDS", 0.01)
    one, _ = await pool.take(), await pool.take()
    with pytest.raises(TimeoutError):
        await pool.take()
    pool.give(one)
    assert await pool.take() is one


async def test_one_that_was_closed_meanwhile_makes_room(pool: Pool[Connection], server: Server) -> None:
    one, two = await pool.take(), await pool.take()
    pool.give(one)
    one.is_open = two.is_open = False
    pool.give(two)
    assert [(await pool.take()).number, (await pool.take()).number] == [2, 3]


async def test_one_that_is_closed_on_its_way_to_who_waits_is_given_to_nobody(pool: Pool[Connection]) -> None:
    one, _ = await pool.take(), await pool.take()
    waiting = asyncio.create_task(pool.take())
    await turn()
    pool.give(one)
    one.is_open = False
    assert (await waiting).number == 2
    assert pool.counts == (0, 2)


async def test_one_that_is_dropped_is_closed_and_its_place_goes_to_who_waits(pool: Pool[Connection]) -> None:
    one, _ = await pool.take(), await pool.take()
    one.closing.clear()
    pool.drop(one)
    waiting = asyncio.create_task(pool.take())
    await turn()
    assert not waiting.done()
    one.closing.set()
    assert (await waiting).number == 2
    assert not one.is_open


async def test_a_server_that_is_away_costs_no_place(pool: Pool[Connection], server: Server) -> None:
    server.away = True
    for _ in range(5):
        with pytest.raises(OSError, match="nobody is there"):
            await pool.take()
    server.away = False
    await pool.take()
    assert pool.counts == (0, 1)


async def test_who_leaves_while_it_connects_leaves_it_to_the_next(pool: Pool[Connection], server: Server) -> None:
    server.slow = asyncio.Event()
    leaving = asyncio.create_task(pool.take())
    await turn()
    leaving.cancel()
    await turn()
    server.slow.set()
    await turn()
    assert pool.counts == (1, 0)
    assert (await pool.take()).number == 0


async def test_who_leaves_in_the_moment_in_which_it_comes_gives_it_on(pool: Pool[Connection]) -> None:
    one, _ = await pool.take(), await pool.take()
    leaving, staying = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await turn()
    pool.give(one)
    leaving.cancel()
    assert await staying is one
    assert leaving.cancelled()


async def test_all_are_closed_in_the_end(pool: Pool[Connection], server: Server) -> None:
    one, two = await pool.take(), await pool.take()
    pool.give(one)
    await pool.close()
    assert (one.is_open, two.is_open, pool.counts) == (False, True, (0, 1))
