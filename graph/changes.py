"""What a change of the schema takes away from its clients, or puts in their way: member by member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from graphql import (
    BreakingChangeType,
    DangerousChangeType,
    ExecutableDefinitionNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    build_ast_schema,
    is_required_argument,
    is_required_input_field,
    parse,
    resolve_schema_coordinate,
)
from graphql.utilities import find_schema_changes
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validate import validate_sdl

# What a schema says of itself by directives is nothing that clients send, and many are published without the definitions.
_SDL_RULES = [rule for rule in specified_sdl_rules if "Directive" not in rule.__name__]

_SENT = {
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
}
"""Where clients write directives; in all other places the schema speaks of itself."""

_MEMBER = re.compile(r"@\w+(?:\(\w+:\))?|\w+\.\w+(?:\(\w+:\))?")
_FIRST = re.compile(r"^\w+")
_LAST = re.compile(r"\w+(?=\.$)")
_SUBJECTS = {
    "TYPE_REMOVED": _FIRST,
    "TYPE_CHANGED_KIND": _FIRST,
    "IMPLEMENTED_INTERFACE_REMOVED": _FIRST,
    "TYPE_REMOVED_FROM_UNION": _LAST,
    "TYPE_ADDED_TO_UNION": _LAST,
    "IMPLEMENTED_INTERFACE_ADDED": _LAST,
}
"""Where graphql-core's sentence names what it is about; of all other kinds that is a member or a directive."""

_BECAME_REQUIRED = {
    "ARG_DEFAULT_VALUE_CHANGE": "ARG_BECAME_REQUIRED",
    "INPUT_FIELD_DEFAULT_VALUE_CHANGE": "INPUT_FIELD_BECAME_REQUIRED",
}


class InvalidSchema(Exception):  # noqa: N818 - what is wrong with somebody's file
    """The text is no schema. `place` is the line and the column where that shows, if it is one place."""

    def __init__(self, message: str, place: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Severity(StrEnum):
    """BREAKING: what was right may be wrong now. DANGEROUS: it stays right, and a client may still stumble."""

    BREAKING = "BREAKING"
    DANGEROUS = "DANGEROUS"


class Change(NamedTuple):
    """`kind` is graphql-core's name for it, `coordinate` that of the member: `Site.name`, `Query.site(id:)`.

    `deprecated` is the reason with which the old schema deprecated what was removed.
    """

    severity: Severity
    kind: str
    coordinate: str
    message: str
    deprecated: str | None = None

    @property
    def type_name(self) -> str:
        """The type that it is about, or a member of which."""
        return re.split(r"[.(]", self.coordinate, maxsplit=1)[0]


def read(text: str) -> GraphQLSchema:
    """A schema as clients see it, whatever its directives say. Raises InvalidSchema."""
    try:
        node = parse(text)
        for definition in node.definitions:
            if isinstance(definition, ExecutableDefinitionNode):
                raise GraphQLError("This is an operation or a fragment: a schema has definitions of types only.", definition)
        for error in validate_sdl(node, rules=_SDL_RULES):
            raise error
        schema = build_ast_schema(node, assume_valid=True)
        for type in schema.type_map.values():
            if isinstance(type, GraphQLEnumType):
                _ = type.values  # which are read only now
    except GraphQLError as error:
        first = error.__cause__ if isinstance(error.__cause__, GraphQLError) else error
        place = (first.locations[0].line, first.locations[0].column) if first.locations else None
        raise InvalidSchema(first.message, place) from None
    except TypeError as error:  # graphql-core's, of what hangs together and still makes no schema
        raise InvalidSchema(str(error)) from None
    for operation in OperationType:
        root: object = schema.get_root_type(operation)
        if root is None and operation is OperationType.QUERY:
            raise InvalidSchema("It has no root type for queries: name a type Query, or say which by schema { query: … }.")
        if root is not None and not isinstance(root, GraphQLObjectType):
            raise InvalidSchema(f"{root} must be an object type: a {operation.value} begins at it.")
    return schema


def changes(old: GraphQLSchema, new: GraphQLSchema) -> list[Change]:
    """The breaking ones and then the dangerous ones, each sorted by kind and coordinate."""
    found = {*_told(old, new), *_roots(old, new), *_one_ofs(old, new)}
    return sorted(found, key=lambda change: (change.severity, change.kind, change.coordinate, change.message))


def _told(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """What graphql-core finds, but for what no operation can notice."""
    for kind, message in find_schema_changes(old, new):
        if isinstance(kind, BreakingChangeType):
            severity = Severity.BREAKING
        elif isinstance(kind, DangerousChangeType):
            severity = Severity.DANGEROUS
        else:
            continue
        match = _SUBJECTS.get(kind.name, _MEMBER).search(message)
        assert match is not None, message
        coordinate = match[0]
        if coordinate.startswith("@") and not _is_sent(old, coordinate, message):
            continue
        if message.startswith("Standard scalar "):  # what was its last use is told anyway
            continue
        if kind.name in _BECAME_REQUIRED and _is_required(_member(new, coordinate)):
            told = f"{coordinate} must be given now: its default value was removed."
            yield Change(Severity.BREAKING, _BECAME_REQUIRED[kind.name], coordinate, told)
            continue
        deprecated = getattr(_member(old, coordinate), "deprecation_reason", None) if "_REMOVED" in kind.name else None
        yield Change(severity, kind.name, coordinate, message, deprecated)


def _roots(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for operation in OperationType:
        before, after = old.get_root_type(operation), new.get_root_type(operation)
        # A root type that is gone altogether is told as such.
        if before is not None and before.name in new.type_map and (after is None or after.name != before.name):
            message = f"{before.name} is no longer the root type of {operation.value} operations{_instead(after)}."
            yield Change(Severity.BREAKING, "ROOT_TYPE_CHANGED", before.name, message)


def _instead(root: GraphQLObjectType | None) -> str:
    return f", but {root.name} is" if root else ", of which there are none"


def _one_ofs(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    for name, after in new.type_map.items():
        before = old.type_map.get(name)
        if not isinstance(before, GraphQLInputObjectType) or not isinstance(after, GraphQLInputObjectType):
            continue
        if after.is_one_of and not before.is_one_of:
            message = f"Input type {name} takes exactly one of its fields now: it became @oneOf."
            yield Change(Severity.BREAKING, "INPUT_TYPE_BECAME_ONE_OF", name, message)


def _is_sent(old: GraphQLSchema, coordinate: str, message: str) -> bool:
    """Whether the directive, or the place that it lost, is one of operations."""
    directive = old.get_directive(coordinate[1:].partition("(")[0])
    places = {place.name for place in directive.locations} & _SENT if directive else set()
    lost = re.match(r"([A-Z_]+) was removed from @", message)
    return lost[1] in places if lost else bool(places)


def _member(schema: GraphQLSchema, coordinate: str) -> Any:
    """The element itself, which stands before the name of its kind."""
    element: Any = resolve_schema_coordinate(schema, coordinate)
    return element[-2] if element else None


def _is_required(member: object) -> bool:
    if isinstance(member, GraphQLArgument):
        return is_required_argument(member)
    return isinstance(member, GraphQLInputField) and is_required_input_field(member)
