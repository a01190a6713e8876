"""How a page's metrics went over time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ..access import Reach
from ..base import Query, R
from ..errors import InvalidInput, LimitReached, ProblemCode
from ..measuring import MetricName
from ..ports import Reader
from . import points
from .series import Interval, Point, Series, SeriesKey, edges

MAX_POINTS = 2_000
MAX_SAMPLES = 500_000
"""So many audits are looked at for one answer, whatever it spans."""

_CALM = 400
"""AUTO takes the shortest interval that gives no more points than this: about what a chart can show."""

_TELLING = 3 * _CALM

HOURS = timedelta(days=3_660)
"""Hours are told apart over so much time."""

Answer = Sequence[Series] | LimitReached | InvalidInput


async def histories(reader: Reader, reach: Reach, keys: Collection[SeriesKey]) -> Mapping[SeriesKey, Answer]:
    """Each key's metrics as series, or why there are none: as many statements for many pages that are asked the same."""
    groups: dict[SeriesKey, list[UUID]] = {}
    found: dict[SeriesKey, Answer] = {}
    for key in keys:
        if key.since is not None and key.until is not None and key.since >= key.until:
            found[key] = InvalidInput.at("to", "`to` must be later than `from`.", ProblemCode.OUT_OF_RANGE)
        else:
            groups.setdefault(key._replace(page_id=_NO_PAGE), []).append(key.page_id)
    for asked, pages in groups.items():
        answers = await _Reading(reader, reach, asked, pages).answers()
        found.update({asked._replace(page_id=page): answer for page, answer in answers.items()})
    return found


_NO_PAGE = UUID(int=0)

_Pair = tuple[UUID, MetricName]


class _Reading:
    """One group: pages that are asked the same."""

    def __init__(self, reader: Reader, reach: Reach, asked: SeriesKey, pages: Collection[UUID]) -> None:
        self._reader = reader
        self._asked = asked
        self._pages = pages
        self._given: dict[str, Any] = {
            "reach": reach.held,
            "profile": asked.profile_id,
            "environment": asked.environment,
            "since": asked.since or datetime.min.replace(tzinfo=UTC),
            "until": asked.until or datetime.max.replace(tzinfo=UTC),
        }

    async def answers(self) -> Mapping[UUID, Answer]:
        asked = self._asked
        metrics = tuple(sorted(asked.metrics))
        extent = await self._all(points.extent(metrics), self._pages, limit=MAX_SAMPLES + 1) if metrics else ()
        if sum(row[3] for row in extent) > MAX_SAMPLES:
            return self._refusal(f"This spans more than {MAX_SAMPLES:,} audits; take less time.", MAX_SAMPLES)
        left = {(row[0], metric): number for row in extent for metric, number in zip(metrics, row[4:], strict=True)}
        left = {pair: number for pair, number in left.items() if number}
        first, last = min((row[1] for row in extent), default=_NEVER), max((row[2] for row in extent), default=_NEVER)
        choices = [asked.interval]
        if asked.interval is Interval.AUTO:
            choices = [each for each in Interval if each is not Interval.AUTO]
        if last - first > HOURS and Interval.HOUR in choices:
            choices.remove(Interval.HOUR)
            if not choices:
                return self._refusal("This spans more than ten years; take a longer interval or less time.", MAX_POINTS)
        # What is finished meanwhile does not count.
        self._given |= {"since": first, "until": last + timedelta.resolution}
        made: dict[_Pair, Series] = {}
        for choice in choices:
            if not left:
                break
            most = MAX_POINTS if choice is choices[-1] else _CALM
            places = edges(choice, asked.time_zone, first, last) if choice is not Interval.NONE else ()
            numbers = await self._numbers(left, choice, places, most)
            fitting = [pair for pair, number in numbers.items() if number <= most]
            made |= await self._series(fitting, choice, places)
            left = {pair: number for pair, number in left.items() if pair not in made}
        refused = {pair[0]: _too_many(numbers[pair]) for pair in left}
        return {
            page: refused.get(page) or [made.get((page, metric)) or Series(metric, choices[0], ()) for metric in asked.metrics]
            for page in self._pages
        }

    async def _numbers(
        self, left: Mapping[_Pair, int], choice: Interval, places: Sequence[datetime], most: int
    ) -> Mapping[_Pair, int]:
        """How many points there would be: counted where there may be more than `most`."""
        if choice is Interval.NONE:
            return left
        numbers = {pair: min(number, len(places)) for pair, number in left.items()}
        doubtful = [pair for pair, number in numbers.items() if number > most]
        # Where another interval comes next, the newest times alone mostly tell that there are too many.
        for start in (-_TELLING, 0) if most < MAX_POINTS < len(places) else (0,):
            if doubtful:
                numbers |= await self._counted(doubtful, places[start:])
                doubtful = [pair for pair in doubtful if numbers[pair] <= most]
        return numbers

    async def _counted(self, pairs: Collection[_Pair], places: Sequence[datetime]) -> Mapping[_Pair, int]:
        """In how many of these intervals, the last ones, there is anything of the pairs."""
        metrics, counts = self._metrics(pairs), dict.fromkeys(pairs, 0)
        asked = self._all(
            points.counted(metrics), {page for page, _ in pairs}, edges=places, since=max(places[0], self._given["since"])
        )
        for page, *numbers in await asked:
            found = zip(metrics, numbers, strict=True)
            counts |= {(page, metric): number for metric, number in found if (page, metric) in counts}
        return counts

    async def _series(self, pairs: Collection[_Pair], choice: Interval, places: Sequence[datetime]) -> Mapping[_Pair, Series]:
        if not pairs:
            return {}
        metrics, pages = self._metrics(pairs), {page for page, _ in pairs}
        made: dict[_Pair, list[Point]] = {pair: [] for pair in pairs}
        if choice is Interval.NONE:
            for page, at, id, *values in await self._all(points.samples(metrics), pages):
                for metric, value in zip(metrics, values, strict=True):
                    if value is not None and (page, metric) in made:
                        made[page, metric].append(Point(at, value, value, value, 1, id))
        else:
            for page, interval, *numbers in await self._all(
                points.thinned(metrics, self._asked.statistic), pages, edges=places
            ):
                for place, metric in enumerate(metrics):
                    value, low, high, samples = numbers[4 * place : 4 * place + 4]
                    if samples and (page, metric) in made:
                        made[page, metric].append(Point(places[interval - 1], value, low, high, samples, None))
        return {pair: Series(pair[1], choice, made[pair]) for pair in pairs}

    def _metrics(self, pairs: Collection[_Pair]) -> tuple[MetricName, ...]:
        """In one order, so that a statement is made once for all who ask for the same."""
        return tuple(sorted({metric for _, metric in pairs}))

    async def _all(self, query: Query[R], pages: Collection[UUID], **values: Any) -> Sequence[R]:
        return await self._reader.all(query, pages=pages, **{**self._given, **values})

    def _refusal(self, message: str, limit: int) -> Mapping[UUID, Answer]:
        return dict.fromkeys(self._pages, LimitReached(message, limit))


_NEVER = datetime.min.replace(tzinfo=UTC)


def _too_many(number: int) -> LimitReached:
    return LimitReached(
        f"A series has at most {MAX_POINTS:,} points; this one has {number:,}. Take a longer interval or less time.", MAX_POINTS
    )
