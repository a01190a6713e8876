"""What is known of an operation before it runs: whom it is about, which variables matter where, and how long it lasts."""

from __future__ import annotations

import pytest
import strawberry
from graphql import parse

from graph.marks import PERSONAL, CacheControl
from graph.operations.traits import Traits, traits
from graph.schema import schema as pacemark
from tests.graph.operations.test_measures import bomb


def lasting(seconds: int, *, public: bool = False) -> list[object]:
    return [CacheControl(max_age=seconds, public=public)]


@strawberry.interface
class Named:
    name: str = ""


@strawberry.type
class Leaf(Named):
    plain: int = 0
    short: int = strawberry.field(default=0, directives=lasting(5, public=True))
    mine: int = strawberry.field(default=0, metadata=PERSONAL)
    claimed: int = strawberry.field(default=0, metadata=PERSONAL, directives=lasting(50, public=True))


def _leaf(size: int = 0) -> Leaf:
    return Leaf()


@strawberry.type
class Thing(Named):
    bare: Leaf = strawberry.field(resolver=_leaf)
    leaf: Leaf = strawberry.field(resolver=_leaf, directives=lasting(60, public=True))
    own: Leaf = strawberry.field(resolver=_leaf, directives=lasting(20))


def _thing(size: int = 0, sizes: list[int] | None = None) -> Thing:
    return Thing()


def _named() -> Named:
    return Thing()


def _either() -> Thing | Leaf:
    return Thing()


@strawberry.type
class Query:
    thing: Thing = strawberry.field(resolver=_thing, directives=lasting(100, public=True))
    named: Named = strawberry.field(resolver=_named, directives=lasting(100, public=True))
    either: Thing | Leaf = strawberry.field(resolver=_either, directives=lasting(100, public=True))
    bare: Thing = strawberry.field(resolver=_thing)
    number: int = 0


schema = strawberry.Schema(query=Query, types=[Thing, Leaf])


def of(text: str) -> Traits:
    ((whole, _),) = traits(schema._schema, parse(text))
    return whole


@pytest.mark.parametrize(
    ("text", "max_age", "public"),
    [
        ("{ thing { name } }", 100, True),
        ("{ thing { name leaf { plain } } }", 60, True),
        ("{ thing { leaf { plain short } } }", 5, True),
        ("{ thing { own { plain } } }", 20, False),
        ("{ thing { own { short } } }", 5, False),
        ("{ thing { bare { plain } } }", 0, True),
        ("{ thing { bare { short } } }", 0, True),
        ("{ bare { name } }", 0, True),
        ("{ number }", 0, True),
        ("{ thing { name } number }", 0, True),
        ("{ __typename }", None, True),
        ("{ thing { name __typename } __typename }", 100, True),
        ("{ thing { name } __schema { queryType { name } } }", 0, True),
        ('{ thing { name } __type(name: "Thing") { name } }', 0, True),
        ("{ thing { ...F } } fragment F on Thing { own { name } }", 20, False),
        ("{ ...F } fragment F on Query { thing { name } number }", 0, True),
        ("{ ... { thing { name } } }", 100, True),
        ("{ ... on Query { bare { name } thing { name } } }", 0, True),
        ("{ named { name ... on Thing { own { name } } } }", 20, False),
        ("{ named { ... on Leaf { short } ... on Named { name } } }", 5, True),
        ("{ either { __typename ... on Thing { leaf { name } } } }", 60, True),
        ("query ($no: Boolean!) { thing { leaf @skip(if: $no) { name } } }", 60, True),
    ],
)
def test_an_answer_lasts_for_as_long_as_its_shortest_thing(text: str, max_age: int | None, public: bool) -> None:
    found = of(text)
    assert (found.max_age, found.public) == (max_age, public)


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("{ thing { leaf { plain } } }", False),
        ("{ thing { leaf { mine } } }", True),
        ("{ thing { leaf { other: mine } } }", True),
        ("{ thing { leaf { ...F } } } fragment F on Leaf { mine }", True),
        ("{ thing { leaf { ...F } } } fragment F on Leaf { ...G } fragment G on Leaf { mine }", True),
        ("{ thing { leaf { plain } } } fragment F on Leaf { mine }", False),
        ("{ named { ... on Leaf { mine } } }", True),
        ("{ either { ... on Leaf { plain } } }", False),
        ("query ($no: Boolean!) { thing { leaf { mine @skip(if: $no) } } }", True),
        ("{ thing { leaf { mine @skip(if: true) } } }", True),
    ],
)
def test_one_field_about_who_asks_makes_all_of_it_so(text: str, personal: bool) -> None:
    assert of(text).personal is personal


