"""Reads and units of work over one database, SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Executable, Result, event, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from domain import history
from domain.access import Actor
from domain.base import Base, Query, R
from domain.work import NOWHERE, Origin, Work

from .connections import EVERYTHING, REACH, begin_immediately, engine
from .guard import guarded
from .reader import SqlReader
from .refusals import asking, refusals
from .sources import source
from .tracing import meter_pool

SYNCHRONISED_SECONDS = 60.0
HELD_UP_SECONDS = 1.0


T = TypeVar("T")


def utc_now() -> datetime:
    return datetime.now(UTC)


def uptime() -> float:
    """Seconds that nobody sets, which go on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SqlWriter:
    """The session of one unit of work. `unbroken`: a statement that has begun is ended, whoever is cancelled."""

    def __init__(self, session: AsyncSession, *, unbroken: bool) -> None:
        self._session = session
        self._dialect = session.get_bind().dialect
        self._unbroken = unbroken

    def add(self, instance: Base) -> None:
        self._session.add(instance)

    async def flush(self) -> None:
        with asking():
            await self._ended(self._session.flush())

    async def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]:
        with asking():
            return await self._ended(self._session.execute(statement, values))

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        return [query.row(*row) for row in await self.execute(guarded(query, self._dialect), values)]

    async def first(self, query: Query[R], **values: Any) -> R | None:
        row = (await self.execute(guarded(query, self._dialect), values)).first()
        return query.row(*row) if row is not None else None

    async def reach_into(self, workspace_id: UUID) -> None:
        reach = self._session.info.get(REACH)
        if reach is None or reach == EVERYTHING:
            return
        self._session.info[REACH] = f"{reach},{workspace_id}" if reach else str(workspace_id)
        await self.execute(_reaching(self._session.info[REACH]))

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


class _Scoped(Session):
    """On PostgreSQL each of its transactions begins with whose rows it may touch; the setting ends with the transaction."""


def _reaching(reach: str) -> Executable:
    return select(func.set_config(REACH, reach, True))


@event.listens_for(_Scoped, "after_begin")
def _begin_within(session: Session, _transaction: object, connection: Connection) -> None:
    if REACH in session.info:
        connection.execute(_reaching(session.info[REACH]))


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
        self.writes = engine(url, pool_pre_ping=not self.is_sqlite)
        self.reads = source(self.writes)
        # SQLite has one writer at a time: waiting in line here is fairer than its busy timeout.
        self._turn = asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        if self.is_sqlite:
            begin_immediately(self.writes)
        meter_pool(self.writes, "writes")
        self._reader = SqlReader(self.reads)

    @property
    def reader(self) -> SqlReader:
        return self._reader

    @asynccontextmanager
    async def work(self, actor: Actor, origin: Origin = NOWHERE) -> AsyncGenerator[Work, None]:
        async with self._turn, self._session(actor) as session:
            with refusals():
                work = Work(SqlWriter(session, unbroken=self.is_sqlite), actor, await self._now(session), origin)
                yield work
                await history.record(work, numbered=self.is_sqlite)
                with asking():
                    await session.commit()
        if work.said or work.calls:
            self.committed(work)

    def _session(self, actor: Actor) -> AsyncSession:
        reach = EVERYTHING if actor.everything else ",".join(map(str, actor.reach.workspaces))
        info = {} if self.is_sqlite else {REACH: reach}
        return AsyncSession(self.writes, sync_session_class=_Scoped, info=info, expire_on_commit=False, autoflush=False)

    async def _now(self, session: AsyncSession) -> datetime:
        """PostgreSQL's time of day, counted on from when it was last asked: leases and claims are many machines' matter.

        A machine's own time of day may be wrong, or be set while this runs.
        """
        if self.is_sqlite or self._clock is not utc_now:
            return self._clock()
        if self._told is None or uptime() - self._told_at > SYNCHRONISED_SECONDS:
            with asking():
                await session.connection()  # which takes its time, and tells the reach
                asked = uptime()
                theirs = (await session.execute(select(func.clock_timestamp()))).scalar_one()
                answered = uptime()
            # Who is held up between the question and the answer learns nothing from it, but from the next.
            if self._told is None or answered - asked < HELD_UP_SECONDS:
                self._told, self._told_at = theirs, (asked + answered) / 2
        return self._told + timedelta(seconds=uptime() - self._told_at)

    async def close(self) -> None:
        await self.writes.dispose()
        await self.reads.close()
