"""What things cost, said in the schema: the directives of IBM's cost specification, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from domain.paging import DEFAULT_FIRST


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="cost",
    description="What the field itself costs, beside what is selected below it. Else a thing costs 1, a plain value 0.",
)
class Cost:
    weight: str = strawberry.directive_field(name="weight")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="How many there are: as many as the largest of the slicing arguments says, or the assumed size without one. "
    "The sized fields of what the field gives are the lists meant; without any, the field is the list.",
)
class ListSize:
    assumed_size: int = strawberry.directive_field(name="assumedSize")
    slicing_arguments: list[str] = strawberry.directive_field(name="slicingArguments")
    sized_fields: list[str] | None = strawberry.directive_field(name="sizedFields", default=strawberry.UNSET)
    require_one_slicing_argument: bool = strawberry.directive_field(name="requireOneSlicingArgument", default=False)


def weight_of(field: GraphQLField) -> float | None:
    """What its @cost says; None where it has none."""
    definition = field.extensions.get("strawberry-definition")
    said = definition.directives if definition is not None else ()
    return next((float(each.weight) for each in said if isinstance(each, Cost)), None)


CHANGE = 10
"""What a mutation's field costs, where it does not say more."""

HISTORY = Cost(weight="50")
"""Of charts of one page, for the audits that they look at beside the points that they give."""

COMPARISON = Cost(weight="500")
"""The same of a comparison, which looks at those of many pages."""

_SLICING = ("first", "last", "ids", "metrics")


def declare(schema: GraphQLSchema) -> None:
    """Every connection, and every list whose length is asked for, says so."""
    for field in _fields(schema):
        said: list[object] = []
        slicing = [name for name in field.args if name in _SLICING]
        if get_named_type(field.type).name.endswith("Connection"):
            said.append(ListSize(assumed_size=DEFAULT_FIRST, slicing_arguments=slicing, sized_fields=["edges", "nodes"]))
        elif slicing:
            said.append(ListSize(assumed_size=DEFAULT_FIRST, slicing_arguments=slicing))
        definition: StrawberryField = field.extensions["strawberry-definition"]
        definition.directives = [*definition.directives, *said]


def _fields(schema: GraphQLSchema) -> Iterator[GraphQLField]:
    for type in schema.type_map.values():
        if isinstance(type, GraphQLObjectType) and not type.name.startswith("__"):
            for field in type.fields.values():
                if "strawberry-definition" in field.extensions:
                    yield field
