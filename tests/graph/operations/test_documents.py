"""A text becomes a document once; what is too much is refused before anything is asked of the schema."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from graphql import ASTValidationRule, DocumentNode, build_schema, specified_rules

from graph.operations import Document, Documents, Limits
from tests.graph.operations.test_measures import bomb

SCHEMA = build_schema("type Query { a: Query  number: Int  apple(size: Int): String }")


class Counted(ASTValidationRule):
    """Counts how often anything was validated."""

    runs = 0

    def enter_document(self, _node: DocumentNode, *_: Any) -> None:
        Counted.runs += 1


@pytest.fixture
def documents() -> Documents:
    Counted.runs = 0
    return Documents(SCHEMA, (*specified_rules, Counted), Limits())


def faults(document: Document) -> Sequence[tuple[str, str]]:
    return [(error.extensions["code"] if error.extensions else "", error.message) for error in document.errors]


def test_the_same_text_is_prepared_once(documents: Documents) -> None:
    first = documents.prepare("{ number }", stranger=False)
    assert documents.prepare("{ number }", stranger=False) is first
    assert documents.prepare("{  number }", stranger=False) is not first
    assert (documents.prepared, Counted.runs, first.errors) == (2, 2, [])
    assert first.hash == sha256(b"{ number }").hexdigest()


def test_what_is_wrong_with_a_text_is_told_each_time_and_not_kept(documents: Documents) -> None:
    for _ in range(3):
        assert faults(documents.prepare("{ number( }", stranger=False)) == [
            ("GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found '}'."),
        ]
        assert faults(documents.prepare("{ nothing }", stranger=False)) == [
            ("GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nothing' on type 'Query'."),
        ]
    assert documents.prepared == 6


def test_a_stranger_is_not_told_what_would_be_right(documents: Documents) -> None:
    for text in ("{ numbr }", "{ apple(sise: 1) }"):
        assert "Did you mean" in documents.prepare(text, stranger=False).errors[0].message
        assert "Did you mean" not in documents.prepare(text, stranger=True).errors[0].message


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{ " + "a { " * 20 + "number" + " }" * 21, "depth"),
        (bomb(20), "fields"),
        ("{ a { " + " ".join(f"x{number}: number" for number in range(101)) + " } }", "aliases"),
        ("{ " + "number " * 21 + "}", "root_fields"),
        ("{ number" + " @skip(if: false)" * 101 + " }", "directives"),
    ],
)
def test_what_is_too_complex_is_refused_before_it_is_validated(documents: Documents, text: str, limit: str) -> None:
    found = documents.prepare(text, stranger=False)
    said = [error.extensions for error in found.errors if error.extensions]
    assert {"code": "DOCUMENT_TOO_COMPLEX", "limit": limit, "maximum": getattr(Limits(), limit)} in said
    assert Counted.runs == 0


def test_as_much_as_allowed_is_allowed(documents: Documents) -> None:
    texts = (
        "{ " + "a { " * 19 + "number" + " }" * 20,
        "{ a { " + " ".join(f"x{number}: number" for number in range(100)) + " } }",
        "{ " + "number " * 20 + "}",
    )
    assert [documents.prepare(text, stranger=False).errors for text in texts] == [[], [], []]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ number }" + " " * 70_000, "This document is too long: at most 65536 bytes."),
        ("{ number } # " + "ä" * 33_000, "This document is too long: at most 65536 bytes."),
        ("{ number } " + "# \n" * 501, "Syntax Error: Document contains more than 500 comments. Parsing aborted."),
        ("{ " + "number " * 4_000 + "}", "Syntax Error: Document contains more than 4000 tokens. Parsing aborted."),
        ("{ a" * 3_000, "Syntax Error: Document is nested too deeply. Parsing aborted."),
        ("", "There is no document: send one as `query`."),
    ],
    ids=["bytes", "wide characters", "comments", "tokens", "nesting", "empty"],
)
def test_a_text_that_is_too_much_is_no_document(documents: Documents, text: str, message: str) -> None:
    found = documents.prepare(text, stranger=False)
    assert (found.node, [error.message for error in found.errors]) == (None, [message])


def test_not_more_than_so_many_faults_are_told(documents: Documents) -> None:
    found = documents.prepare("{ a { " + " ".join(f"nothing{number}" for number in range(50)) + " } }", stranger=False)
    assert len(found.errors) == 11
    assert found.errors[-1].message.startswith("Too many validation errors")


def test_those_used_last_are_kept() -> None:
    documents = Documents(SCHEMA, specified_rules, kept=2)
    for text in ("{ number }", "{ a { number } }", "{ number }", "{ apple }", "{ number }"):
        documents.prepare(text, stranger=False)
    assert documents.prepared == 3
    documents.prepare("{ a { number } }", stranger=False)
    assert documents.prepared == 4


def test_so_many_nodes_are_kept() -> None:
    documents = Documents(SCHEMA, specified_rules, kept_nodes=5)
    small, large = "{ number }", "{ a { a { a { a { number } } } } }"
    for text in (small, large, small, small):
        documents.prepare(text, stranger=False)
    assert documents.prepared == 3


def test_a_lone_surrogate_is_no_reason_to_fail(documents: Documents) -> None:
    assert documents.prepare('{ apple(size: "\ud800") }', stranger=False).errors
