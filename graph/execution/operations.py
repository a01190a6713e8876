"""The way of every operation, whatever transport it came by: known, bounded, paid for, executed, told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import Executor
from strawberry import Schema

from domain.errors import DatabaseAway

from ..callers import Caller
from ..codes import Code
from ..context import Context, Services
from ..errors import shown
from ..operations import Asked, Budgets, Document, Named, Operation, Persisted, Rejected, away, documents_of
from ..operations.budgets import AUDITS_PER_COST, Charge, actual_cost, values
from ..policy import Introspection
from ..text import unsound
from ..tracing import BUG, Traced
from . import engine
from .deadlines import Deadlines
from .events import ended, events
from .parts import Legacy, Shape, frames
from .prepared import Prepared
from .results import Event, Result, Said, encoded
from .sharing import Shared

T = TypeVar("T")


class Operations:
    """One for a schema and its services, in each process."""

    def __init__(self, schema: Schema, services: Services) -> None:
        self._schema = schema._schema
        self._services = services
        self._policy = services.policy
        self._deadlines = Deadlines(services.policy.deadline_seconds)
        self._documents = documents_of(self._schema)
        self._persisted = Persisted(services.database.reader, services.texts)
        self._budgets = Budgets(services.cache, services.policy)
        self._engine = engine.Engine(self._schema, compiling=services.policy.compile_queries)
        self._changing: set[asyncio.Task[Any]] = set()
        self.shared = Shared()

    async def prepare(
        self, asked: Asked, caller: Caller, *, mutations: bool = True, subscriptions: bool = True, resumed: str | None = None
    ) -> Prepared:
        """Raises Rejected. `mutations`, `subscriptions`: what the transport can do. `resumed`: the last event that was seen."""
        traced = Traced()
        document = operation = None
        try:
            plain = self._persisted.is_plain(asked, caller)
            named = Named(asked.query or "") if plain else await self._persisted.named(asked, caller)
            document = self._documents.known(named.text, stranger=not caller.actor.is_somebody)
            if document is None:
                document = await self._looked_at(named.text, caller)
            operation = _chosen(document, asked)
            _require_fit(operation, mutations=mutations, subscriptions=subscriptions)
            cost = self._afforded(operation, asked, caller)
        except BaseException as error:
            errors = error.errors if isinstance(error, Rejected) else ()
            traced.end(operation, document.hash if document else "", errors, None if errors else error)
            raise
        context = Context(self._services, caller.actor, caller, resumed)
        context.reads_history = document.reads_history
        context.ration.share = cost / self._documents.limits.cost
        return Prepared(asked, caller, document, operation, named, context, traced, cost)

    def result(self, prepared: Prepared) -> Awaitable[Result]:
        """Of a query or a mutation, in one piece. Raises Rejected for one that may not run now, or took too long.

        What is being changed is changed to its end, whoever leaves meanwhile.
        """
        if prepared.kind is not OperationType.MUTATION:
            return self._result(prepared)
        changing = asyncio.create_task(self._result(prepared))
        self._changing.add(changing)
        changing.add_done_callback(self._changing.discard)
        return asyncio.shield(changing)

    async def results(self, prepared: Prepared, *, deferring: Shape | None = None) -> AsyncGenerator[Event, None]:
        """Of any operation: one for a query or a mutation, several where parts are deferred, and a subscription's events."""
        if prepared.kind is OperationType.SUBSCRIPTION:
            streamed = self._events(prepared)
        elif deferring is not None and prepared.defers:
            streamed = self._parts(prepared, deferring)
        else:
            yield Event(encoded((await self.result(prepared)).body()))
            return
        async with aclosing(streamed) as several:
            async for event in several:
                yield event

    async def _looked_at(self, text: str, caller: Caller) -> Document:
        deposit = await self._budgets.deposit(caller, text[: self._documents.limits.source])
        document = self._documents.prepare(text, stranger=not caller.actor.is_somebody)
        if not document.errors:
            await self._budgets.refund(deposit)
        return document

    async def _events(self, prepared: Prepared) -> AsyncGenerator[Event, None]:
        with self._budgets.subscribed(prepared.caller):
            with prepared:
                await self.pay(prepared)
                executor = self._executor(prepared)
                opened = await engine.source(executor)
                if isinstance(opened, ExecutionResult):
                    prepared.errors = [shown(error) for error in opened.errors or ()]
            if isinstance(opened, ExecutionResult):
                yield ended(prepared.errors)
                return
            execute = partial(self._engine.execute_event, prepared, executor)
            told_of = events(prepared, execute, opened, self._budgets, self.shared, self._deadlines)
            async with aclosing(told_of) as several:
                async for event in several:
                    yield event

    async def pay(self, prepared: Prepared) -> Charge:
        """Once, and at the latest when it runs: before, for who is to be told of it by a status. Raises Rejected."""
        if prepared.context.charge is not None:
            return prepared.context.charge
        charge = prepared.context.charge = await self._budgets.spend(prepared.caller, prepared.cost)
        if prepared.named.remember is not None:
            await self._persisted.remember(prepared.named, prepared.caller)
        return charge

    async def _result(self, prepared: Prepared) -> Result:
        with prepared, self._budgets.running(prepared.caller):
            charge = await self.pay(prepared)
            said = await self._executed(prepared)
            prepared.errors = [shown(error) for error in said.errors or ()]
            if said.data is not None and not _failed(prepared.errors):
                await self._budgets.settle(charge, self._actual(prepared, said, charge))
            max_age, public = prepared.operation.traits.max_age or 0, prepared.operation.traits.public
            return Result(said.data, prepared.errors, charge, 0 if prepared.errors else max_age, public)

    async def _parts(self, prepared: Prepared, shape: Shape) -> AsyncGenerator[Event, None]:
        with prepared, self._budgets.running(prepared.caller):
            charge = await self.pay(prepared)
            executor = self._executor(prepared, deferring=True)
            legacy, actual, errors = Legacy() if shape is Shape.LEGACY else None, 0.0, list[GraphQLError]()
            said = await self._within(_begun(prepared, executor))
            async with aclosing(frames(said)) as parts:
                while (part := await self._within(anext(parts, None))) is not None:
                    prepared.errors = errors = [*errors, *part.errors]
                    actual += sum(_counted(prepared, data) for data in part.data if data is not None)
                    if not part.said["hasNext"]:
                        if not _failed(errors):
                            await self._budgets.settle(charge, actual + _looked_at(prepared))
                        part.said["extensions"] = {"cost": charge.extension}
                    yield Event(encoded(legacy.frame(part.said) if legacy else part.said))

    def _actual(self, prepared: Prepared, said: Said, charge: Charge) -> float:
        # What costs the least that there is needs no counting.
        if charge.requested <= 1 or said.data is None:
            return charge.requested
        # Where a null took a change's payload, the data says what is paid for, and not how much was read.
        known = None if said.errors and prepared.operation.traits.changes else said.things
        # What a variable skipped was not asked to be paid.
        return min(charge.requested, _counted(prepared, said.data, known) + _looked_at(prepared))

    async def _executed(self, prepared: Prepared) -> Said:
        said = self._read_on(prepared) if prepared.document.reads_history else self._engine.execute(prepared)
        return said if isinstance(said, Said) else await self._within(said)

    async def _read_on(self, prepared: Prepared) -> Said:
        await _preload(prepared)
        said = self._engine.execute(prepared)
        return said if isinstance(said, Said) else await said

    async def _within(self, running: Awaitable[T]) -> T:
        try:
            with self._deadlines.one():
                return await running
        except TimeoutError:
            raise Rejected.of("The operation took too long and was stopped.", Code.TIMEOUT, 503) from None

    def _executor(self, prepared: Prepared, *, deferring: bool = False) -> Executor[Any]:
        node = prepared.document.node if deferring else prepared.document.whole
        assert node is not None  # it is a good document
        asked = prepared.asked
        return engine.build(self._schema, node, prepared.context, prepared.variables, asked.operation_name, deferring=deferring)

    def _afforded(self, operation: Operation, asked: Asked, caller: Caller) -> float:
        """What it may cost at most."""
        shown_to = self._policy.introspection
        if operation.traits.introspects and shown_to is Introspection.NOBODY:
            raise _refused(GraphQLError("The schema is not shown here."), Code.INTROSPECTION_DISABLED)
        if operation.traits.introspects and shown_to is Introspection.SIGNED_IN and not caller.actor.is_somebody:
            raise _refused(GraphQLError("Sign in to be shown the schema."), Code.INTROSPECTION_DISABLED)
        try:
            cost = operation.priced(asked.variables or {})
            self._documents.limits.afford(cost)
        except GraphQLError as refused:
            raise Rejected([refused], in_json=200) from None
        return cost


