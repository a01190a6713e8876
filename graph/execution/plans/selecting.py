"""What is selected of the objects of one type, as Python that is written for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CoroutineType
from typing import Any, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
    is_leaf_type,
)
from strawberry.execution import optimized_is_awaitable

from .completing import coerced
from .fields import Field
from .places import Places
from .reading import Attribute, OfSource
from .run import Run, Waiting

_STRANGE: Mapping[Any, str] = {
    GraphQLString: "{0}.__class__ is not str",
    GraphQLID: "{0}.__class__ is not str",
    GraphQLInt: "{0}.__class__ is not int or not -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "{0}.__class__ is not float or {0} - {0} != 0.0",
    GraphQLBoolean: "{0} is not True and {0} is not False",
}
"""When a value is not yet what stands in the answer, for GraphQL's own scalars."""


class Typename(NamedTuple):
    """`__typename`, which is known beforehand."""

    key: str
    name: str


class Selection:
    """The fields in their order. `source` is the text of what reads those that need nothing but the object."""

    def __init__(self, parts: Sequence[Field | Typename]) -> None:
        self._inline = [each for each in parts if isinstance(each, Field) and _is_inline(each)]
        self._others = [each for each in parts if isinstance(each, Field) and not _is_inline(each)]
        self._typenames = [each for each in parts if isinstance(each, Typename)]
        self._keys = [each.key for each in parts]
        self.source, names = _written(parts)
        exec(compile(self.source, "<plan>", "exec"), names)  # noqa: S102 - written below, from names of ours and reprs
        self._read: Callable[[Sequence[Any]], list[dict[str, Any]]] = names["read"]

    def select(self, run: Run, sources: Sequence[Any], places: Places, waits: list[Waiting]) -> list[dict[str, Any]]:
        try:
            outs = self._read(sources)
        except Exception:
            outs = self._carefully(run, sources, places, waits)
        for field in self._others:
            field.fill(run, sources, outs, places, waits)
        return outs

    def _carefully(self, run: Run, sources: Sequence[Any], places: Places, waits: list[Waiting]) -> list[dict[str, Any]]:
        """The same field by field, of which one is not what it should be."""
        whole = dict.fromkeys(self._keys) | {each.key: each.name for each in self._typenames}
        outs: list[dict[str, Any]] = [dict(whole) for _ in sources]
        for field in self._inline:
            field.fill(run, sources, outs, places, waits)
        return outs


def _is_inline(field: Field) -> bool:
    return isinstance(field.read, OfSource) and field.read.inline and _leaf(field) is not None


def _leaf(field: Field) -> GraphQLLeafType | None:
    type = field.definition.type
    inner = type.of_type if isinstance(type, GraphQLNonNull) else type
    return inner if is_leaf_type(inner) else None


def _written(parts: Sequence[Field | Typename]) -> tuple[str, dict[str, Any]]:
    """`read(sources)`, which raises where one of the values is not as expected; and the names in it."""
    names: dict[str, Any] = {}
    lines: list[str] = []
    items: list[str] = []
    for number, part in enumerate(parts):
        if isinstance(part, Typename):
            items.append(f"{part.key!r}: {part.name!r}")
        elif _is_inline(part):
            lines += _value(part, number, names)
            items.append(f"{part.key!r}: v{number}")
        else:
            items.append(f"{part.key!r}: None")
    body = "".join(f"        {line}\n" for line in lines)
    shape = "{" + ", ".join(items) + "}"
    if not lines:
        return f"def read(sources):\n    return [{shape} for source in sources]\n", names
    return (
        "def read(sources):\n    outs = []\n    add = outs.append\n    for source in sources:\n"
        f"{body}        add({shape})\n    return outs\n"
    ), names


def _value(field: Field, number: int, names: dict[str, Any]) -> Sequence[str]:
    value, reads, coerces = f"v{number}", f"read{number}", f"coerce{number}"
    leaf = _leaf(field)
    assert leaf is not None
    names[coerces] = _quick(leaf)
    if isinstance(field.read, Attribute) and field.read.name.isidentifier():
        line = f"{value} = source.{field.read.name}"
    else:
        assert isinstance(field.read, OfSource)
        names[reads] = field.read.function
        line = f"{value} = {reads}(source)"
    conditions = []
    if not isinstance(field.definition.type, GraphQLNonNull):
        conditions.append(f"{value} is not None")
    if leaf in _STRANGE:
        conditions.append(f"({_STRANGE[leaf].format(value)})")
    then = f"{value} = {coerces}({value})"
    return [line, f"if {' and '.join(conditions)}: {then}" if conditions else then]


class _Strange(Exception):  # noqa: N818 - it is looked at again with care
    """A value that cannot be completed at once."""


def _quick(type: GraphQLLeafType) -> Callable[[Any], Any]:
    def coerce(value: Any) -> Any:
        if value is None or value is Undefined or isinstance(value, Exception) or optimized_is_awaitable(value):
            if isinstance(value, CoroutineType):
                value.close()  # it is read again
            raise _Strange
        return coerced(type, value)

    return coerce
