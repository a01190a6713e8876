"""A span a statement, and how many connections a pool holds; nothing that a statement was given is told."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from sqlalchemy import URL, ExceptionContext, event
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
    always = where(watched.url)

    def before(_connection: Any, _cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool) -> None:
        if trace.get_current_span().is_recording():
            setattr(context, _SPAN, StatementSpan(sql, always, len(parameters) if executemany else 1))

    def after(_connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _executemany: bool) -> None:
        span = getattr(context, _SPAN, None)
        if span is not None:
            span.end()

    def failed(met: ExceptionContext) -> None:
        span = getattr(met.execution_context, _SPAN, None)
        if span is not None:
            span.end(met.original_exception)

    event.listen(watched, "before_cursor_execute", before)
    event.listen(watched, "after_cursor_execute", after)
    event.listen(watched, "handle_error", failed)


class StatementSpan:
    """Of one statement, also as a block; `times`: with how many sets of values."""

    def __init__(self, sql: str, address: Mapping[str, str | int], times: int = 1) -> None:
        statement = describe(sql)
        attributes = {
            **address,
            "db.operation.name": statement.operation,
            "db.query.summary": statement.summary,
            "db.query.text": statement.text,
        }
        if statement.collection is not None:
            attributes["db.collection.name"] = statement.collection
        if times > 1:
            attributes["db.operation.batch.size"] = times
        self._span = _tracer.start_span(statement.summary, kind=SpanKind.CLIENT, attributes=attributes)

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        if error is not None and self._span.is_recording():
            state = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
            if state is not None:
                self._span.set_attribute("db.response.status_code", state)
            self._span.set_attribute("error.type", state or type(error).__qualname__)
            if isinstance(error, Exception):
                self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


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


def where(address: URL) -> dict[str, str | int]:
    if address.get_backend_name() == "sqlite":
        return {"db.system.name": "sqlite"}
    known = {"server.address": address.host, "server.port": address.port, "db.namespace": address.database}
    return {"db.system.name": "postgresql"} | {name: value for name, value in known.items() if value is not None}
