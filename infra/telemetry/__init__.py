"""What a process tells of itself: spans and metrics to a collector over OTLP, metrics to Prometheus."""

from .setup import Telemetry

__all__ = ["Telemetry"]
