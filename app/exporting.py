"""A page's history as a file: which one is asked for, in texts, and its rows as CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from app.cells import cell
from domain import audits, metrics, sites
from domain.access import Reach
from domain.audits import PRODUCTION, Interval, Series, SeriesKey, Statistic
from domain.errors import Fault, InvalidInput, NotFound, ProblemCode, Refused
from domain.ids import Kind, encode, parse
from domain.measuring import MetricName
from domain.ports import Reader


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


NAMES = ("page", "url", "metrics", "profile", "environment", "from", "to", "interval", "statistic", "timeZone")
USUAL = (
    MetricName.PERFORMANCE_SCORE,
    MetricName.LCP,
    MetricName.FCP,
    MetricName.TBT,
    MetricName.CLS,
    MetricName.SPEED_INDEX,
    MetricName.TTFB,
)
"""Those that are meant where none is named."""

_OF_CONDITIONS = audits.ConditionsRow._fields[2:]
COLUMNS = (
    "page",
    "url",
    "profile",
    "metric",
    "unit",
    *_OF_CONDITIONS,
    "interval",
    "at",
    "value",
    "low",
    "high",
    "samples",
    "audit",
)

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`page` is an id, `url` an address; `profile` an id or a name, or None for the site's default one."""

    page: str | None
    url: str | None
    profile: str | None
    metrics: tuple[MetricName, ...]
    environment: str
    since: datetime | None
    until: datetime | None
    interval: Interval
    statistic: Statistic
    time_zone: str

    @classmethod
    def of(cls, given: Mapping[str, Sequence[str]]) -> Wanted:
        """By the names of `Page.timeSeries`; `metrics` may be several, also in one text with commas. Raises InvalidInput."""
        faults = [
            _fault(name, f"There is no such argument; there are {', '.join(NAMES)}.") for name in given if name not in NAMES
        ]
        faults += [_fault(name, "Say this once.") for name, texts in given.items() if name != "metrics" and len(texts) > 1]
        one = {name: texts[0] for name, texts in given.items() if texts and texts[0]}
        if ("page" in one) == ("url" in one):
            faults.append(_fault("page", "Name a page, by its id as `page` or by its address as `url`.", ProblemCode.REQUIRED))
        words = [word.strip() for text in given.get("metrics", ()) for word in text.split(",") if word.strip()]
        chosen = [metric for word in words for metric in [_chosen(MetricName, "metrics", word, faults)] if metric]
        zone = _zone(one.get("timeZone", "UTC"), faults)
        wanted = cls(
            page=one.get("page"),
            url=one.get("url"),
            profile=one.get("profile"),
            metrics=tuple(dict.fromkeys(chosen)) or USUAL,
            environment=one.get("environment", PRODUCTION),
            since=_moment("from", one, zone, faults),
            until=_moment("to", one, zone, faults),
            interval=_chosen(Interval, "interval", one.get("interval", "AUTO"), faults) or Interval.AUTO,
            statistic=_chosen(Statistic, "statistic", one.get("statistic", "P50"), faults) or Statistic.P50,
            time_zone=zone.key,
        )
        if faults:
            raise InvalidInput(faults)
        return wanted


def _fault(name: str, message: str, code: ProblemCode = ProblemCode.MALFORMED) -> Fault:
    return Fault((name,), message, code)


def _chosen(kind: type[E], name: str, word: str, faults: list[Fault]) -> E | None:
    if word.upper() in kind.__members__:
        return kind[word.upper()]
    faults.append(_fault(name, f"This is none of {', '.join(kind.__members__)}."))
    return None


def _zone(name: str, faults: list[Fault]) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(_fault("timeZone", "This is not the name of a time zone, such as UTC or Europe/Berlin."))
        return ZoneInfo("UTC")


def _moment(name: str, given: Mapping[str, str], zone: ZoneInfo, faults: list[Fault]) -> datetime | None:
    """A day begins by the zone's clock."""
    text = given.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and len(text) <= 10:
            moment = moment.replace(tzinfo=zone)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    faults.append(_fault(name, "A moment is written as 2026-11-22T08:00:00Z, or a day as 2026-11-22."))
    return None


