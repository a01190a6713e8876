"""What each field of the schema costs, read from its directives once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)

from ..costs import ListSize, weight_of

ASSUMED = 10
"""How many elements a list of things is taken to have that says nothing."""

INTROSPECTION = 20_000.0
"""What a look at the schema costs, of which all that usual ones look at may keep a process busy for a tenth of a second."""

INTROSPECTED = 1_000.0
"""What each list in it costs at least: usual looks have some ten, and with aliases there may be hundreds of the longest."""


class Size(NamedTuple):
    """A list's length: what the slicing arguments say, `assumed` without one."""

    assumed: int = 1
    slicing: Sequence[str] = ()


NO_LIST = Size()


class Weight(NamedTuple):
    """`own` is the field's, `each` that of every thing it gives; `flat`: it is that of all that is selected below it as well,
    unless they come to more.

    `names` are the fields of the thing given that are the list, where it is a connection.
    """

    own: float = 0.0
    each: float = 0.0
    type: GraphQLNamedType | None = None
    list: Size = NO_LIST
    names: frozenset[str] = frozenset()
    defaults: Mapping[str, int] = {}
    flat: bool = False


_UNKNOWN = Weight()


class Weights:
    """Of one schema. `sized` has the names of lists' fields that connections have, each set once, and none."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._fields: dict[tuple[str, str], Weight] = {}
        for type in schema.type_map.values():
            if isinstance(type, GraphQLObjectType | GraphQLInterfaceType):
                weighed = _of_schema if type.name.startswith("__") else _weight
                for name, field in type.fields.items():
                    self._fields[type.name, name] = weighed(field)
        looks = {"__schema": "__Schema", "__type": "__Type"}
        self._looks = {name: Weight(INTROSPECTION, type=schema.type_map[type], flat=True) for name, type in looks.items()}
        self.sized = {frozenset[str](), *(weight.names for weight in self._fields.values())}

    def of(self, parent: GraphQLNamedType | None, name: str) -> Weight:
        found = self._fields.get((parent.name, name)) if parent is not None else None
        return found or self._looks.get(name, _UNKNOWN)


def _weight(field: GraphQLField) -> Weight:
    definition = field.extensions.get("strawberry-definition")
    said = list(definition.directives) if definition is not None else []
    weight = weight_of(field)
    size = next((each for each in said if isinstance(each, ListSize)), None)
    type = get_named_type(field.type)
    thing = 1.0 if is_composite_type(type) else 0.0
    length, names = NO_LIST, frozenset[str]()
    if size is not None:
        length = Size(size.assumed_size, tuple(size.slicing_arguments))
        names = frozenset(size.sized_fields or ())
    elif thing and _is_list(field.type):
        length = Size(ASSUMED)
    defaults = {name: given.default_value for name, given in field.args.items() if isinstance(given.default_value, int)}
    return Weight(weight or 0.0, thing if weight is None or length is not NO_LIST else 0.0, type, length, names, defaults)


def _of_schema(field: GraphQLField) -> Weight:
    """Of what the schema is told by."""
    return Weight(INTROSPECTED if _is_list(field.type) else 0.0, type=get_named_type(field.type))


def _is_list(type: GraphQLOutputType) -> bool:
    return isinstance(type.of_type if isinstance(type, GraphQLNonNull) else type, GraphQLList)
