"""graphql-core behind the plan of an operation: built from what was prepared, and asked for answers, parts or events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfoHelpers, GraphQLSchema
from graphql.execution import Executor, create_source_event_stream
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from ..context import Context
from ..errors import shown
from ..operations import Rejected

MAX_COERCION_ERRORS = 10


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
        hide_suggestions=not context.actor.roles,
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


def of_event(executor: Executor[Any], value: Any, context: Context) -> Executor[Any]:
    """For one event, with loaders of its own."""
    one = executor.build_per_event_executor(value)
    one.context_value = context
    return one
