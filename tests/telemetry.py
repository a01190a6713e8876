"""What a test sees of telemetry: spans in memory, metrics as Prometheus reads them, and a collector to send both to.

OpenTelemetry's providers can be set once in a process, so these stay; spans are made only while a test asks for them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, SamplingResult
from prometheus_client.parser import text_string_to_metric_families

from domain import tracing
from infra.telemetry import Telemetry

STRANGER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""A sampled trace of somebody else's."""


class Spans:
    """What was recorded since the test began; `sampling` says whether what begins anew is sampled."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._switch = _Switch()
        provider = TracerProvider(ParentBased(self._switch), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        trace.set_tracer_provider(provider)
        tracing.sample(1.0)

    def sampling(self, *, on: bool) -> None:
        self._switch.current = ALWAYS_ON if on else ALWAYS_OFF

    def clear(self) -> None:
        self._exporter.clear()

    @property
    def ended(self) -> Sequence[ReadableSpan]:
        """In the order of their ends."""
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.ended]

    def one(self, name: str) -> ReadableSpan:
        """The only one of this name."""
        (found,) = [span for span in self.ended if span.name == name]
        return found

    def text(self) -> str:
        """Everything that would be exported."""
        return "\n".join(span.to_json() for span in self.ended)

    @contextmanager
    def root(self) -> Iterator[trace.Span]:
        """A sampled span of the test's own, and current."""
        with trace.get_tracer("test").start_as_current_span(
            "root", record_exception=False, set_status_on_exception=False
        ) as span:
            yield span


class _Switch(Sampler):
    current: Sampler = ALWAYS_OFF

    def should_sample(self, *args: Any, **given: Any) -> SamplingResult:
        return self.current.should_sample(*args, **given)

    def get_description(self) -> str:
        return "Switch"


@cache
def _spans() -> Spans:
    return Spans()


@pytest.fixture
def spans() -> Iterator[Spans]:
    """Everything that begins is sampled, until the test says otherwise."""
    recorded = _spans()
    recorded.clear()
    recorded.sampling(on=True)
    yield recorded
    recorded.sampling(on=False)
    recorded.clear()


@cache
def _telemetry() -> Telemetry:
    made = Telemetry(service_name="pacemark-test", service_version="1", metrics=True)
    made.start()
    return made


@pytest.fixture
def telemetry() -> Telemetry:
    """The one whose metrics this process counts; they are never reset."""
    return _telemetry()


class Samples:
    """A page of metrics, parsed."""

    def __init__(self, page: bytes) -> None:
        self._samples = [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(page.decode())
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum over all samples of this name that have these labels."""
        return sum(value for each, has, value in self._samples if each == name and labels.items() <= has.items())

    def labels(self, name: str) -> list[Mapping[str, str]]:
        return [labels for each, labels, _ in self._samples if each == name]


def scrape(telemetry: Telemetry) -> Samples:
    return Samples(telemetry.render()[0])


class Received:
    """What a collector was sent. `status` is what it answers."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.status = 200
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.arrived = threading.Event()

    def spans(self) -> dict[str, Any]:
        """By name."""
        return {
            span.name: span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    def measured(self) -> dict[str, Any]:
        """By name, as last sent."""
        return {
            metric.name: metric
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def resources(self) -> list[dict[str, str]]:
        return [
            {attribute.key: attribute.value.string_value for attribute in each.resource.attributes}
            for requests in (
                [resource for request in self.traces for resource in request.resource_spans],
                [resource for request in self.metrics for resource in request.resource_metrics],
            )
            for each in requests
        ]


@contextmanager
def collector(port: int = 0) -> Iterator[Received]:
    """A server that takes OTLP over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if received.status == 200:
                match self.path:
                    case "/v1/traces":
                        received.traces.append(ExportTraceServiceRequest.FromString(body))
                    case "/v1/metrics":
                        received.metrics.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            received.arrived.set()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        received = Received(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
