"""How large an operation is: as execution would meet it, counted in time linear in its text."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query, parse

from graph.operations import Measures, measure


def measured(text: str) -> Measures:
    ((_, measures),) = measure(parse(text)).operations
    return measures


def bomb(fragments: int) -> str:
    """Each fragment spreads the next one twice."""
    doubling = (f"fragment F{number} on Query {{ ...F{number + 1} ...F{number + 1} }}" for number in range(fragments))
    return f"{{ ...F0 }} {' '.join(doubling)} fragment F{fragments} on Query {{ __typename }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a }", Measures(depth=1, fields=1, aliases=0, root_fields=1, directives=0)),
        ("{ a { b { c } } d }", Measures(depth=3, fields=4, aliases=0, root_fields=2, directives=0)),
        ("{ x: a y: a { z: b } }", Measures(depth=2, fields=3, aliases=3, root_fields=2, directives=0)),
        ("query @q { a @skip(if: true) @b { c @d } }", Measures(depth=2, fields=2, aliases=0, root_fields=1, directives=4)),
        ("{ ... { a ... on T @d { b } } }", Measures(depth=1, fields=2, aliases=0, root_fields=2, directives=1)),
        ("{ a { ...F } b { ...F } } fragment F on T { x: c }", Measures(2, 4, 2, 2, 0)),
        ("{ a { ...F @d } } fragment F on T @e { b @f }", Measures(2, 2, 0, 1, 3)),
        ("{ ...F } fragment F on Query { a { b } c }", Measures(2, 3, 0, 2, 0)),
        (f"{{ {'x' * 64}: a {'y' * 65}: a {'z' * 640}: a }}", Measures(1, 3, 13, 3, 0)),
        ("{ ...Missing a }", Measures(1, 1, 0, 1, 0)),
    ],
)
def test_each_measure_is_that_of_the_text_with_its_fragments_in_place(text: str, expected: Measures) -> None:
    assert measured(text) == expected


def test_each_operation_of_a_document_is_measured_for_itself() -> None:
    found = measure(parse("query A { a } query B { b { ...F } } fragment F on T { c d }")).operations
    assert [(operation.name.value, measures.fields) for operation, measures in found if operation.name] == [("A", 1), ("B", 3)]


@pytest.mark.parametrize(
    "text", ["{ ...A } fragment A on Q { a ...A }", "{ ...A } fragment A on Q { a ...B } fragment B on Q { ...A }"]
)
def test_a_fragment_that_spreads_itself_ends_there(text: str) -> None:
    assert measured(text).fields == 1


@pytest.mark.parametrize("fragments", [14, 20, 200, 600])
def test_doubling_fragments_are_counted_to_the_last_field_and_looked_at_once_each(fragments: int) -> None:
    found = measure(parse(bomb(fragments)))
    assert found.operations[0][1].fields == 2**fragments
    assert found.visited == 2 * fragments + 2


def test_a_chain_of_fragments_may_be_as_long_as_the_text() -> None:
    chain = " ".join(f"fragment F{number} on T {{ a {{ ...F{number + 1} }} }}" for number in range(900))
    assert measured(f"{{ ...F0 }} {chain} fragment F900 on T {{ a }}").depth == 901


def test_the_usual_introspection_is_within_every_limit() -> None:
    assert measured(get_introspection_query(input_value_deprecation=True)).depth == 15
