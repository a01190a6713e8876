from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from timeit import repeat

import pytest
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, StatusCode

from domain import tracing
from domain.errors import NotFound
from tests.telemetry import STRANGER, Spans, spans

__all__ = ["spans"]


def test_a_span_is_a_child_of_the_current_one(spans: Spans) -> None:
    with spans.root() as root, tracing.span("inner", kind=SpanKind.CLIENT, attributes={"size": 3}) as inner:
        assert trace.get_current_span() is inner
        inner.set_attribute("more", True)
    made = spans.one("inner")
    assert made.parent == root.get_span_context()
    assert made.kind is SpanKind.CLIENT
    assert made.attributes == {"size": 3, "more": True}
    assert made.status.status_code is StatusCode.UNSET
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_where_nothing_records_there_is_one_object_that_does_nothing(spans: Spans) -> None:
    assert tracing.span("a") is tracing.span("b") is tracing.NOTHING
    spans.sampling(on=False)
    with spans.root() as root, tracing.span("child") as child:
        assert not root.is_recording()
        assert child is trace.INVALID_SPAN
        assert trace.get_current_span() is root
        assert tracing.traceparent() is None
        assert tracing.trace_id() is None
        assert tracing.span_id() is None
    assert spans.ended == ()


def test_an_unsampled_span_costs_well_below_two_microseconds() -> None:
    def nothing() -> None:
        with tracing.span("x"):
            pass

    assert min(repeat(nothing, number=10_000, repeat=20)) / 10_000 < 2e-6


def test_an_error_is_told_by_its_type_and_not_by_its_message(spans: Spans) -> None:
    with pytest.raises(NotFound), spans.root(), tracing.span("refused"):
        raise NotFound("hunter2")
    with pytest.raises(ZeroDivisionError), spans.root(), tracing.span("broken"):
        _ = 1 / 0
    broken = spans.one("broken")
    assert broken.status.status_code is StatusCode.ERROR
    assert broken.status.description is None
    assert broken.attributes == {"error.type": "ZeroDivisionError"}
    assert [(event.name, event.attributes) for event in broken.events] == [
        ("exception", {"exception.type": "ZeroDivisionError"})
    ]
    assert spans.one("refused").attributes == {"error.type": "domain.errors.NotFound"}
    assert "hunter2" not in spans.one("refused").to_json()


async def test_a_cancellation_is_no_error(spans: Spans) -> None:
    with spans.root(), pytest.raises(asyncio.CancelledError), tracing.span("waited"):
        raise asyncio.CancelledError
    assert spans.one("waited").status.status_code is StatusCode.UNSET
    assert spans.one("waited").attributes == {"error.type": "asyncio.exceptions.CancelledError"}


def test_a_trace_is_followed_across_whatever_kept_its_parent(spans: Spans) -> None:
    with spans.root() as root:
        kept = tracing.traceparent()
    assert kept == f"00-{root.get_span_context().trace_id:032x}-{root.get_span_context().span_id:016x}-01"
    with tracing.follow(kept, "work", kind=SpanKind.CONSUMER, attributes={"kind": "audit"}), tracing.span("step"):
        assert tracing.trace_id() == kept[3:35]
        assert tracing.span_id() not in (None, kept[36:52])
    work, step = spans.one("work"), spans.one("step")
    assert work.parent is not None
    assert work.parent.is_remote
    assert f"{work.parent.span_id:016x}" == kept[36:52]
    assert (work.kind, work.attributes) == (SpanKind.CONSUMER, {"kind": "audit"})
    assert step.parent == work.context


def test_who_is_followed_is_the_parent_whatever_is_current(spans: Spans) -> None:
    with spans.root(), tracing.follow(STRANGER, "work"):
        assert tracing.trace_id() == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "",
        "00",
        STRANGER.upper(),
        STRANGER + "-00",
        STRANGER + "\n",
        " " + STRANGER,
        STRANGER.replace("00-", "01-", 1),
        STRANGER.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        STRANGER.replace("b7ad6b7169203331", "0" * 16),
        STRANGER.replace("b7ad6b7169203331", "b7ad6b716920333"),
        STRANGER.replace("b7ad", "g7ad"),
        STRANGER.replace("b7ad", "٣7ad"),
        STRANGER[:-2] + "00",
        STRANGER[:-2] + "02",
        "x" * 100_000,
    ],
)
def test_nothing_is_followed_that_is_malformed_or_not_sampled(spans: Spans, kept: str | None) -> None:
    assert tracing.follow(kept, "work") is tracing.NOTHING
    assert spans.ended == ()


def test_a_span_that_another_task_closes_leaves_that_tasks_own_current(spans: Spans) -> None:
    with spans.root():
        scope = tracing.span("opened")
        scope.__enter__()

    async def close() -> None:
        with spans.root() as own:
            scope.__exit__(None, None, None)
            assert trace.get_current_span() is own

    asyncio.run(close())
    assert spans.names == ["root", "opened", "root"]


def test_what_a_request_brings_is_its_child_though_it_may_have_ended(spans: Spans) -> None:
    with spans.root() as root:
        with tracing.entry("query"):
            pass
        root.end()
        with tracing.entry("streamed"):
            pass
    assert spans.one("query").parent == spans.one("streamed").parent == root.get_span_context()
    assert tracing.entry("nowhere") is tracing.NOTHING
    spans.sampling(on=False)
    with spans.root():
        assert tracing.entry("unsampled") is tracing.NOTHING


def test_what_comes_over_a_connection_is_sampled_by_itself_and_linked(spans: Spans) -> None:
    with spans.root() as root:
        pass
    with connected(root):
        with tracing.entry("query"), tracing.span("step"):
            pass
        spans.sampling(on=False)
        assert tracing.entry("another") is tracing.NOTHING
    with spans.root() as unsampled:
        pass
    spans.sampling(on=True)
    with connected(unsampled), tracing.entry("third"):
        pass
    with connected(trace.INVALID_SPAN), tracing.entry("fourth"):
        pass
    assert spans.one("query").parent is None
    assert [link.context for link in spans.one("query").links] == [root.get_span_context()]
    assert spans.one("step").parent == spans.one("query").context
    for name in ("third", "fourth"):
        assert (spans.one(name).parent, spans.one(name).links) == (None, ())


@contextmanager
def connected(span: trace.Span) -> Iterator[None]:
    token = context.attach(tracing.connected(span))
    try:
        yield
    finally:
        context.detach(token)
