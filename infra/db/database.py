"""Reads and units of work over one database, SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
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
_WAL_RETRY_SECONDS = 0.05


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
        self.reads = _engine(url)
        if not self.is_sqlite:
            # SQLite's reads begin no transaction anyway, and to switch its driver is a step of its own: a read that was
            # cancelled there would never give its connection back.
            self.reads = self.reads.execution_options(isolation_level="AUTOCOMMIT")
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
        url,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error's text is logged, and parameters are what users and pages sent
    )
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", prepare_sqlite)
        event.listen(engine.sync_engine, "connect", _hold_to_references)
    return engine


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """As each connection to the file has to be, whatever it is for."""
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    for missed in itertools.count():
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            # While another process uses a file that is not switched yet, this one statement fails instead of waiting.
            if missed * _WAL_RETRY_SECONDS * 1000 >= BUSY_TIMEOUT_MS:
                raise
            connection.await_(asyncio.sleep(_WAL_RETRY_SECONDS))
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _hold_to_references(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediately(engine: AsyncEngine) -> None:
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))


_REFERRED = {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"}
_TAKEN = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}


@contextlib.contextmanager
def _refusals() -> Any:
    """The constraint is what holds; here it becomes an answer."""
    try:
        yield
    except IntegrityError as error:
        # PostgreSQL's code or SQLite's name of the rule: the text may quote what a user typed.
        rule = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        if rule in _REFERRED:
            raise Conflict("Something else refers to this, or what this refers to is gone.", ProblemCode.IN_USE) from error
        if rule in _TAKEN:
            raise Conflict("There is one like this already.", ProblemCode.ALREADY_EXISTS) from error
        raise
