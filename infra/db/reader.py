"""Reads: each query is compiled once for the driver, and its rows become what it says at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic
from weakref import WeakKeyDictionary

from opentelemetry import trace
from sqlalchemy import JSON, Dialect, Enum, Float
from sqlalchemy.sql.compiler import SQLCompiler

from domain.base import Query, R, UtcDateTime
from domain.errors import DatabaseAway

from .guard import guarded
from .refusals import asking
from .sources import Source
from .tracing import StatementSpan

_As = Callable[[Any], Any]


class Compiled(Generic[R]):
    """A query as a driver takes it."""

    def __init__(self, query: Query[R], dialect: Dialect) -> None:
        compiled = guarded(query, dialect).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        assert not compiled.literal_execute_params | compiled.post_compile_params, "its text is the same for all values"
        self.text = compiled.string
        self._given = {name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required}
        self._names: Sequence[str] = compiled.positiontup or ()
        self._binds: Mapping[str, _As] = {
            name: process for bind, name in compiled.bind_names.items() if (process := _bound(bind.type, dialect)) is not None
        }
        self._make: Callable[[Sequence[Any]], R] = partial(tuple.__new__, query.row)
        self._results = [
            (place, process)
            for place, column in enumerate(compiled._result_columns)
            if (process := _result(column.type, dialect)) is not None
        ]

    def values(self, given: Mapping[str, Any]) -> Sequence[Any]:
        """In their order. Raises KeyError for one that is missing."""
        whole = {**self._given, **given}
        binds = self._binds
        return [binds[name](whole[name]) if name in binds else whole[name] for name in self._names]

    def rows(self, found: Sequence[Any]) -> Sequence[R]:
        make, results = self._make, self._results
        if not results:
            return [make(row) for row in found]
        made = []
        for row in found:
            values = list(row)
            for place, process in results:
                values[place] = process(values[place])
            made.append(make(values))
        return made


def _bound(type: Any, dialect: Dialect) -> _As | None:
    process: _As | None = type.dialect_impl(dialect).bind_processor(dialect)
    return process


def _result(type: Any, dialect: Dialect) -> _As | None:
    """How a value of the driver's becomes one of the column's type; None where it is one."""
    if isinstance(type, Enum) and type.enum_class is not None:
        members: dict[Any, Any] = {None: None} | dict(type.enum_class.__members__)
        return members.__getitem__
    if dialect.name == "postgresql" and isinstance(type, UtcDateTime | JSON | Float):
        return None  # as its connections read them
    process: _As | None = type.dialect_impl(dialect).result_processor(dialect, None)
    return process


class SqlReader:
    """Each statement on a connection of its own, without a transaction around it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._compiled: WeakKeyDictionary[Query[Any], Compiled[Any]] = WeakKeyDictionary()

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        compiled = self._of(query)
        return compiled.rows(await self._read(compiled.text, compiled.values(values)))

    async def first(self, query: Query[R], **values: Any) -> R | None:
        compiled = self._of(query)
        found = compiled.rows((await self._read(compiled.text, compiled.values(values)))[:1])
        return found[0] if found else None

    def _of(self, query: Query[R]) -> Compiled[R]:
        known = self._compiled.get(query)
        if known is None:
            known = self._compiled[query] = Compiled(query, self.source.dialect)
        return known

    async def _read(self, text: str, values: Sequence[Any]) -> Sequence[Any]:
        try:
            return await self._once(text, values)
        except DatabaseAway:
            # The server was restarted behind a connection's back: a read may be asked again, on a new one.
            return await self._once(text, values)

    async def _once(self, text: str, values: Sequence[Any]) -> Sequence[Any]:
        with asking():
            if not trace.get_current_span().is_recording():
                return await self.source.fetch(text, values)
            with StatementSpan(text, self.source.address):
                return await self.source.fetch(text, values)
