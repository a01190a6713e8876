"""What the cache in Redis has beyond the suite: it is shared, costs one command a call, and keeps nothing for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis.asyncio as redis

from domain.caching import Bucket, Reserved, Spent, Window
from domain.measuring import EngineFailure
from infra.cache.redis import OK, RedisCache
from infra.engines.pagespeed.budget import Budget

from .opening import opened

SLOW = Bucket(capacity=10, per_second=0.001)
DAY = Window(10, 86_400, refuses=True)

Two = tuple[RedisCache, RedisCache]


async def calls(valkey: redis.Redis) -> dict[str, int]:
    """How often each command was sent by a client; those of scripts count too, under their own names."""
    told: dict[str, Any] = await valkey.info("commandstats")
    return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in told.items()}


async def test_two_processes_share_a_bucket_to_the_last_token(caches: Two) -> None:
    spent = await asyncio.gather(*(caches[n % 2].spend("bucket", 1, SLOW) for n in range(50)))
    assert sum(each.granted for each in spent) == 10


async def test_one_process_gives_back_what_another_has_spent(caches: Two) -> None:
    await caches[0].spend("bucket", 10, SLOW)
    await asyncio.gather(*(caches[n % 2].restore("bucket", 1, SLOW) for n in range(5)))
    spent = await asyncio.gather(*(caches[n % 2].spend("bucket", 1, SLOW) for n in range(50)))
    assert sum(each.granted for each in spent) == 5


async def test_two_processes_share_slots_to_the_last_one(caches: Two) -> None:
    reserved = await asyncio.gather(*(caches[n % 2].reserve("slots", [DAY]) for n in range(50)))
    assert sum(granted for granted, _ in reserved) == 10


async def test_two_processes_share_values(caches: Two) -> None:
    one, other = caches
    await one.put("key", b"1", seconds=60)
    assert await other.get("key") == b"1"
    await other.delete("key")
    assert await one.get("key") is None


async def test_two_installations_with_their_own_prefixes_share_nothing(caches: Two, valkey_url: str) -> None:
    async with opened(valkey_url, prefix="other:") as other:
        await caches[0].put("key", b"1", seconds=60)
        assert await other.get("key") is None
        await caches[0].spend("bucket", 10, SLOW)
        assert await other.spend("bucket", 10, SLOW) == Spent(True, 0, 0)


async def test_a_call_is_one_command(caches: Two, valkey: redis.Redis) -> None:
    await valkey.config_resetstat()
    for _ in range(20):
        await caches[0].spend("bucket", 1, SLOW)
    for _ in range(5):
        await caches[0].restore("bucket", 1, SLOW)
    for _ in range(10):
        await caches[0].reserve("slots", [DAY, Window(5, 60)])
    for _ in range(3):
        await caches[0].put("key", b"1", seconds=60)
        await caches[0].get("key")
    told = await calls(valkey)
    assert {name: told.get(name, 0) for name in ("evalsha", "eval", "script|load", "set", "get", "ping")} == {
        "evalsha": 35,
        "eval": 0,
        "script|load": 0,
        "set": 3,
        "get": 3,
        "ping": 0,
    }


async def test_a_process_has_one_connection_however_much_it_asks_at_once(valkey: redis.Redis, valkey_url: str) -> None:
    before = (await valkey.info("stats"))["total_connections_received"]
    async with opened(valkey_url) as cache:
        await asyncio.gather(*(cache.spend("bucket", 1, SLOW) for _ in range(500)))
        assert (await valkey.info("stats"))["total_connections_received"] == before + 1


async def test_everything_in_redis_goes_away_by_itself(caches: Two, valkey: redis.Redis) -> None:
    await caches[0].put("value", b"1", seconds=0.0001)
    await caches[0].spend("returned", 10, SLOW)
    await caches[0].restore("returned", 10, SLOW)
    await caches[0].put("later", b"1", seconds=7200)
    await caches[0].spend("bucket", 10, SLOW)
    await caches[0].spend("bucket", 10, SLOW)
    await caches[0].restore("bucket", 1, SLOW)
    await caches[0].spend("full", 0, SLOW)
    await caches[0].restore("missing", 1, SLOW)
    await caches[0].reserve("slots", [DAY, Window(1, 60)])
    left = {key: await valkey.ttl(key) async for key in valkey.scan_iter()}
    assert left.pop(b"pacemark:bucket") == pytest.approx(9_000, abs=100)
    assert left.pop(b"pacemark:slots") == pytest.approx(86_400, abs=100)
    assert left.pop(b"pacemark:later") == pytest.approx(7_200, abs=100)
    assert left == {}


async def test_the_log_of_slots_is_no_longer_than_its_largest_window(caches: Two, valkey: redis.Redis) -> None:
    for _ in range(30):
        await caches[0].reserve("slots", [Window(5, 60), Window(7, 1)])
    assert await valkey.llen("pacemark:slots") == 7


async def test_forgotten_scripts_are_told_again(caches: Two, valkey: redis.Redis) -> None:
    await caches[0].spend("bucket", 4, SLOW)
    await valkey.script_flush()
    spent = await asyncio.gather(*(caches[0].spend("bucket", 1, SLOW) for _ in range(20)))
    assert sum(each.granted for each in spent) == 6
    await valkey.script_flush()
    await caches[0].restore("bucket", 6, SLOW)
    assert await caches[0].spend("bucket", 6, SLOW) == Spent(True, pytest.approx(0, abs=0.1), 0)
    await valkey.script_flush()
    assert await caches[0].reserve("slots", [DAY]) == Reserved(True, 0)
    assert caches[0].state == OK


async def test_an_emptied_server_begins_anew(caches: Two, valkey: redis.Redis) -> None:
    await caches[0].spend("bucket", 10, SLOW)
    await valkey.flushall()
    assert await caches[1].spend("bucket", 10, SLOW) == Spent(True, 0, 0)
    assert [cache.state for cache in caches] == [OK, OK]


async def test_what_somebody_else_put_under_our_key_is_replaced(caches: Two, valkey: redis.Redis) -> None:
    for make in (valkey.lpush("pacemark:key", "text"), valkey.hset("pacemark:key", "tokens", "many")):
        await make
        assert await caches[0].get("key") is None
        assert await caches[0].spend("key", 4, SLOW) == Spent(True, 6, 0)
        assert await caches[1].spend("key", 4, SLOW) == Spent(True, pytest.approx(2, abs=0.1), 0)
        await valkey.delete("pacemark:key")
    await valkey.rpush("pacemark:key", "text")
    assert await caches[0].reserve("key", [Window(1, 60, refuses=True)]) == Reserved(True, 0)
    assert [cache.state for cache in caches] == [OK, OK]


async def test_a_clock_that_went_back_holds_nobody_up(caches: Two, valkey: redis.Redis) -> None:
    seconds, _ = await valkey.time()
    tomorrow = (seconds + 86_400) * 1_000_000
    await valkey.hset("pacemark:bucket", mapping={"tokens": "0", "at": str(tomorrow)})
    bucket = Bucket(1, 100)
    assert not (await caches[0].spend("bucket", 1, bucket)).granted
    await asyncio.sleep(0.02)
    assert (await caches[0].spend("bucket", 1, bucket)).granted


async def test_whoever_gives_up_takes_nobody_elses_answer(caches: Two) -> None:
    for n in range(40):
        await caches[0].put(f"key:{n}", str(n).encode(), seconds=60)
    asking = [asyncio.create_task(caches[0].get(f"key:{n}")) for n in range(40)]
    await asyncio.sleep(0)
    for task in asking[::2]:
        task.cancel()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert told[1::2] == [str(n).encode() for n in range(1, 40, 2)]
    assert all(isinstance(each, asyncio.CancelledError) for each in told[::2])
    assert caches[0].state == OK


async def test_after_its_end_a_cache_goes_on_in_memory(valkey: redis.Redis, valkey_url: str) -> None:
    async with opened(valkey_url) as cache:
        await cache.spend("bucket", 10, SLOW)
    async with asyncio.timeout(20):
        while len(await valkey.client_list()) > 1:
            await asyncio.sleep(0.005)
    assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)
    await cache.close()


async def test_two_workers_share_one_budget_of_googles_calls(caches: Two, valkey: redis.Redis) -> None:
    budgets = [Budget(cache, "AIzaSyOneKey", per_minute=2, per_day=3) for cache in caches]
    waits = [await budgets[n % 2].take() for n in range(3)]
    assert waits == [0, 0, pytest.approx(60, abs=5)]
    with pytest.raises(EngineFailure, match=r"The budget of 3 .* the next is free in 24\.0 hours\.") as spent:
        await budgets[1].take()
    assert spent.value.code == "DAILY_BUDGET_SPENT"
    assert await Budget(caches[0], "AIzaSyOtherKey", per_minute=2, per_day=3).take() == 0
    keys = [key.decode() async for key in valkey.scan_iter()]
    assert len(keys) == 2
    assert not any("AIzaSy" in key for key in keys)
