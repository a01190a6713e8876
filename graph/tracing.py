"""Each GraphQL operation as a span when its request is sampled, and as a measurement always; nothing per field."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphql import GraphQLError
from opentelemetry.trace import Span, Status, StatusCode

from domain import tracing
from domain.metering import OPERATION_DURATION

if TYPE_CHECKING:
    from .operations import Operation

MAX_NAME = 100
MAX_NAMES = 100
"""How many operation names stand in the names of spans: those are to be few, and clients choose them."""

_NAME = re.compile(rf"[_A-Za-z][_0-9A-Za-z]{{0,{MAX_NAME - 1}}}")
BUG = "INTERNAL_SERVER_ERROR"
_names: set[str] = set()


class Traced:
    """One operation from its text to its result; of a subscription, until it stands."""

    __slots__ = ("_ended", "_scope", "_span", "_started")

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._ended = False
        self._scope = tracing.entry("GraphQL Operation")
        self._span = self._scope.__enter__()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._started

    def end(
        self,
        operation: Operation | None,
        document: str,
        errors: Sequence[GraphQLError],
        error: BaseException | None = None,
    ) -> None:
        """The first call counts; `document` is its hash, and the errors are those that the client is shown."""
        if self._ended:
            return
        self._ended = True
        outcome = "errors" if errors or error is not None else "ok"
        kind = operation.kind.value if operation is not None else None
        OPERATION_DURATION.record(self.seconds, kind, outcome)
        if self._span.is_recording():
            if document:
                self._span.set_attribute("graphql.document.id", document)
            if operation is not None:
                _describe(self._span, operation.kind.value, operation.name)
            if errors:
                _blame(self._span, errors)
        self._scope.__exit__(type(error) if error is not None else None, error, None)


def _describe(span: Span, kind: str, name: str | None) -> None:
    span.set_attribute("graphql.operation.type", kind)
    if name is None or not _NAME.fullmatch(name):
        span.update_name(kind)
        return
    span.set_attribute("graphql.operation.name", name)
    if len(_names) < MAX_NAMES:
        _names.add(name)
    span.update_name(f"{kind} {name}" if name in _names else kind)


def _blame(span: Span, errors: Sequence[GraphQLError]) -> None:
    """What a client did wrong is told by its code; only a bug is an error of ours."""
    codes = [str((error.extensions or {}).get("code", "GRAPHQL_ERROR")) for error in errors]
    if BUG in codes:
        span.set_status(Status(StatusCode.ERROR))
    span.set_attribute("error.type", BUG if BUG in codes else codes[0])
