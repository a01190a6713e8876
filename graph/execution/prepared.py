"""An operation that may run, and what is to be told of it when it has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationType

from domain.documents import DocumentRow

from ..callers import Caller
from ..context import Context
from ..operations import Asked, Document, Named, Operation
from ..tracing import Traced


@dataclass(slots=True)
class Prepared:
    """As a block, it is executed: its span and its measurement end with it, and a registered document's use is counted.

    `errors` are then to be what the client is shown of them.
    """

    asked: Asked
    caller: Caller
    document: Document
    operation: Operation
    named: Named
    context: Context
    traced: Traced
    cost: float
    """What it may come to at most."""
    errors: Sequence[GraphQLError] = ()
    ended: bool = False

    @property
    def registered(self) -> DocumentRow | None:
        return self.named.registered

    @property
    def kind(self) -> OperationType:
        return self.operation.kind

    @property
    def variables(self) -> Mapping[str, Any]:
        return self.asked.variables or {}

    @property
    def defers(self) -> bool:
        return self.document.defers(self.operation)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        if error is None:
            self.context.need_no_more()
            self.end(self.errors)
            return
        # Whoever cancels it, or lets it run out of time, does not wait for what it reads.
        self.context.loaders.stop()
        self.end(getattr(error, "errors", ()), error)

    def end(self, errors: Sequence[GraphQLError] = (), error: BaseException | None = None) -> None:
        """The first call counts."""
        if self.ended:
            return
        self.ended = True
        self.traced.end(self.operation, self.document.hash, errors, None if errors else error)
        if self.registered is not None and not isinstance(error, asyncio.CancelledError):
            self.context.services.usage.record(
                self.registered.workspace_id,
                self.registered.id,
                self.caller.actor.client_id,
                self.caller.version,
                self.traced.seconds,
                bool(errors) or error is not None,
            )
