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

from domain.forms import Form, forms_of

from ...scalars import PARTS, written, written_at_once, written_from_text
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
    """The text of `read(sources)`, which raises where one of the values is not as expected; and the names in it.

    `row` is the type of the objects, where all are of one that may be unpacked in a driver's forms.
    """

    def __init__(self, row: type | None = None) -> None:
        self.names: dict[str, Any] = {"datetime": datetime, "UTC": UTC, **PARTS}
        self._forms = forms_of(row) if row is not None else {}
        self._columns: Sequence[str] = getattr(row, "_fields", ())
        self._unpacked: set[str] = set()
        self._asks_source = False
        self._lines: list[str] = []
        self._values = 0

    def shape(self, parts: Sequence[Field | Typename]) -> str:
        return "{" + ", ".join(f"{part.key!r}: {self._item(part)}" for part in parts) + "}"

    def source(self, shape: str) -> str:
        lines, each = list(self._lines), "source"
        if self._unpacked:
            each = ", ".join(_unpacked(name) if name in self._unpacked else "_" for name in self._columns) + ","
            if self._asks_source:
                lines, each = [f"{each} = source", *lines], "source"
        if not lines:
            return f"def read(sources):\n    return [{shape} for {each} in sources]\n"
        body = "".join(f"        {line}\n" for line in lines)
        return (
            f"def read(sources):\n    outs = []\n    add = outs.append\n    for {each} in sources:\n"
            f"{body}        add({shape})\n    return outs\n"
        )

    def _item(self, part: Field | Typename) -> str:
        if isinstance(part, Typename):
            return repr(part.name)
        if not is_inline(part):
            return "None"
        if isinstance(part.completer, Objects):
            return self.shape(part.completer.selecting.parts)
        leaf = _leaf(part)
        assert leaf is not None
        assert isinstance(part.read, OfSource)
        if isinstance(part.read, Identity):
            return f"{part.read.prefix!r} + {self._attribute('id')}.hex"
        if isinstance(part.read, Attribute) and part.read.name.isidentifier():
            return self._written(part, leaf, part.read.name)
        self._asks_source = True
        return self._completed(part, leaf, f"{self._name('read', part.read.function)}(source)")

    def _attribute(self, name: str) -> str:
        """What gives the attribute's value."""
        if self._forms.get(name) in (Form.SAME, Form.TEXT, Form.NUMBER):
            return self._column(name)
        self._asks_source = True
        return f"source.{name}"

    def _column(self, name: str) -> str:
        self._unpacked.add(name)
        return _unpacked(name)

    def _written(self, field: Field, leaf: GraphQLLeafType, name: str) -> str:
        form, nullable = self._forms.get(name), field.nullable
        serialise = getattr(leaf, "coerce_output_value", None)
        # What is missing and may not raises, and is looked at again with care.
        if form is Form.MOMENT and serialise is written:
            text = self._column(name)
            return f"None if {text} is None else {written_from_text(text)}" if nullable else written_from_text(text)
        if form is Form.NAME and isinstance(leaf, GraphQLEnumType) and (known := _names(leaf)):
            by_name = {member.name: text for member, text in known.items()}
            return f"{self._name('names', {None: None, **by_name} if nullable else by_name)}[{self._column(name)}]"
        if form is Form.NUMBER and leaf is GraphQLFloat:
            value, coerces = self._column(name), self._name("coerce", _quick(leaf))
            return f"{value} if {f'{value} is None or ' if nullable else ''}{value} - {value} == 0.0 else {coerces}({value})"
        if form is Form.TEXT and (leaf in (GraphQLString, GraphQLID) or serialise is str):
            value = self._column(name)
            return value if nullable else f"{value} if {value} is not None else {self._name('coerce', _quick(leaf))}(None)"
        return self._completed(field, leaf, self._attribute(name))

    def _completed(self, field: Field, leaf: GraphQLLeafType, read: str) -> str:
        """Nothing is to be done for a value that is of the wire's type already; for most others it is done at once."""
        self._values += 1
        value = f"v{self._values}"
        then = f"{value} = {self._name('coerce', _quick(leaf))}({value})"
        conditions = [f"{value} is not None"] if field.nullable else []
        if leaf in _STRANGE:
            conditions.append(f"({_STRANGE[leaf].format(value)})")
        elif getattr(leaf, "coerce_output_value", None) is str:
            conditions.append(f"{value}.__class__ is not str")
        careful = f"if {' and '.join(conditions)}: {then}" if conditions else f"if True: {then}"
        lines = [careful]
        if getattr(leaf, "coerce_output_value", None) is written:
            usual = f"{value}.__class__ is datetime and {value}.tzinfo is UTC and {value}.year >= 1000"
            lines = [f"if {usual}: {value} = {written_at_once(value)}", f"el{careful}"]
        elif isinstance(leaf, GraphQLEnumType) and (known := _names(leaf)):
            names, of = self._name("names", known), self._name("class", type(next(iter(known))))
            lines = [f"if {value}.__class__ is {of}: {value} = {names}[{value}]", f"el{careful}"]
        self._lines += [f"{value} = {read}", *lines]
        return value

    def _name(self, what: str, value: Any) -> str:
        """A name for a value in the text."""
        name = f"{what}{len(self.names)}"
        self.names[name] = value
        return name


def _unpacked(column: str) -> str:
    return f"c_{column}"


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
