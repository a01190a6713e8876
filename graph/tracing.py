"""Each GraphQL operation as a span when its request is sampled, and as a measurement always; nothing per field."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from graphql import GraphQLError
from opentelemetry.trace import Span, Status, StatusCode
from strawberry.extensions import SchemaExtension

from domain import tracing
from domain.metering import OPERATION_DURATION

MAX_NAME = 100
MAX_NAMES = 100
"""How many operation names stand in the names of spans: those are to be few, and clients choose them."""

_NAME = re.compile(rf"[_A-Za-z][_0-9A-Za-z]{{0,{MAX_NAME - 1}}}")
_BUG = "INTERNAL_SERVER_ERROR"
_names: set[str] = set()


class Operation:
    """One operation from its text to its result; of a subscription, until it stands."""

    __slots__ = ("_ended", "_scope", "_span", "_started")

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._ended = False
        self._scope = tracing.entry("GraphQL Operation")
        self._span = self._scope.__enter__()

    def end(
        self,
        kind: str | None,
        name: str | None,
        document: str | None,
        errors: Sequence[GraphQLError] | None,
        error: BaseException | None = None,
    ) -> None:
        """The first call counts; the errors are those that the client is shown."""
        if self._ended:
            return
        self._ended = True
        outcome = "errors" if errors or error is not None else "ok"
        OPERATION_DURATION.record(time.perf_counter() - self._started, kind, outcome)
        if self._span.is_recording():
            _describe(self._span, kind, name, document)
            if errors:
                _blame(self._span, errors)
        self._scope.__exit__(type(error) if error is not None else None, error, None)


class Traced(SchemaExtension):
    """The first of the extensions, so that it is around all others and knows the errors as they are shown."""

    def on_operation(self) -> Iterator[None]:
        self._operation = Operation()
        try:
            yield
        except BaseException as error:
            self._end(error)
            raise
        self._end()

    def on_execute(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._end(error)
            raise
        if self._kind() == "subscription":
            self._end()

    def _end(self, error: BaseException | None = None) -> None:
        running = self.execution_context
        errors: Any = getattr(running.result, "errors", None) or running.pre_execution_errors
        self._operation.end(self._kind(), running.operation_name, running.query, errors, error)

    def _kind(self) -> str | None:
        try:
            return self.execution_context.operation_type.value
        except RuntimeError:
            return None


def _describe(span: Span, kind: str | None, name: str | None, document: str | None) -> None:
    if document is not None:
        span.set_attribute("graphql.document.id", hashlib.sha256(document.encode(errors="surrogatepass")).hexdigest())
    if kind is None:
        return
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
    if _BUG in codes:
        span.set_status(Status(StatusCode.ERROR))
    span.set_attribute("error.type", _BUG if _BUG in codes else codes[0])
