"""The providers by themselves, with a collector that is there, away, silent or refusing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from structlog.testing import capture_logs

from domain import tracing
from infra.telemetry import Telemetry, otlp, setup
from tests.servers import free_port
from tests.telemetry import Spans, collector, spans

__all__ = ["spans"]

LOST = "The telemetry collector does not answer, or refuses: what it is sent is lost."
FOUND = "The telemetry collector takes what it is sent again."
CALLER = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=True, trace_flags=TraceFlags(1))


def made(endpoint: str | None, *, sample: float = 1.0, metrics: bool = False) -> Telemetry:
    return Telemetry(service_name="pacemark-test", service_version="1.2.3", endpoint=endpoint, sample=sample, metrics=metrics)


def say(telemetry: Telemetry, name: str = "said") -> None:
    assert telemetry.tracer_provider is not None
    telemetry.tracer_provider.get_tracer("test").start_span(name).end()


def program(text: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60, env=kept)


def test_spans_and_metrics_reach_the_collector_with_who_sent_them() -> None:
    with collector() as received:
        telemetry = made(received.endpoint + "/", metrics=True)
        assert telemetry.tracer_provider is not None
        assert telemetry.meter_provider is not None
        tracer = telemetry.tracer_provider.get_tracer("test")
        with tracer.start_as_current_span("outer", kind=SpanKind.SERVER, links=[Link(CALLER)]):
            tracer.start_span("inner", attributes={"size": 3}).end()
        telemetry.meter_provider.get_meter("test").create_counter("counted").add(2, {"kind": "a"})
        telemetry.close()
    outer, inner = received.spans()["outer"], received.spans()["inner"]
    assert inner.parent_span_id == outer.span_id
    assert inner.trace_id == outer.trace_id
    assert outer.links[0].trace_id == CALLER.trace_id.to_bytes(16)
    assert [(each.key, each.value.int_value) for each in inner.attributes] == [("size", 3)]
    assert received.measured()["counted"].sum.data_points[0].as_int == 2
    for resource in received.resources():
        assert resource["service.name"] == "pacemark-test"
        assert resource["service.version"] == "1.2.3"
        assert len(resource["service.instance.id"]) == 36
    assert len({resource["service.instance.id"] for resource in received.resources()}) == 1


def test_the_tallies_travel_with_the_sdks_own_metrics() -> None:
    done = program("""
from domain import tracing
from infra.telemetry import Telemetry
from domain import metering
from tests.telemetry import Spans, collector, spans
with collector() as received:
    telemetry = Telemetry(service_name="pacemark-test", service_version="1", endpoint=received.endpoint)
    telemetry.start()
    metering.OPERATION_DURATION.record(0.2, "query", "ok")
    metering.job_finished("audit", "done", 1.0)
    telemetry.close()
    lasted = received.measured()["graphql.operation.duration"]
    (point,) = lasted.histogram.data_points
    assert (point.count, point.sum, lasted.unit) == (1, 0.2, "s"), point
    assert not point.HasField("min")
    assert 0 < point.start_time_unix_nano < point.time_unix_nano
    assert list(point.bucket_counts) == [0] * 6 + [1] + [0] * 8, point
    labels = {each.key: each.value.string_value for each in point.attributes}
    assert labels == {"graphql.operation.type": "query", "outcome": "ok"}
    assert received.measured()["graphql.operations"].sum.data_points[0].as_int == 1
    assert received.measured()["pacemark.jobs.finished"].sum.data_points[0].as_int == 1
    assert received.measured()["pacemark.events.lag"].histogram.data_points[0].count == 0
print("good")
""")
    assert done.stdout == "good\n", done.stderr


def test_another_makers_collector_understands_them(free_port: int) -> None:
    tap = subprocess.Popen(
        [sys.executable, "-m", "oteltap", "--port", str(free_port), "--await-span", "^said to another$"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: listens(free_port))
        telemetry = made(f"http://127.0.0.1:{free_port}")
        say(telemetry, "said to another")
        telemetry.close()
        output, _ = tap.communicate(timeout=20)
    finally:
        tap.kill()
        tap.wait()
    assert tap.returncode == 0, output


def test_off_there_is_no_provider_and_nothing_of_the_sdk_is_loaded() -> None:
    off = made(None)
    assert (off.tracer_provider, off.meter_provider) == (None, None)
    assert off.render() == (b"", "text/plain; version=0.0.4; charset=utf-8")
    off.close()
    done = program("""
