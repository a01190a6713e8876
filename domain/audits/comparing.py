"""One metric of several pages, profiles or sites beside one another, on the same intervals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from .. import metrics, sites
from ..access import Reach
from ..errors import InvalidInput, LimitReached, NotFound, ProblemCode, Refused
from ..ids import Kind, encode
from ..measuring import MetricName
from ..metrics import Direction
from ..ports import Reader
from .ration import Ration
from .reading import Asked, Line, Reading, Summary, fitting
from .rules import PRODUCTION
from .series import Interval, Series, Statistic
from .timeline import backwards

MAX_COMPARED = 20

_CHOICES = (Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH)


class Comparison(NamedTuple):
    """Which pages, and which sites with all their pages as one; without profiles each with its site's default one."""

    workspace_id: UUID
    metric: MetricName
    pages: tuple[UUID, ...] = ()
    sites: tuple[UUID, ...] = ()
    profiles: tuple[UUID, ...] | None = None
    environment: str = PRODUCTION
    since: datetime | None = None
    until: datetime | None = None
    interval: Interval = Interval.AUTO
    statistic: Statistic = Statistic.P50
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Compared:
    """`page_id` is None for a site. `rank` is 1 for the best median; it and `summary` are None where nothing was measured."""

    page_id: UUID | None
    site_id: UUID
    profile_id: UUID
    series: Series
    summary: Summary | None = None
    rank: int | None = None

    @property
    def conditions_id(self) -> UUID | None:
        return self.series.conditions_id


async def comparisons(
    reader: Reader, reach: Reach, wanted: Collection[Comparison], ration: Ration | None = None
) -> Mapping[Comparison, Sequence[Compared] | Refused]:
    """What each asks for, or why there is none."""
    found: dict[Comparison, Sequence[Compared] | Refused] = {}
    ration = ration or Ration()
    for each in wanted:
        try:
            found[each] = await compare(reader, reach, each, ration)
        except Refused as refused:
            found[each] = refused
    return found


class _Place(NamedTuple):
    """A page, or a site with all of its pages."""

    page_id: UUID | None
    site_id: UUID
    profile_id: UUID

    @property
    def subject(self) -> tuple[UUID, bool, UUID]:
        return self.page_id or self.site_id, self.page_id is None, self.profile_id


async def compare(reader: Reader, reach: Reach, asked: Comparison, ration: Ration | None = None) -> Sequence[Compared]:
    """In the order asked for; of what was measured under several conditions, that which began first before.

    As many statements for twenty as for two with the same profiles. Raises InvalidInput, NotFound, LimitReached.
    """
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        raise backwards()
    places = await _places(reader, reach, asked)
    ration = ration or Ration()
    ration.draw(MAX_COMPARED)
    readings = [Reading(reader, reach, each, ration) for each in _asked(asked, places)]
    for reading in readings:
        await reading.look()
    lines = {line: reading for reading in readings for line in reading.in_order()}
    if len(lines) > MAX_COMPARED:
        message = f"At most {MAX_COMPARED} series are compared; what was measured under several conditions makes {len(lines)}."
        raise LimitReached(f"{message} Take less time, or fewer pages, sites or profiles.", MAX_COMPARED)
    left = [reading.choices(asked.interval, _CHOICES) for reading in readings]
    choices = [each for each in left[0] if all(each in choices for choices in left)]

    def numbers(choice: Interval) -> Sequence[int]:
        return [reading.number(line, choice) for line, reading in lines.items()]

    interval = fitting(choices, lambda choice: max(numbers(choice), default=0))
    ration.give(sum(numbers(interval)))
    made: dict[Line, Series] = {}
    summaries: dict[Line, Summary] = {}
    for reading in readings:
        of_it = [line for line, whose in lines.items() if whose is reading]
        made |= await reading.series(of_it, interval, asked.statistic)
        summaries |= await reading.summaries(of_it)
    ranks = _ranks(asked.metric, summaries)
    compared = []
    for place in places:
        found = [line for line in lines if line.whose[:3] == place.subject]
        compared += [Compared(*place, made[line], summaries.get(line), ranks.get(line)) for line in found]
        if not found:
            compared.append(Compared(*place, Series(asked.metric, interval, ())))
    return compared


def _asked(asked: Comparison, places: Iterable[_Place]) -> Iterable[Asked]:
    """Of those that are looked at with the same profiles together: no page with one that is another's default."""
    what = (asked.environment, [asked.metric], asked.since, asked.until, asked.time_zone)
    profiles: dict[tuple[bool, UUID], list[UUID]] = {}
    for place in places:
        subject_id, pooled, profile_id = place.subject
        profiles.setdefault((pooled, subject_id), []).append(profile_id)
    together: dict[tuple[bool, tuple[UUID, ...]], list[UUID]] = {}
    for (pooled, subject_id), with_them in profiles.items():
        together.setdefault((pooled, tuple(with_them)), []).append(subject_id)
    return [Asked(subjects, pooled, with_them, *what) for (pooled, with_them), subjects in together.items()]


def _ranks(metric: MetricName, summaries: Mapping[Line, Summary]) -> Mapping[Line, int]:
    """Equal ones have the same."""
    lower = metrics.CATALOGUE[metric].direction is Direction.LOWER_IS_BETTER
    values = {line: summary.median if lower else -summary.median for line, summary in summaries.items()}
    return {line: 1 + sum(other < value for other in values.values()) for line, value in values.items()}


def _require(kind: Kind, workspace_id: UUID, ids: Iterable[UUID], found: Mapping[UUID, Any]) -> None:
    for id in ids:
        if id not in found or found[id].workspace_id != workspace_id:
            raise NotFound(f"There is no such {kind} in this workspace, or it is not yours.", encode(kind, id))


async def _places(reader: Reader, reach: Reach, asked: Comparison) -> Sequence[_Place]:
    pages = await sites.pages_by_ids(reader, reach, asked.pages) if asked.pages else {}
    known = await sites.by_ids(reader, reach, {*asked.sites, *(page.site_id for page in pages.values())})
    # A site that was deleted since its page was read took the page along.
    pages = {id: page for id, page in pages.items() if page.site_id in known}
    _require(Kind.PAGE, asked.workspace_id, asked.pages, pages)
    _require(Kind.SITE, asked.workspace_id, asked.sites, known)
    if asked.profiles is not None:
        profiles = await sites.profiles_by_ids(reader, reach, asked.profiles)
        _require(Kind.PROFILE, asked.workspace_id, asked.profiles, profiles)

    def with_profiles(page_id: UUID | None, site_id: UUID) -> Iterable[_Place]:
        chosen = asked.profiles if asked.profiles is not None else (known[site_id].default_profile_id,)
        return (_Place(page_id, site_id, profile) for profile in dict.fromkeys(chosen))

    places = [place for page in dict.fromkeys(asked.pages) for place in with_profiles(page, pages[page].site_id)]
    places += [place for site in dict.fromkeys(asked.sites) for place in with_profiles(None, site)]
    if not places:
        raise InvalidInput.at("pages", "Name pages or sites to compare.", ProblemCode.REQUIRED)
    if len(places) > MAX_COMPARED:
        message = f"At most {MAX_COMPARED} series are compared; these are {len(places)}. Name fewer pages, sites or profiles."
        raise LimitReached(message, MAX_COMPARED)
    return places
