"""Metrics in Prometheus' text format, from a registry of our own: nothing is told that is not ours."""

from __future__ import annotations

from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricsData
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from .tallies import with_tallies


class Exposition:
    """The reader to be given to a meter provider, and what Prometheus is told."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.reader = _Reader(scope_info_enabled=False, registry=self._registry)

    def render(self) -> bytes:
        return generate_latest(self._registry)


class _Reader(PrometheusMetricReader):
    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **given: Any) -> None:
        super()._receive_metrics(with_tallies(metrics_data), timeout_millis, **given)
