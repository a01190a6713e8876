"""Answers of engines, compared: the same data in the same order, and the same errors in any."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from graphql import GraphQLError, GraphQLSchema, parse
from graphql.execution import Executor

from graph.execution.plans import Plans, Run

from .generated import Generated

Answer: TypeAlias = tuple[dict[str, Any] | None, Sequence[GraphQLError]]


async def by_core(
    schema: GraphQLSchema, generated: Generated, context: object, executor: type[Executor[Any]] = Executor
) -> Answer:
    """What graphql-core says, when all that it began has come to its end."""
    built = executor.build(schema, parse(generated.text), None, context, dict(generated.variables), generated.operation_name)
    if isinstance(built, list):
        return None, built
    said: Any = built.execute_operation()
    if built.is_awaitable(said):
        said = await said
    while built.background_futures:
        await asyncio.wait(list(built.background_futures))
    return said.data, said.errors or []


async def by_plan(schema: GraphQLSchema, generated: Generated, context: object) -> Answer | None:
    """What a plan says; None where there is none."""
    document = parse(generated.text)
    plans = Plans(schema, document, generated.operation_name)
    variables = plans.variables.coerce(generated.variables, max_errors=None, hide_suggestions=False)
    if isinstance(variables, list):
        return None, variables
    plan = plans.get(variables)
    if plan is None:
        return None

    def build() -> Executor[Any]:
        built = Executor.build(schema, document, None, context, dict(generated.variables), generated.operation_name)
        assert isinstance(built, Executor)
        return built

    run = Run(build, context, variables)
    try:
        data = plan.execute(run)
        return (await data if asyncio.iscoroutine(data) else data), run.errors
    finally:
        while run.executor.background_futures:
            await asyncio.wait(list(run.executor.background_futures))


class Everything(Executor[Any]):
    """Of an operation in which no null spreads: each error there is."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.error_propagation = False


@contextmanager
def abandoning() -> Iterator[None]:
    """Around whatever fails: where null spreads, graphql-core abandons coroutines before they begin, which Python warns of.

    They are collected here alone: from within code without an `__import__`, as that of a named tuple, Python cannot warn.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        gc.disable()
        try:
            yield
        finally:
            gc.enable()
            gc.collect()


def alike(one: Answer, other: Answer, everything: Answer, generated: Generated) -> None:
    """Asserts that they are the same; but where nulls spread, which errors are told depends on what was met first.

    Of a list whose iterator raises after some items, graphql-core may tell what was wrong with those, too.
    """
    if _written(other[0]) == _written(everything[0]):
        return same((one[0], _outside_of_nulls(one)), (other[0], _outside_of_nulls(other)), generated)
    same((one[0], ()), (other[0], ()), generated)
    assert one[1], shown(generated)
    assert set(_errors(one[1])) <= set(_errors(everything[1])), shown(generated)
    return None


def _outside_of_nulls(answer: Answer) -> list[GraphQLError]:
    return [error for error in answer[1] if not _is_within_null(answer[0], error.path or ())]


def _is_within_null(data: Any, path: Sequence[str | int]) -> bool:
    for key in path:
        if data is None:
            return True
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return False  # it tells of elsewhere
    return False


def same(one: Answer, other: Answer, generated: Generated | None = None) -> None:
    """Asserts that they are. Fails with the operation, where it is given."""
    differences = [
        f"{what}\n  one:   {mine}\n  other: {theirs}"
        for what, mine, theirs in (
            ("data", _written(one[0]), _written(other[0])),
            ("errors", _errors(one[1]), _errors(other[1])),
        )
        if mine != theirs
    ]
    assert not differences, "\n".join([*differences, shown(generated) if generated else ""])


def shown(generated: Generated) -> str:
    """For messages of tests."""
    return f"{generated.text}\nvariables: {_written(generated.variables)}\noperation: {generated.operation_name}"


def _written(data: Any) -> str:
    return json.dumps(data, default=repr, ensure_ascii=False)


def _errors(errors: Sequence[GraphQLError]) -> list[str]:
    return sorted(_written([each.message, each.path, each.locations, each.extensions]) for each in errors)
