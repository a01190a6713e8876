"""From an operation to its plan: fields collected, types known, resolvers found, once for all who send the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import DirectiveNode, Visitor, visit

from ...operations.measures import spreads
from ...operations.traits import variables_in
from .completing import Abstracts, Leaves, Objects
from .fields import Completer, Field
from .lists import Lists
from .places import TOP
from .reading import OfLoader, reader
from .run import Run, Waiting, together
from .selecting import Selection
from .serial import Serial
from .values import IMMUTABLE, Variables
from .writing import Typename

MAX_VARIANTS = 4
"""Of one operation: for each combination of the variables by which parts of it are skipped."""

_UNCOVERED = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})
NO_VARIABLES = VariableValues({}, {})


class Plan:
    """Of one operation, with what is skipped left out. What is behind abstract types is made when it is met."""

    def __init__(self, root: Selection, made: _Compiling) -> None:
        self.root = root
        self._made = made
        self._serially = made.operation.operation is OperationType.MUTATION

    @property
    def size(self) -> int:
        """How many fields and selection sets it has by now."""
        return self._made.size

    def execute(self, run: Run) -> Any:
        """The data, or a coroutine of it: null where a null at the end of the chain took it with it."""
        if self._serially:
            return Serial(self.root, run).execute()
        waits: list[Waiting] = []
        try:
            (data,) = self.root.select(run, [run.root_value], TOP, waits)
        except BaseException:
            run.close()
            raise
        run.begun()
        return _whole(run, data, waits) if waits or run.held else run.judged(data)


async def _whole(run: Run, data: dict[str, Any], waits: Sequence[Waiting]) -> Mapping[str, Any] | None:
    try:
        await together(waits)
        await run.settle()
    except BaseException:
        run.close()
        raise
    return run.judged(data)


class Plans:
    """Those of one operation; each is made when it is first asked for."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None = None) -> None:
        self._schema = schema
        self._document = document
        self._operation = operation = _named(document, name)
        self.variables = Variables(schema, operation.variable_definitions or ())
        fragments, found = _fragments(document), _Directives()
        for each in (operation, *_reached(operation, fragments)):
            visit(each, found)
        self.switches = tuple(sorted(found.switches))
        """The variables by which parts are skipped."""
        self._covered = not found.names & _UNCOVERED and not any(
            each.definition.variable_definitions for each in fragments.values()
        )
        self._variants: dict[tuple[Any, ...], Plan] = {}

    @property
    def size(self) -> int:
        return sum(each.size for each in self._variants.values())

    def clear(self) -> None:
        self._variants.clear()

    def get(self, variables: VariableValues) -> Plan | None:
        """None for what plans do not cover."""
        if not self._covered:
            return None
        key = tuple(variables.coerced.get(name) for name in self.switches)
        plan = self._variants.get(key)
        if plan is None and len(self._variants) < MAX_VARIANTS and all(isinstance(value, bool) for value in key):
            # Whatever else was asked for is nobody's business later.
            given = VariableValues(*({name: each[name] for name in self.switches} for each in variables))
            plan = self._variants[key] = _compiled(self._schema, self._operation, _fragments(self._document), given)
        return plan


def _named(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    (found,) = [
        each
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode) and (name is None or (each.name and each.name.value == name))
    ]
    return found


def _fragments(document: DocumentNode) -> dict[str, FragmentDetails]:
    """Not kept: each of a document's many operations would have its own of them."""
    several = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    return {each.name.value: FragmentDetails(each, None) for each in several}


def _reached(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDetails]) -> Sequence[FragmentDefinitionNode]:
    """What the operation spreads, and what that spreads."""
    found: dict[str, FragmentDefinitionNode] = {}
    waiting: list[OperationDefinitionNode | FragmentDefinitionNode] = [operation]
    while waiting:
        for name in set(spreads(waiting.pop())) - found.keys():
            found[name] = fragments[name].definition
            waiting.append(found[name])
    return list(found.values())


class _Directives(Visitor):
    """All that there are, and the variables by which parts are skipped or included."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.switches: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.names.add(node.name.value)
        if node.name.value in ("skip", "include"):
            values = [argument.value for argument in node.arguments or ()]
            self.switches |= {value.name.value for value in values if isinstance(value, VariableNode)}


def _compiled(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDetails],
    variables: VariableValues,
) -> Plan:
    root = schema.get_root_type(operation.operation)
    assert root is not None  # it was validated
    compiling = _Compiling(schema, operation, fragments, variables)
    collected = collect_fields(schema, compiling.fragments, variables, root, operation)
    return Plan(compiling.selection(root, collected.grouped_field_set), compiling)


class _Compiling:
    """`variables` are those by which parts are skipped."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        variables: VariableValues,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.fragments = fragments
        self.variables = variables
        self.size = 0
        self._known: dict[Hashable, Selection] = {}

    def selection(self, type: GraphQLObjectType, grouped: Mapping[str, Sequence[FieldDetails]]) -> Selection:
        # A fragment that is spread in many places selects the same in all of them.
        same = type.name, tuple((key, *(id(each.node) for each in details)) for key, details in grouped.items())
        if same in self._known:
            return self._known[same]
        self.size += 1 + len(grouped)
        parts: list[Field | Typename] = []
        for key, details in grouped.items():
            node = details[0].node
            if node.name.value == "__typename":
                parts.append(Typename(key, type.name))
                continue
            definition = self.schema.get_field(type, node.name.value)
            if definition is not None:
                parts.append(self._field(key, details, definition, type))
        self._known[same] = made = Selection(parts)
        return made

    def _field(self, key: str, details: Sequence[FieldDetails], definition: GraphQLField, parent: GraphQLObjectType) -> Field:
        completer = self._completer(definition.type, details, nullable=True)
        nodes = [each.node for each in details]
        read = reader(definition, parent, self.schema)
        if isinstance(read, OfLoader) and completer.columns is not None:
            read.columns = tuple(sorted(completer.columns))
        return Field(key, nodes, definition, parent, read, completer, _fixed(definition, nodes[0]))

    def _completer(self, type: GraphQLOutputType, details: Sequence[FieldDetails], *, nullable: bool) -> Completer:
        if isinstance(type, GraphQLNonNull):
            return self._completer(type.of_type, details, nullable=False)
        if isinstance(type, GraphQLList):
            item = self._completer(type.of_type, details, nullable=True)
            return Lists(item, items_nullable=not isinstance(type.of_type, GraphQLNonNull), nullable=nullable)
        if is_leaf_type(type):
            return Leaves(type, nullable=nullable)
        if is_abstract_type(type):
            return Abstracts(type, lambda each: self._objects(each, details, nullable=nullable), nullable=nullable)
        assert is_object_type(type)
        return self._objects(type, details, nullable=nullable)

    def _objects(self, type: GraphQLObjectType, details: Sequence[FieldDetails], *, nullable: bool) -> Completer:
        collected = collect_subfields(
            self.schema, self.fragments, self.variables, self.operation, type, list(details), hide_suggestions=True
        )
        return Objects(type, self.selection(type, collected.grouped_field_set), nullable=nullable)


def _fixed(definition: GraphQLField, node: FieldNode) -> Mapping[str, Any] | None:
    """The arguments where they are the same each time and nobody can change them."""
    try:
        values = get_argument_values(definition, node, NO_VARIABLES)
    except GraphQLError:
        return None
    plain = all(isinstance(value, IMMUTABLE) for value in values.values())
    asks = any(True for argument in node.arguments or () for _ in variables_in(argument.value))
    return values if plain and not asks else None
