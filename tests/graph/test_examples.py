"""The operations that the docs offer, and the starter tabs of GraphiQL, are valid against the schema as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.graphql"))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_valid(schema: GraphQLSchema, path: Path) -> None:
    assert validate(schema, parse(path.read_text())) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 16


def test_the_readmes_operations_are_valid(schema: GraphQLSchema) -> None:
    operations = re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert operations
    assert [error for each in operations for error in validate(schema, parse(each))] == []
