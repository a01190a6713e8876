"""Opens caches over a Valkey: patient ones, because a busy machine is no outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio as redis

from infra.cache.redis import RedisCache


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[RedisCache]:
    cache = RedisCache(url, **{"patience": 30, "pause": 0.05, **options})
    await cache.start()
    try:
        yield cache
    finally:
        await cache.close()


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[redis.Redis]:
    """The other side of the cache: the server itself."""
    client = redis.from_url(url)
    try:
        yield client
    finally:
        await client.aclose()


async def emptied(url: str) -> None:
    async with client_of(url) as client:
        await client.flushall()


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
