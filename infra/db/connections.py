"""How connections to the two databases are made, and what each is set to from its first moment."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .tracing import trace_statements

BUSY_TIMEOUT_MS = 15_000
POOL = 5
POOL_OVERFLOW = 5
"""Of the writes; the reads have as many together."""

CONNECT_SECONDS = 10
COMMAND_SECONDS = 30.0
"""A statement of PostgreSQL's that says nothing any more is as good as away."""

REACH = "pacemark.reach"
EVERYTHING = "*"
"""The setting of which PostgreSQL's policies ask whose rows may be touched: everybody's, or those of these workspaces."""

POSTGRES: Mapping[str, str] = {
    "application_name": "pacemark",
    # A process that is frozen in the middle of a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "15000",
}
READS: Mapping[str, str] = {
    **POSTGRES,
    REACH: EVERYTHING,
    "default_transaction_read_only": "on",
    # A read takes less time than to think each time anew of how to go about it; and what one asks, others have asked.
    "plan_cache_mode": "force_generic_plan",
    # How times are written, which are read as texts.
    "TimeZone": "UTC",
    "DateStyle": "ISO",
}
"""Whose rows a read gives is in its statement; what it can never do is to write."""

_WAL_RETRY_SECONDS = 0.05

T = TypeVar("T")


def engine(url: str, **options: Any) -> AsyncEngine:
    made = create_async_engine(
        url,
        **({} if url.startswith("sqlite") else _postgres()),
        **options,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error's text is logged, and parameters are what users and pages sent
    )
    if url.startswith("sqlite"):
        event.listen(made.sync_engine, "connect", _prepare_sqlite)
        event.listen(made.sync_engine, "connect", _hold_to_references)
    trace_statements(made)
    return made


async def once(url: str, job: Callable[[Connection], T]) -> T:
    """The job's answer, on a connection that is made for it alone, in one transaction."""
    made = create_async_engine(url)
    if url.startswith("sqlite"):
        event.listen(made.sync_engine, "connect", _prepare_sqlite)
    try:
        async with made.begin() as connection:
            return await connection.run_sync(job)
    finally:
        await made.dispose()


def _postgres() -> dict[str, Any]:
    return {
        "pool_size": POOL,
        "max_overflow": POOL_OVERFLOW,
        "connect_args": {
            "timeout": CONNECT_SECONDS,
            "command_timeout": COMMAND_SECONDS,
            "server_settings": POSTGRES,
        },
    }


def _prepare_sqlite(connection: Any, _record: Any) -> None:
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


def begin_immediately(engine: AsyncEngine) -> None:
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
