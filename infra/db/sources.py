"""Where reads come from: statements as the drivers take them, on connections that can only read."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import aiosqlite
import asyncpg
import orjson
from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine

from domain import metering
from domain.errors import DatabaseAway
from domain.metering import PoolCounts

from .connections import BUSY_TIMEOUT_MS, COMMAND_SECONDS, CONNECT_SECONDS, READS
from .pool import Pool
from .tracing import where

MOST = 10
STATEMENTS = 500
"""How many a connection keeps prepared."""


class Source(Protocol):
    """One database's reads."""

    dialect: Dialect
    address: Mapping[str, str | int]
    """Where it is, in the words of the semantic conventions."""

    async def fetch(self, text: str, values: Sequence[Any], record: type | None = None) -> Sequence[Any]:
        """The rows of a statement, each a sequence, on PostgreSQL of the type `record`; its times are texts in UTC.

        Whoever is cancelled, or takes too long, ends the statement too.
        """
        ...

    @property
    def counts(self) -> PoolCounts: ...

    async def close(self) -> None: ...


class Postgres:
    """asyncpg's prepared statements, outside any transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.dialect = engine.dialect
        self.address: Mapping[str, str | int] = where(engine.url)
        _, self._given = self.dialect.create_connect_args(engine.url)
        self._pool: Pool[asyncpg.Connection] = Pool(self._connect, lambda connection: not connection.is_closed(), MOST)
        _meter(self._pool)

    @property
    def counts(self) -> PoolCounts:
        return self._pool.counts

    async def fetch(self, text: str, values: Sequence[Any], record: type | None = None) -> Sequence[Any]:
        connection = await self._pool.take()
        try:
            rows: Sequence[Any] = await connection.fetch(text, *values, record_class=record)
        except asyncpg.PostgresError:
            self._pool.give(connection)  # the server has said no, and is ready for the next
            raise
        except BaseException:
            self._pool.drop(connection)  # asyncpg tells the server to stop, and closes when it has
            raise
        self._pool.give(connection)
        return rows

    async def close(self) -> None:
        await self._pool.close()

    async def _connect(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            **self._given,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            statement_cache_size=STATEMENTS,
            server_settings=dict(READS),
        )
        try:
            await _prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda text: b"\x01" + text.encode(),  # the version of the format, and what follows is text
        decoder=lambda data: orjson.loads(data[1:]),
    )
    # Most times are only written out again, and it is asyncpg's own way of reading them that costs the most of a row.
    await connection.set_type_codec("timestamptz", schema="pg_catalog", format="text", encoder=datetime.isoformat, decoder=str)
    said = connection.get_settings()
    if said.TimeZone != READS["TimeZone"] or not said.DateStyle.startswith(READS["DateStyle"]):
        raise DatabaseAway("The database, or what stands before it, takes no settings with a connection: times would be wrong.")


class Sqlite:
    """aiosqlite, a thread for each connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.dialect = engine.dialect
        self.address: Mapping[str, str | int] = where(engine.url)
        (self._path,), self._given = self.dialect.create_connect_args(engine.url)
        self._pool: Pool[_Interrupted] = Pool(self._connect, lambda connection: True, MOST)
        _meter(self._pool)

    @property
    def counts(self) -> PoolCounts:
        return self._pool.counts

    async def fetch(self, text: str, values: Sequence[Any], record: type | None = None) -> Sequence[Any]:
        connection = await self._pool.take()
        try:
            rows = await connection.rows(text, values)
        except aiosqlite.Error:
            self._pool.give(connection)
            raise
        except BaseException:
            self._pool.drop(connection)
            raise
        self._pool.give(connection)
        return rows

    async def close(self) -> None:
        await self._pool.close()

    async def _connect(self) -> _Interrupted:
        connection = await aiosqlite.connect(self._path, isolation_level=None, **self._given)
        for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", "query_only = ON"):
            await connection.execute(f"PRAGMA {pragma}")
        return _Interrupted(connection)


class _Interrupted:
    """A connection whose thread is told to stop before it is closed."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, text: str, values: Sequence[Any]) -> Sequence[Any]:
        return list(await self._connection.execute_fetchall(text, values))

    async def close(self) -> None:
        await self._connection.interrupt()
        await self._connection.close()


def source(engine: AsyncEngine) -> Source:
    """Of the database that the engine writes to."""
    return Sqlite(engine) if engine.dialect.name == "sqlite" else Postgres(engine)


def _meter(pool: Pool[Any]) -> None:
    known = weakref.ref(pool)
    metering.watch_pool("reads", lambda: pool.counts if (pool := known()) is not None else None)
