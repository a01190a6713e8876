"""What all tables and statements share: names of constraints, types of both databases, and typed reads."""

from __future__ import annotations

import enum
import json
import re
from collections import namedtuple
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BindParameter,
    Boolean,
    ColumnElement,
    Dialect,
    Enum,
    MetaData,
    Select,
    String,
    Text,
    column,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time with microseconds; in SQLite fixed-width text, so that it sorts and compares as time does."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone reached the database.")
        value = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return value
        # Not strftime, which does not pad the years before 1000 everywhere.
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value
        return datetime.fromisoformat(value)


_UTC = UtcDateTime()


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own protocol
        str: Text(),
        datetime: UtcDateTime(),
        enum.Enum: Enum(enum.Enum, native_enum=False, create_constraint=False, length=40),
    }


Json = JSON().with_variant(JSONB(), "postgresql")


# No text column holds these: whoever asks for such a text finds nothing, and no driver needs to refuse it.
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class _Many(TypeDecorator[Any]):
    """All values of one parameter: an array on PostgreSQL, a JSON text on SQLite. One statement text for any number."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item
        self._is_text = isinstance(item, String)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        if self._is_text:
            values = [text for text in values if text is None or not UNSTORABLE.search(text)]
        if dialect.name == "postgresql":
            return values
        return json.dumps([_in_json(each, dialect) for each in values])


def each_of(name: str, type: Any) -> Any:
    """A table of the values of the parameter `name`, in its only column: `value`. PostgreSQL's."""
    given: BindParameter[Any] = BindParameter(name, type_=_Many(type))
    return func.unnest(given).table_valued(column("value", type)).render_derived(name="each")


def each_of_json(name: str, type: Any) -> Any:
    """The same for SQLite."""
    given: BindParameter[Any] = BindParameter(name, type_=_Many(type))
    return func.json_each(given).table_valued(column("value", type), name="each")


def rows_of(**columns: Any) -> Any:
    """A table of these columns, each of whose values are a parameter of its name: as many of each. PostgreSQL's."""
    given = [BindParameter(name, type_=_Many(type)) for name, type in columns.items()]
    return func.unnest(*given).table_valued(*(column(name, type) for name, type in columns.items())).render_derived(name="rows")


def rows_of_json(name: str, **columns: Any) -> Any:
    """The same for SQLite, of one parameter with all rows."""
    given: BindParameter[Any] = BindParameter(name, type_=_Rows())
    row = func.json_each(given).table_valued(column("value", Text()), name="row").c.value
    values = [func.json_extract(row, f"$[{place}]", type_=type) for place, type in enumerate(columns.values())]
    return select(*(value.label(name) for name, value in zip(columns, values, strict=True))).subquery("rows")


