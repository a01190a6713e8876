"""One suite for both caches: values, token buckets, and slots in time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.caching import LONGEST_SECONDS, LONGEST_VALUE, Bucket, Cache, Reserved, Spent, Window
from infra.cache.memory import MemoryCache

from .opening import emptied, opened

SLOW = Bucket(capacity=10, per_second=0.001)
MINUTE = Window(2, 60)
DAY = Window(3, 86_400, refuses=True)


class Bench:
    """A cache and its time."""

    def __init__(self, cache: Cache | None = None) -> None:
        self.now = 1_000_000.1
        self.cache = cache or MemoryCache(clock=lambda: self.now)
        self._is_real = cache is not None

    async def wait(self, seconds: float) -> None:
        if self._is_real:
            await asyncio.sleep(seconds)
        else:
            self.now += seconds


@pytest.fixture(params=["memory", "redis"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        yield Bench()
        return
    url = request.getfixturevalue("valkey_url")
    await emptied(url)
    async with opened(url) as cache:
        yield Bench(cache)


@pytest.fixture
def cache(bench: Bench) -> Cache:
    return bench.cache


def near(value: float) -> Any:
    """On a server time goes by: a tenth of a token in 100 s of SLOW."""
    return pytest.approx(value, abs=0.1)


@pytest.mark.parametrize("value", [b"", b"text", bytes(range(256)), b"\r\n" * 1000, b"x" * LONGEST_VALUE])
async def test_what_was_put_is_there_byte_for_byte(cache: Cache, value: bytes) -> None:
    assert await cache.get("key") is None
    await cache.put("key", b"before", seconds=60)
    await cache.put("key", value, seconds=60)
    assert await cache.get("key") == value


async def test_a_value_is_there_for_its_seconds(bench: Bench) -> None:
    await bench.cache.put("short", b"1", seconds=0.02)
    await bench.cache.put("long", b"2", seconds=LONGEST_SECONDS)
    await bench.wait(0.03)
    assert (await bench.cache.get("short"), await bench.cache.get("long")) == (None, b"2")


async def test_what_was_deleted_is_gone_and_the_missing_is_no_error(cache: Cache) -> None:
    for key in ("a", "b", "c"):
        await cache.put(key, b"1", seconds=60)
    await cache.delete("a", "b", "missing")
    await cache.delete()
    assert [await cache.get(key) for key in ("a", "b", "c")] == [None, None, b"1"]


async def test_a_bucket_is_full_at_first_and_gives_what_it_holds(cache: Cache) -> None:
    spent = [await cache.spend("bucket", 1, SLOW) for _ in range(10)]
    assert spent == [Spent(True, near(9 - n), 0) for n in range(10)]
    refusal = await cache.spend("bucket", 1, SLOW)
    assert refusal == Spent(False, near(0), pytest.approx(1000, abs=100))


async def test_a_refused_spend_costs_nothing(cache: Cache) -> None:
    assert await cache.spend("bucket", 7, SLOW) == Spent(True, near(3), 0)
    for _ in range(5):
        assert await cache.spend("bucket", 5, SLOW) == Spent(False, near(3), pytest.approx(2000, abs=100))
    assert await cache.spend("bucket", 3, SLOW) == Spent(True, near(0), 0)


async def test_more_than_the_capacity_is_refused_for_ever(cache: Cache) -> None:
    assert await cache.spend("bucket", 10.000001, SLOW) == Spent(False, 10, math.inf)
    assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)
    assert await cache.spend("bucket", 11, SLOW) == Spent(False, near(0), math.inf)


async def test_nothing_is_always_granted_and_tells_what_is_left(cache: Cache) -> None:
    assert await cache.spend("bucket", 0, SLOW) == Spent(True, 10, 0)
    await cache.spend("bucket", 10, SLOW)
    assert await cache.spend("bucket", 0, SLOW) == Spent(True, near(0), 0)


async def test_whoever_waits_as_long_as_told_is_granted(bench: Bench) -> None:
    bucket = Bucket(capacity=3, per_second=30)
    assert (await bench.cache.spend("bucket", 2.5, bucket)).granted
    for _ in range(3):
        refusal = await bench.cache.spend("bucket", 3, bucket)
        assert not refusal.granted
        assert 0 < refusal.retry_after <= 3 / 30
        await bench.wait(refusal.retry_after)
        assert await bench.cache.spend("bucket", 3, bucket) == Spent(True, pytest.approx(0, abs=1e-6), 0)


async def test_a_bucket_is_never_more_than_full(bench: Bench) -> None:
    bucket = Bucket(capacity=2, per_second=100)
    await bench.cache.spend("bucket", 1, bucket)
    await bench.wait(0.05)
    assert await bench.cache.spend("bucket", 0, bucket) == Spent(True, 2, 0)


async def test_of_fifty_at_once_exactly_as_many_are_granted_as_there_are_tokens(cache: Cache) -> None:
    spent = await asyncio.gather(*(cache.spend("bucket", 1, SLOW) for _ in range(50)))
    assert sum(each.granted for each in spent) == 10


async def test_what_was_not_needed_is_given_back(cache: Cache) -> None:
    await cache.spend("bucket", 9, SLOW)
    await cache.restore("bucket", 6.5, SLOW)
    assert await cache.spend("bucket", 7.5, SLOW) == Spent(True, near(0), 0)
    assert not (await cache.spend("bucket", 1, SLOW)).granted


async def test_what_is_given_back_comes_on_top_of_what_time_has_filled(bench: Bench) -> None:
    bucket = Bucket(capacity=1000, per_second=100)
    await bench.cache.spend("bucket", 1000, bucket)
    await bench.wait(0.1)
    await bench.cache.restore("bucket", 100, bucket)
    assert 109.9 < (await bench.cache.spend("bucket", 0, bucket)).remaining < 1000


async def test_no_more_is_given_back_than_makes_the_bucket_full(cache: Cache) -> None:
    await cache.spend("bucket", 4, SLOW)
    await cache.restore("bucket", 1e300, SLOW)
    assert await cache.spend("bucket", 4, SLOW) == Spent(True, 6, 0)
    smaller = Bucket(8, 0.001)
    await cache.restore("bucket", 4, smaller)
    assert await cache.spend("bucket", 8, smaller) == Spent(True, 0, 0)
    assert not (await cache.spend("bucket", 1, smaller)).granted


async def test_giving_nothing_back_changes_nothing(cache: Cache) -> None:
    await cache.spend("bucket", 4, SLOW)
    await cache.restore("bucket", 0, SLOW)
    assert await cache.spend("bucket", 0, SLOW) == Spent(True, near(6), 0)


async def test_a_bucket_that_is_gone_is_given_nothing_back(cache: Cache) -> None:
    await cache.restore("bucket", 4, SLOW)
    assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)
    await cache.delete("bucket")
    await cache.restore("bucket", 4, SLOW)
    assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)


async def test_giving_back_leaves_what_else_the_key_holds(cache: Cache) -> None:
    await cache.put("key", b"1", seconds=60)
    await cache.restore("key", 4, SLOW)
    assert await cache.get("key") == b"1"
    await cache.reserve("slots", [Window(1, 60, refuses=True)])
    await cache.restore("slots", 4, SLOW)
    assert not (await cache.reserve("slots", [Window(1, 60, refuses=True)])).granted


async def test_of_fifty_that_give_back_at_once_none_is_lost(cache: Cache) -> None:
    bucket = Bucket(capacity=100, per_second=0.001)
    await cache.spend("bucket", 100, bucket)
    await asyncio.gather(*(cache.restore("bucket", 1, bucket) for _ in range(50)))
    assert await cache.spend("bucket", 0, bucket) == Spent(True, near(50), 0)


async def test_each_key_has_its_own(cache: Cache) -> None:
    await cache.spend("one", 10, SLOW)
    await cache.reserve("two", [Window(1, 60)])
    assert (await cache.spend("one:1", 10, SLOW)).granted
    assert await cache.reserve("three", [Window(1, 60)]) == Reserved(True, 0)


async def test_what_was_deleted_is_full_again(cache: Cache) -> None:
    await cache.spend("bucket", 10, SLOW)
    await cache.reserve("slots", [DAY] * 3)
    await cache.delete("bucket", "slots")
    assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)
    assert await cache.reserve("slots", [Window(1, 60, refuses=True)]) == Reserved(True, 0)


async def test_a_key_that_holds_another_thing_holds_nothing(cache: Cache) -> None:
    await cache.put("key", b"1", seconds=60)
    assert await cache.spend("key", 4, SLOW) == Spent(True, 6, 0)
    assert await cache.get("key") is None
    assert await cache.reserve("key", [Window(1, 60)]) == Reserved(True, 0)
    assert await cache.get("key") is None
    assert await cache.spend("key", 4, SLOW) == Spent(True, 6, 0)
    await cache.put("key", b"2", seconds=60)
    assert await cache.get("key") == b"2"


async def test_a_full_window_is_waited_for_in_turn(cache: Cache) -> None:
    waits = [await cache.reserve("slots", [MINUTE]) for _ in range(5)]
    assert [granted for granted, _ in waits] == [True] * 5
    assert [wait for _, wait in waits] == [pytest.approx(wait, abs=5) for wait in (0, 0, 60, 60, 120)]


async def test_a_window_that_refuses_takes_no_slot_and_tells_when_it_has_one(cache: Cache) -> None:
    reserved = [await cache.reserve("slots", [MINUTE, DAY]) for _ in range(5)]
    assert [granted for granted, _ in reserved] == [True, True, True, False, False]
    assert [wait for _, wait in reserved] == [pytest.approx(wait, abs=5) for wait in (0, 0, 60, 86_400, 86_400)]
    assert await cache.reserve("slots", [Window(4, 86_400, refuses=True)]) == Reserved(True, 0)


async def test_a_slot_is_free_again_when_its_window_has_passed(bench: Bench) -> None:
    window = Window(2, 0.05, refuses=True)
    for _ in range(3):
        reserved = [await bench.cache.reserve("slots", [window, Window(100, 60)]) for _ in range(3)]
        assert [granted for granted, _ in reserved] == [True, True, False]
        await bench.wait(0.06)


async def test_of_fifty_at_once_exactly_as_many_have_a_slot_as_there_are(cache: Cache) -> None:
    reserved = await asyncio.gather(*(cache.reserve("slots", [Window(10, 60, refuses=True)]) for _ in range(50)))
    assert sum(granted for granted, _ in reserved) == 10


async def test_a_limit_may_change_between_two_calls(cache: Cache) -> None:
    for _ in range(3):
        await cache.reserve("slots", [Window(3, 60, refuses=True)])
    assert not (await cache.reserve("slots", [Window(2, 60, refuses=True)])).granted
    assert (await cache.reserve("slots", [Window(5, 60, refuses=True)])).granted
    await cache.spend("bucket", 5, SLOW)
    assert await cache.spend("bucket", 2, Bucket(2, 0.001)) == Spent(True, 0, 0)


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "a\0", "ключ", ":a", "~a", "a" * 201])
async def test_a_key_is_short_and_of_printable_ascii(cache: Cache, key: str) -> None:
    for call in (
        cache.get(key),
        cache.put(key, b"", seconds=1),
        cache.delete("good", key),
        cache.spend(key, 1, SLOW),
        cache.restore(key, 1, SLOW),
        cache.reserve(key, [MINUTE]),
    ):
        with pytest.raises(ValueError, match="a cache key has 1 to 200"):
            await call


@pytest.mark.parametrize("key", ["a", "9", "rate:ip:2001:db8::1", "document/<sha256>", "a" * 200])
async def test_a_good_key_is_taken(cache: Cache, key: str) -> None:
    await cache.put(key, b"1", seconds=1)
    assert await cache.get(key) == b"1"


async def test_a_value_and_its_time_have_bounds(cache: Cache) -> None:
    with pytest.raises(ValueError, match="at most 65,536 bytes, this one 65,537"):
        await cache.put("key", b"x" * (LONGEST_VALUE + 1), seconds=1)
    for seconds in (0, -1, math.inf, math.nan, LONGEST_SECONDS + 1):
        with pytest.raises(ValueError, match="more than 0 and at most"):
            await cache.put("key", b"", seconds=seconds)
    for amount in (-1, math.inf, math.nan):
        with pytest.raises(ValueError, match="a number from 0 on"):
            await cache.spend("key", amount, SLOW)
        with pytest.raises(ValueError, match="a number from 0 on"):
            await cache.restore("key", amount, SLOW)
    with pytest.raises(ValueError, match="at least one window"):
        await cache.reserve("key", [])


@pytest.mark.parametrize(
    ("capacity", "per_second"), [(0, 1), (-1, 1), (1, 0), (1, -1), (math.inf, 1), (1, math.inf), (math.nan, 1), (1, 1e-9)]
)
def test_a_bucket_that_could_never_be_filled_is_none(capacity: float, per_second: float) -> None:
    with pytest.raises(ValueError, match="a bucket"):
        Bucket(capacity, per_second)


@pytest.mark.parametrize(("limit", "seconds"), [(0, 1), (1_000_001, 1), (1, 0), (1, math.inf), (1, math.nan)])
def test_a_window_without_slots_or_end_is_none(limit: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="a window has"):
        Window(limit, seconds)
