"""What is told of a schema's change, and of the documents that it hits."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import BreakingChangeType, DangerousChangeType

from graph.broken import Broken, Effect, Registered, broken
from graph.changes import InvalidSchema, Severity, changes, read

SDL = (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8")

# What changes, before and after; the kind and the coordinate by which it is told.
KINDS = [
    ("type Gone { x: Int }", "", "TYPE_REMOVED", "Gone"),
    ("scalar Thing", "type Thing { x: Int }", "TYPE_CHANGED_KIND", "Thing"),
    ("type A { x: Int } union U = A | Query", "type A { x: Int } union U = Query", "TYPE_REMOVED_FROM_UNION", "U"),
    ("enum E { A B }", "enum E { A }", "VALUE_REMOVED_FROM_ENUM", "E.B"),
    ("input I { a: Int }", "input I { a: Int b: Int! }", "REQUIRED_INPUT_FIELD_ADDED", "I.b"),
    (
        "interface N { x: Int } type T implements N { x: Int }",
        "interface N { x: Int } type T { x: Int }",
        "IMPLEMENTED_INTERFACE_REMOVED",
        "T",
    ),
    ("type T { x: Int y: Int }", "type T { x: Int }", "FIELD_REMOVED", "T.y"),
    ("input I { a: Int b: Int }", "input I { a: Int }", "FIELD_REMOVED", "I.b"),
    ("type T { x: Int! }", "type T { x: Int }", "FIELD_CHANGED_KIND", "T.x"),
    ("input I { a: Int }", "input I { a: Int! }", "FIELD_CHANGED_KIND", "I.a"),
    ("type T { x: Int }", "type T { x(a: Int!): Int }", "REQUIRED_ARG_ADDED", "T.x(a:)"),
    ("type T { x(a: Int): Int }", "type T { x: Int }", "ARG_REMOVED", "T.x(a:)"),
    ("type T { x(a: Int): Int }", "type T { x(a: String): Int }", "ARG_CHANGED_KIND", "T.x(a:)"),
    ("directive @d on FIELD", "", "DIRECTIVE_REMOVED", "@d"),
    ("directive @d(a: Int) on FIELD", "directive @d on FIELD", "DIRECTIVE_ARG_REMOVED", "@d(a:)"),
    ("directive @d on FIELD", "directive @d(a: Int!) on FIELD", "REQUIRED_DIRECTIVE_ARG_ADDED", "@d(a:)"),
    ("directive @d repeatable on FIELD", "directive @d on FIELD", "DIRECTIVE_REPEATABLE_REMOVED", "@d"),
    ("directive @d on FIELD | QUERY", "directive @d on FIELD", "DIRECTIVE_LOCATION_REMOVED", "@d"),
    ("enum E { A }", "enum E { A B }", "VALUE_ADDED_TO_ENUM", "E.B"),
    ("type A { x: Int } union U = Query", "type A { x: Int } union U = A | Query", "TYPE_ADDED_TO_UNION", "U"),
    ("input I { a: Int }", "input I { a: Int b: Int }", "OPTIONAL_INPUT_FIELD_ADDED", "I.b"),
    ("type T { x: Int }", "type T { x(a: Int): Int }", "OPTIONAL_ARG_ADDED", "T.x(a:)"),
    (
        "interface N { x: Int } type T { x: Int }",
        "interface N { x: Int } type T implements N { x: Int }",
        "IMPLEMENTED_INTERFACE_ADDED",
        "T",
    ),
    ('type T { x(a: String = "T.y"): Int }', 'type T { x(a: String = "b.c"): Int }', "ARG_DEFAULT_VALUE_CHANGE", "T.x(a:)"),
    ("input I { a: Int = 1 }", "input I { a: Int }", "INPUT_FIELD_DEFAULT_VALUE_CHANGE", "I.a"),
    # What graphql-core calls dangerous, or does not see at all.
    ("type T { x(a: Int! = 1): Int }", "type T { x(a: Int!): Int }", "ARG_BECAME_REQUIRED", "T.x(a:)"),
    ("input I { a: Int! = 1 }", "input I { a: Int! }", "INPUT_FIELD_BECAME_REQUIRED", "I.a"),
    ("input I { a: Int b: Int }", "input I @oneOf { a: Int b: Int }", "INPUT_TYPE_BECAME_ONE_OF", "I"),
    (
        "schema { query: Query mutation: M } type M { x: Int }",
        "schema { query: Query } type M { x: Int }",
        "ROOT_TYPE_CHANGED",
        "M",
    ),
    # A type may be called like a word of the sentences in which it is told.
    ("type Field { x: Int }", "", "TYPE_REMOVED", "Field"),
    ("type Standard { x: Int y: Int }", "type Standard { x: Int }", "FIELD_REMOVED", "Standard.y"),
]
ROOT = "type Query { ok: Int at: Float id: ID }\n"
OURS = {"ARG_BECAME_REQUIRED", "INPUT_FIELD_BECAME_REQUIRED", "INPUT_TYPE_BECAME_ONE_OF", "ROOT_TYPE_CHANGED"}


def said(old: str, new: str) -> list[tuple[str, str, str]]:
    return [(each.severity.value, each.kind, each.coordinate) for each in changes(read(old), read(new))]


@pytest.mark.parametrize(("old", "new", "kind", "coordinate"), KINDS, ids=[f"{case[2]} {case[3]}" for case in KINDS])
def test_a_change_is_told_by_its_kind_and_the_coordinate_of_its_member(old: str, new: str, kind: str, coordinate: str) -> None:
    severity = "DANGEROUS" if kind in DangerousChangeType.__members__ else "BREAKING"
    assert said(ROOT + old, ROOT + new) == [(severity, kind, coordinate)]


def test_every_kind_that_graphql_core_knows_has_a_case_here() -> None:
    known = {*BreakingChangeType.__members__, *DangerousChangeType.__members__}
    assert {case[2] for case in KINDS} == known | OURS


def test_a_schema_is_no_change_to_itself() -> None:
    assert said(SDL, SDL) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type T { x: Int }", '"Said of it." type T { "And of this." x: Int! y: Int }'),
        ("directive @cost(weight: String!) on FIELD_DEFINITION", ""),
        ("directive @d on FIELD | OBJECT", "directive @d on FIELD"),
        ("", 'type T { x: Int @cost(weight: "3") @deprecated(reason: "Look at y.") y: Int }'),
        ("input I @oneOf { a: Int b: Int }", "input I { a: Int b: Int }"),
    ],
    ids=["more is promised", "a directive of schemas", "a place in schemas", "directives are used", "more may be given"],
)
def test_what_no_operation_can_notice_is_not_told(old: str, new: str) -> None:
    assert said(ROOT + old, ROOT + new) == []


def test_breaking_changes_come_first_and_kinds_stand_together() -> None:
    old = "type Query { b: Int a: Int } enum E { A B } input I { a: Int }"
    new = "type Query { c: Int } enum E { A C } input I { a: Int b: Int }"
    assert said(old, new) == [
        ("BREAKING", "FIELD_REMOVED", "Query.a"),
        ("BREAKING", "FIELD_REMOVED", "Query.b"),
        ("BREAKING", "VALUE_REMOVED_FROM_ENUM", "E.B"),
        ("DANGEROUS", "OPTIONAL_INPUT_FIELD_ADDED", "I.b"),
        ("DANGEROUS", "VALUE_ADDED_TO_ENUM", "E.C"),
    ]


def test_what_was_deprecated_before_it_was_removed_is_said_with_its_reason() -> None:
    old = """
        type Query { ok(a: Int @deprecated(reason: "Was ignored.")): Int  f: Int @deprecated  g: Int }
        enum E { A B @deprecated(reason: "Use A.") }
        input I { a: Int b: Int @deprecated(reason: "Use a.") }
    """
    new = "type Query { ok: Int } enum E { A } input I { a: Int }"
    assert {each.coordinate: each.deprecated for each in changes(read(old), read(new))} == {
        "E.B": "Use A.",
        "I.b": "Use a.",
        "Query.f": "No longer supported",
        "Query.g": None,
        "Query.ok(a:)": "Was ignored.",
    }
    assert all(each.severity is Severity.BREAKING for each in changes(read(old), read(new)))


def test_directives_that_nobody_defined_are_read_over() -> None:
    sdl = 'extend schema @link(url: "x") type Query @key(fields: "id") { id: ID @cost(weight: "1") @cost(weight: "2") }'
    assert said(sdl, "type Query { id: ID }") == []


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("type Query {\n  a: \n}", (3, 1), "Syntax Error: Expected Name, found '}'."),
        ("", (1, 1), "Syntax Error: Unexpected <EOF>."),
        ("type Query { a: Strng }", (1, 17), "Unknown type 'Strng'. Did you mean 'String'?"),
        ("type Query { a: Int }\nenum E { A A }", (2, 10), "Enum value 'E.A' can only be defined once."),
        ("enum E { A @deprecated(reason: 5) } type Query { a: E }", (1, 32), "Argument 'reason' has invalid value: String"),
        ("type Query { a: Int @deprecated(reason: 5) }", (1, 41), "Argument 'reason' has invalid value: String"),
        ("type Query { a: Int }\nquery { a }", (2, 1), "This is an operation or a fragment: a schema has definitions"),
        ("type Other { a: Int }", None, "It has no root type for queries: name a type Query"),
        ("scalar Query", None, "Query must be an object type: a query begins at it."),
        ("type Query { a: " + "[" * 5_000, (1, 218), "Syntax Error: Document is nested too deeply."),
    ],
)
def test_a_text_that_is_no_schema_is_refused_with_the_place(text: str, place: tuple[int, int] | None, message: str) -> None:
    with pytest.raises(InvalidSchema) as refused:
        read(text)
    assert refused.value.place == place
    assert refused.value.message.startswith(message)


OLD = """
    directive @mark(loud: Boolean) on FIELD
    type Query { site(id: ID!, old: Int): Site  sites(first: Int! = 3, order: Order): [Site]  any: Any  either: Either }
    type Mutation { create(input: Create!): Site  change(input: Change): Site }
    interface Either { size: Int }
    type Site implements Either { id: ID name: String title: String! size: Int }
    type Page implements Either { id: ID size: Int }
    union Any = Site | Page
    enum Order { NEWEST NAME }
    input Create { title: String! nested: Nested }
    input Change { title: String  order: Order }
    input Nested { order: Order }