def test_what_is_about_who_asks_is_nobody_elses_whatever_is_said_of_it() -> None:
    found = of("{ thing { leaf { claimed } } }")
    assert (found.personal, found.max_age, found.public) == (True, 50, False)


@pytest.mark.parametrize(
    ("text", "introspects", "looks_only"),
    [
        ("{ __typename thing { __typename } }", False, False),
        ("{ __typename }", False, False),
        ("{ __typename __schema { types { name } } }", True, True),
        ('{ ...F } fragment F on Query { a: __type(name: "X") { name } }', True, True),
        ("query ($no: Boolean!) { __schema @skip(if: $no) { types { name } } }", True, True),
        ("{ __schema { types { name } } thing { __typename } }", True, False),
        ("query ($no: Boolean!) { __schema { types { name } } ... @skip(if: $no) { thing { __typename } } }", True, False),
    ],
)
def test_a_look_at_the_schema_is_seen_and_whether_it_is_all(text: str, introspects: bool, looks_only: bool) -> None:
    assert (of(text).introspects, of(text).looks_only) == (introspects, looks_only)


@pytest.mark.parametrize(
    ("text", "all", "below"),
    [
        ("{ thing(size: 1) { name } }", set(), set()),
        ("query ($a: Int, $b: Int, $c: Int) { thing(size: $a) { leaf(size: $b) { name } } }", {"a", "b"}, {"b"}),
        ("query ($a: [Int!]) { thing(sizes: $a) { name } }", {"a"}, set()),
        ("query ($a: Int!) { thing(sizes: [1, $a]) { name } }", {"a"}, set()),
        ("query ($a: Boolean!) { thing { name @include(if: $a) } }", {"a"}, {"a"}),
        ("query ($a: Boolean!) { thing @include(if: $a) { name } }", {"a"}, {"a"}),
        ("query ($a: Boolean!) { thing { ... @skip(if: $a) { name } } }", {"a"}, {"a"}),
        ("query ($a: Int) { thing { ...F } } fragment F on Thing { leaf(size: $a) { name } }", {"a"}, {"a"}),
        ("query ($a: Boolean!) { thing { ...F @skip(if: $a) } } fragment F on Thing { name }", {"a"}, {"a"}),
        ("query ($a: Int) { ...F } fragment F on Query { thing(size: $a) { name } }", {"a"}, {"a"}),
    ],
)
def test_variables_matter_where_they_are_used(text: str, all: set[str], below: set[str]) -> None:
    """Those of a root field's own arguments alone do not change what is told of an event."""
    ((whole, found),) = traits(schema._schema, parse(text))
    assert (set(whole.variables), set(found)) == (all, below)


def test_each_operation_has_its_own() -> None:
    one, other = traits(schema._schema, parse("query A { thing { name } } query B { thing { leaf { mine } } }"))
    assert [whole.personal for whole, _ in (one, other)] == [False, True]


@pytest.mark.parametrize("fragments", [20, 600])
def test_doubling_fragments_are_looked_at_once_each(fragments: int) -> None:
    text = bomb(fragments).replace("__typename", "thing { own { mine } }")
    found = of(text)
    assert (found.personal, found.max_age, found.public) == (True, 20, False)


def test_the_catalogue_is_everybodys_and_the_viewer_nobody_elses() -> None:
    texts = {
        "{ metrics { name title description unit direction link } }": (False, 86_400, True),
        "{ metrics { thresholds(engine: PROBE, formFactor: MOBILE) { good poor } } }": (False, 86_400, True),
        "{ viewer { key { name } } }": (True, 0, False),
        "{ viewer { user { name } } }": (True, 0, False),
        "{ rateLimit { remaining } }": (True, 0, False),
        '{ workspace(slug: "acme") { viewerRole } }': (False, 0, True),
    }
    for text, expected in texts.items():
        ((whole, _),) = traits(pacemark._schema, parse(text))
        assert (whole.personal, whole.max_age, whole.public) == expected, text