class _Rows(TypeDecorator[Any]):
    """Rows of several values as one JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[Iterable[Any]] | None, dialect: Dialect) -> Any:
        return json.dumps([[_in_json(each, dialect) for each in row] for row in value or ()])


def _in_json(value: Any, dialect: Dialect) -> Any:
    """As SQLite has it."""
    if isinstance(value, UUID):
        return value.hex
    return _UTC.process_bind_param(value, dialect) if isinstance(value, datetime) else value


class one_of(ColumnElement[bool]):  # noqa: N801 - reads as a function: one_of(Site.id, "ids")
    """`column` is among the values of the parameter `name`."""

    inherit_cache = True
    _is_implicitly_boolean = True  # else SQLAlchemy compares it with 1 on SQLite, which then uses no index
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's own protocol
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: Any, name: str) -> None:
        self.column: ColumnElement[Any] = column.__clause_element__() if hasattr(column, "__clause_element__") else column
        self.values: BindParameter[Any] = BindParameter(name, type_=_Many(self.column.type))
        self.type = Boolean()


@compiles(one_of)
def _one_of(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    if compiler.dialect.name == "postgresql":
        return f"{column} = ANY ({values})"
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - names and placeholders only


def within(workspace: Any, site: Any = None) -> ColumnElement[bool]:
    """The row is of a workspace that the parameter `reach` holds, or (what belongs to a site) of a single site that it holds.

    Ids are unique, so that one list is enough for both.
    """
    whole = one_of(workspace, "reach")
    return whole if site is None else or_(whole, one_of(site, "reach"))


class _Wanted(TypeDecorator[Any]):
    """A JSON list of texts; one that cannot be stored becomes a number, which no list of texts holds."""

    impl = Json
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> Any:
        return [0 if UNSTORABLE.search(text) else text for text in value or ()]


class contains_all(ColumnElement[bool]):  # noqa: N801 - reads as a function
    """The JSON list `column` holds every value of the parameter `name` (none given: true)."""

    inherit_cache = True
    _is_implicitly_boolean = True
    _traverse_internals = one_of._traverse_internals

    def __init__(self, column: Any, name: str) -> None:
        self.column: ColumnElement[Any] = column.__clause_element__()
        self.values: BindParameter[Any] = BindParameter(name, type_=_Wanted())
        self.type = Boolean()


@compiles(contains_all)
def _contains_all(element: contains_all, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    if compiler.dialect.name == "postgresql":
        return f"{column} @> {values}"
    had = f"SELECT value FROM json_each({column})"  # noqa: S608 - names and placeholders only
    return f"NOT EXISTS (SELECT 1 FROM json_each({values}) AS wanted WHERE wanted.value NOT IN ({had}))"  # noqa: S608


R = TypeVar("R", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Query(Generic[R]):
    """A statement written once, and the NamedTuple that each of its rows becomes, column by column.

    `beyond` says why it may look into all workspaces, where it does; `sqlite` is what stands for the statement there; from
    `like` it differs in nothing but that it gives fewer columns.
    """

    row: type[R]
    statement: Select[Any]
    beyond: str = ""
    sqlite: Select[Any] | None = None
    like: Query[R] | None = None

    def on(self, dialect: Dialect) -> Select[Any]:
        return self.sqlite if self.sqlite is not None and dialect.name == "sqlite" else self.statement

    def where(self, *conditions: ColumnElement[bool]) -> Query[R]:
        return Query(self.row, self.statement.where(*conditions), self.beyond)

    def beyond_reach(self, why: str) -> Query[R]:
        """The same, not held to any workspace. `why` is a sentence for whoever reviews it."""
        return Query(self.row, self.statement, why)

    def narrow(self, columns: Collection[str]) -> Query[R]:
        """The same with these columns alone, and rows that have no others."""
        chosen = tuple(name for name in _fields(self.row) if name in columns)
        selected = self.statement.selected_columns
        statement = self.statement.with_only_columns(*(selected[name] for name in chosen))
        return Query(_narrowed(self.row, chosen), statement, self.beyond)


def _fields(row: type[R]) -> Sequence[str]:
    names: Sequence[str] = row._fields  # type: ignore[attr-defined]  # every NamedTuple has it, tuple does not say so
    return names


@lru_cache(maxsize=1_000)
def _narrowed(row: type[R], columns: tuple[str, ...]) -> type[R]:
    narrow: Any = type(row.__name__, (namedtuple(row.__name__, columns),), {"__slots__": (), "whole": whole(row)})
    made: type[R] = narrow
    return made


def whole(row: type) -> type:
    """The type of rows of which this one may have some columns alone."""
    found: type = getattr(row, "whole", row)
    return found


def query(row: type[R], *tables: type[Base]) -> Query[R]:
    """Select the row type's fields from the first of the tables that has a column of that name."""
    chosen = [next(getattr(table, name) for table in tables if name in table.__table__.c) for name in _fields(row)]
    return Query(row, select(*chosen).select_from(tables[0]))


class Count(NamedTuple):
    number: int


def count(table: type[Base], *conditions: ColumnElement[bool]) -> Query[Count]:
    """How many rows of the table there are."""
    return Query(Count, select(func.count().label("number")).select_from(table).where(*conditions))
