"""Which engine executes what, and what it costs when it takes two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import strawberry

from domain.errors import NotFound
from domain.metering import EXECUTIONS
from graph.execution import Operations
from graph.operations import Asked
from tests.graph.asking import Asking, asking

__all__ = ["asking"]


@strawberry.type
class Thing:
    name: str = "thing"

    @strawberry.field
    async def broken(self) -> str:
        raise NotFound("There is no such thing.")


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing | None]:
        return [Thing() for _ in range(10)]

    @strawberry.field
    def missing(self) -> Thing | None:
        return None


@strawberry.type
class Mutation:
    changes = 0

    @strawberry.mutation
    async def change(self) -> Thing | None:
        Mutation.changes += 1
        return Thing()


OWN = strawberry.Schema(query=Query, mutation=Mutation)


class Executions:
    """How many more there were, by engine."""

    def __init__(self) -> None:
        self._before = self._now()

    @staticmethod
    def _now() -> dict[str, float]:
        return {str((each.attributes or {})["graphql.engine"]): each.value for each in EXECUTIONS.observe(None)}  # type: ignore[arg-type]

    def since(self) -> dict[str, float]:
        return {engine: more for engine, now in self._now().items() if (more := now - self._before.get(engine, 0))}


@pytest.fixture
def executions() -> Executions:
    return Executions()


async def answered(operations: Operations, asking: Asking, text: str) -> Any:
    result = await operations.result(await operations.prepare(Asked(text), asking.caller))
    return result.body()


async def test_queries_are_executed_by_plans(asking: Asking, executions: Executions) -> None:
    said = await answered(Operations(OWN, asking.services), asking, "{ things { name } missing { name } }")
    assert said["data"] == {"things": [{"name": "thing"}] * 10, "missing": None}
    assert executions.since() == {"plan": 1}


async def test_without_the_setting_graphql_core_executes_everything(asking: Asking, executions: Executions) -> None:
    services = replace(asking.services, policy=replace(asking.services.policy, compile_queries=False))
    said = await answered(Operations(OWN, services), asking, "{ things { name } }")
    assert said["data"] == {"things": [{"name": "thing"}] * 10}
    assert executions.since() == {"core": 1}


async def test_a_null_that_propagates_takes_both_and_its_whole_price(asking: Asking, executions: Executions) -> None:
    operations = Operations(OWN, asking.services)
    said = await answered(operations, asking, "{ things { name broken } }")
    assert said["data"] == {"things": [None] * 10}
    assert [error["path"] for error in said["errors"]] == [["things", number, "broken"] for number in range(10)]
    assert executions.since() == {"core again": 1}
    cost = said["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (10, 10)
    without = (await answered(operations, asking, "{ things { name } missing { broken } }"))["extensions"]["cost"]
    assert (without["requestedQueryCost"], without["actualQueryCost"]) == (11, 10)


async def test_a_change_is_made_once_whatever_becomes_of_its_payload(asking: Asking, executions: Executions) -> None:
    Mutation.changes = 0
    said = await answered(Operations(OWN, asking.services), asking, "mutation { change { name broken } }")
    assert said["data"] == {"change": None}
    assert said["errors"][0]["path"] == ["change", "broken"]
    assert Mutation.changes == 1
    assert executions.since() == {"core": 1}
