"""A subscription's events: paid for by the thousand, each executed once for all who may see the same of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from graphql import GraphQLError

from ..codes import Code
from ..context import Context
from ..errors import shown
from ..operations import Budgets, Rejected
from .deadlines import Deadlines
from .prepared import Prepared
from .results import Event, Said, encoded
from .sharing import Shared, moment

Execute: TypeAlias = Callable[[Any, Context], Said | Awaitable[Said]]
"""What executes an event's value, with the context that is the event's own."""

PAID = 1_000
"""So many events are paid for at once: at the start, and whenever they are used up."""


async def events(
    prepared: Prepared, execute: Execute, opened: Any, budgets: Budgets, shared: Shared, deadlines: Deadlines
) -> AsyncGenerator[Event, None]:
    """Of the stream that was opened and paid for."""
    # Left out is another thing than null: then the document's default holds, which is in its hash.
    given = [(name, prepared.variables[name]) for name in sorted(prepared.operation.below) if name in prepared.variables]
    below = repr(given)
    what = prepared.document.hash, prepared.operation.name, below
    paid = PAID
    try:
        async with aclosing(opened) as values:
            async for value in values:
                if not paid:
                    await budgets.spend(prepared.caller, prepared.cost)
                    paid = PAID
                paid -= 1
                yield await _event(prepared, execute, value, what, shared, deadlines)
    except Rejected as unpaid:
        yield ended(unpaid.errors)
    except Exception as error:  # of the source itself: that is how it says that it ends
        yield ended([shown(GraphQLError(str(error), original_error=error))])


async def _event(
    prepared: Prepared, execute: Execute, value: Any, what: Hashable, shared: Shared, deadlines: Deadlines
) -> Event:
    which = None if prepared.operation.traits.personal else moment(value)
    if which is None:
        return await _executed(prepared, execute, value, deadlines)
    key = what, prepared.context.actor.view, which
    return await shared.get(key, lambda: _executed(prepared, execute, value, deadlines))


async def _executed(prepared: Prepared, execute: Execute, value: Any, deadlines: Deadlines) -> Event:
    context = Context(prepared.context.services, prepared.context.actor, prepared.caller)
    context.reads_history = prepared.context.reads_history
    context.ration.share = prepared.context.ration.share
    try:
        with deadlines.one():
            await context.preload()
            executed = execute(value, context)
            said = executed if isinstance(executed, Said) else await executed
    except TimeoutError:
        return ended([GraphQLError("The event took too long to read.", extensions={"code": str(Code.TIMEOUT)})])
    finally:
        context.loaders.stop()
    body: dict[str, Any] = {"errors": [shown(error).formatted for error in said.errors]} if said.errors else {}
    return Event(encoded({**body, "data": said.data}), getattr(value, "cursor", None))


def ended(errors: Sequence[GraphQLError]) -> Event:
    """What is said instead of more events."""
    return Event(encoded({"errors": [error.formatted for error in errors], "data": None}))
