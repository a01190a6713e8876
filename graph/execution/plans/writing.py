"""What reads the fields that need nothing but their object, as Python that is written for one selection set.

It holds names of ours, and literals of names that the parser let through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import CoroutineType
from typing import Any, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
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

from ...scalars import THREE_DIGITS, TWO_DIGITS, written, written_at_once
from .completing import Objects, coerced
from .fields import Field
from .reading import Attribute, Identity, Itself, OfSource

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


def is_inline(field: Field) -> bool:
    if not isinstance(field.read, OfSource) or not field.read.inline:
        return False
    return _leaf(field) is not None or (isinstance(field.read, Itself) and _is_embedded(field.completer))


def _is_embedded(completer: object) -> bool:
    return isinstance(completer, Objects) and completer.is_sure and completer.selecting.plain


def _leaf(field: Field) -> GraphQLLeafType | None:
    type = field.definition.type
    inner = type.of_type if isinstance(type, GraphQLNonNull) else type
    return inner if is_leaf_type(inner) else None


class Writing:
    """The text of `read(sources)`, which raises where one of the values is not as expected; and the names in it."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"datetime": datetime, "UTC": UTC, "two": TWO_DIGITS, "three": THREE_DIGITS}
        self._lines: list[str] = []
        self._values = 0

    def shape(self, parts: Sequence[Field | Typename]) -> str:
        return "{" + ", ".join(f"{part.key!r}: {self._item(part)}" for part in parts) + "}"

    def source(self, shape: str) -> str:
        if not self._lines:
            return f"def read(sources):\n    return [{shape} for source in sources]\n"
        body = "".join(f"        {line}\n" for line in self._lines)
        return (
            "def read(sources):\n    outs = []\n    add = outs.append\n    for source in sources:\n"
            f"{body}        add({shape})\n    return outs\n"
        )

    def _item(self, part: Field | Typename) -> str:
        if isinstance(part, Typename):
            return repr(part.name)
        if not is_inline(part):
            return "None"
        if isinstance(part.completer, Objects):
            return self.shape(part.completer.selecting.parts)
        return self._value(part)

    def _value(self, field: Field) -> str:
        self._values += 1
        value, reads = f"v{self._values}", f"read{self._values}"
        leaf = _leaf(field)
        assert leaf is not None
        assert isinstance(field.read, OfSource)
        if isinstance(field.read, Identity):
            return f"{field.read.prefix!r} + source.id.hex"
        if isinstance(field.read, Attribute) and field.read.name.isidentifier():
            self._lines.append(f"{value} = source.{field.read.name}")
        else:
            self.names[reads] = field.read.function
            self._lines.append(f"{value} = {reads}(source)")
        self._lines += self._completed(field, leaf, value)
        return value

    def _completed(self, field: Field, leaf: GraphQLLeafType, value: str) -> Sequence[str]:
        """Nothing for a value that is of the wire's type already; else what makes it so, for most at once."""
        coerces, names = f"coerce_{value}", f"names_{value}"
        self.names[coerces] = _quick(leaf)
        then = f"{value} = {coerces}({value})"
        conditions = [] if isinstance(field.definition.type, GraphQLNonNull) else [f"{value} is not None"]
        if leaf in _STRANGE:
            conditions.append(f"({_STRANGE[leaf].format(value)})")
        elif getattr(leaf, "coerce_output_value", None) is str:
            conditions.append(f"{value}.__class__ is not str")
        careful = f"if {' and '.join(conditions)}: {then}" if conditions else f"if True: {then}"
        if getattr(leaf, "coerce_output_value", None) is written:
            usual = f"{value}.__class__ is datetime and {value}.tzinfo is UTC and {value}.year >= 1000"
            return f"if {usual}: {value} = {written_at_once(value)}", f"el{careful}"
        if isinstance(leaf, GraphQLEnumType) and (known := _names(leaf)):
            self.names[names] = known
            self.names[f"class_{value}"] = type(next(iter(known)))
            return f"if {value}.__class__ is class_{value}: {value} = {names}[{value}]", f"el{careful}"
        return [careful]


def _names(type: GraphQLEnumType) -> Mapping[Any, str]:
    """Of the members of the Python enum that it was made of, where it was."""
    return {member: type.coerce_output_value(member) for member in getattr(type, "wrapped_cls", ())}


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
