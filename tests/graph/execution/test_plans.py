"""Plans say what graphql-core says, of operations that nobody thought of."""

from __future__ import annotations

import asyncio
import gc
import os
import traceback
import warnings
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    OperationType,
    parse,
)
from graphql.execution import Executor
from graphql.execution.values import VariableValues, VariableValueSource
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.ids import Kind
from graph.execution import Operations
from graph.execution.plans import Plans, Run
from graph.execution.plans.plan import MAX_VARIANTS
from graph.operations import Asked, Rejected
from graph.schema import schema
from tests.graph.asking import Asking, asking
from tests.graph.filled import Sizes, fill

from .comparing import Everything, abandoning, alike, by_core, by_plan, shown
from .generated import Generated, operations
from .torture import CHANGING, SCHEMA, VALUES, Context

__all__ = ["asking"]

SEEDS = st.integers(0, 2**32)
EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
"""How many `make fuzz` asks for: other ones each time. The tests draw the same each time."""

NOTHING = VariableValues({}, {})


def drawn(examples: int, of: GraphQLSchema = SCHEMA, **options: Any) -> list[tuple[Generated, int]]:
    found: list[tuple[Generated, int]] = []

    @settings(
        max_examples=examples,
        database=None,
        derandomize=not EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operations(of, values=VALUES, **options), SEEDS)
    def collect(generated: Generated, seed: int) -> None:
        found.append((generated, seed))

    collect()
    return found


async def compiled(
    drawn: Sequence[tuple[Generated, int]], trouble: float, of: GraphQLSchema = SCHEMA, *, covered: bool = True
) -> float:
    """Which share of them plans executed, all as graphql-core does it; `covered`: all of them."""
    contexts = [tuple(Context(seed, trouble) for _ in range(3)) for _, seed in drawn]
    ours = [await by_plan(of, each, one) for (each, _), (one, *_) in zip(drawn, contexts, strict=True)]
    for mine in ours:
        for error in mine[1] if mine else ():
            error.with_traceback(None)
            if error.original_error is not None:
                error.original_error.with_traceback(None)
    gc.collect()  # a coroutine that was not awaited says so now, and that is an error
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with abandoning():
        for number, ((generated, _), mine, (one, other, third)) in enumerate(zip(drawn, ours, contexts, strict=True)):
            if number % 200 == 0:
                gc.collect()
            if mine is None:
                assert not covered, shown(generated)
                continue
            theirs = await by_core(of, generated, other)
            alike(mine, theirs, await by_core(of, generated, third, Everything), generated)
            assert theirs[1] or one.calls == other.calls, shown(generated)
            assert changes(one) == changes(other), shown(generated)
        del theirs
    return 1 - ours.count(None) / len(ours)


def changes(context: Context) -> dict[str, int]:
    return {name: calls for name, calls in context.calls.items() if name.startswith("Mutation.")}


async def test_without_errors_everything_is_executed_by_plans_as_graphql_core_does_it() -> None:
    assert await compiled(drawn(40), 0.0) == 1.0


async def test_errors_are_those_of_graphql_core_and_nothing_is_left_behind() -> None:
    assert await compiled(drawn(40), 0.03) == 1.0


@pytest.mark.parametrize("trouble", [0.0, 0.1])
async def test_changes_are_made_as_graphql_core_makes_them_and_no_more_of_them(trouble: float) -> None:
    assert await compiled(drawn(30, CHANGING, kind=OperationType.MUTATION), trouble, CHANGING) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [0.0, 0.02, 0.2])
async def test_many_more_changes_are_made_as_graphql_core_makes_them(trouble: float) -> None:
    assert await compiled(drawn(EXAMPLES or 500, CHANGING, kind=OperationType.MUTATION), trouble, CHANGING) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [0.0, 0.02, 0.2])
async def test_plans_say_what_graphql_core_says_of_many_more(trouble: float) -> None:
    assert await compiled(drawn(EXAMPLES or 1_000), trouble) == 1.0


async def test_a_null_where_only_a_default_keeps_it_out_is_left_to_graphql_core() -> None:
    assert await compiled(drawn(40, mistaken=True, size=20), 0.0, covered=False) > 0.2


# Pacemark's own schema


def of_pacemark(examples: int, ids: Iterable[str]) -> list[Generated]:
    found: list[Generated] = []
    values = {"ID": st.sampled_from([*ids, "nonsense"]), "Workspace.sites(first)": st.integers(0, 3)}

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operations(schema._schema, values=values, introspection=True, size=30))
    def collect(generated: Generated) -> None:
        if "rateLimit" not in generated.text:  # it tells the time
            found.append(generated)

    collect()
    return found


async def answered(operations: Operations, asking: Asking, generated: Generated) -> Any:
    asked = Asked(generated.text, operation_name=generated.operation_name, variables=generated.variables)
    try:
        return (await operations.result(await operations.prepare(asked, asking.caller))).body(cost=False)
    except Rejected as refused:
        return refused.body


