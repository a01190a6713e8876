"""What executes: plans, and graphql-core for what comes for the first time, for parts, and for all that plans do not cover."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from functools import partial
from inspect import iscoroutine
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLResolveInfoHelpers,
    GraphQLSchema,
)
from graphql.execution import Executor, create_source_event_stream
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.metering import EXECUTIONS

from ..context import Context
from ..errors import shown
from ..operations import Rejected
from .looks import Looks
from .plans import NO_VARIABLES, Kept, Plans, Run
from .prepared import Prepared
from .results import Said

MAX_COERCION_ERRORS = 10


class Engine:
    """For operations that are answered in one piece, and for the events of the others."""

    def __init__(self, schema: GraphQLSchema, *, compiling: bool) -> None:
        self._schema = schema
        self._compiling = compiling
        self._kept = Kept(schema)
        self._looks = Looks()

    def execute(self, prepared: Prepared) -> Said | Awaitable[Said]:
        """At once where nothing is waited for. Raises Rejected where the variables are not what the operation takes."""
        if not prepared.operation.traits.looks_only:
            return self._execute(prepared)
        known = self._looks.known(prepared)
        if known is not None:
            return known
        said = self._execute(prepared)
        return self._looks.keep(prepared, said) if isinstance(said, Said) else said

    def _execute(self, prepared: Prepared) -> Said | Awaitable[Said]:
        plans = self._plans(prepared)
        if plans is None:
            return _by_core(self._built(prepared))
        variables, strict = NO_VARIABLES, not prepared.context.actor.is_somebody
        if plans.variables:
            given = prepared.variables
            coerced = plans.variables.coerce(given, max_errors=MAX_COERCION_ERRORS, hide_suggestions=strict)
            if isinstance(coerced, list):
                raise Rejected([shown(error) for error in coerced], in_json=200)
            variables = coerced
        run = Run(partial(self._built, prepared), prepared.context, variables, hide_suggestions=strict)
        return self._by_plan(prepared, plans, run)

    def execute_event(
        self, prepared: Prepared, executor: Executor[Any], value: Any, context: Context
    ) -> Said | Awaitable[Said]:
        """One event of the subscription for which the executor was built, with loaders of its own."""
        build, strict = partial(_of_event, executor, value, context), executor.hide_suggestions
        plans = self._plans(prepared)
        if plans is None:
            return _by_core(build())
        return self._by_plan(prepared, plans, Run(build, context, executor.variable_values, value, hide_suggestions=strict))

    def _plans(self, prepared: Prepared) -> Plans | None:
        return self._kept.of(prepared.document, prepared.operation.name) if self._compiling else None

    def _by_plan(self, prepared: Prepared, plans: Plans, run: Run) -> Said | Awaitable[Said]:
        plan = plans.get(run.variables)
        if plan is None:
            return _by_core(run.executor)
        EXECUTIONS.add("plan")
        try:
            data = plan.execute(run)
        finally:
            self._kept.used(plans, prepared.document)
        return _planned(run, data) if iscoroutine(data) else Said(data, run.errors, run.things)

    def _built(self, prepared: Prepared) -> Executor[Any]:
        assert prepared.document.whole is not None  # it is a good document
        name = prepared.operation.name
        return build(self._schema, prepared.document.whole, prepared.context, prepared.variables, name)


def _by_core(executor: Executor[Any]) -> Said | Awaitable[Said]:
    EXECUTIONS.add("core")
    said: Any = executor.execute_operation()
    return _said(said) if optimized_is_awaitable(said) else Said(said.data, said.errors)


async def _planned(run: Run, data: Awaitable[Mapping[str, Any] | None]) -> Said:
    return Said(await data, run.errors, run.things)


async def _said(coming: Awaitable[Any]) -> Said:
    said = await coming
    return Said(said.data, said.errors)


class _Whole(Executor[Any]):
    """Of answers in one piece: what belongs to deferred parts is not even looked for."""

    operation_extensions = None
    build_resolve_info = StrawberryGraphQLCoreExecutionContext.build_resolve_info

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """Made when asked for: kept, they hold the executor that holds them, and each answer is left to the collector."""
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, helpers: GraphQLResolveInfoHelpers) -> None:
        pass


def build(
    schema: GraphQLSchema,
    document: DocumentNode,
    context: Context,
    variables: Mapping[str, Any],
    name: str | None,
    *,
    deferring: bool = False,
) -> Executor[Any]:
    """Raises Rejected where the variables are not what the operation takes."""
    built = (StrawberryGraphQLCoreExecutionContext if deferring else _Whole).build(
        schema,
        document,
        None,
        context,
        dict(variables),
        name,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it is the guard that it does not say it is
        hide_suggestions=not context.actor.is_somebody,
        max_coercion_errors=MAX_COERCION_ERRORS,
    )
    if isinstance(built, list):
        raise Rejected([shown(error) for error in built], in_json=200)
    return built


async def run(executor: Executor[Any]) -> Any:
    """An ExecutionResult, or what comes in parts where the document defers some."""
    said = executor.execute_operation()
    return await said if executor.is_awaitable(said) else said


async def source(executor: Executor[Any]) -> AsyncIterator[Any] | ExecutionResult:
    """The stream of a subscription's events, or why there is none."""
    opened: Any = create_source_event_stream(executor)
    return await opened if executor.is_awaitable(opened) else opened


def _of_event(executor: Executor[Any], value: Any, context: Context) -> Executor[Any]:
    one = executor.build_per_event_executor(value)
    one.context_value = context
    return one