@dataclass(frozen=True, slots=True)
class Export:
    page: sites.PageRow
    profile: sites.ProfileRow
    series: Sequence[Series]
    conditions: Mapping[UUID, audits.ConditionsRow]
    ended: Mapping[audits.AuditAt, UUID]

    @property
    def name(self) -> str:
        return f"series-{encode(Kind.PAGE, self.page.id)}"

    def body(self, format: Format) -> bytes:
        if format is Format.CSV:
            return "".join(_lines(self)).encode()
        return orjson.dumps(_document(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


async def gather(reader: Reader, reach: Reach, wanted: Wanted, ration: audits.Ration | None = None) -> Export:
    """Bounded as `Page.timeSeries` is. Raises InvalidInput, NotFound, LimitReached."""
    page = await find_page(reader, reach, wanted.page, wanted.url)
    profile = await _profile(reader, reach, page, wanted.profile)
    span = (wanted.since, wanted.until, wanted.interval, wanted.statistic, wanted.time_zone)
    key = SeriesKey(page.id, profile.id, wanted.environment, wanted.metrics, *span)
    answer = (await audits.histories(reader, reach, [key], ration))[key]
    if isinstance(answer, Refused):
        raise answer
    ids = {series.conditions_id for series in answer if series.conditions_id is not None}
    conditions = await audits.conditions_by_ids(reader, reach, ids) if ids else {}
    lasts = {point.last for series in answer for point in series.points if point.last is not None}
    return Export(page, profile, answer, conditions, await audits.ids_at_ends(reader, reach, lasts))


async def find_page(reader: Reader, reach: Reach, page: str | None, url: str | None) -> sites.PageRow:
    """By its id or its address. Raises InvalidInput, NotFound."""
    if page is not None:
        kind, id = parse(page) or (None, None)
        if kind is not Kind.PAGE or id is None:
            raise InvalidInput.at("page", "This is not the id of a page.", ProblemCode.ID_MALFORMED)
        found = list((await sites.pages_by_ids(reader, reach, [id])).values())
    else:
        address = sites.split_url(url or "")
        rows = [await sites.by_origin(reader, reach, each, address.origin) for each in reach.workspaces]
        keys = [(row.id, address.path) for row in rows if row is not None]
        found = list((await sites.page_by_paths(reader, reach, keys)).values()) if keys else []
    if not found:
        raise NotFound("There is no such page, or it is not yours.", page)
    if len(found) > 1:
        raise InvalidInput.at("url", "Several of your workspaces have this page: name it by its id.")
    return found[0]


async def _profile(reader: Reader, reach: Reach, page: sites.PageRow, text: str | None) -> sites.ProfileRow:
    if text is None:
        default = (await sites.default_profiles(reader, reach, [page.site_id])).get(page.site_id)
        if default is None:  # the page was deleted since it was read
            raise NotFound("There is no such page, or it is not yours.", encode(Kind.PAGE, page.id))
        return default
    of_workspace = (await sites.profiles_by_workspace(reader, reach, [page.workspace_id]))[page.workspace_id]
    for profile in of_workspace:
        if text in (encode(Kind.PROFILE, profile.id), profile.name):
            return profile
    raise NotFound("There is no profile of this id or name, or it is not yours.", text)


def _rows(export: Export, series: Series) -> Iterator[dict[str, Any]]:
    for point in series.points:
        audit_id = export.ended.get(point.last) if point.last is not None else point.audit_id
        yield {
            "at": point.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "samples": point.samples,
            "audit": encode(Kind.AUDIT, audit_id) if audit_id is not None else None,
        }


def _made(export: Export, series: Series) -> dict[str, Any] | None:
    """Its conditions."""
    row = export.conditions.get(series.conditions_id) if series.conditions_id is not None else None
    return {name: getattr(row, name) for name in _OF_CONDITIONS} if row is not None else None


def _document(export: Export) -> dict[str, Any]:
    page, profile = export.page, export.profile
    return {
        "page": {"id": encode(Kind.PAGE, page.id), "name": page.name, "url": page.origin + page.path},
        "profile": {"id": encode(Kind.PROFILE, profile.id), "name": profile.name},
        "series": [
            {
                "metric": series.metric.name,
                "unit": metrics.CATALOGUE[series.metric].unit,
                "interval": series.interval,
                "conditions": _made(export, series),
                "points": list(_rows(export, series)),
            }
            for series in export.series
        ],
    }


def _lines(export: Export) -> Iterator[str]:
    """As RFC 4180 writes them, headings first."""
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    about = [encode(Kind.PAGE, export.page.id), export.page.origin + export.page.path, export.profile.name]
    for series in export.series:
        made = _made(export, series) or {}
        of_series = [series.metric.name, metrics.CATALOGUE[series.metric].unit, *(made.get(name) for name in _OF_CONDITIONS)]
        beginning = [*map(cell, [*about, *of_series, series.interval])]
        for row in _rows(export, series):
            writer.writerow([*beginning, *map(cell, row.values())])
        yield kept.getvalue()
        kept.seek(0)
        kept.truncate()
    yield kept.getvalue()
