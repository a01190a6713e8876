"""The generators do what they say: valid operations with everything in them, and values that follow from a seed alone."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_leaf_type,
    parse,
    print_ast,
    validate,
    validate_schema,
    visit,
)
from hypothesis import HealthCheck, Phase, find, given, settings

from graph.schema import schema as pacemark

from .comparing import Answer, abandoning, by_core, same, shown
from .generated import Generated, operations
from .torture import SCHEMA, VALUES, Context

pytestmark = pytest.mark.slow

MANY = 150
QUIET = settings(max_examples=MANY, database=None, derandomize=True)


def drawn(schema: GraphQLSchema, examples: int = MANY, **options: Any) -> list[Generated]:
    found: list[Generated] = []

    @settings(QUIET, max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(operations(schema, **options))
    def collect(generated: Generated) -> None:
        found.append(generated)

    collect()
    return found


@cache
def tortures() -> list[Generated]:
    return drawn(SCHEMA, values=VALUES)


def require_valid(schema: GraphQLSchema, found: list[Generated]) -> None:
    for generated in found:
        errors = validate(schema, parse(generated.text))
        assert not errors, f"{errors}\n{shown(generated)}"


def test_the_torture_schema_is_a_good_one() -> None:
    assert validate_schema(SCHEMA) == []


def test_every_operation_is_valid() -> None:
    require_valid(SCHEMA, tortures())


@pytest.mark.parametrize("options", [{"mistaken": True, "introspection": True}, {"depth": 6, "size": 15}])
def test_every_operation_is_valid_where_nothing_is_said_of_its_values(options: dict[str, Any]) -> None:
    require_valid(SCHEMA, drawn(SCHEMA, 30, **options))


def test_every_operation_is_valid_for_a_schema_that_somebody_uses() -> None:
    require_valid(pacemark._schema, drawn(pacemark._schema, 30, introspection=True))


def test_the_same_operations_are_drawn_again() -> None:
    assert drawn(SCHEMA, 20, values=VALUES) == drawn(SCHEMA, 20, values=VALUES)


def test_what_fails_is_shown_small() -> None:
    smallest = find(operations(SCHEMA, values=VALUES, size=6), lambda it: "@skip" in it.text, settings=QUIET)
    assert len(smallest.text) < 60, shown(smallest)


# What is in them


class Features(Visitor):
    """What a document makes use of, by the names below."""

    def __init__(self, generated: Generated, types: TypeInfo) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._generated, self._types = generated, types
        self._spreads: list[str] = []
        self._declared: dict[str, VariableDefinitionNode] = {}

    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> None:
        fields = [each for each in node.selections if isinstance(each, FieldNode)]
        keys = [each.alias.value if each.alias else each.name.value for each in fields]
        for place, (key, field) in enumerate(zip(keys, fields, strict=True)):
            if key in keys[:place]:
                self.found |= {"merged", f"merged {'deep' if field.selection_set else 'flat'}"}
                self.found |= {"merged with arguments"} if field.arguments else set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self._directed(node, "field")
        self.found |= {"alias"} if node.alias else set()
        self.found |= {"typename"} if node.name.value == "__typename" else set()
        definition = self._types.get_field_def()
        assert definition is not None
        if len(definition.args) > len(node.arguments or ()):
            self.found.add("argument left out")

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self._directed(node, "spread")
        self.found |= {"spread again"} if node.name.value in self._spreads else set()
        self._spreads.append(node.name.value)

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        self._directed(node, "inline")
        self.found.add("inline on a type" if node.type_condition else "inline on none")

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.found.add(f"fragment on {type(SCHEMA.type_map[node.type_condition.name.value]).__name__}")
        if "..." in print_ast(node.selection_set).replace("... ", ""):
            self.found.add("fragment in a fragment")

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        self.found.add("named operation" if node.name else "anonymous operation")
        self._declared |= {each.variable.name.value: each for each in node.variable_definitions or ()}

    def enter_variable(self, node: VariableNode, _: Any, parent: Any, *__: Any) -> None:
        if isinstance(parent, VariableDefinitionNode):
            return
        declared, type_ = self._declared.get(node.name.value), self._types.get_input_type()
        self.found |= {"variable in a list"} if isinstance(parent, tuple | list) else set()
        self.found |= {"variable in an object"} if isinstance(parent, ObjectFieldNode) else set()
        self.found |= {"variable in a scalar"} if type_ is None else set()
        if declared and isinstance(type_, GraphQLNonNull) and not isinstance(declared.type, NonNullTypeNode):
            self.found.add("nullable variable for what takes no null")
            self.found |= {"variable without default for an argument with one"} if not declared.default_value else set()

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        type_: Any = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
        kind = "list" if isinstance(type_, ListTypeNode) else type(SCHEMA.type_map[type_.name.value]).__name__
        name, variables = node.variable.name.value, self._generated.variables
        state = "absent" if name not in variables else "null" if variables[name] is None else "present"
        default = "with" if node.default_value else "without"
        self.found |= {f"variable of {kind}", f"variable {default} default is {state}"}

    def _directed(self, node: Any, what: str) -> None:
        names = [each.name.value for each in node.directives or ()]
        self.found |= {f"{what} with both"} if len(names) == 2 else set()
        for each in node.directives or ():
            of = "variable" if isinstance(each.arguments[0].value, VariableNode) else "constant"
            self.found.add(f"{what} with {each.name.value} of a {of}")


EVERYTHING = {
    *("alias", "merged", "merged deep", "merged flat", "merged with arguments", "typename", "argument left out"),
    *("spread again", "fragment in a fragment", "inline on a type", "inline on none"),
    *(f"fragment on GraphQL{kind}Type" for kind in ("Object", "Interface", "Union")),
    *(f"{what} with {how} of a {of}" for what in ("field", "spread", "inline") for how in ("skip", "include")
      for of in ("variable", "constant")),
    *(f"{what} with both" for what in ("field", "spread", "inline")),
    *(f"variable of {kind}" for kind in ("list", "GraphQLScalarType", "GraphQLEnumType", "GraphQLInputObjectType")),
    *(f"variable {default} default is {state}" for default in ("with", "without") for state in ("absent", "null", "present")),
    *("variable in a list", "variable in an object", "variable in a scalar"),
    *("nullable variable for what takes no null", "variable without default for an argument with one"),
    *("named operation", "anonymous operation", "several operations", "an operation of several by its name"),
}  # fmt: skip


def features(generated: Generated) -> set[str]:
    document, types = parse(generated.text), TypeInfo(SCHEMA)
    visitor = Features(generated, types)
    visit(document, TypeInfoVisitor(types, visitor))
    several = sum(isinstance(each, OperationDefinitionNode) for each in document.definitions) > 1
    named = {"an operation of several by its name"} if generated.operation_name else set()
    return visitor.found | ({"several operations", *named} if several else set())


def test_everything_that_an_operation_may_have_does_occur() -> None:
    found = set().union(*map(features, tortures()))
    assert EVERYTHING - found == set()


def test_what_is_said_of_values_is_given() -> None:
    given = [name for each in tortures() for name in re.findall(r'node\(id: "(\w*)"\)', each.text)]
    assert Counter(given).keys() == {"first", "second"}


# What comes of them


def whole(type_: Any, depth: int) -> str:
    """All fields, with those of all types below."""
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        return " ".join(f"... on {each} {{ {whole(each, depth)} }}" for each in SCHEMA.get_possible_types(type_))
    needed = {"node": '(id: "a")', "nodes": '(ids: ["a", "b"])', "listed": "(colors: RED)"}
    parts = ["__typename"]
    for name, each in type_.fields.items():
        inner = get_named_type(each.type)
        if is_leaf_type(inner) or depth:
            below = "" if is_leaf_type(inner) else f"{{ {whole(inner, depth - 1)} }}"
            parts.append(f"{type_}_{name}: {name}{needed.get(name, '')} {below}")
    return " ".join(parts)


async def test_without_trouble_nothing_is_wrong() -> None:
    assert SCHEMA.query_type is not None
    every, resolved = Generated(f"{{ {whole(SCHEMA.query_type, 2)} }}", {}, None), set[str]()
    for seed, generated in enumerate([*tortures(), every, every, every]):
        context = Context(seed)
        data, errors = await by_core(SCHEMA, generated, context)
        assert not errors, f"{errors}\n{shown(generated)}"
        assert data is not None
        resolved |= context.calls.keys()
    objects = [each for each in SCHEMA.type_map.values() if isinstance(each, GraphQLObjectType) and each.name[0] != "_"]
    assert {f"{each}.{name}" for each in objects for name in each.fields} - resolved == {"Query.nothing"}


async def test_with_trouble_much_is_wrong_but_always_the_same() -> None:
    messages, nulls, partial = set[str](), 0, 0
    with abandoning():
        for seed, generated in enumerate(tortures()):
            one, other = Context(seed, 0.1), Context(seed, 0.1)
            answer = await by_core(SCHEMA, generated, one)
            same(answer, await by_core(SCHEMA, generated, other), generated)
            assert one.calls == other.calls
            messages |= {each.message for each in answer[1]}
            nulls += answer[0] is None
            partial += answer[0] is not None and bool(answer[1])
    assert nulls > MANY / 20
    assert partial > MANY / 20
    for part in (
        "Cannot return null",
        " is wrong",
        "refused: ",
        " is forbidden",
        " is elsewhere",
        "another text",
        "Abstract type",
    ):
        assert [each for each in messages if part in each], part


async def test_a_mistaken_null_fails_where_it_is_read() -> None:
    messages = set[str]()
    with abandoning():
        for seed, generated in enumerate(drawn(SCHEMA, 100, values=VALUES, mistaken=True, size=20)):
            messages |= {each.message.partition("provided")[2] for each in (await by_core(SCHEMA, generated, Context(seed)))[1]}
    assert [each for each in messages if "not to be None" in each]


def test_answers_are_compared_with_the_order_of_keys_but_not_of_errors() -> None:
    first, second = GraphQLError("no", path=["a"]), GraphQLError("no", path=["a"], extensions={"code": "B"})
    same(({"a": 1, "b": 2}, [first, second]), ({"a": 1, "b": 2}, [second, first]))
    generated = Generated("{ a b }", {"v": 1}, "Name")
    wrongs: list[Answer] = [
        ({"b": 2, "a": 1}, [first]),
        ({"a": 1, "b": 2}, [second]),
        ({"a": 1, "b": 2.0}, [first]),
        (None, []),
    ]
    for wrong in wrongs:
        with pytest.raises(AssertionError, match=r'(?s)one: .*other: .*\{ a b \}\nvariables: \{"v": 1\}\noperation: Name'):
            same(({"a": 1, "b": 2}, [first]), wrong, generated)
