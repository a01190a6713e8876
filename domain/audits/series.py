"""A page's history as points: the audits themselves, or one number for each interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from ..measuring import MetricName


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
    """Whose history of which metrics, and as what: finished audits of since ≤ t < until."""

    page_id: UUID
    profile_id: UUID
    environment: str
    metrics: tuple[MetricName, ...]
    since: datetime | None = None
    until: datetime | None = None
    interval: Interval = Interval.AUTO
    statistic: Statistic = Statistic.P50
    time_zone: str = "UTC"


class AuditAt(NamedTuple):
    """What finds the audit that ended an interval: whose it is, under which conditions, and when it finished."""

    whose: Whose
    environment: str
    at: datetime


class Whose(NamedTuple):
    """Whose audits are one line: a page's, or (`pooled`) those of all of a site's pages, with one profile, made alike."""

    subject_id: UUID
    pooled: bool
    profile_id: UUID
    conditions_id: UUID | None


class Point(NamedTuple):
    """Of one audit (`audit_id`), or of an interval, whose `last` one is looked for where it is asked for.

    An interval in which nothing was measured has neither numbers nor an audit.
    """

    at: datetime
    value: float | None
    low: float | None
    high: float | None
    samples: int
    audit_id: UUID | None = None
    last: AuditAt | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """`interval` is what one point stands for, never AUTO; `whose` is None where nothing was measured.

    What is to be marked beside it (deploys, annotations, verdicts) is found by whose it is and from when to when it goes.
    """

    metric: MetricName
    interval: Interval
    points: Sequence[Point]
    whose: Whose | None = None

    @property
    def conditions_id(self) -> UUID | None:
        return self.whose.conditions_id if self.whose is not None else None


_SHORTEST = {
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(days=7),
    Interval.MONTH: timedelta(days=28),
}
_LONGEST = {**_SHORTEST, Interval.MONTH: timedelta(days=31)}
_HOURS = [timedelta(hours=number) for number in range(1, 25)]


def least(interval: Interval, first: datetime, last: datetime) -> int:
    """So many intervals lie between the two at least, whatever the clocks of the zone did: known without a look at any."""
    return (last - first) * 0.99 // _LONGEST[interval]


def edges(interval: Interval, time_zone: str, first: datetime, last: datetime) -> Sequence[datetime]:
    """The beginnings of all intervals from that of `first` to that of `last`, by the zone's clock, in UTC."""
    zone = ZoneInfo(time_zone)
    begin = floor(first, interval, zone)
    return [begin, *(_hours(begin, last, zone) if interval is Interval.HOUR else _days(interval, begin, last, zone))]


def _days(interval: Interval, edge: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """What follows on this beginning."""
    step = _SHORTEST[interval]
    while True:
        # An interval may be longer than the shortest, where clocks go back.
        ahead = edge + step
        while (following := floor(ahead, interval, zone)) <= edge:
            ahead += step
        if following > last:
            return
        edge = following
        yield edge


def _hours(edge: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The same of hours, of which there may be many: the clock is looked at once a day, where it was not changed in it."""
    step = _SHORTEST[Interval.HOUR]
    while edge + step <= last:
        end = edge + _HOURS[-1]
        if edge.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
            found = [edge + hours for hours in _HOURS]
        else:
            found = list(_days(Interval.HOUR, edge, end, zone))
        yield from found if end <= last else (each for each in found if each <= last)
        edge = found[-1]
    yield from _days(Interval.HOUR, edge, last, zone)


def floor(at: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    """The interval's beginning by the zone's clock, in UTC."""
    local = at.astimezone(zone)
    if interval is Interval.HOUR:
        return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    # Where clocks go back at midnight, a day still begins once.
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if interval is Interval.WEEK:
        day -= timedelta(days=day.weekday())
    if interval is Interval.MONTH:
        day = day.replace(day=1)
    return day.astimezone(UTC)
