"""Reads and units of work over one database, SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Executable, Result, Row, event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from domain import history
from domain.access import Actor
from domain.base import Base, Query, R
from domain.errors import Conflict, DatabaseAway, ProblemCode
from domain.work import NOWHERE, Origin, Work

from .tracing import meter_pool, trace_statements

BUSY_TIMEOUT_MS = 15_000
POOL = 5
POOL_OVERFLOW = 5
"""Of each of the two pools, the reads' and the writes'."""

SYNCHRONISED_SECONDS = 60.0
HELD_UP_SECONDS = 1.0
_POSTGRES: Mapping[str, Any] = {
    "pool_size": POOL,
    "max_overflow": POOL_OVERFLOW,
    "connect_args": {
        "timeout": 10,
        "command_timeout": 30,  # one that says nothing any more is as good as away
        "server_settings": {
            "application_name": "pacemark",
            # A process that is frozen in the middle of a transaction must not hold its locks for ever.
            "idle_in_transaction_session_timeout": "15000",
        },
    },
}
_WAL_RETRY_SECONDS = 0.05


T = TypeVar("T")


def utc_now() -> datetime:
    return datetime.now(UTC)


def uptime() -> float:
    """Seconds that nobody sets, which go on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SqlReader:
    """Each statement on a connection of its own, without a transaction around it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        return [query.row(*row) for row in await self._read(query.statement, values)]

    async def first(self, query: Query[R], **values: Any) -> R | None:
        row = next(iter(await self._read(query.statement, values)), None)
        return query.row(*row) if row is not None else None

    async def _read(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        try:
            return await self._once(statement, values)
        except DatabaseAway:
            # The server was restarted behind a pooled connection's back: a read may be asked again, on a new one.
            return await self._once(statement, values)

    async def _once(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        with _asking():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement, values)).all()


class SqlWriter:
    """The session of one unit of work. `unbroken`: a statement that has begun is ended, whoever is cancelled."""

    def __init__(self, session: AsyncSession, *, unbroken: bool) -> None:
        self._session = session
        self._unbroken = unbroken

    def add(self, instance: Base) -> None:
        self._session.add(instance)

    async def flush(self) -> None:
        with _asking():
            await self._ended(self._session.flush())

    async def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]:
        with _asking():
            return await self._ended(self._session.execute(statement, values))

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        return [query.row(*row) for row in await self.execute(query.statement, values)]

    async def first(self, query: Query[R], **values: Any) -> R | None:
        row = (await self.execute(query.statement, values)).first()
        return query.row(*row) if row is not None else None

    async def reach_into(self, workspace_id: UUID) -> None: ...

    async def _ended(self, asking: Coroutine[Any, Any, T]) -> T:
        if not self._unbroken:
            return await asking
        # SQLite's driver goes on with a statement that nobody awaits, and its connection with the lock on the file.
        task = asyncio.create_task(asking)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
            raise


class SqlDatabase:
    """`committed` is called after each unit of work that said something or left work to others."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.committed: Callable[[Work], None] = lambda work: None
        self._clock = clock
        self._told: datetime | None = None
        self._told_at = 0.0
        # A write is not repeated by itself, so it begins on a connection that was seen to live.
        self.writes = _engine(url, pool_pre_ping=not self.is_sqlite)
        self.reads = _engine(url)
        if not self.is_sqlite:
            # SQLite's reads begin no transaction anyway, and to switch its driver is a step of its own: a read that was
            # cancelled there would never give its connection back.
            self.reads = self.reads.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite has one writer at a time: waiting in line here is fairer than its busy timeout.
        self._turn = asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        if self.is_sqlite:
            _begin_immediately(self.writes)
        meter_pool(self.reads, "reads")
        meter_pool(self.writes, "writes")
        self._reader = SqlReader(self.reads)

    @property
    def reader(self) -> SqlReader:
        return self._reader

    @asynccontextmanager
    async def work(self, actor: Actor, origin: Origin = NOWHERE) -> AsyncGenerator[Work, None]:
        async with self._turn, AsyncSession(self.writes, expire_on_commit=False, autoflush=False) as session:
            with _refusals():
                work = Work(SqlWriter(session, unbroken=self.is_sqlite), actor, await self._now(session), origin)
                yield work
                await history.record(work, numbered=self.is_sqlite)
                with _asking():
                    await session.commit()
        if work.said or work.calls:
            self.committed(work)

    async def _now(self, session: AsyncSession) -> datetime:
        """PostgreSQL's time of day, counted on from when it was last asked: leases and claims are many machines' matter.

        A machine's own time of day may be wrong, or be set while this runs.
        """
        if self.is_sqlite or self._clock is not utc_now:
            return self._clock()
        if self._told is None or uptime() - self._told_at > SYNCHRONISED_SECONDS:
            with _asking():
                await session.connection()  # which takes its time
                asked = uptime()
                theirs = (await session.execute(select(func.clock_timestamp()))).scalar_one()
                answered = uptime()
            # Who is held up between the question and the answer learns nothing from it, but from the next.
            if self._told is None or answered - asked < HELD_UP_SECONDS:
                self._told, self._told_at = theirs, (asked + answered) / 2
        return self._told + timedelta(seconds=uptime() - self._told_at)

    async def close(self) -> None:
        await self.writes.dispose()
        await self.reads.dispose()


def _engine(url: str, **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        url,
        **({} if url.startswith("sqlite") else _POSTGRES),
        **options,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error's text is logged, and parameters are what users and pages sent
    )
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", prepare_sqlite)
        event.listen(engine.sync_engine, "connect", _hold_to_references)
    trace_statements(engine)
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
_AWAY = ("08", "53", "57P")  # connection exceptions; no room for one more; shut down, crashed, still starting


@contextlib.contextmanager
def _refusals() -> Generator[None, None, None]:
    """The constraint is what holds; here it becomes an answer. And a server that is away is told from a bug of ours."""
    try:
        yield
    except IntegrityError as error:
        rule = _rule(error)
        if rule in _REFERRED:
            raise Conflict("Something else refers to this, or what this refers to is gone.", ProblemCode.IN_USE) from error
        if rule in _TAKEN:
            raise Conflict("There is one like this already.", ProblemCode.ALREADY_EXISTS) from error
        raise
    except DBAPIError as error:
        if error.connection_invalidated or (_rule(error) or "").startswith(_AWAY):
            raise DatabaseAway("The database went away.") from error
        raise


class _asking:  # noqa: N801 - reads as a function
    """The same around a statement, the first of which makes the connection: there the system's errors are the database's.

    A plain class: a generator's frame would keep a cancelled statement's connection, and SQLite's lock with it, alive.
    """

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _at: object) -> None:
        # What asyncpg says while it connects comes as it is.
        state = getattr(error, "sqlstate", None)
        if isinstance(error, OSError | PoolTimeoutError) or (isinstance(state, str) and state.startswith(_AWAY)):
            raise DatabaseAway("The database cannot be reached.") from error
        if isinstance(error, DBAPIError):
            with _refusals():
                raise error


def _rule(error: DBAPIError) -> str | None:
    """PostgreSQL's code or SQLite's name of the rule: the text may quote what a user typed."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
