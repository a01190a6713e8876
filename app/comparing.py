"""Pages and sites beside one another, on the command line: which are meant, and how they stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from rich.text import Text

from app import exporting
from app.auditing.plain import plain
from app.commands.tables import console, table
from app.exporting import Wanted
from domain import audits, metrics, sites
from domain.access import Reach
from domain.audits import Comparison, Interval
from domain.errors import NotFound
from domain.ids import Kind, encode, parse
from domain.measuring import MetricName
from domain.metrics import Direction
from domain.ports import Reader


class Line(NamedTuple):
    """What was compared: a page, or, without one, a site with all of its pages."""

    of: audits.Compared
    page: sites.PageRow | None
    site: sites.SiteRow
    profile: sites.ProfileRow
    conditions: audits.ConditionsRow | None


@dataclass(frozen=True, slots=True)
class Lines:
    metric: MetricName
    lines: Sequence[Line]

    def change(self, line: Line) -> float | None:
        """By which part of the first one's median its own lies above it."""
        first = self.lines[0].of.summary
        if first is None or line.of.summary is None or line is self.lines[0]:
            return None
        return metrics.relative_change(self.metric, line.of.summary.median, first.median)


async def gather(
    reader: Reader, reach: Reach, workspace_id: UUID, things: Sequence[str], profiles: Sequence[str], wanted: Wanted
) -> Lines:
    """`things` are ids of pages and sites, addresses of pages and short names of sites; of `wanted` the metric, environment
    and span are taken. Raises InvalidInput, NotFound, LimitReached.
    """
    named = [await _thing(reader, reach, workspace_id, thing) for thing in things]
    pages, of_sites = (tuple(id for kind, id in named if kind is wanted_kind) for wanted_kind in (Kind.PAGE, Kind.SITE))
    chosen = await _profiles(reader, reach, workspace_id, profiles) if profiles else None
    what = (workspace_id, wanted.metrics[0], pages, of_sites, chosen, wanted.environment)
    asked = Comparison(*what, wanted.since, wanted.until, Interval.MONTH, time_zone=wanted.time_zone)
    found = await audits.compare(reader, reach, asked)
    order = [id for _, id in named]
    lines = await _lines(reader, reach, sorted(found, key=lambda each: order.index(each.page_id or each.site_id)))
    return Lines(wanted.metrics[0], lines)


async def _thing(reader: Reader, reach: Reach, workspace_id: UUID, thing: str) -> tuple[Kind, UUID]:
    """A page or a site. Raises InvalidInput, NotFound."""
    kind, id = parse(thing) or (None, None)
    if "://" in thing or kind is Kind.PAGE:
        page, url = (None, thing) if "://" in thing else (thing, None)
        return Kind.PAGE, (await exporting.find_page(reader, reach, page, url)).id
    if kind is Kind.SITE and id is not None:
        return Kind.SITE, id
    site = (await sites.by_slugs(reader, reach, [(workspace_id, thing)])).get((workspace_id, thing))
    if site is None:
        message = f"There is no site {plain(thing)!r} in this workspace. A page is named by its address or its id."
        raise NotFound(message)
    return Kind.SITE, site.id


async def _profiles(reader: Reader, reach: Reach, workspace_id: UUID, wanted: Sequence[str]) -> tuple[UUID, ...]:
    rows = (await sites.profiles_by_workspace(reader, reach, [workspace_id]))[workspace_id]
    known = {name: row.id for row in rows for name in (row.name, encode(Kind.PROFILE, row.id))}
    for each in wanted:
        if each not in known:
            names = ", ".join(plain(row.name, 60) for row in rows)
            raise NotFound(f"There is no profile {plain(each)!r} in this workspace. There are: {names}.")
    return tuple(dict.fromkeys(known[each] for each in wanted))


async def _lines(reader: Reader, reach: Reach, found: Sequence[audits.Compared]) -> Sequence[Line]:
    """But for what was deleted meanwhile."""
    pages = await sites.pages_by_ids(reader, reach, {each.page_id for each in found if each.page_id is not None})
    of_sites = await sites.by_ids(reader, reach, {each.site_id for each in found})
    profiles = await sites.profiles_by_ids(reader, reach, {each.profile_id for each in found})
    ids = {each.conditions_id for each in found if each.conditions_id is not None}
    made = await audits.conditions_by_ids(reader, reach, ids)
    lines = []
    for each in found:
        page = pages.get(each.page_id) if each.page_id is not None else None
        conditions = made.get(each.conditions_id) if each.conditions_id is not None else None
        site, profile = of_sites.get(each.site_id), profiles.get(each.profile_id)
        if site is not None and profile is not None and (page is not None or each.page_id is None):
            lines.append(Line(each, page, site, profile, conditions))
    return lines


def show(found: Lines) -> None:
    shown = table("What", "Profile")
    for heading in ("Median", "P75", "Audits", "Beside the first", "Rank"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for line in found.lines:
        summary = line.of.summary
        numbers = ["–", "–", "0"]
        if summary is not None:
            values = [metrics.format_value(found.metric, value) for value in (summary.median, summary.p75)]
            numbers = [*values, f"{summary.audits:,}"]
        rank = f"{line.of.rank}" if line.of.rank is not None else "–"
        shown.add_row(_name(line), _way(line), *numbers, _beside(found, line), rank)
    console().print(Text(metrics.CATALOGUE[found.metric].title, "bold"))
    console().print(shown)


def _name(line: Line) -> Text:
    if line.page is not None:
        return Text(plain(line.page.origin + line.page.path))
    return Text(plain(line.site.origin)).append("\nall pages", "dim")


def _way(line: Line) -> Text:
    """What was measured under several conditions stands there several times, told apart by its engine."""
    name = Text(plain(line.profile.name, 60))
    if line.conditions is None:
        return name
    major = f" {line.conditions.engine_major}" if line.conditions.engine_major is not None else ""
    return name.append(f"\n{line.conditions.engine.capitalize()}{major}, version {line.conditions.profile_version}", "dim")


def _beside(found: Lines, line: Line) -> Text:
    change = found.change(line)
    if change is None:
        return Text("–")
    lower = metrics.CATALOGUE[found.metric].direction is Direction.LOWER_IS_BETTER
    style = "dim" if change == 0 else "green" if (change < 0) is lower else "red"
    return Text(f"{change * 100:+,.1f} %", style)


def as_json(found: Lines) -> str:
    return json.dumps(
        {
            "metric": found.metric.name,
            "unit": metrics.CATALOGUE[found.metric].unit,
            "series": [_document(found, line) for line in found.lines],
        },
        indent=2,
    )


def _document(found: Lines, line: Line) -> dict[str, Any]:
    page, summary, made = line.page, line.of.summary, line.conditions
    return {
        "page": {"id": encode(Kind.PAGE, page.id), "url": page.origin + page.path} if page is not None else None,
        "site": {"id": encode(Kind.SITE, line.site.id), "slug": line.site.slug, "origin": line.site.origin},
        "profile": {"id": encode(Kind.PROFILE, line.profile.id), "name": line.profile.name},
        "conditions": {name: getattr(made, name) for name in made._fields[2:]} if made is not None else None,
        "median": summary.median if summary is not None else None,
        "p75": summary.p75 if summary is not None else None,
        "audits": summary.audits if summary is not None else 0,
        "change": found.change(line),
        "rank": line.of.rank,
    }
