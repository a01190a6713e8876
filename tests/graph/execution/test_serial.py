"""Changes are made one after another and each once, and events are executed, by plans as graphql-core does both."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
import strawberry
from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from domain.errors import NotFound
from graph import costs
from graph.execution import Operations
from graph.operations import Asked
from tests.graph.asking import Asking, asking

from .comparing import abandoning, by_core, by_plan, same
from .generated import Generated
from .test_engine import Executions, executions, new

__all__ = ["asking", "executions"]


# The order of changes


def said(name: str, *, nullable: bool = True, pauses: int = 0, fails: bool = False) -> GraphQLField:
    """Says in the context when it begins and when it ends, and gives itself to what is below."""

    def ended(info: Any) -> str:
        info.context.append(f"{info.path.as_list()} ends")
        if fails:
            raise GraphQLError(f"{name} fails")
        return name

    async def later(_: Any, info: Any) -> str:
        info.context.append(f"{info.path.as_list()} begins")
        for _ in range(pauses):
            await asyncio.sleep(0)
        return ended(info)

    def at_once(_: Any, info: Any) -> str:
        info.context.append(f"{info.path.as_list()} begins")
        return ended(info)

    resolve = later if pauses else at_once
    return GraphQLField(GraphQLString if nullable else GraphQLNonNull(GraphQLString), resolve=resolve)


INNER = {
    "now": said("now"),
    "slow": said("slow", pauses=5),
    "broken": said("broken", fails=True),
    "lost": said("lost", nullable=False, fails=True),
    "slowlyBroken": said("slowlyBroken", pauses=3, fails=True),
    "slowlyLost": said("slowlyLost", nullable=False, pauses=3, fails=True),
}
PAYLOAD = GraphQLObjectType("Payload", INNER)


def change(of: Any, *, pauses: int = 0, value: Any = 1) -> GraphQLField:
    def at_once(_: Any, info: Any) -> Any:
        info.context.append(f"{info.path.as_list()} is made")
        return value

    async def later(source: Any, info: Any) -> Any:
        await asyncio.sleep(0)
        return at_once(source, info)

    return GraphQLField(of, resolve=later if pauses else at_once)


MUTATION = GraphQLObjectType(
    "Mutation",
    {
        "change": change(PAYLOAD),
        "needed": change(GraphQLNonNull(PAYLOAD)),
        "late": change(PAYLOAD, pauses=1),
        "lateNeeded": change(GraphQLNonNull(PAYLOAD), pauses=1),
        "several": change(GraphQLNonNull(GraphQLList(GraphQLNonNull(PAYLOAD))), value=[1, 2]),
        "number": change(GraphQLNonNull(GraphQLInt), value=7),
        "noNumber": change(GraphQLInt, value="seven"),
        "missing": change(GraphQLNonNull(GraphQLInt), pauses=1, value=None),
    },
)
SCHEMA = GraphQLSchema(GraphQLObjectType("Query", {"nothing": GraphQLField(GraphQLString)}), MUTATION)

CHANGES = [
    "a: change { slow now } b: late { slow } __typename c: number d: change { now }",
    "a: late { slow } b: change { slow } c: late { now slow }",
    "a: change { broken slowlyBroken } b: late { slowlyBroken broken slow } c: number",
    "a: change { slow lost } b: change { now }",
    "a: late { slowlyLost broken } b: number c: change { slowlyLost }",
    "a: number b: needed { lost } c: number",
    "a: late { slow } b: needed { lost } c: late { slow } d: number",
    "a: change { broken } b: lateNeeded { slowlyLost } c: number",
    "a: change { broken } b: lateNeeded { now } c: needed { slow slowlyLost } d: number",
    "a: missing b: number",
    "a: number b: missing c: number",
    "a: several { slow now } b: several { now }",
    "a: several { now slowlyLost } b: number",
    "a: noNumber b: noNumber c: number",
    "a: noNumber b: late { broken } c: noNumber d: change { slowlyBroken broken } e: missing f: number",
    "a: change { now } ...More c: number } fragment More on Mutation { a: change { slow } b: late { broken }",
    "a: change @skip(if: true) { now } b: late @include(if: true) { slow } b: late { broken }",
]


def made(log: list[str]) -> list[str]:
    return [each for each in log if each.endswith("made")]


@pytest.mark.parametrize("fields", CHANGES)
async def test_both_engines_make_the_same_changes_and_say_the_same_of_them(fields: str) -> None:
    generated = Generated(f"mutation {{ {fields} }}", {}, None)
    mine, theirs = list[str](), list[str]()
    with abandoning():
        answer, other = await by_plan(SCHEMA, generated, mine), await by_core(SCHEMA, generated, theirs)
    assert answer is not None
    same(answer, other, generated)
    assert [error.path for error in answer[1]] == [error.path for error in other[1]]
    assert made(mine) == made(theirs)
    assert len(set(made(mine))) == len(made(mine))


@pytest.mark.parametrize("fields", CHANGES)
async def test_nothing_begins_before_what_stands_before_it_is_complete(fields: str) -> None:
    log = list[str]()
    await by_plan(SCHEMA, Generated(f"mutation {{ {fields} }}", {}, None), log)
    changes = [each.partition("'")[2][0] for each in log]
    assert changes == sorted(changes)
    assert len([each for each in log if each.endswith("begins")]) == len([each for each in log if each.endswith("ends")])


async def test_after_a_null_that_takes_everything_with_it_nothing_is_changed() -> None:
    log = list[str]()
    answer = await by_plan(SCHEMA, Generated("mutation { a: needed { now lost slow } b: number }", {}, None), log)
    assert answer is not None
    assert answer[0] is None
    assert made(log) == ["['a'] is made"]
    assert log[-1] == "['a', 'slow'] ends"


async def test_what_needs_no_waiting_is_answered_at_once() -> None:
    log = list[str]()
    coming = by_plan(SCHEMA, Generated("mutation { a: number b: change { now } }", {}, None), log)
    with pytest.raises(StopIteration) as answered:
        coming.send(None)
    assert answered.value.value == ({"a": 7, "b": {"now": "now"}}, [])


async def test_whoever_stops_waiting_stops_the_change_and_those_behind_it() -> None:
    begun, log = asyncio.Event(), list[str]()

    async def endless(_: Any, info: Any) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            log.append("stopped")

    text = GraphQLString
    stopping = GraphQLObjectType("Stopping", {"endless": GraphQLField(text, resolve=endless), "slow": INNER["slow"]})
    fields = {"first": change(stopping), "second": change(GraphQLInt)}
    schema = GraphQLSchema(SCHEMA.query_type, GraphQLObjectType("Mutation", fields))
    generated = Generated("mutation { first { endless slow } second }", {}, None)
    running = asyncio.ensure_future(by_plan(schema, generated, log))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert made(log) == ["['first'] is made"]
    assert log[-1] == "stopped"
    with warnings.catch_warnings(record=True) as warned:
        gc.collect()
    assert not warned


# What Strawberry resolves, and what it costs


@strawberry.type
class Thing:
    name: str

    @strawberry.field
    async def needed(self) -> str:
        raise NotFound("There is no such thing.")

    @strawberry.field
    def parts(self, count: int = 2) -> list[Thing]:
        return [Thing(name=f"{self.name}{number}") for number in range(count)]

    @strawberry.field
    async def slow(self, fails: bool = False) -> str | None:
        await asyncio.sleep(0)
        if fails:
            raise NotFound("It is gone.")
        return self.name


@strawberry.type
class Query:
    nothing: int | None = None


@strawberry.type
class Mutation:
    made = 0

    @strawberry.mutation(directives=[costs.Cost(weight="10")])
    def change(self) -> Thing | None:
        Mutation.made += 1
        return Thing(name="changed")

    @strawberry.mutation(directives=[costs.Cost(weight="10")])
    def count(self) -> int:
        Mutation.made += 1
        return "many"  # type: ignore[return-value]  # that is what is wrong with it

    @strawberry.mutation(directives=[costs.Cost(weight="10")])
    def add(self, number: int) -> int:
        Mutation.made += number
        return Mutation.made


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def things(self, count: int = 3) -> AsyncGenerator[Thing, None]:
        for number in range(count):
            yield Thing(name=f"{number}")

    @strawberry.subscription
    async def maybe(self) -> AsyncGenerator[Thing | None, None]:
        for event in (None, Thing(name="x"), 17, Thing(name=[]), ValueError("told"), None):  # type: ignore[arg-type]
            yield cast(Any, event)

    @strawberry.subscription
    async def numbers(self) -> AsyncGenerator[int, None]:
        for number in (1, 2, "three", None, 5):
            yield cast(Any, number)


OWN = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
costs.declare(OWN._schema)


def both(asking: Asking) -> tuple[Operations, Operations]:
    """One that makes plans, and one that makes none."""
    policy = replace(asking.services.policy, compile_queries=False)
    return Operations(OWN, asking.services), Operations(OWN, replace(asking.services, policy=policy))


async def answered(operations: Operations, asking: Asking, text: str, **variables: Any) -> Any:
    prepared = await operations.prepare(Asked(text, variables=variables), asking.caller)
    body = (await operations.result(prepared)).body()
    if "extensions" in body:
        del body["extensions"]["cost"]["throttleStatus"]
    return body


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("mutation { change { name } }", 1),
        ("mutation { a: change { name parts { name parts(count: 3) { name } } } b: change { slow } }", 2),
        ("mutation { a: change { parts { needed } } b: change { name parts { slow } } }", 2),
        ("mutation { a: change { name slow(fails: true) } c: change { name needed } }", 2),
        ("mutation { add(number: 3) a: change { name } }", 4),
        ("mutation { a: change { name } b: count c: change { name } }", 2),
    ],
)
async def test_a_change_is_made_once_and_costs_the_same_by_both_engines(asking: Asking, text: str, writes: int) -> None:
    by_plan, by_core = both(asking)
    text = new(text)
    answers = []
    for operations in (by_plan, by_plan, by_core):
        Mutation.made = 0
        answers.append(await answered(operations, asking, text))
        assert Mutation.made == writes
    assert answers[1] == answers[2] == answers[0]


async def test_variables_are_refused_before_anything_is_changed(asking: Asking, executions: Executions) -> None:
    operations, text, Mutation.made = both(asking)[0], new("mutation ($n: Int!) { add(number: $n) change { name } }"), 0
    await answered(operations, asking, text, n=1)
    assert (await answered(operations, asking, text, n=2))["data"]["add"] == 4
    with pytest.raises(Exception, match="Int") as refused:
        await answered(operations, asking, text, n="two")
    assert "Rejected" in type(refused.value).__name__
    assert Mutation.made == 5
    assert executions.since() == {"core": 1, "plan": 1}


# Events


async def told(operations: Operations, asking: Asking, text: str, **variables: Any) -> list[Any]:
    prepared = await operations.prepare(Asked(text, variables=variables), asking.caller)
    async with aclosing(operations.results(prepared)) as events:
        bodies = [orjson.loads(event.body) async for event in events]
    for error in (each for body in bodies for each in body.get("errors", ())):
        error["extensions"].pop("traceId", None)  # it is another each time
    return bodies


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (
            "subscription { things(count: 4) { name slow parts { name ...More } } } fragment More on Thing { slow __typename }",
            4,
        ),
        ("subscription ($skip: Boolean = true) { all: things { name slow(fails: true) @skip(if: $skip) } }", 3),
        ("subscription { things { slow(fails: true) parts { name needed } } }", 3),
        ("subscription { maybe { name slow } }", 6),
        ("subscription { numbers }", 5),
    ],
)
async def test_events_are_executed_by_plans_as_graphql_core_does_it(
    asking: Asking, executions: Executions, text: str, count: int
) -> None:
    by_plan, by_core = both(asking)
    text = new(text)
    mine = await told(by_plan, asking, text)
    assert len(mine) == count
    assert executions.since() == {"core": 1, "plan": count - 1}
    assert await told(by_core, asking, text) == mine
    assert executions.since() == {"core": count + 1, "plan": count - 1}
    assert await told(by_plan, asking, text) == mine
    assert executions.since() == {"core": count + 1, "plan": 2 * count - 1}


async def test_each_event_is_read_with_a_context_of_its_own(asking: Asking) -> None:
    seen = list[Any]()

    async def subscribe(_: Any, info: Any, plus: int) -> AsyncGenerator[Any, None]:
        seen.append(info.context)
        for number in range(3):
            yield SimpleNamespace(number=number)

    def resolve(event: Any, info: Any, plus: int) -> int:
        seen.append(info.context)
        assert info.root_value is event
        return cast(int, event.number + plus)

    base = strawberry.Schema(query=Query, subscription=Subscription)
    assert base._schema.subscription_type is not None
    field = base._schema.subscription_type.fields["things"]
    field.type, field.subscribe, field.resolve, field.extensions = GraphQLInt, subscribe, resolve, {}
    field.args["plus"] = field.args.pop("count")
    operations = Operations(base, asking.services)
    said = await told(operations, asking, "subscription ($plus: Int!) { things(plus: $plus) }", plus=5)
    assert said == [{"data": {"things": number}} for number in (5, 6, 7)]
    assert len(set(map(id, seen))) == 4
