"""How a page's metrics went over time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from ..access import Reach
from ..errors import InvalidInput, LimitReached, ProblemCode
from ..measuring import MetricName
from ..ports import Reader
from .ration import Ration
from .reading import Asked, Line, Reading, fitting
from .series import Interval, Series, SeriesKey

Answer = Sequence[Series] | LimitReached | InvalidInput

_NO_PAGE = UUID(int=0)
_CHOICES = [each for each in Interval if each is not Interval.AUTO]


async def histories(
    reader: Reader, reach: Reach, keys: Collection[SeriesKey], ration: Ration | None = None
) -> Mapping[SeriesKey, Answer]:
    """Each key's metrics as series, or why there are none: as many statements for many pages that are asked the same.

    A metric has a series for each of the conditions under which it was measured, in the order in which these began; it has one
    without points where it was not measured at all.
    """
    groups: dict[SeriesKey, list[UUID]] = {}
    found: dict[SeriesKey, Answer] = {}
    ration = ration or Ration()
    for key in keys:
        if key.since is not None and key.until is not None and key.since >= key.until:
            found[key] = backwards()
        else:
            groups.setdefault(key._replace(page_id=_NO_PAGE), []).append(key.page_id)
    ration.draw(sum(len(asked.metrics) * len(pages) for asked, pages in groups.items()))
    for asked, pages in groups.items():
        answers = await _answers(reader, reach, asked, pages, ration)
        found.update({asked._replace(page_id=page): answer for page, answer in answers.items()})
    return found


def backwards() -> InvalidInput:
    return InvalidInput.at("to", "`to` must be later than `from`.", ProblemCode.OUT_OF_RANGE)


async def _answers(
    reader: Reader, reach: Reach, asked: SeriesKey, pages: Collection[UUID], ration: Ration
) -> Mapping[UUID, Answer]:
    what = (asked.environment, asked.metrics, asked.since, asked.until, asked.time_zone)
    reading = Reading(reader, reach, Asked(pages, False, [asked.profile_id], *what), ration)
    try:
        await reading.look()
        choices = reading.choices(asked.interval, _CHOICES)
    except LimitReached as refused:
        return dict.fromkeys(pages, refused)
    # A metric's series are one chart, and have one interval.
    charts: dict[tuple[UUID, MetricName], list[Line]] = {}
    for line in reading.in_order():
        charts.setdefault((line.whose.subject_id, line.metric), []).append(line)
    chosen: dict[Interval, list[Line]] = {}
    refusals: dict[UUID, LimitReached] = {}
    for (page, _), lines in charts.items():
        try:
            number = reading.together(lines)
            interval = fitting(choices, number)
            ration.give(number(interval))
            chosen.setdefault(interval, []).extend(lines)
        except LimitReached as refused:
            refusals[page] = refused
    made: dict[Line, Series] = {}
    for interval, lines in chosen.items():
        wanted = [line for line in lines if line.whose.subject_id not in refusals]
        made |= await reading.series(wanted, interval, asked.statistic)

    def answer(page: UUID) -> Answer:
        if page in refusals:
            return refusals[page]
        of_each = ([made[line] for line in charts.get((page, metric), ())] for metric in asked.metrics)
        pairs = zip(asked.metrics, of_each, strict=True)
        return [series for metric, found in pairs for series in found or [Series(metric, choices[0], ())]]

    return {page: answer(page) for page in pages}
