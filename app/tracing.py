"""Each request and each WebSocket's handshake as a server span, when it is sampled, and as a measurement always."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain import tracing
from domain.metering import REQUEST_DURATION

SILENT = frozenset({"/healthz", "/readyz", "/metrics"})
"""What machines ask for all day, and nobody wants to read about."""

NATIVE: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""For FastAPI, whose own spans would follow strangers and hold whole paths and queries, with our links' tokens."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})
_OTHER = "_OTHER"
_STREAMS = (b"text/event-stream", b"multipart/mixed")
_NOWHERE = "/*"
_tracer = trace.get_tracer("pacemark")


class ServerSpans:
    """The outermost of our middlewares. Unless `trust_incoming`, a caller's trace is linked and not followed.

    A request that is not sampled leaves no span current.
    """

    def __init__(self, app: ASGIApp, *, trust_incoming: bool = False) -> None:
        self._app = app
        self._trust_incoming = trust_incoming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in SILENT:
            await self._app(scope, receive, send)
            return
        method = _method(scope)
        span = self._begin(scope, method)
        exchange = _Exchange(scope, method, span)

        def observed(message: Message) -> Awaitable[None]:
            if exchange.status is None:
                exchange.hear(message)
            return send(message)

        token = exchange.attach() if span.is_recording() or scope["type"] == "websocket" else None
        try:
            await self._app(scope, receive, observed)
        except BaseException as error:
            exchange.fail(error)
            raise
        finally:
            exchange.end()
            if token is not None:
                context.detach(token)

    def _begin(self, scope: Scope, method: str) -> Span:
        if self._trust_incoming and (caller := _caller(scope)) is not None:
            parent = trace.set_span_in_context(trace.NonRecordingSpan(caller), Context())
            return _tracer.start_span(method, parent, kind=SpanKind.SERVER)
        span = tracing.root(method, kind=SpanKind.SERVER)
        if span.is_recording() and (caller := _caller(scope)) is not None:
            span.add_link(caller)
        return span


class _Exchange:
    """One request with its answer, or one handshake."""

    __slots__ = ("_ended", "_method", "_scope", "_span", "_started", "status")

    def __init__(self, scope: Scope, method: str, span: Span) -> None:
        self._scope = scope
        self._method = method
        self._span = span
        self._started = time.perf_counter()
        self.status: int | None = None
        self._ended = False

    def attach(self) -> Any:
        if self._scope["type"] == "websocket":
            return context.attach(tracing.connected(self._span))
        return context.attach(trace.set_span_in_context(self._span))

    def hear(self, message: Message) -> None:
        if self._ended:
            return
        match message["type"]:
            case "http.response.start":
                self.status = message["status"]
                if _is_stream(message.get("headers", ())):
                    self.end()
            case "websocket.accept":
                self.status = 101
                self.end()
            case "websocket.close":
                self.status = 403
            case "websocket.http.response.start":
                self.status = message["status"]

    def fail(self, error: BaseException) -> None:
        """Before an answer has begun, a bug becomes a 500 further out."""
        if not self._ended:
            tracing.failed(self._span, error)
            if isinstance(error, Exception) and self.status is None:
                self.status = 500

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        scope, status = self._scope, self.status
        method, route, scheme = self._method, _route(scope), scope.get("scheme", "http")
        error = str(status) if status is not None and status >= 500 else None
        REQUEST_DURATION.record(time.perf_counter() - self._started, method, scheme, route, status, error)
        span = self._span
        if not span.is_recording():
            return
        named = "HTTP" if method == _OTHER else method
        span.update_name(f"{named} {route}" if route else named)
        # The template in the path's place: paths hold tokens.
        span.set_attributes({"http.request.method": method, "url.scheme": scheme, "url.path": route or _NOWHERE})
        span.set_attribute("network.protocol.version", scope.get("http_version", "1.1"))
        if route:
            span.set_attribute("http.route", route)
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _method(scope: Scope) -> str:
    method: str = scope.get("method", "GET")
    return method if method in _METHODS else _OTHER


def _route(scope: Scope) -> str | None:
    """The template that matched, with names in the place of what callers wrote."""
    template: str | None = getattr(scope.get("route"), "path_format", None)
    if template is not None:
        return template
    # FastAPI does not say which of Starlette's own routes and mounts it took, but that it took one.
    if "endpoint" not in scope or scope.get("path_params"):
        return None
    mounted, above = scope.get("root_path", ""), scope.get("app_root_path")
    path: str = scope["path"]
    return path if above is None or mounted == above else f"{mounted.removeprefix(above)}/{{path}}"


def _caller(scope: Scope) -> SpanContext | None:
    """The span in which a caller asks, if they name one and no more: a trace has one parent."""
    found = [value for key, value in scope["headers"] if key == b"traceparent"]
    return tracing.parse(found[0].decode("latin-1")) if len(found) == 1 else None


def _is_stream(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        if name.lower() == b"content-type":
            return value.startswith(_STREAMS)
    return False
