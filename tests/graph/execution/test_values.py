"""Variables that are taken as they are, are what graphql-core makes of them."""

from __future__ import annotations

from typing import Any

from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse
from hypothesis import given
from hypothesis import strategies as some

from graph.execution.plans.values import Variables

SCHEMA = build_schema("type Query { ask(id: ID!, text: String, number: Int = 3, flag: Boolean, numbers: [Int]): Int }")
KINDS = ["ID!", "String", "Int! = 4", "Boolean", "[Int!]", "Float", "Int"]

anything = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**33), 2**33)
    | some.floats(allow_nan=False)
    | some.text(max_size=5)
    | some.sampled_from([2**31 - 1, 2**31, -(2**31), -(2**31) - 1]),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(some.lists(some.sampled_from(KINDS), min_size=1, max_size=4), some.data())
def test_they_are_what_graphql_core_says(kinds: list[str], data: Any) -> None:
    names = [f"v{number}" for number in range(len(kinds))]
    declared = ", ".join(f"${name}: {kind}" for name, kind in zip(names, kinds, strict=True))
    (operation,) = parse(f"query ({declared}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    definitions = operation.variable_definitions or ()
    sent = data.draw(some.dictionaries(some.sampled_from([*names, "other"]), anything, max_size=5))
    ours = Variables(SCHEMA, definitions).coerce(sent, max_errors=3, hide_suggestions=True)
    theirs = get_variable_values(SCHEMA, definitions, dict(sent), 3, hide_suggestions=True)
    if isinstance(theirs, list):
        assert isinstance(ours, list)
        assert [error.formatted for error in ours] == [error.formatted for error in theirs]
    else:
        assert not isinstance(ours, list)
        assert repr(ours.coerced) == repr(theirs.coerced)
        sources = [
            [(name, repr(source.value), str(source.signature.type)) for name, source in each.sources.items()]
            for each in (ours, theirs)
        ]
        assert sources[0] == sources[1]
