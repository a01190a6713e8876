"""The API that the code has is the one that was committed, all of it is described, and it keeps its manners."""

from __future__ import annotations

import difflib
from importlib import import_module

import pytest
from graphql import GraphQLSchema, build_schema

from .code import ROOT
from .schema_rules import crooked_mutations, strange_problems, undescribed


@pytest.fixture(scope="module")
def printed() -> str:
    text: str = import_module("graph.schema").schema.as_str()
    return text.rstrip() + "\n"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    core: GraphQLSchema = import_module("graph.schema").schema._schema
    return core


def test_the_committed_schema_is_what_the_code_says(printed: str) -> None:
    committed = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    changes = difflib.unified_diff(committed.splitlines(), printed.splitlines(), "schema.graphql", "the code", lineterm="")
    assert list(changes) == [], "`make schema` writes it anew"


def test_everything_in_the_schema_is_described(schema: GraphQLSchema) -> None:
    assert list(undescribed(schema)) == []


def test_every_mutation_takes_one_input_and_answers_with_its_payload_or_a_problem(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    assert list(crooked_mutations(schema)) == []


def test_there_are_five_kinds_of_refusal(schema: GraphQLSchema) -> None:
    assert list(strange_problems(schema)) == []


def test_what_is_not_described_is_seen() -> None:
    faults = undescribed(
        build_schema("""
            "The root." type Query { "Found." site("Which." id: ID!, deep: Int): Color  bare: Filter }
            enum Color { RED "Described." BLUE }
            "A filter." input Filter { name: String }
            "A thing." interface Thing { size: Int }
            scalar Cursor
        """)
    )
    assert sorted(faults) == [
        "Color has no description",
        "Color.RED has no description",
        "Cursor has no description",
        "Filter.name has no description",
        "Query.bare has no description",
        "Query.site(deep:) has no description",
        "Thing.size has no description",
    ]


def test_a_crooked_mutation_is_seen() -> None:
    faults = crooked_mutations(
        build_schema("""
            type Query { ok: Int }
            input In { x: Int }
            interface Problem { message: String }
            type NotFound implements Problem { message: String }
            type Payload { ok: Int }
            type Other { ok: Int }
            union Fine = Payload | NotFound
            union Sure = Payload
            union Two = Payload | Other | NotFound
            type Mutation {
              fine(input: In!): Fine!
              bare(input: In!): Payload!
              many(input: [In!]!): Fine!
              optional(input: In): Fine
              two(input: In!, more: Int): Two!
              named(id: ID!): Fine!
              sure(input: In!): Sure!
              list(input: In!): [Fine!]!
            }
        """)
    )
    assert sorted(faults) == [
        "bare must answer with a union",
        "list must answer with a union",
        "many(input:) must be a required input object",
        "named must take exactly one argument, input",
        "optional(input:) must be a required input object",
        "sure must be able to answer with a Problem",
        "two must have exactly one payload",
        "two must take exactly one argument, input",
    ]


def test_a_sixth_problem_and_a_false_one_are_seen() -> None:
    faults = strange_problems(
        build_schema("""
            type Query { ok: Int }
            interface Problem { message: String }
            type NotFound implements Problem { message: String }
            type Conflict { message: String }
            type Surprise implements Problem { message: String }
        """)
    )
    assert sorted(faults) == ["Conflict must implement Problem", "Surprise is a Problem and none of the five"]
