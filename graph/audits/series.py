"""Metrics over time."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import audits, metrics
from domain.audits import Interval

from ..context import Info
from ..costs import ListSize
from ..metrics import Metric
from .types import Audit


@strawberry.type(description="One point of a series.")
class Point:
    at: datetime = strawberry.field(description="The audit's end, or the interval's beginning.")
    value: float = strawberry.field(description="The value, by the statistic that was asked for.")
    low: float = strawberry.field(description="The least value in the interval.")
    high: float = strawberry.field(description="The greatest value in the interval.")
    samples: int = strawberry.field(description="How many audits it stands for.")

    @strawberry.field(description="The audit, where the point is one.")
    @staticmethod
    async def audit(point: strawberry.Parent[audits.Point], info: Info) -> Audit | None:
        return await info.context.loaders.audit.load(point.audit_id) if point.audit_id else None


@strawberry.type(description="One metric over time.")
class Series:
    interval: Interval = strawberry.field(description="What one point stands for; never AUTO.")
    points: list[Point] = strawberry.field(
        description="Oldest first; at most 2,000.", directives=[ListSize(assumed_size=100, slicing_arguments=[])]
    )

    @strawberry.field(description="Which metric.")
    @staticmethod
    def metric(series: strawberry.Parent[audits.Series]) -> Metric:
        return metrics.CATALOGUE[series.metric]  # type: ignore[return-value]  # read by the type's fields
