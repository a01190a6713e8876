"""Reading histories: which lines there are, how many points each would have, and then their points."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from ..access import Reach
from ..base import Query, R
from ..errors import LimitReached
from ..measuring import MetricName
from ..ports import Reader
from . import points
from .ration import ALWAYS, Ration
from .series import AuditAt, Interval, Point, Series, Statistic, Whose, edges, least

MAX_POINTS = 2_000
_FAR_TOO_MANY = 5 * MAX_POINTS
"""Intervals that are more than these are not counted one by one."""

_CALM = ALWAYS
"""AUTO takes the shortest interval that gives no more points than this: about what a chart can show."""

HOURS = timedelta(days=3_660)
"""Hours are told apart over so much time."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class Asked(NamedTuple):
    """Finished audits of since ≤ t < until: of these pages, or (`pooled`) of all pages of these sites."""

    subjects: Collection[UUID]
    pooled: bool
    profiles: Collection[UUID]
    environment: str
    metrics: Sequence[MetricName]
    since: datetime | None
    until: datetime | None
    time_zone: str


class Line(NamedTuple):
    """One metric of audits that were made alike."""

    whose: Whose
    metric: MetricName


class Extent(NamedTuple):
    """So many audits have the metric, the first of which ended then, and the last."""

    number: int
    first: datetime
    last: datetime


class Summary(NamedTuple):
    median: float
    p75: float
    audits: int


