"""A span a statement, and how many connections a pool holds; nothing that a statement was given is told."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from domain import metering
from domain.metering import PoolCounts

MAX_TEXT = 4_000
MAX_SUMMARY = 255

_SPAN = "_pacemark_span"
_STRING = re.compile(r"'(?:[^']|'')*'")
_TARGET = re.compile(
    r"""(?: (?<!DISTINCT\s) FROM | \bJOIN ) \s+ (?:ONLY\s+)? "?(?P<read>[a-z_]\w*)\b"? (?!\s*\()
      | (?: \bINTO | (?<!FOR\s)(?<!DO\s)\bUPDATE ) \s+ (?:ONLY\s+)? "?(?P<written>[a-z_]\w*)""",
    re.IGNORECASE | re.VERBOSE,
)
_COMMON_TABLE = re.compile(
    r"(?:\bWITH|\bRECURSIVE|,)\s+(\w+)\s*(?:\([^()]*\)\s*)?AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(", re.IGNORECASE
)
_WORD = re.compile(r"[()]|[A-Za-z_]+")
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "VALUES"})

_tracer = trace.get_tracer("pacemark")


class Statement(NamedTuple):
    """What a statement does, in the words of the semantic conventions."""

    operation: str
    collection: str | None
    summary: str
    text: str


def trace_statements(engine: AsyncEngine) -> None:
    """Each statement becomes a client span wherever a span that records is current."""
    watched = engine.sync_engine
    always = _where(watched)

    def before(_connection: Any, _cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool) -> None:
        if not trace.get_current_span().is_recording():
            return
        statement = describe(sql)
        attributes = {
            **always,
            "db.operation.name": statement.operation,
            "db.query.summary": statement.summary,
            "db.query.text": statement.text,
        }
        if statement.collection is not None:
            attributes["db.collection.name"] = statement.collection
        if executemany and len(parameters) > 1:
            attributes["db.operation.batch.size"] = len(parameters)
        setattr(context, _SPAN, _tracer.start_span(statement.summary, kind=SpanKind.CLIENT, attributes=attributes))

    def after(_connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _executemany: bool) -> None:
        span = getattr(context, _SPAN, None)
        if span is not None:
            span.end()

    def failed(met: ExceptionContext) -> None:
        span = getattr(met.execution_context, _SPAN, None)
        if span is None or not span.is_recording():
            return
        error = met.original_exception
        state = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
        if state is not None:
            span.set_attribute("db.response.status_code", state)
        span.set_attribute("error.type", state or type(error).__qualname__)
        if isinstance(error, Exception):
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    event.listen(watched, "before_cursor_execute", before)
    event.listen(watched, "after_cursor_execute", after)
    event.listen(watched, "handle_error", failed)


def meter_pool(engine: AsyncEngine, name: str) -> None:
    """Tells how many connections of the engine's pool are idle and used, for as long as there is the engine."""
    watched = weakref.ref(engine.sync_engine)

    def counts() -> PoolCounts | None:
        found = watched()
        pool = found.pool if found is not None else None
        return PoolCounts(pool.checkedin(), pool.checkedout()) if isinstance(pool, QueuePool) else None

    metering.watch_pool(name, counts)


@lru_cache(maxsize=1_000)
def describe(sql: str) -> Statement:
    """Its operation, its tables, and its text without literals."""
    text = _STRING.sub("?", sql)
    operation = next(_operations(text), "OTHER")
    common = {name.lower() for name in _COMMON_TABLE.findall(text)}
    names = (found["read"] or found["written"] for found in _TARGET.finditer(text))
    targets = list(dict.fromkeys(name for name in names if name.lower() not in common))
    summary = " ".join([operation, *targets])[:MAX_SUMMARY]
    return Statement(operation, targets[0] if len(targets) == 1 else None, summary, text[:MAX_TEXT])


def _operations(text: str) -> Iterator[str]:
    """The keywords that can begin a statement, outside any parentheses; before a WITH's own statement stand only theirs."""
    depth = 0
    for number, word in enumerate(found[0].upper() for found in _WORD.finditer(text)):
        depth += (word == "(") - (word == ")")
        if depth == 0 and (word in _MAIN or (number == 0 and word != "WITH")):
            yield word


def _where(engine: Engine) -> dict[str, str | int]:
    address = engine.url
    if engine.dialect.name == "sqlite":
        return {"db.system.name": "sqlite"}
    known = {"server.address": address.host, "server.port": address.port, "db.namespace": address.database}
    return {"db.system.name": engine.dialect.name} | {name: value for name, value in known.items() if value is not None}
