"""The cache of an installation, in Redis or Valkey; while that is away, each process has its own."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Sequence

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from domain.caching import Bucket, Reserved, Spent, Window

from .checks import checked_amount, checked_key, checked_seconds, checked_value, checked_windows
from .memory import MemoryCache, refused
from .pipelined import PipelinedConnection, is_wrong_type
from .scripts import RESERVE, RESTORE, SPEND
from .server import check_server, connection_to, reason

_log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds for an answer."""

PAUSE = 1.0
"""Seconds between two tries to reach a Redis that is away."""

CONNECT_PATIENCE = 2.0
"""Seconds for connecting, for which no call waits."""

OK = "ok"
AWAY = "away, limits are counted per process"


class RedisCache:
    """Start it once a process, inside the event loop. Before that, and while Redis is away, it works in memory.

    A Redis that refuses or does not answer in time is not asked again until it has done everything that is asked of
    it under a key of its own. Raises RedisUnusable for an address that is none.
    """

    def __init__(self, url: str, *, prefix: str = "pacemark:", patience: float = PATIENCE, pause: float = PAUSE) -> None:
        self._url = url
        self._prefix = prefix
        self._patience = patience
        self._pause = pause
        self._connection: PipelinedConnection | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._is_known_away = False
        self._values = MemoryCache()
        self._counts = MemoryCache()
        connection_to(url)

    @property
    def state(self) -> str:
        connection = self._connection
        return AWAY if connection is None or connection.failed.done() else OK

    async def start(self) -> None:
        """Connects. Redis may be away: then it goes on without, and connects later."""
        self._keeping = asyncio.create_task(self._keep_connected(), name="redis cache")
        await self._tried.wait()

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def check(self) -> None:
        """Raises RedisUnusable for a server that will never do. One that is only away is none of these."""
        await check_server(connection_to(self._url))

    async def get(self, key: str) -> bytes | None:
        name = self._name(key)
        try:
            held: bytes | None = await self._live.ask("GET", name)
        except RedisError as error:
            return None if is_wrong_type(error) else await self._values.get(key)
        return held

    async def put(self, key: str, value: bytes, *, seconds: float) -> None:
        name, expires = self._name(key), math.ceil(checked_seconds(seconds) * 1000)
        try:
            await self._live.ask("SET", name, checked_value(value), "PX", expires)
        except RedisError:
            await self._values.put(key, value, seconds=seconds)

    async def delete(self, *keys: str) -> None:
        names = [self._name(key) for key in keys]
        try:
            if names:
                await self._live.ask("DEL", *names)
        except RedisError:
            await self._values.delete(*keys)
            await self._counts.delete(*keys)

    async def spend(self, key: str, amount: float, bucket: Bucket) -> Spent:
        name = self._name(key)
        try:
            said = await self._live.run(SPEND, name, checked_amount(amount), bucket.capacity, bucket.per_second)
        except RedisError:
            return await self._counts.spend(key, amount, bucket)
        granted, tokens = said
        return Spent(True, tokens, 0.0) if granted else refused(amount, tokens, bucket)

    async def restore(self, key: str, amount: float, bucket: Bucket) -> None:
        name = self._name(key)
        try:
            await self._live.run(RESTORE, name, checked_amount(amount), bucket.capacity, bucket.per_second)
        except RedisError:
            await self._counts.restore(key, amount, bucket)

    async def reserve(self, key: str, windows: Sequence[Window]) -> Reserved:
        name = self._name(key)
        numbers = [n for each in checked_windows(tuple(windows)) for n in (each.limit, each.seconds, int(each.refuses))]
        try:
            granted, wait = await self._live.run(RESERVE, name, *numbers)
        except RedisError:
            return await self._counts.reserve(key, windows)
        return Reserved(granted, wait)

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @property
    def _live(self) -> PipelinedConnection:
        """Raises RedisError."""
        if self._connection is None:
            raise RedisConnectionError("Redis is away")
        return self._connection

    async def _keep_connected(self) -> None:
        while True:
            connection = PipelinedConnection(connection_to(self._url), self._patience)
            error: Exception
            lasted = 0.0
            try:
                async with asyncio.timeout(CONNECT_PATIENCE):
                    await connection.open()
                    await self._prove(connection)
                began = asyncio.get_running_loop().time()
                self._is_back(connection)
                error = await connection.failed
                lasted = asyncio.get_running_loop().time() - began
            except Exception as failure:
                # What it failed by says more than that it has failed.
                error = connection.failed.result() if connection.failed.done() else failure
            finally:
                self._connection = None
                await connection.close()
            # A connection that was idle for long is closed by servers and by what lies between: worth no word.
            if lasted < self._pause or not isinstance(error, RedisConnectionError):
                self._is_away(error)
                await asyncio.sleep(self._pause)

    async def _prove(self, connection: PipelinedConnection) -> None:
        """Redis does all that will be asked of it, and writes. Raises RedisError."""
        name = f"{self._prefix}~{secrets.token_hex(8)}"
        await connection.ask("SET", name, b"", "PX", 10_000)
        await connection.ask("GET", name)
        await connection.run(SPEND, name, 1, 1, 1)
        await connection.run(RESTORE, name, 1, 1, 1)
        await connection.run(RESERVE, name, 1, 1, 0)
        await connection.ask("DEL", name)

    def _is_back(self, connection: PipelinedConnection) -> None:
        self._values = MemoryCache()  # what is in there was put before others could change it
        self._connection = connection
        self._tried.set()
        if self._is_known_away:
            self._is_known_away = False
            _log.info("Redis is back.")

    def _is_away(self, error: Exception) -> None:
        self._tried.set()
        if not self._is_known_away:
            self._is_known_away = True
            _log.warning("Redis is away, limits are counted per process: %s", reason(error))
