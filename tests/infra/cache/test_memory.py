"""What only the cache of one process has: an end of its room."""

from __future__ import annotations

from domain.caching import Bucket, Spent
from infra.cache.memory import MemoryCache


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


async def test_a_hundred_thousand_spends_and_keys_take_no_more_room_than_was_given() -> None:
    clock = Clock()
    cache = MemoryCache(most=100, clock=clock)
    for n in range(100_000):
        clock.now += 0.001
        await cache.spend(f"key:{n % 150}", 1, Bucket(100_000, 1))
    assert len(cache._entries) == 100
    assert len(cache._expiring) <= 401


async def test_a_bucket_that_is_full_again_takes_no_room() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    await cache.spend("a", 5, Bucket(10, 1))
    clock.now += 5
    assert await cache.spend("b", 1, Bucket(10, 1)) == Spent(True, 9, 0)
    assert list(cache._entries) == ["b"]
