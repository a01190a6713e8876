"""Spans and metrics to a collector over OTLP and HTTP, from threads of their own."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased

from .tallies import with_tallies

TIMEOUT_SECONDS = 5.0

log = structlog.get_logger()

# They say so again with each batch; `_Reachability` says it once.
_EXPORTERS = logging.getLogger("opentelemetry.exporter.otlp")
_QUEUES = logging.getLogger("opentelemetry.sdk._shared_internal")


class Collector:
    """The collector at `endpoint`, an address without the signal's path. Headers come from OTEL_EXPORTER_OTLP_HEADERS."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        # Each by itself: there are collectors that take spans only.
        self._spans, self._metrics = _Reachability("spans"), _Reachability("metrics")
        _EXPORTERS.setLevel(logging.CRITICAL + 1)
        _QUEUES.addFilter(self._spans)

    def tracer_provider(self, resource: Resource) -> TracerProvider:
        """Takes whatever begins here, for which lots were drawn before, and what a sampled parent began."""
        provider = TracerProvider(ParentBased(ALWAYS_ON), resource, shutdown_on_exit=False)
        exporter = _SpanExporter(
            f"{self._endpoint}/v1/traces", timeout=TIMEOUT_SECONDS, session=self._session(), reachability=self._spans
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return provider

    def metric_reader(self) -> PeriodicExportingMetricReader:
        """Sends all metrics once a minute."""
        exporter = _MetricExporter(
            f"{self._endpoint}/v1/metrics", timeout=TIMEOUT_SECONDS, session=self._session(), reachability=self._metrics
        )
        return PeriodicExportingMetricReader(exporter)

    def close(self) -> None:
        _QUEUES.removeFilter(self._spans)

    def _session(self) -> requests.Session:
        session = requests.Session()
        # A proxy's loopback is not ours.
        session.trust_env = not _is_loopback(urlsplit(self._endpoint).hostname or "")
        return session


class _Reachability(logging.Filter):
    """Logs once that the collector takes nothing of a kind and once that it does again; meanwhile queues overflow unheard."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self._away = False

    def filter(self, record: logging.LogRecord) -> bool:
        return not self._away

    def heard(self, *, well: bool) -> None:
        changed, self._away = self._away is well, not well
        if changed and well:
            log.info("The telemetry collector takes what it is sent again.", sent=self._kind)
        elif changed:
            log.warning("The telemetry collector does not answer, or refuses: what it is sent is lost.", sent=self._kind)


class _SpanExporter(OTLPSpanExporter):
    def __init__(self, endpoint: str, *, reachability: _Reachability, **given: Any) -> None:
        super().__init__(endpoint, **given)
        self._reachability = reachability

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self._reachability.heard(well=result is SpanExportResult.SUCCESS)
        return result


class _MetricExporter(OTLPMetricExporter):
    def __init__(self, endpoint: str, *, reachability: _Reachability, **given: Any) -> None:
        super().__init__(endpoint, **given)
        self._reachability = reachability

    def export(self, metrics_data: MetricsData, timeout_millis: float | None = None, **given: Any) -> MetricExportResult:
        result = super().export(with_tallies(metrics_data), timeout_millis, **given)
        self._reachability.heard(well=result is MetricExportResult.SUCCESS)
        return result


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
