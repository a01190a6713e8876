"""A page's history as points: the audits themselves, or one number for each interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from .. import metrics
from ..errors import LimitReached
from ..measuring import MetricName

MAX_POINTS = 2_000
_CALM = 400
"""AUTO takes the shortest interval that gives no more points than this: about what a chart can show."""


class Interval(StrEnum):
    """How much time one point stands for."""

    AUTO = "AUTO"
    NONE = "NONE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class Statistic(StrEnum):
    """Which number stands for an interval's audits."""

    P50 = "P50"
    P75 = "P75"
    P95 = "P95"
    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"


class SeriesKey(NamedTuple):
    """Whose history of which metrics: finished audits of since ≤ t < until."""

    page_id: UUID
    profile_id: UUID
    environment: str
    metrics: tuple[MetricName, ...]
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """`audit_id` where the point is one audit."""

    at: datetime
    value: float
    low: float
    high: float
    samples: int
    audit_id: UUID | None


@dataclass(frozen=True, slots=True)
class Series:
    metric: MetricName
    interval: Interval
    points: Sequence[Point]


class Sample(NamedTuple):
    """One finished audit's value of one metric."""

    finished_at: datetime
    audit_id: UUID
    value: float


def thin(samples: Sequence[Sample], metric: MetricName, interval: Interval, statistic: Statistic, time_zone: str) -> Series:
    """Samples, oldest first, as a series. Raises LimitReached where the interval asked for gives too many points."""
    zone = ZoneInfo(time_zone)
    choices = [interval] if interval is not Interval.AUTO else [*Interval][1:]
    for choice in choices:
        points = _points(samples, choice, statistic, zone)
        if len(points) <= _CALM or choice is choices[-1]:
            break
    if len(points) > MAX_POINTS:
        raise LimitReached(
            f"A series has at most {MAX_POINTS:,} points; this one has {len(points):,}. Take a longer interval or less time.",
            MAX_POINTS,
        )
    return Series(metric, choice, points)


def _points(samples: Sequence[Sample], interval: Interval, statistic: Statistic, zone: ZoneInfo) -> list[Point]:
    if interval is Interval.NONE:
        return [Point(at, value, value, value, 1, id) for at, id, value in samples]
    groups: dict[datetime, list[float]] = {}
    for at, _, value in samples:
        groups.setdefault(_floor(at, interval, zone), []).append(value)
    return [Point(at, _number(values, statistic), min(values), max(values), len(values), None) for at, values in groups.items()]


def _floor(at: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    """The interval's beginning by the zone's clock, in UTC."""
    local = at.astimezone(zone)
    if interval is Interval.HOUR:
        return _utc(local.replace(minute=0, second=0, microsecond=0))
    # Where clocks go back at midnight, a day still begins once.
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if interval is Interval.WEEK:
        day -= timedelta(days=day.weekday())
    if interval is Interval.MONTH:
        day = day.replace(day=1)
    return _utc(day)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _number(values: Sequence[float], statistic: Statistic) -> float:
    """Percentiles by the nearest rank, but the median, which is the mean of the two middle values."""
    match statistic:
        case Statistic.P50:
            return metrics.median(values)
        case Statistic.MEAN:
            return sum(values) / len(values)
        case Statistic.MIN:
            return min(values)
        case Statistic.MAX:
            return max(values)
    percent = {Statistic.P75: 75, Statistic.P95: 95}[statistic]
    rank = -(-percent * len(values) // 100)  # rounded up, in whole numbers: 0.95 × 20 is more than 19 in floats
    return sorted(values)[rank - 1]
