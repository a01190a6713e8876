"""What only the cache of one process has: an end of its room."""

from __future__ import annotations

import random

from domain.caching import Bucket, Spent, Window
from infra.cache.memory import OVERHEAD, SLOT_SIZE, MemoryCache


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def held(cache: MemoryCache, keys: str) -> str:
    return "".join([key for key in keys if await cache.get(key) is not None])


async def test_without_room_the_expired_goes_before_the_oldest() -> None:
    clock = Clock()
    cache = MemoryCache(most=3, clock=clock)
    await cache.put("a", b"", seconds=60)
    await cache.put("b", b"", seconds=1)
    await cache.put("c", b"", seconds=60)
    clock.now += 1
    await cache.put("d", b"", seconds=60)
    assert await held(cache, "abcd") == "acd"
    await cache.put("e", b"", seconds=60)
    assert await held(cache, "abcde") == "cde"


async def test_what_was_written_again_is_no_longer_the_oldest_and_expires_later() -> None:
    clock = Clock()
    cache = MemoryCache(most=2, clock=clock)
    await cache.put("a", b"", seconds=1)
    await cache.put("b", b"", seconds=60)
    await cache.put("a", b"", seconds=60)
    clock.now += 2
    await cache.put("b", b"", seconds=60)
    assert await held(cache, "ab") == "ab"
    await cache.put("c", b"", seconds=60)
    assert await held(cache, "abc") == "bc"


async def test_without_bytes_left_the_expired_goes_before_the_oldest() -> None:
    clock = Clock()
    cache = MemoryCache(most_bytes=3 * (OVERHEAD + 101), clock=clock)
    await cache.put("a", bytes(100), seconds=60)
    await cache.put("b", bytes(100), seconds=1)
    await cache.put("c", bytes(100), seconds=60)
    assert await held(cache, "abc") == "abc"
    clock.now += 1
    await cache.put("d", bytes(100), seconds=60)
    assert await held(cache, "abcd") == "acd"
    await cache.put("a", bytes(101), seconds=60)
    assert await held(cache, "abcd") == "ad"


async def test_what_was_deleted_or_written_shorter_leaves_its_bytes_to_others() -> None:
    cache = MemoryCache(most_bytes=2 * (OVERHEAD + 101), clock=Clock())
    await cache.put("a", bytes(100), seconds=60)
    await cache.put("b", bytes(100), seconds=60)
    await cache.delete("a", "a")
    await cache.put("c", bytes(100), seconds=60)
    assert await held(cache, "abc") == "bc"
    await cache.put("b", b"", seconds=60)
    await cache.put("c", bytes(200), seconds=60)
    assert await held(cache, "abc") == "bc"


async def test_what_alone_is_larger_than_the_room_is_not_kept() -> None:
    cache = MemoryCache(most_bytes=OVERHEAD + 100, clock=Clock())
    await cache.put("a", bytes(100), seconds=60)
    assert await held(cache, "a") == ""
    await cache.put("a", bytes(99), seconds=60)
    assert await held(cache, "a") == "a"


async def test_the_slots_of_a_log_take_bytes_one_by_one() -> None:
    cache = MemoryCache(most_bytes=2 * (OVERHEAD + 1) + 5 * SLOT_SIZE, clock=Clock())
    await cache.put("a", b"", seconds=60)
    for _ in range(5):
        await cache.reserve("b", [Window(10, 60)])
    assert await held(cache, "a") == "a"
    await cache.reserve("b", [Window(10, 60)])
    assert await held(cache, "a") == ""


async def test_sixty_four_mebibytes_are_kept_unless_told_otherwise() -> None:
    cache = MemoryCache(clock=Clock())
    for n in range(2_000):
        await cache.put(f"key:{n}", bytes(60_000), seconds=60)
    kept = [n for n in range(2_000) if await cache.get(f"key:{n}") is not None]
    assert kept == list(range(2_000 - 1_094, 2_000))


async def test_a_hundred_thousand_spends_and_keys_take_no_more_room_than_was_given() -> None:
    clock = Clock()
    cache = MemoryCache(most=100, clock=clock)
    for n in range(100_000):
        clock.now += 0.001
        await cache.spend(f"key:{n % 150}", 1, Bucket(100_000, 1))
    assert len(cache._entries) == 100
    assert len(cache._expiring) <= 264


async def test_keys_that_are_written_again_and_again_are_looked_at_once_each() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    for n in range(10_000):
        clock.now += 0.01
        await cache.spend("spent", 1, Bucket(1_000_000, 1))
        await cache.reserve("slots", [Window(10, 60)])
        await cache.put("value", b"", seconds=60 + n)
        assert len(cache._expiring) <= 3


async def test_what_is_spent_and_given_back_again_and_again_is_looked_at_a_few_times() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    for _ in range(10_000):
        clock.now += 0.01
        await cache.spend("bucket", 4, Bucket(1_000_000, 1))
        await cache.restore("bucket", 3, Bucket(1_000_000, 1))
        assert len(cache._expiring) <= 4


async def test_whatever_is_done_the_bytes_are_those_of_what_is_there_and_nothing_is_there_that_has_expired() -> None:
    chance = random.Random(4)
    clock = Clock()
    cache = MemoryCache(most=20, most_bytes=25 * OVERHEAD, clock=clock)
    for _ in range(20_000):
        clock.now += chance.choice((0, 0.1, 1))
        key, amount, bucket = f"key:{chance.randrange(30)}", chance.uniform(0, 12), Bucket(10, chance.choice((0.1, 1, 10)))
        doing = chance.randrange(8)
        if doing == 0:
            await cache.delete(key)
            continue
        if doing <= 2:
            await cache.put(key, bytes(chance.randrange(1_000)), seconds=chance.choice((0.5, 5, 50)))
        elif doing <= 4:
            await cache.spend(key, min(amount, 10), bucket)
        elif doing == 5:
            await cache.restore(key, amount, bucket)
        else:
            await cache.reserve(key, [Window(chance.randrange(1, 20), chance.choice((0.5, 5)))])
        entries = cache._entries
        assert cache._bytes == sum(entry.size for entry in entries.values()) <= 25 * OVERHEAD
        assert len(cache._expiring) <= 2 * len(entries) + 64
        assert {(entry.looked_at, name) for name, entry in entries.items()} <= set(cache._expiring)


async def test_a_bucket_that_is_full_again_takes_no_room() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    await cache.spend("a", 5, Bucket(10, 1))
    clock.now += 5
    assert await cache.spend("b", 1, Bucket(10, 1)) == Spent(True, 9, 0)
    assert list(cache._entries) == ["b"]
    await cache.restore("b", 1, Bucket(10, 1))
    clock.now += 1  # so long it is kept, since it is soon asked again
    await cache.spend("c", 1, Bucket(10, 1))
    assert list(cache._entries) == ["c"]


async def test_a_bucket_that_was_given_back_is_full_earlier_and_takes_no_room_then() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    await cache.spend("a", 10, Bucket(10, 1))
    await cache.restore("a", 8, Bucket(10, 1))
    clock.now += 2
    await cache.put("b", b"", seconds=60)
    assert list(cache._entries) == ["b"]
