"""Leases: one holder at a time, and what a former one writes does not count."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain import accounts, leases
from domain.access import SYSTEM
from domain.base import query
from domain.leases import Lease, LeaseLost
from infra.db.database import SqlDatabase

LASTS = timedelta(seconds=10)
PEOPLE = query(accounts.UserRow, accounts.User)


class Clock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(database: SqlDatabase) -> Clock:
    database._clock = clock = Clock()
    return clock


async def acquire(database: SqlDatabase, holder: str = "here") -> Lease | None:
    return await leases.acquire(database, "thing", holder=holder, lasts=LASTS)


async def act(database: SqlDatabase, lease: Lease, name: str) -> None:
    async with database.work(SYSTEM) as work:
        await accounts.register(work, name=name)
        await leases.prove(work, lease)


async def test_the_first_gets_it_and_the_second_does_not(database: SqlDatabase, clock: Clock) -> None:
    first = await acquire(database)
    assert first is not None
    assert await acquire(database, "there") is None
    row = await leases.look(database.reader, "thing")
    assert row is not None
    assert (row.holder, row.fence, row.until) == ("here", 1, clock.now + LASTS)


async def test_other_leases_are_others(database: SqlDatabase, clock: Clock) -> None:
    assert await acquire(database) is not None
    assert await leases.acquire(database, "other", holder="there", lasts=LASTS) is not None


async def test_of_ten_at_once_one_gets_it(database: SqlDatabase, clock: Clock) -> None:
    taken = await asyncio.gather(*(acquire(database) for _ in range(10)))
    assert sum(lease is not None for lease in taken) == 1
    clock.wait(11)
    taken = await asyncio.gather(*(acquire(database) for _ in range(10)))
    assert [lease.fence for lease in taken if lease] == [2]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_nobody_takes_it_nor_waits_while_its_holder_is_in_the_middle_of_its_work(
    database: SqlDatabase, clock: Clock
) -> None:
    lease = await acquire(database)
    assert lease is not None
    async with database.work(SYSTEM) as work:
        await leases.prove(work, lease)
        clock.wait(11)
        async with asyncio.timeout(5):
            assert await acquire(database, "there") is None
    clock.wait(11)
    assert await acquire(database, "there") is not None


async def test_each_proof_keeps_it_for_another_while(database: SqlDatabase, clock: Clock) -> None:
    lease = await acquire(database)
    assert lease is not None
    for number in range(3):
        clock.wait(9)
        await act(database, lease, str(number))
        assert await acquire(database, "there") is None


async def test_who_was_away_past_its_lease_writes_nothing_once_another_has_it(database: SqlDatabase, clock: Clock) -> None:
    old = await acquire(database)
    clock.wait(11)
    new = await acquire(database, "there")
    assert old is not None
    assert new is not None
    assert (old.fence, new.fence) == (1, 2)
    with pytest.raises(LeaseLost):
        await act(database, old, "late")
    await act(database, new, "new")
    assert [row.name for row in await database.reader.all(PEOPLE)] == ["new"]


async def test_who_was_away_and_nobody_came_goes_on(database: SqlDatabase, clock: Clock) -> None:
    lease = await acquire(database)
    assert lease is not None
    clock.wait(100)
    await act(database, lease, "late")
    assert await acquire(database, "there") is None


async def test_what_was_given_back_is_free_at_once(database: SqlDatabase, clock: Clock) -> None:
    lease = await acquire(database)
    assert lease is not None
    await leases.release(database, lease)
    new = await acquire(database, "there")
    assert new is not None
    assert new.fence == 2
    await leases.release(database, lease)  # a former holder gives back nothing of another's
    assert await acquire(database) is None
    with pytest.raises(LeaseLost):
        await act(database, lease, "late")
