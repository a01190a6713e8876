"""What else is to be known of an operation before it runs: found once, in time linear in its document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_object_type,
    type_from_ast,
)

from .. import marks
from ..costs import weight_of
from .measures import lowest_first

_SCHEMA = frozenset({"__schema", "__type"})


class Traits(NamedTuple):
    """Of one selection set with all that is under it.

    `introspects`: it looks at the schema; `reads`: it asks for something else. `personal`: who asks is in the answer, beside
    what they may see. `variables`: those that matter in it.
    `max_age`: for how many seconds the answer may be kept; None where nothing in it says. `changes`: what its changes cost,
    beside what they give.
    """

    introspects: bool = False
    reads: bool = False
    personal: bool = False
    variables: frozenset[str] = frozenset()
    max_age: int | None = None
    public: bool = True
    changes: float = 0.0

    @property
    def looks_only(self) -> bool:
        return self.introspects and not self.reads

    def beside(self, other: Traits) -> Traits:
        ages = [age for age in (self.max_age, other.max_age) if age is not None]
        return Traits(
            self.introspects or other.introspects,
            self.reads or other.reads,
            self.personal or other.personal,
            self.variables | other.variables,
            min(ages, default=None),
            self.public and other.public,
            self.changes + other.changes,
        )


NOTHING = Traits()


def traits(schema: GraphQLSchema, document: DocumentNode) -> list[tuple[Traits, frozenset[str]]]:
    """Of each operation of a valid document, with the variables that matter below its root fields."""
    found = _Finding(schema)
    for fragment in lowest_first(document):
        parent = type_from_ast(schema, fragment.type_condition)
        found.known[fragment.name.value] = found.of(fragment.selection_set, parent).beside(_said(fragment.directives))
    return [found.operation(each) for each in document.definitions if isinstance(each, OperationDefinitionNode)]


class _Finding:
    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.known: dict[str, Traits] = {}

    def operation(self, operation: OperationDefinitionNode) -> tuple[Traits, frozenset[str]]:
        root = self._schema.get_root_type(operation.operation)
        whole = self.of(operation.selection_set, root)
        below = frozenset[str]()
        for field in operation.selection_set.selections:
            if isinstance(field, FieldNode) and field.selection_set is not None:
                below |= self._field(field, root, arguments=False).variables
            elif not isinstance(field, FieldNode):
                below |= whole.variables  # a root field in a fragment: nothing is told apart
        return whole, below

    def of(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Traits:
        found = NOTHING
        for node in selections.selections:
            match node:
                case FieldNode():
                    found = found.beside(self._field(node, parent))
                case FragmentSpreadNode():
                    found = found.beside(self.known.get(node.name.value, NOTHING)).beside(_said(node.directives))
                case InlineFragmentNode():
                    inner = type_from_ast(self._schema, node.type_condition) if node.type_condition else parent
                    found = found.beside(self.of(node.selection_set, inner)).beside(_said(node.directives))
        return found

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, *, arguments: bool = True) -> Traits:
        name = node.name.value
        found = _said(node.directives)
        if arguments:
            values = (argument.value for argument in node.arguments or ())
            found = found.beside(Traits(variables=frozenset(each for value in values for each in variables_in(value))))
        if name in _SCHEMA:
            return found.beside(Traits(introspects=True, max_age=0))
        if name != "__typename":
            found = found.beside(Traits(reads=True))
        field = parent.fields.get(name) if is_object_type(parent) or is_interface_type(parent) else None
        if field is None:
            return found
        root = parent in (self._schema.query_type, self._schema.mutation_type, self._schema.subscription_type)
        found = found.beside(_of_field(field, root=root))
        if parent is self._schema.mutation_type:
            found = found.beside(Traits(changes=weight_of(field) or 0.0))
        return found if node.selection_set is None else found.beside(self.of(node.selection_set, get_named_type(field.type)))


def _of_field(field: GraphQLField, *, root: bool) -> Traits:
    """How long it lasts is said of things. One of which nothing is said does not last; a plain value does as its thing does."""
    lasting = marks.lasting_of(field)
    max_age = lasting.seconds if lasting else 0 if root or is_composite_type(get_named_type(field.type)) else None
    personal = marks.is_personal(field)
    return Traits(personal=personal, max_age=max_age, public=not personal and (lasting is None or lasting.public))


def _said(directives: tuple[DirectiveNode, ...] | None) -> Traits:
    values = (argument.value for each in directives or () for argument in each.arguments or ())
    return Traits(variables=frozenset(each for value in values for each in variables_in(value)))


def variables_in(value: ValueNode) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case VariableNode() as found:
                yield found.name.value
            case ListValueNode() as found:
                waiting += found.values
            case ObjectValueNode() as found:
                waiting += [field.value for field in found.fields]
