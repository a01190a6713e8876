"""What must hold in the printed API, as functions over any schema: each yields a sentence a fault."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

REFUSALS = {"InvalidInput", "NotFound", "NotAllowed", "Conflict", "LimitReached"}


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        if not type_.description:
            yield f"{name} has no description"
        if isinstance(type_, GraphQLEnumType):
            yield from (f"{name}.{key} has no description" for key, value in type_.values.items() if not value.description)
        if isinstance(type_, GraphQLInputObjectType):
            yield from (f"{name}.{key} has no description" for key, field in type_.fields.items() if not field.description)
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for key, field in type_.fields.items():
                if not field.description:
                    yield f"{name}.{key} has no description"
                for argument, value in field.args.items():
                    if not value.description:
                        yield f"{name}.{key}({argument}:) has no description"


def crooked_mutations(schema: GraphQLSchema) -> Iterator[str]:
    """A mutation takes one `input: …!` and gives a union of its payload and the refusals that it can really give."""
    for name, field in (schema.mutation_type.fields if schema.mutation_type else {}).items():
        inputs = [value.type for key, value in field.args.items() if key == "input"]
        if len(field.args) != 1 or not inputs:
            yield f"{name} must take exactly one argument, input"
        elif not isinstance(inputs[0], GraphQLNonNull) or not isinstance(inputs[0].of_type, GraphQLInputObjectType):
            yield f"{name}(input:) must be a required input object"
        answer = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
        if not isinstance(answer, GraphQLUnionType):
            yield f"{name} must answer with a union"
            continue
        problems = [member for member in answer.types if _is_problem(member)]
        if not problems:
            yield f"{name} must be able to answer with a Problem"
        if len(answer.types) - len(problems) != 1:
            yield f"{name} must have exactly one payload"


def strange_problems(schema: GraphQLSchema) -> Iterator[str]:
    """There are five refusals, and a refusal is never something else's member under another name."""
    for name, type_ in schema.type_map.items():
        if isinstance(type_, GraphQLObjectType) and _is_problem(type_) and name not in REFUSALS:
            yield f"{name} is a Problem and none of the five"
        if name in REFUSALS and not _is_problem(get_named_type(type_)):
            yield f"{name} must implement Problem"


def _is_problem(type_: object) -> bool:
    return isinstance(type_, GraphQLObjectType) and any(each.name == "Problem" for each in type_.interfaces)
