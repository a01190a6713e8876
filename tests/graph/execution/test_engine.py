"""Which engine executes what, and what it costs when it takes two."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest
import strawberry
from graphql import GraphQLError, parse
from graphql.execution.values import VariableValues

from domain.errors import NotFound
from domain.metering import EXECUTIONS
from graph.execution import Operations
from graph.execution.looks import EACH, Looks
from graph.execution.plans import Kept, Plans
from graph.execution.prepared import Prepared
from graph.execution.results import Said
from graph.operations import Asked, Document, Rejected, documents_of
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


async def answered(operations: Operations, asking: Asking, text: str, **variables: Any) -> Any:
    result = await operations.result(await operations.prepare(Asked(text, variables=variables), asking.caller))
    return result.body()


async def of_look(operations: Operations, asking: Asking, name: str) -> Prepared:
    return await operations.prepare(Asked(f'{{ __type(name: "{name}") {{ name }} }}'), asking.caller)


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


async def test_a_look_at_the_schema_is_executed_once_for_each_of_its_variables(asking: Asking, executions: Executions) -> None:
    operations = Operations(OWN, asking.services)
    text = "query ($name: String!, $no: Boolean = false) { __type(name: $name) { name } __typename @skip(if: $no) }"
    found = [
        await answered(operations, asking, text, name=name, **more)
        for name, more in (("Thing", {}), ("Thing", {}), ("Query", {}), ("Thing", {"no": True}), ("Thing", {}))
    ]
    first, *_ = data = [said["data"] for said in found]
    assert first == {"__type": {"name": "Thing"}, "__typename": "Query"}
    assert data == [first, first, {**first, "__type": {"name": "Query"}}, {"__type": {"name": "Thing"}}, first]
    costs = [said["extensions"]["cost"]["actualQueryCost"] for said in found]
    assert costs == [2, 2, 2, 1, 2]
    assert sum(executions.since().values()) == 3
    for _ in range(2):
        assert (await answered(operations, asking, "{ __schema { types { name } } things { name } }"))["data"]["things"]
    assert sum(executions.since().values()) == 5, "what else is in it may be another thing each time"


async def test_looks_are_kept_up_to_a_size_those_used_last(asking: Asking) -> None:
    said = Said({"a": 1, "b": 2}, None)
    size = EACH + len('{"a":1,"b":2}') + len("{}")
    looks = Looks(most=3 * size - 1)
    operations = Operations(OWN, asking.services)
    several = [await of_look(operations, asking, name) for name in ("Query", "Thing", "Other")]
    for each in several:
        assert looks.keep(each, said) == said._replace(things=2)
        assert looks.known(several[0]) is not None
    assert [looks.known(each) is not None for each in several] == [True, False, True]
    assert looks.size == 2 * size
    assert looks.keep(several[1], said._replace(errors=[GraphQLError("broken")])).things is None
    assert looks.keep(several[1], Said({str(number): number for number in range(99)}, None)).things == 99
    assert (looks.size, looks.known(several[1])) == (0, None), "what is greater than all that is kept is not kept"


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("query ($no: Boolean!) { __schema @skip(if: $no) { queryType { name } } }", {"no": True}),
        ('query { __type(name: "Thing") { name } }', {"more": "much " * 100}),
        (f'query {"Long" * 100} {{ __type(name: "Thing") {{ name }} }}', {}),
        (f'{{ {"long" * 100}: __type(name: "Thing") {{ name }} }}', {}),
    ],
)
async def test_looks_that_say_little_have_their_size_too(asking: Asking, text: str, variables: dict[str, Any]) -> None:
    operations, looks = Operations(OWN, asking.services), Looks(most=2_000)
    several = [await operations.prepare(Asked(text, variables={**variables, "n": n}), asking.caller) for n in range(50)]
    for each in several:
        said = operations._engine.execute(each)
        assert isinstance(said, Said)
        looks.keep(each, said)
    kept = sum(looks.known(each) is not None for each in several)
    assert 1 <= kept <= 2_000 / max(EACH, len(text) - 50, len(str(variables)))
    assert looks.known(several[-1]) is not None


async def test_a_look_with_variables_too_deep_to_be_written_is_answered_or_refused(asking: Asking) -> None:
    operations, deep = Operations(OWN, asking.services), orjson.loads("[" * 500 + "]" * 500)
    text = 'query ($name: String = "Thing") { __type(name: $name) { name } }'
    for _ in range(2):
        assert (await answered(operations, asking, text, more=deep))["data"] == {"__type": {"name": "Thing"}}
        with pytest.raises(Rejected, match="Variable '\\$name' has invalid value"):
            await answered(operations, asking, text, name=deep)


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
    operations, text = Operations(OWN, asking.services), new("mutation { change { name broken } }")
    for number in (1, 2):
        said = await answered(operations, asking, text)
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


def test_of_a_document_with_many_operations_little_is_kept_for_each() -> None:
    one = "query q{0} {{ things {{ ...f{0} }} }} fragment f{0} on Thing {{ name }}"
    whole = document(" ".join(one.format(number) for number in range(200)))
    kept = Kept(OWN._schema, most=whole.size)
    tracemalloc.start()
    try:
        for each in whole.operations:
            kept.of(whole, each.name)
            plans = kept.of(whole, each.name)
            assert plans is not None
            plans.get(NOTHING)
            kept.used(plans, whole)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 200 * whole.size, "bytes for each of its tokens"
    finally:
        tracemalloc.stop()


def test_a_fragment_is_compiled_once_however_often_it_is_spread() -> None:
    spreads = " ".join(f"a{number}: things {{ ...Part }}" for number in range(50))
    plans = Plans(OWN._schema, parse(f"{{ {spreads} }} fragment Part on Thing {{ name broken }}"))
    plans.get(NOTHING)
    assert plans.size == (1 + 50) + (1 + 2)
