"""Metrics over time."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import audits, metrics
from domain.audits import Interval

from ..batched import by_key
from ..context import Info
from ..costs import ListSize
from ..loaders import Loaders
from ..metrics import Metric
from .types import Audit, Conditions

POINTS = ListSize(assumed_size=audits.ASSUMED, slicing_arguments=[])


@strawberry.type(description="One point of a series. One without a value is a gap: in this interval nothing was measured.")
class Point:
    at: datetime = strawberry.field(description="The audit's end, or the interval's beginning.")
    value: float | None = strawberry.field(description="The value, by the statistic that was asked for; null for a gap.")
    low: float | None = strawberry.field(description="The least value in the interval; null for a gap.")
    high: float | None = strawberry.field(description="The greatest value in the interval; null for a gap.")
    samples: int = strawberry.field(description="How many audits it stands for; 0 for a gap.")

    @strawberry.field(description="The audit, or the last one of the interval that has the metric; null for a gap.")
    @staticmethod
    async def audit(point: strawberry.Parent[audits.Point], info: Info) -> Audit | None:
        loaders = info.context.loaders
        if point.audit_id is not None:
            return await loaders.audit.load(point.audit_id)
        return await loaders.audit_at_end.load(point.last) if point.last is not None else None


@strawberry.type(
    description="One metric over time, of audits that were made under the same conditions: where these changed, a series ends "
    "and another begins."
)
class Series:
    interval: Interval = strawberry.field(description="What one point stands for; never AUTO.")
    points: list[Point] = strawberry.field(
        description="Oldest first, one for each interval from the first to the last; at most 2,000 in all series of a metric, "
        "and 20,000 in an operation.",
        directives=[POINTS],
    )
    conditions: Conditions | None = by_key(
        Loaders.conditions, "conditions_id", "What all of its audits have in common; null where there are none."
    )

    @strawberry.field(description="Which metric.")
    @staticmethod
    def metric(series: strawberry.Parent[audits.Series]) -> Metric:
        return metrics.CATALOGUE[series.metric]  # type: ignore[return-value]  # read by the type's fields
