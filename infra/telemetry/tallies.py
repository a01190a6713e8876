"""The histograms that `domain.metering` counts by itself, as the SDK tells of its own."""

from __future__ import annotations

import time
from dataclasses import replace

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    ScopeMetrics,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from domain.metering import TALLIES, Tally

_START = time.time_ns()
_SCOPE = InstrumentationScope("pacemark")


def with_tallies(data: MetricsData) -> MetricsData:
    """What the SDK collected, and the tallies beside it."""
    first, *others = data.resource_metrics
    ours = ScopeMetrics(_SCOPE, [_metric(tally) for tally in TALLIES], schema_url="")
    return MetricsData([replace(first, scope_metrics=[*first.scope_metrics, ours]), *others])


def _metric(tally: Tally) -> Metric:
    now = time.time_ns()
    points = [
        HistogramDataPoint(
            attributes=labels,
            start_time_unix_nano=_START,
            time_unix_nano=now,
            count=sum(counts),
            sum=cell.sum,
            bucket_counts=counts,
            explicit_bounds=tally.boundaries,
            # Optional in the protocol, and of no use over a whole process's life.
            min=None,  # type: ignore[arg-type]
            max=None,  # type: ignore[arg-type]
        )
        for labels, cell in tally.collect()
        for counts in [tuple(cell.counts)]
    ]
    return Metric(tally.name, tally.description, "s", Histogram(points, AggregationTemporality.CUMULATIVE))
