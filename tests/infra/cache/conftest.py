"""A Valkey for a test of its own, and the caches of two processes in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis

from infra.cache.redis import OK, RedisCache

from .opening import client_of, emptied, opened


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[redis.Redis]:
    """The server itself, empty."""
    await emptied(valkey_url)
    async with client_of(valkey_url) as client:
        yield client


@pytest.fixture
async def caches(valkey: redis.Redis, valkey_url: str) -> AsyncIterator[tuple[RedisCache, RedisCache]]:
    async with opened(valkey_url) as one, opened(valkey_url) as other:
        assert (one.state, other.state) == (OK, OK)
        yield one, other
