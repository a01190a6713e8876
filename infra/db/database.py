"""Reads and units of work over one database, SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Executable, Result, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from domain.access import Actor
from domain.base import Base, Query, R
from domain.errors import Conflict, ProblemCode
from domain.work import Work

BUSY_TIMEOUT_MS = 15_000


class SqlReader:
    """Each statement on a connection of its own, without a transaction around it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        async with self._engine.connect() as connection:
            result = await connection.execute(query.statement, values)
            return [query.row(*row) for row in result]

    async def first(self, query: Query[R], **values: Any) -> R | None:
        async with self._engine.connect() as connection:
            row = (await connection.execute(query.statement, values)).first()
            return query.row(*row) if row is not None else None


class SqlWriter:
    """The session of one unit of work."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, instance: Base) -> None:
        self._session.add(instance)

    async def flush(self) -> None:
        with _refusals():
            await self._session.flush()

    async def execute(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Result[Any]:
        with _refusals():
            return await self._session.execute(statement, values)

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        return [query.row(*row) for row in await self._session.execute(query.statement, values)]

    async def first(self, query: Query[R], **values: Any) -> R | None:
        row = (await self._session.execute(query.statement, values)).first()
        return query.row(*row) if row is not None else None


class SqlDatabase:
    """`committed` is called after each unit of work that said something."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.committed: Callable[[], None] = lambda: None
        self._clock = clock
        self.writes = _engine(url)
        self.reads = _engine(url).execution_options(isolation_level="AUTOCOMMIT")
        # SQLite has one writer at a time: waiting in line here is fairer than its busy timeout.
        self._turn = asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        if self.is_sqlite:
            _begin_immediately(self.writes)
        self._reader = SqlReader(self.reads)

    @property
    def reader(self) -> SqlReader:
        return self._reader

    @asynccontextmanager
    async def work(self, actor: Actor) -> AsyncGenerator[Work, None]:
        async with self._turn, AsyncSession(self.writes, expire_on_commit=False, autoflush=False) as session:
            with _refusals():
                async with session.begin():
                    work = Work(SqlWriter(session), actor, self._clock())
                    yield work
        if work.said:
            self.committed()

    async def close(self) -> None:
        await self.writes.dispose()
        await self.reads.dispose()


def _engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url, json_serializer=lambda value: orjson.dumps(value).decode(), json_deserializer=orjson.loads
    )
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    # The timeout comes first: switching to WAL waits for the lock of another process too.
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediately(engine: AsyncEngine) -> None:
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))


@contextlib.contextmanager
def _refusals() -> Any:
    """The constraint is what holds; here it becomes an answer."""
    try:
        yield
    except IntegrityError as error:
        if "foreign key" in str(error.orig).lower():
            raise Conflict("Something else still refers to this.", ProblemCode.IN_USE) from error
        raise Conflict("There is one like this already.", ProblemCode.ALREADY_EXISTS) from error
