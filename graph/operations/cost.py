"""What an operation may cost at most, before it runs: a function of its variables, made once from its text.

The semantics are those of IBM's GraphQL cost directives (https://ibm.github.io/graphql-specs/cost-spec.html): a thing is 1, a
plain value 0, a list as many times its element as it may have elements. What is selected twice counts twice, and under an
interface or a union the dearest of the possible types counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    is_abstract_type,
    type_from_ast,
)

from domain.paging import MAX_FIRST

from .measures import lowest_first
from .weights import NO_LIST, Weight, Weights

Variables = Mapping[str, Any]

MOST = 1e15
"""Where counting ends: what is dearer is refused long before."""


class Factor(NamedTuple):
    """How many times something is there: the largest of what its sources say, `default` where none says anything.

    `condition` is the variable of an @include (`wanted`) or @skip; where it says no, it is not there at all.
    """

    sources: Sequence[int | str] = ()
    default: int = 1
    condition: str | None = None
    wanted: bool = True

    def of(self, variables: Variables) -> float:
        if self.condition is not None:
            return 1.0 if bool(variables.get(self.condition)) is self.wanted else 0.0
        sizes = [size for source in self.sources if (size := _size(source, variables)) is not None]
        return float(max(sizes, default=self.default))


ONCE = Factor()


class Formula:
    """A sum of what it has of its own and of other formulas, each so many times; or, of `largest`, their maximum."""

    __slots__ = ("constant", "index", "largest", "parts")

    def __init__(self, constant: float, parts: Sequence[tuple[Factor, Formula]], largest: bool, index: int) -> None:
        self.constant = constant
        self.parts = parts
        self.largest = largest
        self.index = index


class Cost:
    """Of one operation: called with its coerced variables, it gives the number."""

    def __init__(self, formula: Formula, program: Sequence[Formula]) -> None:
        self._formula = formula
        self._program = program if formula.parts else ()

    def __call__(self, variables: Variables) -> float:
        if not self._program:
            return self._formula.constant
        # Each formula comes after those that it is made of: no recursion, and each is worked out once.
        values: list[float] = []
        for formula in islice(self._program, self._formula.index + 1):
            each = [
                factor.of(variables) * (values[part.index] if part.parts else part.constant) for factor, part in formula.parts
            ]
            values.append(min(MOST, formula.constant + (max(each) if formula.largest else sum(each))))
        return values[-1]


def costs(schema: GraphQLSchema, weights: Weights, document: DocumentNode) -> Sequence[Cost]:
    """Of each operation, in the order of the document, in time linear in it. Unknown names are taken for values."""
    pricing = _Pricing(schema, weights)
    for fragment in lowest_first(document):
        pricing.add(fragment)
    return [pricing.operation(each) for each in document.definitions if isinstance(each, OperationDefinitionNode)]


class _Priced(NamedTuple):
    """`sized`: what is there once for each element of the list that the parent is."""

    plain: Formula
    sized: Formula


class _Pricing:
    def __init__(self, schema: GraphQLSchema, weights: Weights) -> None:
        self._schema = schema
        self._weights = weights
        self._known: dict[tuple[str, frozenset[str]], tuple[GraphQLNamedType | None, _Priced]] = {}
        self._program: list[Formula] = []
        self._nothing = Formula(0.0, (), False, -1)

    def add(self, fragment: FragmentDefinitionNode) -> None:
        """Once for each kind of list that the schema has: what is sized in one is not in another."""
        parent = type_from_ast(self._schema, fragment.type_condition)
        for names in self._weights.sized:
            self._known[fragment.name.value, names] = parent, self._selections(fragment.selection_set, parent, names)

    def operation(self, operation: OperationDefinitionNode) -> Cost:
        root = self._schema.get_root_type(operation.operation)
        return Cost(self._selections(operation.selection_set, root, frozenset()).plain, self._program)

    def _selections(self, selected: SelectionSetNode | None, parent: GraphQLNamedType | None, sized: frozenset[str]) -> _Priced:
        always: list[tuple[Factor, _Priced]] = []
        by_type: dict[str, list[tuple[Factor, _Priced]]] = defaultdict(list)
        for node in selected.selections if selected is not None else ():
            found: tuple[GraphQLNamedType | None, _Priced] | None
            match node:
                case FieldNode():
                    found = None, self._field(node, parent, sized)
                case InlineFragmentNode():
                    of = type_from_ast(self._schema, node.type_condition) if node.type_condition else parent
                    found = of, self._selections(node.selection_set, of, sized)
                case FragmentSpreadNode():
                    found = self._known.get((node.name.value, sized))
                case _:
                    found = None
            if found is not None:
                of, priced = found
                # Of several possible types a thing has one, so the dearest of them counts. An interface may be of any.
                only = is_abstract_type(parent) and isinstance(of, GraphQLObjectType)
                (by_type[cast(GraphQLObjectType, of).name] if only else always).append((_condition(node.directives), priced))
        return _Priced(*(self._together(always, by_type.values(), which) for which in (0, 1)))

    def _together(
        self, always: Iterable[tuple[Factor, _Priced]], either: Iterable[Iterable[tuple[Factor, _Priced]]], which: int
    ) -> Formula:
        parts = [(factor, priced[which]) for factor, priced in always]
        types = [self._sum(0.0, [(factor, priced[which]) for factor, priced in each]) for each in either]
        if types:
            parts.append((ONCE, self._largest(types)))
        return self._sum(0.0, parts)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, sized: frozenset[str]) -> _Priced:
        name = node.name.value
        weight = self._weights.of(parent, name)
        inner = self._selections(node.selection_set, weight.type, weight.names)
        if weight.flat:
            return _Priced(self._largest([self._sum(weight.own, ()), inner.plain]), self._nothing)
        size = length(node, weight)
        each = self._sum(weight.each, [(ONCE, inner.plain)])
        if weight.names:  # a connection: one thing, and what it has of its list
            whole = self._sum(weight.own, [(ONCE, each), (size, inner.sized)])
        else:
            whole = self._sum(weight.own, [(size if name not in sized else ONCE, each)])
        return _Priced(self._nothing, whole) if name in sized else _Priced(whole, self._nothing)

    def _sum(self, constant: float, parts: Iterable[tuple[Factor, Formula]]) -> Formula:
        """With everything added up that no variable changes."""
        left = []
        for factor, part in parts:
            fixed = factor.condition is None and not any(isinstance(source, str) for source in factor.sources)
            if fixed and not part.parts:
                constant += factor.of({}) * part.constant
            elif part.parts or part.constant:
                left.append((factor, part))
        return self._formula(constant, left, largest=False)

    def _largest(self, formulas: Sequence[Formula]) -> Formula:
        if not any(formula.parts for formula in formulas):
            return self._formula(max(formula.constant for formula in formulas), (), largest=False)
        return self._formula(0.0, [(ONCE, formula) for formula in formulas], largest=True)

    def _formula(self, constant: float, parts: Sequence[tuple[Factor, Formula]], *, largest: bool) -> Formula:
        formula = Formula(min(MOST, constant), parts, largest, len(self._program) if parts else -1)
        if parts:
            self._program.append(formula)
        return formula


def length(node: FieldNode, weight: Weight) -> Factor:
    """What a field's arguments say about its list's length, in the text or by a variable."""
    if weight.list is NO_LIST:
        return ONCE
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    sources: list[int | str] = []
    for name in weight.list.slicing:
        value = given.get(name)
        source = _source(value) if value is not None else weight.defaults.get(name)
        if source is not None:
            sources.append(source)
    return Factor(sources, weight.list.assumed)


def _source(value: ValueNode) -> int | str | None:
    match value:
        case IntValueNode():
            return int(value.value[:16])
        case ListValueNode():
            return len(value.values)
        case VariableNode():
            return value.name.value
    return None


def _size(source: int | str, variables: Variables) -> int | None:
    """None for nothing. What is no size, and what is more than a list may ever have, the field itself will refuse."""
    value = variables.get(source) if isinstance(source, str) else source
    match value:
        case None:
            return None
        case list() | tuple():
            value = len(value)
        case float() if value.is_integer():  # GraphQL takes 20.0 for 20
            value = int(value)
    return min(max(0, value), MAX_FIRST) if isinstance(value, int) and not isinstance(value, bool) else MAX_FIRST


def _condition(directives: Sequence[DirectiveNode] | None) -> Factor:
    """Of @skip or @include by a variable; two at once, or a fixed one, are taken for yes."""
    found = [
        (directive.name.value, argument.value.name.value)
        for directive in directives or ()
        if directive.name.value in ("skip", "include")
        for argument in directive.arguments or ()
        if isinstance(argument.value, VariableNode)
    ]
    if len(found) != 1:
        return ONCE
    ((name, variable),) = found
    return Factor(condition=variable, wanted=name == "include")
