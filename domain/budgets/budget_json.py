"""budget.json, which Lighthouse read until version 12 took it out: https://github.com/GoogleChrome/budget.json.

Sizes are in kilobytes of 1,024 bytes as they came over the wire. An entry is a whole: of all whose path matches a page the last
one counts, and no other (domain/budgets/rules.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import LimitReached
from ..measuring import MetricName
from . import drafts, patterns, rules
from .drafts import Draft, Drafts, Skipped, wrong
from .words import Aggregation, BudgetResource, BudgetSeverity, SubjectKind

KILOBYTE = 1_024

TIMINGS: Mapping[str, MetricName] = {
    "first-contentful-paint": MetricName.FCP,
    "largest-contentful-paint": MetricName.LCP,
    "interactive": MetricName.TTI,
    "speed-index": MetricName.SPEED_INDEX,
    "total-blocking-time": MetricName.TBT,
    "cumulative-layout-shift": MetricName.CLS,
    "max-potential-fid": MetricName.MAX_POTENTIAL_FID,
}
_GONE = {
    "first-meaningful-paint": "Lighthouse 13 measures no First Meaningful Paint; budget largest-contentful-paint instead.",
    "first-cpu-idle": "Lighthouse measures no First CPU Idle since version 8; budget total-blocking-time instead.",
}
_HOSTS = "Which hosts are third parties is decided by the engine that measures; firstPartyHostnames is not taken."
_RESOURCES = [each.value for each in BudgetResource]
_ENTRY = ("path", "options", "resourceSizes", "resourceCounts", "timings")


def read(text: str) -> Drafts:
    """Raises InvalidInput with the place and with what would be right: a file is taken as a whole or not at all."""
    found, skipped = list[Draft](), list[Skipped]()
    silent: list[tuple[int, str | None]] = []
    entries = drafts.a_list(drafts.parsed(text), "", "A budget.json")
    if len(entries) > rules.MAX_IMPORTED:
        raise LimitReached(f"A budget.json has at most {rules.MAX_IMPORTED} entries.", rules.MAX_IMPORTED)
    for position, given in enumerate(entries):
        place = f"[{position}]"
        entry = drafts.an_object(given, place, _ENTRY, "An entry")
        path = _path(entry.get("path"), f"{place}.path")
        if "options" in entry:
            skipped.append(Skipped(f"{place}.options", _HOSTS))
        made = [
            *_resources(entry, place, position, path, "resourceSizes", SubjectKind.RESOURCE_SIZE, KILOBYTE),
            *_resources(entry, place, position, path, "resourceCounts", SubjectKind.RESOURCE_COUNT, 1),
            *_timings(entry, place, position, path, skipped),
        ]
        found += made
        if not made:
            silent.append((position, path))
    return Drafts(found, skipped, silent)


def _path(given: Any, place: str) -> str | None:
    if given is None:
        return None
    fault = patterns.fault_of(given) if isinstance(given, str) else "A path is a text such as /blog/*."
    if fault is not None:
        raise wrong(place, fault)
    assert isinstance(given, str)
    return given


def _resources(
    entry: Mapping[str, Any], place: str, position: int, path: str | None, name: str, kind: SubjectKind, factor: float
) -> Iterator[Draft]:
    seen: set[str] = set()
    for index, given in enumerate(drafts.a_list(entry.get(name, []), f"{place}.{name}", name)):
        at = f"{place}.{name}[{index}]"
        row = drafts.an_object(given, at, ("resourceType", "budget"), "A budget of resources")
        resource = drafts.one_of(row.get("resourceType"), f"{at}.resourceType", _RESOURCES, "A type of resources")
        _once(resource, seen, f"{at}.resourceType")
        limit = drafts.a_number(row.get("budget"), f"{at}.budget", "A budget") * factor
        yield _draft(at, position, path, kind, resource, limit, 0)


def _timings(entry: Mapping[str, Any], place: str, position: int, path: str | None, skipped: list[Skipped]) -> Iterator[Draft]:
    seen: set[str] = set()
    for index, given in enumerate(drafts.a_list(entry.get("timings", []), f"{place}.timings", "timings")):
        at = f"{place}.timings[{index}]"
        row = drafts.an_object(given, at, ("metric", "budget", "tolerance"), "A budget of a timing")
        metric = drafts.one_of(row.get("metric"), f"{at}.metric", (*TIMINGS, *_GONE), "A timing's metric")
        _once(metric, seen, f"{at}.metric")
        limit = drafts.a_number(row.get("budget"), f"{at}.budget", "A budget")
        tolerance = drafts.a_number(row.get("tolerance", 0), f"{at}.tolerance", "A tolerance")
        if metric in _GONE:
            skipped.append(Skipped(at, _GONE[metric]))
        else:
            yield _draft(at, position, path, SubjectKind.METRIC, TIMINGS[metric].value, limit, tolerance)


def _once(name: str, seen: set[str], place: str) -> None:
    if name in seen:
        raise wrong(place, f"{name} is limited twice in this entry; keep one of them.")
    seen.add(name)


def _draft(at: str, position: int, path: str | None, kind: SubjectKind, subject: str, limit: float, tolerance: float) -> Draft:
    level, how = BudgetSeverity.ERROR, Aggregation.MEDIAN
    return Draft(at, position, path, None, kind, subject, limit, tolerance, how, level)
