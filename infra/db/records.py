"""What a driver's values become; and rows that are the driver's own, each value made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any

import asyncpg
from sqlalchemy import JSON, Dialect, Enum, Float, Text
from sqlalchemy.types import TypeEngine

from domain.base import UtcDateTime, whole
from domain.forms import Form, moment

As = Callable[[Any], Any]


def result(type: TypeEngine[Any], dialect: Dialect) -> As | None:
    """How a value of the driver's becomes one of the column's type; None where it is one."""
    if isinstance(type, Enum) and type.enum_class is not None:
        members: dict[Any, Any] = {None: None} | dict(type.enum_class.__members__)
        return members.__getitem__
    if dialect.name == "postgresql":
        if isinstance(type, UtcDateTime):
            return _moment
        if isinstance(type, JSON | Float):
            return None  # as its connections read them
    process: As | None = type.dialect_impl(dialect).result_processor(dialect, None)
    return process


def _moment(text: str | None) -> Any:
    return moment(text) if text is not None else None


@lru_cache(maxsize=1_000)
def record(row: type, types: tuple[TypeEngine[Any], ...], dialect: Dialect) -> type:
    """A row of PostgreSQL's: the row type's attributes read it where it is, and `forms` says what unpacking it gives."""
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]  # every NamedTuple has it
    results = [result(type, dialect) for type in types]
    named = list(zip(fields, types, results, strict=True))
    return type(
        row.__name__,
        (asyncpg.Record,),
        {
            "__slots__": (),
            "_fields": fields,
            "whole": whole(row),
            "forms": {name: form for name, type, process in named if (form := _form(type, process)) is not None},
            **{name: property(_read(place, process)) for place, (name, _, process) in enumerate(named)},
        },
    )


def _form(type: TypeEngine[Any], process: As | None) -> Form | None:
    if isinstance(type, UtcDateTime):
        return Form.MOMENT
    if isinstance(type, Enum):
        return Form.NAME
    if process is not None:
        return None
    if isinstance(type, Float):
        return Form.NUMBER
    return Form.TEXT if isinstance(type, Text) else Form.SAME


def _read(place: int, process: As | None) -> Callable[[Any], Any]:
    at = itemgetter(place)
    return at if process is None else lambda row: process(row[place])
