"""A schema with every kind of type, and of whatever graphql-core lets a type do: for comparing engines.

Its fields are resolved at once, later, now the one and now the other, or by nothing but what the object has.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    Undefined,
    parse_const_value,
)
from hypothesis import strategies as st

from .values import Bounds, Context, Shade, Urgency, at_once, echo, either, is_a, kind_at_once, kind_either, kind_later, later

__all__ = ["CHANGING", "SCHEMA", "VALUES", "Context"]


def _fragile(value: int) -> Any:
    match value:
        case -1:
            raise ValueError("too fragile")
        case -2:
            raise GraphQLError("fragile, as is told", extensions={"code": "FRAGILE"})
        case -3:
            return None
        case -4:
            return Undefined
    return {"fragile": value}


def _halved(value: Any) -> Any:
    if type(value) is not int or value % 2:
        raise ValueError("Doubled takes even numbers.")
    return value // 2


COLOR = GraphQLEnumType(
    "Color",
    {
        "RED": GraphQLEnumValue(1, description="Its value is a number."),
        "GREEN": "green",
        "DARK": Shade.DARK,
        "GREY": GraphQLEnumValue([1, 2], deprecation_reason="It has no hash."),
    },
)
LEVEL = GraphQLEnumType("Level", Urgency, names_as_values=None, description="Its values are those of an enumeration.")
DOUBLED = GraphQLScalarType("Doubled", coerce_output_value=lambda value: value * 2, coerce_input_value=_halved)
STAMP = GraphQLScalarType(
    "Stamp",
    coerce_output_value=lambda value: value.isoformat(),
    coerce_input_value=datetime.fromisoformat,
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
)
FRAGILE = GraphQLScalarType("Fragile", coerce_output_value=_fragile)
JSON = GraphQLScalarType("Json", description="Whatever it is.")

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Doubled": st.integers(-5, 5).map(lambda half: half * 2),
    "Stamp": st.integers(0, 9).map(lambda days: (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days)).isoformat()),
    "Json": st.recursive(
        st.integers(-3, 3) | st.booleans() | st.text("aé$", max_size=2) | st.none(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        max_leaves=3,
    ).filter(lambda value: value is not None),
    **dict.fromkeys(("Query.node(id)", "Mutation.node(id)"), st.sampled_from(["first", "second"])),
}
"""What the generator of operations cannot know about this schema."""


def need(type_: Any) -> Any:
    return GraphQLNonNull(type_)


def many(type_: Any) -> Any:
    return GraphQLList(type_)


def default(text: str) -> GraphQLDefaultInput:
    return GraphQLDefaultInput(literal=parse_const_value(text))


LIMITS = GraphQLInputObjectType(
    "Limits",
    {
        "low": GraphQLInputField(need(GraphQLInt), default=default("-1")),
        "high": GraphQLInputField(GraphQLInt, out_name="upper", description="Is read as `upper`."),
    },
    out_type=lambda values: Bounds(**values),
)
CHOICE: GraphQLInputObjectType = GraphQLInputObjectType(
    "Choice",
    lambda: {
        "id": GraphQLInputField(GraphQLID),
        "number": GraphQLInputField(GraphQLInt, out_name="figure"),
        "color": GraphQLInputField(COLOR),
        "limits": GraphQLInputField(LIMITS),
        "others": GraphQLInputField(many(need(CHOICE))),
    },
    is_one_of=True,
)
FILTER: GraphQLInputObjectType = GraphQLInputObjectType(
    "Filter",
    lambda: {
        "name": GraphQLInputField(GraphQLString),
        "tags": GraphQLInputField(many(need(GraphQLString)), default=default('"one"')),
        "colors": GraphQLInputField(need(many(COLOR)), default=default("[RED, null]")),
        "level": GraphQLInputField(need(LEVEL)),
        "limits": GraphQLInputField(LIMITS, default=default("{ high: 3 }")),
        "any": GraphQLInputField(many(need(FILTER)), out_name="any_"),
        "choice": GraphQLInputField(CHOICE),
        "json": GraphQLInputField(JSON),
        "ratio": GraphQLInputField(GraphQLFloat, deprecation_reason="Nobody needs it."),
    },
)

NODE = GraphQLInterfaceType("Node", {"id": GraphQLField(need(GraphQLID))}, resolve_type=kind_at_once)
UPPER = {"upper": GraphQLArgument(GraphQLBoolean, default=default("false"))}
FIRST = {"first": GraphQLArgument(need(GraphQLInt), default=GraphQLDefaultInput(2), out_name="at_most")}
NAMED: GraphQLInterfaceType = GraphQLInterfaceType(
    "Named",
    lambda: {
        "id": GraphQLField(need(GraphQLID)),
        "name": GraphQLField(GraphQLString, args=UPPER),
        "friend": GraphQLField(NAMED),
    },
    interfaces=[NODE],
    resolve_type=kind_later,
)
BEING: GraphQLInterfaceType = GraphQLInterfaceType(
    "Being",
    lambda: {**NAMED.fields, "friends": GraphQLField(many(BEING), args=FIRST)},
    interfaces=[NAMED, NODE],
    description="Says nothing about its type: the objects' types do.",
)


def asked(type_: Any, how: Callable[..., Any] | None = at_once, **args: GraphQLArgument) -> GraphQLField:
    return GraphQLField(type_, args, how)


PERSON: GraphQLObjectType = GraphQLObjectType(
    "Person",
    lambda: {
        "id": asked(need(GraphQLID), None),
        "name": asked(need(GraphQLString), None, **UPPER, times=GraphQLArgument(GraphQLInt)),
        "nickname": GraphQLField(GraphQLString, resolve=at_once, deprecation_reason="Use `name`.", description="As said."),
        "age": asked(GraphQLInt, None),
        "friend": asked(need(PERSON), either),
        "friends": asked(need(many(need(PERSON))), later, **FIRST),
        "home": asked(PLACE),
        "pets": asked(many(need(PAIR))),
        "favourite": asked(ANYTHING, either),
        "color": asked(COLOR, None),
        "best": asked(NAMED, None),
    },
    interfaces=[BEING, NAMED, NODE],
    is_type_of=is_a("Person", early=True),
    description="Has a resolver of its own for some of its fields.",
)
ROBOT: GraphQLObjectType = GraphQLObjectType(
    "Robot",
    lambda: {
        "id": asked(need(GraphQLID), later),
        "name": asked(GraphQLString, at_once, **UPPER),
        "friend": asked(NAMED, later),
        "friends": asked(many(BEING), either, **FIRST),
        "age": asked(GraphQLInt, either),
        "level": asked(need(LEVEL)),
        "parts": asked(many(need(ROBOT)), later),
        "owner": asked(need(BEING)),
        "grid": asked(many(need(many(PAIR)))),
    },
    interfaces=[BEING, NAMED, NODE],
    is_type_of=is_a("Robot", early=False),
)
PLACE: GraphQLObjectType = GraphQLObjectType(
    "Place",
    lambda: {
        "id": asked(need(GraphQLID)),
        "since": asked(need(STAMP), None),
        "age": asked(need(GraphQLInt), None),
        "inside": asked(NODE, either),
        "rows": asked(need(many(need(ROW)))),
        "people": asked(many(PERSON), None, **FIRST),
        "color": asked(need(COLOR), later),
    },
    interfaces=[NODE],
    is_type_of=is_a("Place", early=None),
)
LEAF: GraphQLObjectType = GraphQLObjectType(
    "Leaf",
    lambda: {"text": asked(GraphQLString, None), "number": asked(need(GraphQLInt), None), "next": asked(LEAF, None)},
)
ROW: GraphQLObjectType = GraphQLObjectType(
    "Row",
    {
        "text": asked(need(GraphQLString), None),
        "number": asked(GraphQLInt, None),
        "ratio": asked(GraphQLFloat, None),
        "color": asked(COLOR, None),
        "flag": asked(need(GraphQLBoolean)),
    },
)
ANYTHING: GraphQLUnionType = GraphQLUnionType("Anything", [PERSON, ROBOT, PLACE, LEAF])
PAIR: GraphQLUnionType = GraphQLUnionType("Pair", [ROBOT, PLACE], resolve_type=kind_either)

_SCALARS = {"int": GraphQLInt, "float": GraphQLFloat, "string": GraphQLString, "boolean": GraphQLBoolean, "id": GraphQLID}
_SCALARS |= {"doubled": DOUBLED, "stamp": STAMP, "fragile": FRAGILE, "json": JSON}
_LEAVES = {**_SCALARS, "color": COLOR, "level": LEVEL}
_LISTS = {
    "plain": many(GraphQLInt),
    "full": many(need(GraphQLInt)),
    "there": need(many(GraphQLInt)),
    "certain": need(many(need(GraphQLInt))),
    "nested": many(many(GraphQLFloat)),
    "strict": need(many(need(many(need(GraphQLInt))))),
    "mixed": need(many(many(need(COLOR)))),
    "deep": many(need(many(many(need(FRAGILE))))),
    "nodes": many(NODE),
    "people": need(many(need(PERSON))),
    "pairs": many(need(many(PAIR))),
    "rows": many(many(need(ROW))),
}


def _lists(how: Callable[..., Any] | None) -> dict[str, GraphQLField]:
    return {name: asked(type_, how) for name, type_ in _LISTS.items()}


SCALARS: GraphQLObjectType = GraphQLObjectType(
    "Scalars",
    lambda: {
        **{name: asked(type_, at_once if name < "f" else None) for name, type_ in _LEAVES.items()},
        **{f"{name}Needed": asked(need(type_), later if name < "f" else at_once) for name, type_ in _LEAVES.items()},
        "again": asked(need(SCALARS)),
    },
)
LISTS: GraphQLObjectType = GraphQLObjectType(
    "Lists", lambda: {**_lists(at_once), "later": asked(LATE_LISTS, later), "plainly": asked(PLAIN_LISTS)}
)
LATE_LISTS: GraphQLObjectType = GraphQLObjectType("LateLists", lambda: {**_lists(later), "now": asked(need(LISTS))})
PLAIN_LISTS: GraphQLObjectType = GraphQLObjectType("PlainLists", lambda: _lists(None))

QUERY = GraphQLObjectType(
    "Query",
    lambda: {
        "me": asked(need(PERSON)),
        "node": asked(NODE, either, id=GraphQLArgument(need(GraphQLID), out_name="id_")),
        "nodes": asked(need(many(NODE)), at_once, ids=GraphQLArgument(need(many(need(GraphQLID))))),
        "named": asked(NAMED, later),
        "being": asked(BEING),
        "beings": asked(many(need(BEING)), either),
        "anything": asked(many(ANYTHING)),
        "pair": asked(need(PAIR), either),
        "place": asked(PLACE, later),
        "leaf": asked(need(LEAF)),
        "scalars": asked(need(SCALARS)),
        "lists": asked(need(LISTS)),
        "lateLists": asked(need(LATE_LISTS), later),
        "plainLists": asked(need(PLAIN_LISTS), either),
        "nothing": GraphQLField(GraphQLString, description="Read from the root, of which there is none."),
        "echo": asked(
            need(GraphQLString),
            echo,
            text=GraphQLArgument(GraphQLString, default=default('"nothing"')),
            number=GraphQLArgument(GraphQLInt),
            ratio=GraphQLArgument(need(GraphQLFloat), default=default("0.5")),
            flag=GraphQLArgument(GraphQLBoolean, default=default("null")),
            id=GraphQLArgument(GraphQLID, out_name="id_"),
            color=GraphQLArgument(COLOR, default_value=Shade.DARK),
            level=GraphQLArgument(need(LEVEL), default=default("HIGH")),
            stamp=GraphQLArgument(STAMP, default_value=None),
            doubled=GraphQLArgument(DOUBLED),
            json=GraphQLArgument(JSON, default=GraphQLDefaultInput({"a": [1]})),
        ),
        "filtered": asked(
            GraphQLString,
            echo,
            filter=GraphQLArgument(FILTER),
            filters=GraphQLArgument(many(need(FILTER)), default=default("{ level: LOW }"), out_name="all_filters"),
            choice=GraphQLArgument(CHOICE, default=default("{ number: 1 }")),
            choices=GraphQLArgument(need(many(need(CHOICE))), default=default("[]")),
            limits=GraphQLArgument(need(LIMITS), default=default("{}")),
        ),
        "listed": asked(
            GraphQLString,
            echo,
            numbers=GraphQLArgument(many(GraphQLInt), default=default("[1, null]")),
            matrix=GraphQLArgument(many(need(many(need(GraphQLInt))))),
            colors=GraphQLArgument(need(many(need(COLOR)))),
            words=GraphQLArgument(many(GraphQLString), default=default('"one"')),
            stamps=GraphQLArgument(many(STAMP)),
        ),
    },
)

SCHEMA = GraphQLSchema(QUERY, types=[PERSON, ROBOT, PLACE, LEAF], description="For comparing engines.")

MUTATION = GraphQLObjectType("Mutation", lambda: {**QUERY.fields, "maybe": asked(PERSON, either), "many": asked(many(PERSON))})
CHANGING = GraphQLSchema(
    GraphQLObjectType("Nothing", {"nothing": GraphQLField(GraphQLString)}), MUTATION, types=[PERSON, ROBOT, PLACE, LEAF]
)
"""The same as changes, whose fields are resolved one after another."""
