"""Reads: each query is compiled once for the driver, and its rows become what it says at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic
from weakref import WeakKeyDictionary

from opentelemetry import trace
from sqlalchemy import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from domain.base import Query, R, whole
from domain.errors import DatabaseAway

from .connections import engine
from .guard import guarded
from .records import As, record, result
from .refusals import asking
from .sources import Source
from .tracing import StatementSpan


class Compiled(Generic[R]):
    """A query as a driver takes it, and what its rows become.

    `record`: the driver's own rows, which are read where they are, for queries that are narrowed to what is asked for.
    """

    def __init__(self, query: Query[R], dialect: Dialect) -> None:
        compiled = guarded(query, dialect).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        assert not compiled.literal_execute_params | compiled.post_compile_params, "its text is the same for all values"
        self.text = compiled.string
        self._given = {name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required}
        self._names: Sequence[str] = compiled.positiontup or ()
        self._binds: Mapping[str, As] = {
            name: process for bind, name in compiled.bind_names.items() if (process := _bound(bind.type, dialect)) is not None
        }
        types = [column.type for column in compiled._result_columns]
        self._make: Callable[[Sequence[Any]], R] = partial(tuple.__new__, query.row)
        self._results = [(place, process) for place, type in enumerate(types) if (process := result(type, dialect)) is not None]
        narrowed = whole(query.row) is not query.row and dialect.name == "postgresql"
        self.record = record(query.row, tuple(types), dialect) if narrowed else None

    def values(self, given: Mapping[str, Any]) -> Sequence[Any]:
        """In their order. Raises KeyError for one that is missing."""
        whole = {**self._given, **given}
        binds = self._binds
        return [binds[name](whole[name]) if name in binds else whole[name] for name in self._names]

    def rows(self, found: Sequence[Any]) -> Sequence[R]:
        if self.record is not None or not found:
            return found
        if not self._results:
            return [self._make(row) for row in found]
        columns: list[Iterable[Any]] = list(zip(*found, strict=True))
        for place, process in self._results:
            columns[place] = map(process, columns[place])
        return list(map(self._make, zip(*columns, strict=True)))


def _bound(type: Any, dialect: Dialect) -> As | None:
    process: As | None = type.dialect_impl(dialect).bind_processor(dialect)
    return process


def texts(url: str) -> Callable[[Query[Any]], str]:
    """What gives a query's statement, as it is sent to the database at this address. Nothing is sent."""
    dialect = engine(url).dialect
    return lambda query: Compiled(query, dialect).text


class SqlReader:
    """Each statement on a connection of its own, without a transaction around it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._compiled: WeakKeyDictionary[Query[Any], Compiled[Any]] = WeakKeyDictionary()

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        compiled = self._of(query)
        return compiled.rows(await self._read(compiled, values))

    async def first(self, query: Query[R], **values: Any) -> R | None:
        compiled = self._of(query)
        found = compiled.rows((await self._read(compiled, values))[:1])
        return found[0] if found else None

    def _of(self, query: Query[R]) -> Compiled[R]:
        known = self._compiled.get(query)
        if known is None:
            known = self._compiled[query] = Compiled(query, self.source.dialect)
        return known

    async def _read(self, compiled: Compiled[Any], given: Mapping[str, Any]) -> Sequence[Any]:
        values = compiled.values(given)
        try:
            return await self._once(compiled, values)
        except DatabaseAway as away:
            if isinstance(away.__cause__, TimeoutError):
                raise  # and would take as long again
            # The server was restarted behind a connection's back: a read may be asked again, on a new one.
            return await self._once(compiled, values)

    async def _once(self, compiled: Compiled[Any], values: Sequence[Any]) -> Sequence[Any]:
        text, record = compiled.text, compiled.record
        with asking():
            if not trace.get_current_span().is_recording():
                return await self.source.fetch(text, values, record)
            with StatementSpan(text, self.source.address):
                return await self.source.fetch(text, values, record)
