"""Which engine executes what, and what it costs when it takes two."""

from __future__ import annotations

import gc
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import strawberry
from graphql import parse
from graphql.execution.values import VariableValues

from domain.errors import NotFound
from domain.metering import EXECUTIONS
from graph.execution import Operations
from graph.execution.plans import Kept, Plans
from graph.operations import Asked, Document, documents_of
from tests.graph.asking import Asking, asking

__all__ = ["asking"]

NOTHING = VariableValues({}, {})
_numbers = count()


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


def new(text: str) -> str:
    """A text that nobody sent yet: what was sent is known for as long as the schema is."""
    return text + " " * next(_numbers)


async def answered(operations: Operations, asking: Asking, text: str) -> Any:
    result = await operations.result(await operations.prepare(Asked(text), asking.caller))
    return result.body()


async def test_what_comes_again_is_executed_by_plans(asking: Asking, executions: Executions) -> None:
    operations, text = Operations(OWN, asking.services), new("{ things { name } missing { name } }")
    for engine in ({"core": 1}, {"core": 1, "plan": 1}, {"core": 1, "plan": 2}):
        said = await answered(operations, asking, text)
        assert said["data"] == {"things": [{"name": "thing"}] * 10, "missing": None}
        assert executions.since() == engine


async def test_without_the_setting_graphql_core_executes_everything(asking: Asking, executions: Executions) -> None:
    services = replace(asking.services, policy=replace(asking.services.policy, compile_queries=False))
    operations = Operations(OWN, services)
    for _ in range(2):
        said = await answered(operations, asking, "{ things { name } }")
        assert said["data"] == {"things": [{"name": "thing"}] * 10}
    assert executions.since() == {"core": 2}


async def test_a_null_that_spreads_is_executed_once(asking: Asking, executions: Executions) -> None:
    operations, text = Operations(OWN, asking.services), new("{ things { name broken } }")
    await answered(operations, asking, text)
    said = await answered(operations, asking, text)
    assert said["data"] == {"things": [None] * 10}
    assert [error["path"] for error in said["errors"]] == [["things", number, "broken"] for number in range(10)]
    assert executions.since() == {"core": 1, "plan": 1}
    cost = said["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (10, 10)


async def test_nothing_of_an_answer_is_left_to_the_collector(asking: Asking) -> None:
    text = "query ($slug: String!) { workspace(slug: $slug) { name profiles { id name } sites { nodes { name } } viewerRole } }"
    for _ in range(3):
        await asking.ask(text, slug=asking.workspace)
    gc.collect()
    gc.disable()
    try:
        gc.set_debug(gc.DEBUG_SAVEALL)
        await asking.ask(text, slug=asking.workspace)
        gc.collect()
        left = [each for each in map(type, gc.garbage) if each.__module__.startswith(("graph.", "domain."))]
        assert left == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def test_a_change_is_made_once_whatever_becomes_of_its_payload(asking: Asking, executions: Executions) -> None:
    Mutation.changes = 0
    operations = Operations(OWN, asking.services)
    for number in (1, 2):
        said = await answered(operations, asking, "mutation { change { name broken } }")
        assert said["data"] == {"change": None}
        assert said["errors"][0]["path"] == ["change", "broken"]
        assert Mutation.changes == number
    assert executions.since() == {"core": 1, "plan": 1}


def document(text: str) -> Document:
    found = documents_of(OWN._schema).prepare(text, stranger=False, keep=False)
    assert not found.errors
    return found


def test_plans_are_kept_up_to_a_size_those_used_last() -> None:
    several = [document(f"{{ a{number}: things {{ name }} }}") for number in range(10)]
    kept = Kept(OWN._schema, most=5 * (several[0].size + 4))
    for each in several:
        assert kept.of(each, None) is None
        plans = kept.of(each, None)
        assert plans is not None
        plans.get(NOTHING)
        kept.used(plans, each)
    sizes = [plans.size if (plans := kept.of(each, None)) else None for each in several]
    assert sizes == [0] * 5 + [4] * 5
    assert kept.size == 5 * (several[0].size + 4)


def test_a_fragment_is_compiled_once_however_often_it_is_spread() -> None:
    spreads = " ".join(f"a{number}: things {{ ...Part }}" for number in range(50))
    plans = Plans(OWN._schema, parse(f"{{ {spreads} }} fragment Part on Thing {{ name broken }}"))
    plans.get(NOTHING)
    assert plans.size == (1 + 50) + (1 + 2)
