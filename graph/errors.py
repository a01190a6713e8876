"""Refusals as data in mutations and as coded errors elsewhere; bugs masked, logged and traceable."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any

import strawberry
import structlog
from graphql import GraphQLError
from opentelemetry import trace

from domain import errors
from domain.access import Permission
from domain.errors import ProblemCode
from domain.ids import encode

from .codes import Code
from .context import Info
from .costs import CHANGE, Cost
from .marks import NeedsPermission
from .node import Node, find

log = structlog.get_logger()

AWAY = "The database is away for a moment: try again."
MASK = "Something went wrong on our side; it has been logged."


@strawberry.interface(description="A refusal. Its type says what a program does next, its code which rule refused.")
class Problem:
    message: str = strawberry.field(description="A sentence for a person.")
    code: ProblemCode = strawberry.field(description="The rule.")


@strawberry.type(description="One thing wrong with an input.")
class InputProblem:
    path: list[str] = strawberry.field(description="Where in the input, by its own names; list places as numbers.")
    message: str = strawberry.field(description="A sentence for a person.")
    code: ProblemCode = strawberry.field(description="The rule.")


@strawberry.type(description="The input cannot be used. Correct it and send it again.")
class InvalidInput(Problem):
    fields: list[InputProblem] = strawberry.field(description="Everything that is wrong, at once.")


@strawberry.type(description="It is not there, or not yours: the answer is the same.")
class NotFound(Problem):
    id: strawberry.ID | None = strawberry.field(description="The id that was given.")


@strawberry.type(description="You may see it, but not do this with it.")
class NotAllowed(Problem):
    permission: Permission = strawberry.field(description="What is missing.")


@strawberry.type(description="It cannot be done beside what is there already.")
class Conflict(Problem):
    existing: Node | None = strawberry.field(description="What is there already, where it is one thing.")


@strawberry.type(description="There are as many as allowed.")
class LimitReached(Problem):
    limit: int = strawberry.field(description="How many are allowed.")
    retry_at: datetime | None = strawberry.field(description="When it may be tried again; null when waiting does not help.")


async def answer(info: Info, refused: errors.Refused) -> Problem:
    """The problem that says the same as the refusal."""
    said: dict[str, Any] = {"message": refused.message, "code": refused.code}
    match refused:
        case errors.InvalidInput():
            faults = [InputProblem(path=list(fault.path), message=fault.message, code=fault.code) for fault in refused.faults]
            return InvalidInput(**said, fields=faults)
        case errors.NotFound():
            return NotFound(**said, id=strawberry.ID(refused.id) if refused.id else None)
        case errors.NotAllowed():
            return NotAllowed(**said, permission=Permission(refused.permission))
        case errors.Conflict(existing=(kind, id)):
            return Conflict(**said, existing=await find(info, encode(kind, id)))  # type: ignore[arg-type]  # checked kinds
        case errors.Conflict():
            return Conflict(**said, existing=None)
        case errors.LimitReached():
            return LimitReached(**said, limit=refused.limit, retry_at=refused.retry_at)
    raise TypeError(f"an unknown refusal: {type(refused).__name__}")


def mutation(
    description: str, needs: Permission | None = None, *, cost: int = CHANGE
) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """A root mutation field: its refusals are answers, and nothing that it read before its write is trusted after."""

    def decorate(resolver: Callable[..., Awaitable[Any]]) -> Any:
        @wraps(resolver)
        async def answered(self: Any, info: Info, input: Any) -> Any:
            info.context.fresh()
            await info.context.preload()
            try:
                return await resolver(self, info, input)
            except errors.Refused as refused:
                info.context.fresh()
                await info.context.preload()
                return await answer(info, refused)

        directives: list[object] = [Cost(weight=str(cost))]
        if needs is not None:
            directives.append(NeedsPermission(permission=needs))
        field = strawberry.mutation(answered, description=description, directives=directives)
        assert field.base_resolver is not None
        for argument in field.base_resolver.arguments:
            argument.description = "All that it takes."
        return field

    return decorate


def shown(error: GraphQLError) -> GraphQLError:
    """An error as a client may see it: a refusal with its code, a client's own mistake as it is, a bug masked."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if original is None or isinstance(original, GraphQLError):
        told = _without_echo(error)
        told.extensions = {"code": str(Code.BAD_USER_INPUT), **(told.extensions or {})}
        return told
    if isinstance(original, errors.Refused):
        extensions: dict[str, Any] = {"code": str(original.code)}
        if isinstance(original, errors.InvalidInput):
            extensions["fields"] = [
                {"path": list(fault.path), "message": fault.message, "code": str(fault.code)} for fault in original.faults
            ]
        return _copy(error, original.message, extensions)
    if isinstance(original, errors.DatabaseAway):
        log.warning("The database is away.", path=error.path)
        return _copy(error, AWAY, {"code": str(Code.SERVICE_UNAVAILABLE)})
    span = trace.get_current_span().get_span_context()
    trace_id = f"{span.trace_id:032x}" if span.is_valid else secrets.token_hex(16)
    log.error("A resolver failed.", path=error.path, trace_id=trace_id, exc_info=original)
    return _copy(error, MASK, {"code": "INTERNAL_SERVER_ERROR", "traceId": trace_id})


_ECHO = re.compile(
    r"(?:, found(?::| (?:Block)?String)|(?P<said> a non string value| cannot represent [a-z -]*value):) .*"
    r"|(?<=^Value) '.*'(?P<rest> does not exist .*)",
    re.DOTALL,
)
"""Where GraphQL quotes what it was given: it may be an access's password with a slip beside it."""


def _without_echo(error: GraphQLError) -> GraphQLError:
    message = _ECHO.sub(lambda found: found["rest"] or f"{found['said'] or ''}.", error.message)
    if message == error.message:
        return error
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions=error.extensions)


def _copy(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)