async def test_operations_of_our_own_schema_are_answered_alike_by_both_engines(asking: Asking) -> None:
    filled = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=2, pages=2, runs=1))
    ids = [id for kind in Kind if kind in filled.ids for id in filled.readable(kind)]
    policy = replace(asking.services.policy, compile_queries=False)
    by_core = Operations(schema, replace(asking.services, policy=policy))
    answers = 0
    for generated in of_pacemark(120, [*ids, asking.workspace]):
        await answered(asking.operations, asking, generated)  # who comes again has a plan
        mine = await answered(asking.operations, asking, generated)
        theirs = await answered(by_core, asking, generated)
        assert list(mine) == list(theirs), shown(generated)
        assert repr(mine.get("data")) == repr(theirs.get("data")), shown(generated)
        errors = [sorted(repr({**each, "extensions": {}}) for each in said.get("errors", ())) for said in (mine, theirs)]
        assert errors[0] == errors[1], shown(generated)
        answers += "errors" not in mine
    assert answers > 20


# What plans are, and what they leave


def plans(text: str, of: GraphQLSchema = SCHEMA) -> Plans:
    return Plans(of, parse(text))


def test_what_is_deferred_has_no_plan() -> None:
    assert plans("{ __typename ... @defer { __typename } }").get(NOTHING) is None
    assert plans("{ __typename }").get(NOTHING) is not None


def test_each_way_of_skipping_has_a_plan_of_its_own_up_to_a_bound() -> None:
    names = [f"v{number}" for number in range(3)]
    heads = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"f{name}: __typename @include(if: ${name})" for name in names)
    several = plans(f"query ({heads}) {{ {fields} }}")
    given = [VariableValues(dict.fromkeys(names), {name: bool(n >> i & 1) for i, name in enumerate(names)}) for n in range(8)]
    made = [several.get(each) for each in given]
    assert sum(each is not None for each in made) == MAX_VARIANTS
    assert several.get(given[0]) is made[0]


def test_a_plan_holds_nothing_of_whoever_asked_first() -> None:
    class Secret:
        pass

    secret = Secret()
    sources = {name: VariableValueSource(None) for name in ("if", "secret")}  # type: ignore[arg-type]  # nobody reads them
    given = VariableValues(sources, {"if": True, "secret": secret})
    kept = plans("query ($if: Boolean!, $secret: String) { nodes: __typename @include(if: $if) }").get(given)
    gone = weakref.ref(secret)
    del given, secret
    gc.collect()
    assert kept is not None
    assert gone() is None


def test_texts_reach_the_code_as_literals_only() -> None:
    plan = plans("{ __typename, a_1: __typename }").get(NOTHING)
    assert plan is not None
    assert plan.root.source == (
        "def read(sources):\n    return [{'__typename': 'Query', 'a_1': 'Query'} for source in sources]\n"
    )


@pytest.mark.parametrize("type", [GraphQLString, GraphQLObjectType("Thing", {"name": GraphQLField(GraphQLString)})], ids=str)
def test_an_error_that_is_that_of_many_values_has_no_longer_a_traceback_for_that(type: GraphQLOutputType) -> None:
    shared = RuntimeError("broken")
    try:
        raise shared
    except RuntimeError:
        pass
    small = GraphQLSchema(
        GraphQLObjectType("Query", {"many": GraphQLField(GraphQLList(type), resolve=lambda *_: [shared] * 100)})
    )
    text = "{ many }" if type is GraphQLString else "{ many { __typename } }"
    plan = plans(text, small).get(NOTHING)
    assert plan is not None
    run = Run(lambda: _core(small, text), None, NOTHING)
    assert plan.execute(run) == {"many": [None] * 100}
    assert len(run.errors) == 100
    assert len(traceback.extract_tb(shared.__traceback__)) == 1


async def test_where_a_null_spreads_what_was_begun_comes_to_its_end_first() -> None:
    ends: list[str] = []

    async def slow(*_: Any) -> str:
        await asyncio.sleep(0.01)
        ends.append("slow")
        return "x"

    async def missing(*_: Any) -> None:
        await asyncio.sleep(0)
        raise GraphQLError("gone")

    text = GraphQLNonNull(GraphQLString)
    fields = {"slow": GraphQLField(text, resolve=slow), "missing": GraphQLField(text, resolve=missing)}
    small = GraphQLSchema(GraphQLObjectType("Query", fields))
    plan = plans("{ slow missing }", small).get(NOTHING)
    assert plan is not None
    run = Run(lambda: _core(small, "{ slow missing }"), None, NOTHING)
    assert await plan.execute(run) is None
    assert [(error.message, error.path) for error in run.errors] == [("gone", ["missing"])]
    assert ends == ["slow"]


async def test_whoever_stops_waiting_stops_what_was_begun() -> None:
    begun, stopped = asyncio.Event(), list[str]()

    def resolver(name: str) -> Any:
        async def resolve(*_: Any) -> str:
            begun.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                stopped.append(name)
                raise
            return name

        return GraphQLField(GraphQLString, resolve=resolve)

    small = GraphQLSchema(GraphQLObjectType("Query", {name: resolver(name) for name in "ab"}))
    plan = plans("{ a b }", small).get(NOTHING)
    assert plan is not None
    running = asyncio.create_task(plan.execute(Run(lambda: _core(small, "{ a b }"), None, NOTHING)))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(stopped) == ["a", "b"]
    with warnings.catch_warnings(record=True) as said:
        gc.collect()
    assert not said


def _core(of: GraphQLSchema, text: str) -> Executor[Any]:
    built = Executor.build(of, parse(text))
    assert isinstance(built, Executor)
    return built
