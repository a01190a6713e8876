"""Any mutation, asked with everything that a refusal can say; and what the tables hold afterwards."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLNonNull, GraphQLUnionType
from sqlalchemy import text

from graph.schema import schema
from tests.databases import everybodys
from tests.graph.asking import Asking

REFUSALS = {
    "InvalidInput": "fields { path code message }",
    "NotFound": "id",
    "NotAllowed": "permission",
    "Conflict": "existing { __typename id }",
    "LimitReached": "limit retryAt",
}


def asked(mutation: str, payload: str = "") -> str:
    """The mutation's text; `payload` is what is read of its payload."""
    assert schema._schema.mutation_type is not None
    result = schema._schema.mutation_type.fields[mutation].type
    assert isinstance(result, GraphQLNonNull)
    assert isinstance(result.of_type, GraphQLUnionType)
    name = mutation[0].upper() + mutation[1:]
    fields = {f"{name}Payload": payload or "__typename", **REFUSALS}
    parts = [f"... on {member.name} {{ {fields[member.name]} }}" for member in result.of_type.types]
    read = f"__typename ... on Problem {{ message code }} {' '.join(parts)}"
    return f"mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ {read} }} }}"


async def change(asking: Asking, mutation: str, payload: str = "", **input: Any) -> Any:
    return (await asking.ask(asked(mutation, payload), input=input))[mutation]


def faults(answer: Any) -> list[tuple[list[str], str]]:
    assert answer["__typename"] == "InvalidInput", answer
    return [(fault["path"], fault["code"]) for fault in answer["fields"]]


async def rows(asking: Asking, *tables: str) -> list[int]:
    async with everybodys(asking.database) as connection:
        return [(await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables]


async def profiles(asking: Asking) -> list[Any]:
    """The workspace's, oldest first."""
    read = "id name version engine formFactor runs throttling { method rttMs throughputKbps cpuSlowdown }"
    answer = await asking.ask(f'{{ workspace(slug: "acme") {{ profiles {{ {read} }} }} }}')
    found: list[Any] = answer["workspace"]["profiles"]
    return found
