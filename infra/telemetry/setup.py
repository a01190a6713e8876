"""The providers behind OpenTelemetry's API. Their packages are loaded only where one of them is wanted."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING

import structlog
from opentelemetry import metrics, trace

from domain import tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from .otlp import Collector
    from .prometheus import Exposition

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CLOSE_SECONDS = 3.0

log = structlog.get_logger()


class Telemetry:
    """One process's spans and metrics: to `endpoint` (OTLP over HTTP) when there is one, and for `render` with `metrics`.

    With neither there is no provider at all, and what is measured or traced goes nowhere at next to no cost.
    """

    def __init__(
        self,
        *,
        service_name: str,
        service_version: str,
        endpoint: str | None = None,
        sample: float = 0.01,
        metrics: bool = False,
    ) -> None:
        self.tracer_provider: TracerProvider | None = None
        self.meter_provider: MeterProvider | None = None
        self._sample = sample
        self._exposition: Exposition | None = None
        self._collector: Collector | None = None
        if endpoint is None and not metrics:
            return
        resource = _resource(service_name, service_version)
        readers: list[MetricReader] = []
        if metrics:
            from .prometheus import Exposition

            self._exposition = Exposition()
            readers.append(self._exposition.reader)
        if endpoint is not None:
            from .otlp import Collector

            self._collector = Collector(endpoint)
            self.tracer_provider = self._collector.tracer_provider(resource)
            readers.append(self._collector.metric_reader())
        from opentelemetry.sdk.metrics import MeterProvider

        self.meter_provider = MeterProvider(readers, resource, shutdown_on_exit=False)

    def start(self) -> None:
        """Serve this whole process, which can be done once in its life."""
        if self.tracer_provider is not None:
            trace.set_tracer_provider(self.tracer_provider)
            tracing.sample(self._sample)
        if self.meter_provider is not None:
            metrics.set_meter_provider(self.meter_provider)

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format, and its content type; an empty page without `metrics`."""
        return (self._exposition.render() if self._exposition is not None else b""), CONTENT_TYPE

    def close(self) -> None:
        """Send what is left. Blocks, but a collector that does not answer is not waited for longer than seconds."""
        providers = (self.tracer_provider, self.meter_provider)
        # Threads that do not keep the process: the SDK's own limits add up to more than a minute.
        threads = [threading.Thread(target=_shut_down, args=(each,), daemon=True) for each in providers if each is not None]
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        if self._collector is not None:
            self._collector.close()


def _resource(name: str, version: str) -> Resource:
    from opentelemetry.sdk.resources import Resource

    return Resource.create({"service.name": name, "service.version": version, "service.instance.id": str(uuid.uuid4())})


def _shut_down(provider: TracerProvider | MeterProvider) -> None:
    try:
        provider.shutdown()
    except Exception as error:
        log.warning("Telemetry was not shut down in order.", error=type(error).__name__)