class Reading:
    """As many statements for many pages as for one. `extents` comes first; nothing that is finished after it counts."""

    def __init__(self, reader: Reader, reach: Reach, asked: Asked, ration: Ration) -> None:
        self.extents: Mapping[Line, Extent] = {}
        self._reader = reader
        self._ration = ration
        self._asked = asked
        self._first = self._last = _NEVER
        self._places: dict[Interval, Sequence[datetime]] = {}
        self._given: dict[str, Any] = {
            "reach": reach.held,
            "environment": asked.environment,
            "since": asked.since or _NEVER,
            "until": asked.until or datetime.max.replace(tzinfo=UTC),
        }

    async def look(self) -> None:
        """Find the extents, in no order. Raises LimitReached."""
        metrics = tuple(sorted(set(self._asked.metrics)))
        if not metrics:
            return
        asked = {"subjects": self._asked.subjects, "profiles": self._asked.profiles, "limit": self._ration.left + 1}
        rows = await self._all(points.extent(metrics, self._asked.pooled), **asked)
        self._ration.look(sum(row[points.WHOSE] for row in rows))
        found = {}
        for row in rows:
            whose, values = self._whose(row), row[points.WHOSE + 1 :]
            for place, metric in enumerate(metrics):
                extent = Extent(*values[3 * place : 3 * place + 3])
                if extent.number:
                    found[Line(whose, metric)] = extent
        self.extents = found
        self._first = min((each.first for each in found.values()), default=_NEVER)
        self._last = max((each.last for each in found.values()), default=_NEVER)
        self._given |= {"since": self._first, "until": self._last + timedelta.resolution}

    def in_order(self) -> Sequence[Line]:
        """Those that began first before."""
        return sorted(self.extents, key=lambda line: (self.extents[line].first, self.extents[line].last))

    def choices(self, interval: Interval, of_auto: Iterable[Interval]) -> Sequence[Interval]:
        """The intervals that may be taken, the shortest first. Raises LimitReached."""
        choices = list(of_auto) if interval is Interval.AUTO else [interval]
        if self._last - self._first > HOURS and Interval.HOUR in choices:
            choices.remove(Interval.HOUR)
            if not choices:
                raise LimitReached("This spans more than ten years; take a longer interval or less time.", MAX_POINTS)
        return choices

    def together(self, lines: Iterable[Line]) -> Callable[[Interval], int]:
        """How many points all of the lines would have."""
        return lambda interval: sum(self.number(line, interval) for line in lines)

    def number(self, line: Line, interval: Interval) -> int:
        """How many points it would have, with those of intervals in which nothing was measured; about, if far too many."""
        extent = self.extents[line]
        if interval is Interval.NONE:
            return extent.number
        about = least(interval, extent.first, extent.last)
        if about > _FAR_TOO_MANY:
            return about
        places = self._places_of(interval)
        return bisect_right(places, extent.last) - bisect_right(places, extent.first) + 1

    async def series(self, lines: Collection[Line], interval: Interval, statistic: Statistic) -> Mapping[Line, Series]:
        if not lines:
            return {}
        made: dict[Line, list[Point]] = {line: [] for line in lines}
        asked, pooled = self._of(lines), self._asked.pooled
        metrics = asked.pop("metrics")
        if interval is Interval.NONE:
            for row in await self._all(points.samples(metrics, pooled), **asked):
                whose, (at, id, *values) = self._whose(row), row[points.WHOSE :]
                for metric, value in zip(metrics, values, strict=True):
                    if value is not None and (found := made.get(Line(whose, metric))) is not None:
                        found.append(Point(at, value, value, value, 1, id))
        else:
            places = self._places_of(interval)
            for row in await self._all(points.thinned(metrics, (statistic,), pooled), **asked, edges=places):
                whose, (number, *values) = self._whose(row), row[points.WHOSE :]
                for place, metric in enumerate(metrics):
                    value, low, high, samples, last = values[5 * place : 5 * place + 5]
                    if samples and (found := made.get(Line(whose, metric))) is not None:
                        if found:
                            found += _nothing(places, found[-1].at, number - 1)
                        last_one = AuditAt(whose, self._asked.environment, last)
                        found.append(Point(places[number - 1], value, low, high, samples, None, last_one))
        return {line: Series(line.metric, interval, made[line], line.whose) for line in lines}

    async def summaries(self, lines: Collection[Line]) -> Mapping[Line, Summary]:
        """Of the whole span."""
        if not lines:
            return {}
        asked = self._of(lines)
        metrics = asked.pop("metrics")
        query = points.thinned(metrics, (Statistic.P50, Statistic.P75), self._asked.pooled)
        found = {}
        for row in await self._all(query, **asked, edges=[self._first]):
            whose, values = self._whose(row), row[points.WHOSE + 1 :]
            for place, metric in enumerate(metrics):
                median, p75, _, _, number, _ = values[6 * place : 6 * place + 6]
                if number:
                    found[Line(whose, metric)] = Summary(median, p75, number)
        return {line: found[line] for line in lines if line in found}

    def _whose(self, row: points.Values) -> Whose:
        subject, profile, conditions = row[: points.WHOSE]
        return Whose(subject, self._asked.pooled, profile, conditions)

    def _of(self, lines: Collection[Line]) -> dict[str, Any]:
        """Metrics in one order, so that a statement is made once for all who ask for the same."""
        return {
            "metrics": tuple(sorted({line.metric for line in lines})),
            "subjects": {line.whose.subject_id for line in lines},
            "profiles": {line.whose.profile_id for line in lines},
        }

    def _places_of(self, interval: Interval) -> Sequence[datetime]:
        if interval not in self._places:
            self._places[interval] = edges(interval, self._asked.time_zone, self._first, self._last)
        return self._places[interval]

    async def _all(self, query: Query[R], **values: Any) -> Sequence[R]:
        return await self._reader.all(query, **{**self._given, **values})


def _nothing(places: Sequence[datetime], after: datetime, before: int) -> Iterable[Point]:
    """A point for each interval between the one that begins at `after` and the one at the place `before`."""
    for place in range(bisect_right(places, after), before):
        yield Point(places[place], None, None, None, 0)


def fitting(choices: Sequence[Interval], number: Callable[[Interval], int]) -> Interval:
    """The first of the choices with which a chart has no more points than it can show. Raises LimitReached."""
    found = 0
    for choice in choices:
        found = number(choice)
        if found <= (MAX_POINTS if choice is choices[-1] else _CALM):
            return choice
    many = f"{found:,}" if found <= _FAR_TOO_MANY else f"some {round(found, -3):,}"
    message = f"A chart has at most {MAX_POINTS:,} points; this one has {many}. Take a longer interval or less time."
    raise LimitReached(message, MAX_POINTS)