async def _begun(prepared: Prepared, executor: Executor[Any]) -> Any:
    if prepared.document.reads_history:
        await _preload(prepared)
    return await engine.run(executor)


def _counted(prepared: Prepared, data: Mapping[str, Any], things: int | None = None) -> float:
    """Of a look at the schema each value counts: it is all read from the same place, however it is asked for."""
    traits = prepared.operation.traits
    if traits.looks_only and things is not None:
        return things
    return values(data) if traits.introspects else actual_cost(data, traits.changes, things)


def _looked_at(prepared: Prepared) -> float:
    """What charts cost beside their points."""
    return float(prepared.context.ration.looked_at // AUDITS_PER_COST)


async def _preload(prepared: Prepared) -> None:
    try:
        await prepared.context.preload()
    except DatabaseAway:
        raise away() from None


def _chosen(document: Document, asked: Asked) -> Operation:
    if document.errors:
        raise Rejected([shown(error) for error in document.errors], in_json=200)
    if asked.variables and (fault := unsound(asked.variables)) is not None:
        raise Rejected([fault], in_json=200)
    try:
        return document.operation(asked.operation_name)
    except GraphQLError as unresolved:
        raise Rejected([unresolved], in_json=200) from None


def _require_fit(operation: Operation, *, mutations: bool, subscriptions: bool) -> None:
    if operation.kind is OperationType.MUTATION and not mutations:
        raise Rejected.of("A mutation is sent by POST.", Code.BAD_REQUEST, 405, {"Allow": "POST"})
    if operation.kind is OperationType.SUBSCRIPTION and not subscriptions:
        message = "A subscription's results are a stream: Accept: text/event-stream, or multipart/mixed, or a WebSocket."
        raise Rejected.of(message, Code.BAD_REQUEST, 406)


def _refused(error: GraphQLError, code: Code) -> Rejected:
    error.extensions = {"code": str(code)}
    return Rejected([error], in_json=200)


def _failed(errors: list[GraphQLError] | Any) -> bool:
    return bool(errors) and any((error.extensions or {}).get("code") == BUG for error in errors)