import sys
from domain import tracing
from infra.telemetry import Telemetry
import domain.metering, domain.tracing
telemetry = Telemetry(service_name="a", service_version="1")
telemetry.start()
domain.metering.job_finished("audit", "done", 1.0)
telemetry.close()
print(sorted(name for name in sys.modules if name in ("opentelemetry.sdk", "requests", "prometheus_client", "google.protobuf")))
""")
    assert done.stdout == "[]\n"


def test_without_a_collector_there_are_metrics_to_fetch_and_no_spans() -> None:
    telemetry = made(None, metrics=True)
    assert telemetry.tracer_provider is None
    assert telemetry.meter_provider is not None
    telemetry.meter_provider.get_meter("test").create_counter("counted").add(2)
    content, content_type = telemetry.render()
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\ncounted_total 2.0\n" in content
    telemetry.close()
    assert telemetry.render()[0] == b""


def test_a_parents_choice_is_kept() -> None:
    with collector() as received:
        telemetry = made(received.endpoint)
        assert telemetry.tracer_provider is not None
        tracer = telemetry.tracer_provider.get_tracer("test")
        followed = trace.set_span_in_context(trace.NonRecordingSpan(CALLER))
        assert tracer.start_span("child", followed).is_recording()
        unsampled = SpanContext(CALLER.trace_id, CALLER.span_id, is_remote=True, trace_flags=TraceFlags(0))
        assert not tracer.start_span("x", trace.set_span_in_context(trace.NonRecordingSpan(unsampled))).is_recording()
        telemetry.close()


def test_lots_are_drawn_for_what_begins_here(spans: Spans) -> None:
    tracing.sample(0.25)
    try:
        chosen = sum(tracing.root("root", kind=SpanKind.SERVER).is_recording() for _ in range(4_000))
    finally:
        tracing.sample(1.0)
    assert 800 < chosen < 1_200


@pytest.mark.parametrize("trouble", ["away", "silent", "refusing"])
def test_a_collector_in_trouble_holds_nobody_up_and_is_told_of_once(
    trouble: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Far apart: a machine that is busy with other tests stops everybody for a second now and then.
    monkeypatch.setattr(otlp, "TIMEOUT_SECONDS", 5.0)
    monkeypatch.setattr(setup, "CLOSE_SECONDS", 0.5)
    longest = 0.0
    with collector() as received, socket.create_server(("127.0.0.1", 0)) as deaf, capture_logs() as logs:
        received.status = 503
        endpoint = {
            "away": f"http://127.0.0.1:{free_port()}",
            "silent": f"http://127.0.0.1:{deaf.getsockname()[1]}",
            "refusing": received.endpoint,
        }[trouble]
        telemetry = made(endpoint, metrics=True)
        assert telemetry.tracer_provider is not None
        for _ in range(2):
            # More than the queue holds, in several batches.
            for _ in range(3_000):
                began = time.monotonic()
                say(telemetry)
                longest = max(longest, time.monotonic() - began)
            until(lambda: logs)
        began = time.monotonic()
        telemetry.close()
        closed = time.monotonic() - began
    assert longest < 4
    assert closed < 4
    assert {(entry["log_level"], entry["event"]) for entry in logs} == {("warning", LOST)}
    # Metrics are sent once, in the end, and nobody waits for what comes of it.
    assert [entry["sent"] for entry in logs] in (["spans"], ["spans", "metrics"])
    overflows = [record for record in caplog.records if record.name == "opentelemetry.sdk._shared_internal"]
    assert len(overflows) <= 1
    assert [record for record in caplog.records if record.name.startswith("opentelemetry.exporter")] == []


def test_a_collector_that_comes_back_is_told_of_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "TIMEOUT_SECONDS", 0.3)
    port = free_port()
    telemetry = made(f"http://127.0.0.1:{port}")
    assert telemetry.tracer_provider is not None
    with capture_logs() as logs:
        for _ in range(2):
            say(telemetry, "lost")
            telemetry.tracer_provider.force_flush()
        with collector(port) as received:
            for _ in range(2):
                say(telemetry, "kept")
                telemetry.tracer_provider.force_flush()
            telemetry.close()
    assert list(received.spans()) == ["kept"]
    assert [entry["event"] for entry in logs] == [LOST, FOUND]


def test_a_collector_on_this_machine_is_not_sought_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with collector() as received:
        telemetry = made(received.endpoint)
        say(telemetry)
        telemetry.close()
    assert list(received.spans()) == ["said"]


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("collector.localhost", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("collector", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, ours: bool) -> None:
    assert otlp._is_loopback(host) is ours


def test_started_it_serves_the_whole_process() -> None:
    done = program("""
from opentelemetry import metrics, trace
from domain import tracing
from infra.telemetry import Telemetry
from tests.telemetry import Spans, collector, spans
with collector() as received:
    telemetry = Telemetry(service_name="a", service_version="1", endpoint=received.endpoint, metrics=True)
    telemetry.start()
    assert trace.get_tracer_provider() is telemetry.tracer_provider
    assert metrics.get_meter_provider() is telemetry.meter_provider
    assert b'service_name="a"' in telemetry.render()[0]
    telemetry.close()
print("good")
""")
    assert done.stdout == "good\n", done.stderr


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come about in time"
        time.sleep(0.02)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
