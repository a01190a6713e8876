"""Redis goes away and comes back: nothing raises, nobody waits in a queue of time-outs, and it is said once."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import redis.asyncio as redis

from domain.caching import Bucket, Spent, Window
from infra.cache.redis import AWAY, OK, RedisCache
from tests import servers

from .opening import client_of, eventually, opened

SLOW = Bucket(capacity=10, per_second=0.001)
DAY = Window(10, 86_400, refuses=True)
GONE = "Redis is away, limits are counted per process: "


@pytest.fixture
def own_url() -> Iterator[str]:
    """A server that a test may treat badly."""
    with servers.valkey() as url:
        yield url


@pytest.fixture
async def own(own_url: str) -> AsyncIterator[redis.Redis]:
    async with client_of(own_url) as client:
        yield client


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """What the cache logged, with its level."""
    caplog.set_level(logging.INFO, logger="infra.cache")
    return lambda: [(each.levelname, each.getMessage()) for each in caplog.records if each.name.startswith("infra.cache")]


async def use(cache: RedisCache) -> None:
    """Everything that can be asked."""
    await cache.put("key", b"1", seconds=60)
    await cache.get("key")
    await cache.delete("key")
    await cache.spend("bucket", 1, SLOW)
    await cache.restore("bucket", 0, SLOW)
    await cache.reserve("slots", [DAY])


async def test_a_killed_server_is_replaced_by_memory_until_it_is_back(said: Callable[[], list[tuple[str, str]]]) -> None:
    with servers.valkey() as url:
        async with opened(url) as cache:
            assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)
            async with client_of(url) as own:
                os.kill((await own.info("server"))["process_id"], signal.SIGKILL)
            await eventually(lambda: cache.state == AWAY)
            spent = await asyncio.gather(*(cache.spend("bucket", 1, SLOW) for _ in range(50)))
            assert sum(each.granted for each in spent) == 10
            await cache.restore("bucket", 4, SLOW)
            assert await cache.spend("bucket", 4, SLOW) == Spent(True, pytest.approx(0, abs=0.1), 0)
            await use(cache)
            await eventually(lambda: len(said()) == 1)
            with servers.valkey(port=urlsplit(url).port):
                await eventually(lambda: cache.state == OK)
                await cache.put("key", b"1", seconds=60)
                async with client_of(url) as own:
                    assert await own.get("pacemark:key") == b"1"
                assert await cache.spend("bucket", 10, SLOW) == Spent(True, 0, 0)
            levels = [level for level, _ in said()]
            assert levels == ["WARNING", "INFO"]
            assert said()[0][1].startswith(GONE)
            assert said()[1][1] == "Redis is back."


async def test_a_server_that_hangs_is_waited_for_once_and_not_by_every_call(
    own: redis.Redis, own_url: str, said: Callable[[], list[tuple[str, str]]]
) -> None:
    process = (await own.info("server"))["process_id"]
    async with opened(own_url, patience=0.25) as cache:
        await eventually(lambda: cache.state == OK)
        os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            spent = await asyncio.gather(*(cache.spend("bucket", 1, SLOW) for _ in range(200)))
            for _ in range(200):
                await use(cache)
            lasted = time.monotonic() - began
            assert sum(each.granted for each in spent) == 10
            assert cache.state == AWAY
        finally:
            os.kill(process, signal.SIGCONT)
        # One time-out, and not one of a quarter of a second for each of 1,200 calls.
        assert 0.2 < lasted < 10
        await eventually(lambda: cache.state == OK)
        assert [level for level, _ in said()][:2] == ["WARNING", "INFO"]
        assert said()[0][1] == GONE + "no answer within 250 ms"


async def full(own: redis.Redis, *, yes: bool) -> None:
    await own.config_set("maxmemory", "1" if yes else "0")


async def read_only(own: redis.Redis, *, yes: bool) -> None:
    await own.execute_command("REPLICAOF", *(("127.0.0.1", "1") if yes else ("NO", "ONE")))


async def forbidding(own: redis.Redis, *, yes: bool) -> None:
    await own.execute_command("ACL", "SETUSER", "pacemark", "on", ">secret", "~*", "+@all", *(["-evalsha"] if yes else []))


@pytest.mark.parametrize(
    ("make", "because"),
    [(full, "command not allowed when used memory"), (read_only, "read only replica"), (forbidding, "no permissions")],
)
async def test_a_server_that_refuses_is_away_until_it_does_all_that_is_asked(
    own: redis.Redis,
    own_url: str,
    said: Callable[[], list[tuple[str, str]]],
    make: Callable[..., Awaitable[None]],
    because: str,
) -> None:
    await forbidding(own, yes=False)
    async with opened(own_url.replace("://", "://pacemark:secret@")) as cache:
        await use(cache)
        assert cache.state == OK
        await make(own, yes=True)
        assert (await cache.spend("other", 10, SLOW)).granted
        await eventually(lambda: len(said()) == 1)
        tries = (await own.info("stats"))["total_connections_received"]
        await use(cache)
        while (await own.info("stats"))["total_connections_received"] < tries + 3:
            await use(cache)
            assert cache.state == AWAY
        await make(own, yes=False)
        await eventually(lambda: cache.state == OK)
        await use(cache)
        assert cache.state == OK
    (gone, back) = said()
    assert gone[0] == "WARNING"
    assert because in gone[1]
    assert back == ("INFO", "Redis is back.")


async def test_a_process_starts_without_redis_and_finds_it_later(said: Callable[[], list[tuple[str, str]]]) -> None:
    port = servers.free_port()
    async with opened(f"redis://127.0.0.1:{port}/0") as cache:
        assert cache.state == AWAY
        await use(cache)
        with servers.valkey(port=port):
            await eventually(lambda: cache.state == OK)
    assert [level for level, _ in said()] == ["WARNING", "INFO"]


async def test_a_connection_that_the_server_closes_is_opened_again_without_a_word(
    own: redis.Redis, own_url: str, said: Callable[[], list[tuple[str, str]]]
) -> None:
    async with opened(own_url, pause=0) as cache:
        before = (await own.info("stats"))["total_connections_received"]
        assert await own.client_kill_filter(_type="normal", skipme=True) == 1
        while (await own.info("stats"))["total_connections_received"] == before:
            await asyncio.sleep(0.005)
        await eventually(lambda: cache.state == OK)
        await use(cache)
    assert said() == []


async def test_a_connection_that_is_closed_at_once_again_and_again_is_an_outage(
    said: Callable[[], list[tuple[str, str]]],
) -> None:
    async with answering(b"") as (url, asked), opened(url, pause=0.02) as cache:
        await eventually(lambda: len(asked) >= 3)
        await use(cache)
        assert cache.state == AWAY
    assert [level for level, _ in said()] == ["WARNING"]


async def test_values_of_one_outage_are_not_those_of_the_next(own: redis.Redis, own_url: str) -> None:
    async with opened(own_url) as cache:
        await read_only(own, yes=True)
        await cache.put("key", b"old", seconds=600)
        assert await cache.get("key") == b"old"
        await read_only(own, yes=False)
        await eventually(lambda: cache.state == OK)
        assert await cache.get("key") is None
        await read_only(own, yes=True)
        await cache.put("other", b"", seconds=600)
        assert cache.state == AWAY
        assert await cache.get("key") is None


async def test_a_process_that_was_itself_late_does_not_take_redis_for_away(
    own: redis.Redis, own_url: str, said: Callable[[], list[tuple[str, str]]]
) -> None:
    async with opened(own_url, patience=1.0) as cache:
        asking = asyncio.create_task(cache.spend("bucket", 4, SLOW))
        await asyncio.sleep(0)
        time.sleep(1.5)  # the loop stands still, the answer lies in the socket
        assert await asking == Spent(True, 6, 0)
        assert await own.exists("pacemark:bucket") == 1
    assert said() == []


@asynccontextmanager
async def answering(*lines: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that says a line for each thing that it is told, and in the end closes; yields what it was told too."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            asked.append(await reader.read(10_000))
            writer.write(line)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", asked
    finally:
        server.close()
        await server.wait_closed()


async def test_a_server_that_is_loading_is_away_and_its_words_make_one_line(
    said: Callable[[], list[tuple[str, str]]],
) -> None:
    async with answering(b"-LOADING the dataset \x1b[31m is in memory\r\n") as (url, _), opened(url) as cache:
        await use(cache)
        assert cache.state == AWAY
    assert said() == [("WARNING", GONE + "the dataset [31m is in memory")]