"""


def effects(old: str, new: str, *texts: str) -> list[tuple[str, Effect, list[str]]]:
    given = [Registered(text, text) for text in texts]
    return [(each.document.text, each.effect, list(each.reasons)) for each in broken(given, read(old), read(new))]


@pytest.mark.parametrize(
    ("before", "after", "text", "reason"),
    [
        ("name: String ", "", "{ site(id: 1) { name } }", "Cannot query field 'name' on type 'Site'."),
        ("name: String ", "", "{ any { ...S } } fragment S on Site { name }", "Cannot query field 'name' on type 'Site'."),
        (", old: Int", "", "{ site(id: 1, old: 2) { id } }", "Unknown argument 'old' on field 'Query.site'."),
        ("NEWEST NAME", "NEWEST", "{ sites(order: NAME) { id } }", "Value 'NAME' does not exist in 'Order' enum."),
        (
            "NEWEST NAME",
            "NEWEST",
            "query ($o: Order = NAME) { sites(order: $o) { id } }",
            "Value 'NAME' does not exist in 'Order' enum.",
        ),
        (
            "NEWEST NAME",
            "NEWEST",
            "mutation { change(input: {order: NAME}) { id } }",
            "Value 'NAME' does not exist in 'Order' enum.",
        ),
        (
            "Int! = 3",
            "Int!",
            "{ sites { id } }",
            "Argument 'Query.sites(first:)' of type 'Int!' is required, but it was not provided.",
        ),
        (
            "Site | Page",
            "Site",
            "{ any { ... on Page { id } } }",
            "Fragment cannot be spread here as objects of type 'Any' can never be of type 'Page'.",
        ),
        ("(loud: Boolean)", "", "{ any @mark(loud: true) { __typename } }", "Unknown argument 'loud' on directive '@mark'."),
        (
            "input Create {",
            "input Create { slug: ID!",
            "mutation ($in: Create!) { create(input: $in) { id } }",
            "$in: A required field Create.slug was added.",
        ),
    ],
)
def test_a_document_that_uses_what_is_gone_breaks(before: str, after: str, text: str, reason: str) -> None:
    assert OLD.count(before) == 1
    assert effects(OLD, OLD.replace(before, after), text) == [(text, Effect.BREAKS, [reason])]


@pytest.mark.parametrize(
    ("before", "after", "text", "reason"),
    [
        (
            "title: String! size",
            "title: String size",
            "{ site(id: 1) { title } }",
            "Field Site.title changed type from String! to String.",
        ),
        (
            "NEWEST NAME",
            "NEWEST",
            "query ($o: Order) { sites(order: $o) { id } }",
            "$o: Enum value Order.NAME was removed.",
        ),
        (
            "NEWEST NAME",
            "NEWEST",
            "mutation ($in: Create!) { create(input: $in) { id } }",
            "$in: Enum value Order.NAME was removed.",
        ),
        (
            "input Change {",
            "input Change { slug: ID!",
            "mutation ($in: Change) { change(input: $in) { id } }",
            "$in: A required field Change.slug was added.",
        ),
        (
            "input Nested {",
            "input Nested { slug: ID!",
            "mutation ($in: Create!) { create(input: $in) { id } }",
            "$in: A required field Nested.slug was added.",
        ),
        (
            "input Change {",
            "input Change @oneOf {",
            "mutation ($in: Change) { change(input: $in) { id } }",
            "$in: Input type Change takes exactly one of its fields now: it became @oneOf.",
        ),
    ],
)
def test_a_document_may_break_by_values_and_types_that_its_text_does_not_show(
    before: str, after: str, text: str, reason: str
) -> None:
    assert OLD.count(before) == 1
    assert effects(OLD, OLD.replace(before, after), text) == [(text, Effect.MAY_BREAK, [reason])]


def test_a_document_that_uses_none_of_it_is_not_named() -> None:
    new = OLD.replace("name: String ", "").replace("NEWEST NAME", "NEWEST").replace(", old: Int", "")
    assert (
        effects(
            OLD,
            new,
            "{ site(id: 1) { id } }",
            "{ sites(order: NEWEST) { title } }",
            "query Q($id: ID!) { site(id: $id) { id } }",
        )
        == []
    )


def test_a_document_that_was_invalid_before_is_told_apart_unless_it_gets_worse() -> None:
    new = OLD.replace("name: String ", "")
    assert effects(OLD, new, "{ nope }", "{{", "{ nope site(id: 1) { name } }") == [
        ("{ nope site(id: 1) { name } }", Effect.BREAKS, ["Cannot query field 'name' on type 'Site'."]),
        ("{ nope }", Effect.WAS_INVALID, ["Cannot query field 'nope' on type 'Query'."]),
        ("{{", Effect.WAS_INVALID, ["Syntax Error: Expected Name, found '{'."]),
    ]


def test_a_safe_change_can_break_a_document_whose_fields_no_longer_merge() -> None:
    new = OLD.replace("type Page implements Either { id: ID size", "type Page implements Either { id: ID! size")
    assert changes(read(OLD), read(new)) == []
    [(_, effect, reasons)] = effects(OLD, new, "{ any { ... on Site { id } ... on Page { id } } }")
    assert effect is Effect.BREAKS
    assert reasons[0].startswith("Fields 'id' conflict because they return conflicting types 'ID' and 'ID!'.")


def test_a_document_is_named_by_its_first_operation_and_its_first_reasons() -> None:
    text = "query First { a b c d e } query Second { a }"
    given = Registered("x", text, ("default/shop",))
    fields = "a: Int b: Int c: Int d: Int e: Int"
    old, new = read(f"type Query {{ ok: Int {fields} }}"), read("type Query { ok: Int }")
    reasons = [f"Cannot query field '{name}' on type 'Query'." for name in "abc"]
    assert broken([given], old, new) == [Broken(given, "First", Effect.BREAKS, reasons)]


def test_every_example_of_the_docs_survives_the_schema_as_it_is() -> None:
    paths = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.graphql"))
    schema = read(SDL)
    assert broken([Registered(path.name, path.read_text()) for path in paths], schema, schema) == []
