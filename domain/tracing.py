"""Spans over OpenTelemetry's API: only where a sampled one is current, and with no text that could hold a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import random
from types import TracebackType
from typing import Protocol

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

Attributes = Mapping[str, str | bool | int | float]

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_CONNECTION = context.create_key("pacemark-connection")
_ROOT = Context()
_tracer = trace.get_tracer("pacemark")
_share = 0.0


class Scope(Protocol):
    """What `with` takes: it gives the span, which records nothing where there is none."""

    def __enter__(self) -> Span: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None, /) -> None: ...


class _Nothing:
    """The one scope of everything that is not sampled; it may be entered any number of times."""

    __slots__ = ()

    def __enter__(self) -> Span:
        return trace.INVALID_SPAN

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None, /) -> None:
        return None


NOTHING = _Nothing()


class Current:
    """Makes a span current, and ends it with the type of what was raised."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None, /) -> None:
        if error is not None:
            failed(self._span, error)
        # A generator may be closed by another task than the one that opened it.
        if trace.get_current_span() is self._span:
            context.detach(self._token)
        self._span.end()


def sample(share: float) -> None:
    """From now on so much of what begins here is traced, from 0 to 1."""
    global _share
    _share = share


def root(name: str, *, kind: SpanKind, links: Sequence[Link] = ()) -> Span:
    """The first span of a trace, or one that records nothing.

    Lots are drawn here: the SDK takes as long to make a span that is not sampled as a small query's resolvers take.
    """
    return _tracer.start_span(name, _ROOT, kind=kind, links=links) if random() < _share else trace.INVALID_SPAN  # noqa: S311


def span(name: str, *, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None) -> Scope:
    """A child of the current span while that one records, else nothing."""
    if not trace.get_current_span().is_recording():
        return NOTHING
    return Current(_tracer.start_span(name, kind=kind, attributes=attributes))


def connected(span: Span) -> Context:
    """The context of a connection whose handshake the span tells of, to be attached for all its life."""
    return context.set_value(_CONNECTION, span.get_span_context(), trace.set_span_in_context(span))


def entry(name: str, *, kind: SpanKind = SpanKind.SERVER) -> Scope:
    """What a request brought, as its child, though its answer may have begun to stream.

    A connection outlives its handshake: what comes over it is a trace of its own, sampled by itself and linked.
    """
    current = context.get_current()
    if not current:
        return NOTHING
    opened = current.get(_CONNECTION)
    if not isinstance(opened, SpanContext):
        return Current(_tracer.start_span(name, kind=kind)) if _sampled() is not None else NOTHING
    links = [Link(opened)] if opened.is_valid and opened.trace_flags.sampled else ()
    started = root(name, kind=kind, links=links)
    return Current(started) if started.is_recording() else NOTHING


def follow(
    traceparent: str | None, name: str, *, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None
) -> Scope:
    """A span whose parent is the sampled one that `traceparent` names; nothing for None and whatever is malformed."""
    parent = parse(traceparent)
    if parent is None or not parent.trace_flags.sampled:
        return NOTHING
    remote = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    return Current(_tracer.start_span(name, remote, kind=kind, attributes=attributes))


def parse(traceparent: str | None) -> SpanContext | None:
    """The context that a W3C traceparent of version 00 names, or None when it is anything else."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
    if found is None:
        return None
    flags = TraceFlags(int(found[3], 16))
    parent = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)
    return parent if parent.is_valid else None


def traceparent() -> str | None:
    """The current span as W3C traceparent, to be kept beside what is left for later; None when it is not sampled."""
    current = _sampled()
    return f"00-{current.trace_id:032x}-{current.span_id:016x}-01" if current is not None else None


def trace_id() -> str | None:
    """The trace of the current span, for logs; None when it is not sampled."""
    current = _sampled()
    return f"{current.trace_id:032x}" if current is not None else None


def span_id() -> str | None:
    """The current span, for logs; None when it is not sampled."""
    current = _sampled()
    return f"{current.span_id:016x}" if current is not None else None


def failed(span: Span, error: BaseException) -> None:
    """Sets the type of an error on a span: its message may quote what must not be seen. A cancellation is no error."""
    named = type(error)
    kind = named.__qualname__ if named.__module__ == "builtins" else f"{named.__module__}.{named.__qualname__}"
    span.set_attribute("error.type", kind)
    if isinstance(error, Exception):
        span.add_event("exception", {"exception.type": kind})
        span.set_status(Status(StatusCode.ERROR))


def _sampled() -> SpanContext | None:
    current = trace.get_current_span().get_span_context()
    return current if current.is_valid and current.trace_flags.sampled else None
