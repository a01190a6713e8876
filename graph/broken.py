"""Which documents a change of the schema breaks, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    type_from_ast,
    validate,
    visit,
)

from .changes import Change, Severity, changes

MOST_REASONS = 3


class Registered(NamedTuple):
    """A document, the id by which it is known, and whose it is."""

    id: str
    text: str
    clients: tuple[str, ...] = ()


class Effect(StrEnum):
    """What becomes of a document.

    MAY_BREAK: it stays valid, but a field that it selects has another type, or its variables may hold what is refused now.
    WAS_INVALID: this change makes it no worse.
    """

    BREAKS = "BREAKS"
    MAY_BREAK = "MAY_BREAK"
    WAS_INVALID = "WAS_INVALID"


class Broken(NamedTuple):
    """`name` is the first operation's; `reasons` are the first ones."""

    document: Registered
    name: str | None
    effect: Effect
    reasons: Sequence[str]


def broken(documents: Iterable[Registered], old: GraphQLSchema, new: GraphQLSchema) -> list[Broken]:
    """Those that break, those that may, and those that were invalid before."""
    breaking = [change for change in changes(old, new) if change.severity is Severity.BREAKING]
    found = [each for document in documents if (each := _broken(document, old, new, breaking)) is not None]
    return sorted(found, key=lambda each: list(Effect).index(each.effect))


def _broken(document: Registered, old: GraphQLSchema, new: GraphQLSchema, breaking: Sequence[Change]) -> Broken | None:
    try:
        node = parse(document.text)
    except GraphQLError as error:
        return Broken(document, None, Effect.WAS_INVALID, [error.message])
    now = _faults(new, node)
    before = _faults(old, node) if now else []
    sure = [fault for fault in now if fault not in before]
    possible: list[str] = []
    for reason, is_sure in _unseen(old, node, breaking):
        (sure if is_sure else possible).append(reason)
    for effect, reasons in ((Effect.BREAKS, sure), (Effect.WAS_INVALID, before), (Effect.MAY_BREAK, possible)):
        if reasons:
            return Broken(document, _name(node), effect, reasons[:MOST_REASONS])
    return None


def _name(node: DocumentNode) -> str | None:
    names = [each.name for each in node.definitions if isinstance(each, OperationDefinitionNode)]
    return names[0].value if names and names[0] else None


def _faults(schema: GraphQLSchema, node: DocumentNode) -> list[str]:
    return list(dict.fromkeys(error.message for error in validate(schema, node, hide_suggestions=True)))


def _unseen(old: GraphQLSchema, node: DocumentNode, breaking: Sequence[Change]) -> Iterator[tuple[str, bool]]:
    """What validation does not see, of the fields' types and the variables' values, and whether it is sure to come."""
    if not breaking:
        return
    fields = _fields(old, node)
    for change in breaking:
        if change.coordinate in fields and change.kind == "FIELD_CHANGED_KIND":
            yield change.message, False
    for operation in node.definitions:
        for variable in operation.variable_definitions or () if isinstance(operation, OperationDefinitionNode) else ():
            type: Any = type_from_ast(old, variable.type)
            if type is None:
                continue
            held = _held(get_named_type(type))
            always = type.of_type if isinstance(type, GraphQLNonNull) else None
            for change in breaking:
                if change.type_name in held:
                    is_sure = change.kind == "REQUIRED_INPUT_FIELD_ADDED" and change.type_name == getattr(always, "name", None)
                    yield f"${variable.variable.name.value}: {change.message}", is_sure


class _Fields(Visitor):
    """Collects the coordinates of the fields that are selected."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self.types.get_parent_type()
        if parent is not None:
            self.found.add(f"{parent.name}.{node.name.value}")


def _fields(schema: GraphQLSchema, node: DocumentNode) -> set[str]:
    types = TypeInfo(schema)
    fields = _Fields(types)
    visit(node, TypeInfoVisitor(types, fields))
    return fields.found


def _held(type: Any) -> set[str]:
    """The names of the types of all that a value of this input type may hold, its own with them."""
    found: set[str] = set()
    waiting = [type]
    while waiting:
        type = waiting.pop()
        if type.name not in found and isinstance(type, GraphQLInputObjectType):
            waiting += [get_named_type(field.type) for field in type.fields.values()]
        found.add(type.name)
    return found
