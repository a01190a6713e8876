"""The assertions of Lighthouse CI (`ci.assert` of a .lighthouserc.json), with Lighthouse CI's meaning.

All that match apply. Without an option an audit has to have a score of 0.9: so does the code, whatever its documentation says;
and of several runs the best one counts, unless an aggregation method is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..measuring import MetricName
from . import drafts, regexes, replaced
from .deciding import kebab
from .drafts import Draft, Drafts, Skipped, wrong
from .subjects import PERFORMANCE
from .words import Aggregation, BudgetResource, BudgetSeverity, SubjectKind

DEFAULT_SCORE = 0.9
MAX_ITEMS = 20
"""So many pieces of evidence are kept of a finding."""

METRICS: Mapping[str, MetricName] = {
    "first-contentful-paint": MetricName.FCP,
    "largest-contentful-paint": MetricName.LCP,
    "interactive": MetricName.TTI,
    "speed-index": MetricName.SPEED_INDEX,
    "total-blocking-time": MetricName.TBT,
    "cumulative-layout-shift": MetricName.CLS,
    "max-potential-fid": MetricName.MAX_POTENTIAL_FID,
    "redirects": MetricName.REDIRECT,
    "total-byte-weight": MetricName.TRANSFER_BYTES,
    "dom-size": MetricName.DOM_SIZE,
    "dom-size-insight": MetricName.DOM_SIZE,
}
_ONLY_NUMBERS = frozenset(METRICS) - {"redirects", "total-byte-weight", "dom-size", "dom-size-insight"}
_METHODS = {
    "median": Aggregation.MEDIAN,
    "optimistic": Aggregation.OPTIMISTIC,
    "pessimistic": Aggregation.PESSIMISTIC,
    "median-run": Aggregation.MEDIAN_RUN,
}
_LEVELS = ("off", "warn", "error")
_BASE = ("assertions", "aggregationMethod", "preset")
_TOP = (*_BASE, "assertMatrix", "budgetsFile", "includePassedAssertions")
_OPTIONS = ("minScore", "maxLength", "maxNumericValue", "aggregationMethod")
_RESOURCES = [each.value for each in BudgetResource]
_OLD_BUDGETS = ("performance-budget", "timing-budget")
_PRESET = (
    "presets are not taken: they assert some hundred audits, most of which say nothing of speed. Leave it out, and list "
    'what you mean under assertions, such as "categories:performance": ["error", {"minScore": 0.9}].'
)
_FILE = "a budgetsFile is not taken here: leave it out, and import that file by itself as BUDGET_JSON."
_KEPT = "of an audit only whether its score is below 0.9 is kept"
_PASSED = "It is counted where the audit's score is below 0.9: what others list, and those without a score, is not kept."
_ONE_RUN = "It is of no effect here: of findings, timings and other categories only the representative run's are kept."
_OUTPUT = "It is about what Lighthouse CI prints."
_AUDIT = re.compile(r"[a-z0-9][a-z0-9-]*\Z")


class _Base(NamedTuple):
    """The entry that an assertion stands in."""

    position: int
    url_pattern: str | None
    method: Aggregation


class _Options(NamedTuple):
    severity: BudgetSeverity
    method: Aggregation
    named: bool
    least_score: float | None
    most_items: float | None
    most: float | None


class _Limit(NamedTuple):
    kind: SubjectKind
    subject: str
    value: float


def read(text: str) -> Drafts:
    """Raises InvalidInput with the place and with what would be right: a file is taken as a whole or not at all."""
    given, place = _inside(drafts.parsed(text))
    top = drafts.an_object(given, place, _TOP, "What is asserted")
    made = Drafts([], [], [])
    if "includePassedAssertions" in top:
        made.skipped.append(Skipped(f"{place}.includePassedAssertions".lstrip("."), _OUTPUT))
    if "budgetsFile" in top:
        raise wrong(f"{place}.budgetsFile".lstrip("."), _FILE)
    if "assertMatrix" not in top:
        _read_entry(top, place, 0, None, made)
        return made
    for name in ("assertions", "preset", "aggregationMethod"):
        if name in top:
            raise wrong(f"{place}.{name}".lstrip("."), "an assertMatrix stands alone: put this into its entries.")
    at = f"{place}.assertMatrix".lstrip(".")
    for position, entry in enumerate(drafts.a_list(top["assertMatrix"], at, "An assertMatrix")):
        where = f"{at}[{position}]"
        row = drafts.an_object(entry, where, (*_BASE, "matchingUrlPattern"), "An entry")
        _read_entry(row, where, position, _pattern(row.get("matchingUrlPattern"), f"{where}.matchingUrlPattern"), made)
    return made


def _inside(given: Any) -> tuple[Any, str]:
    """What is asserted, and where: in a whole .lighthouserc.json, in its `ci`, or alone."""
    place = []
    for name in ("ci", "assert"):
        if isinstance(given, dict) and name in given:
            given = given[name]
            place.append(name)
        elif isinstance(given, dict) and place:
            raise wrong(".".join(place), "there is no assert in it.")
    return given, ".".join(place)


def _pattern(given: Any, place: str) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise wrong(place, "a matchingUrlPattern is a text with a regular expression.")
    try:
        regexes.read(given)
    except regexes.Unreadable as unreadable:
        raise wrong(place, str(unreadable)) from None
    return given


def _read_entry(entry: Mapping[str, Any], place: str, position: int, pattern: str | None, made: Drafts) -> None:
    if "preset" in entry:
        raise wrong(f"{place}.preset".lstrip("."), _PRESET)
    at = f"{place}.assertions".lstrip(".")
    assertions = entry.get("assertions", {})
    if not isinstance(assertions, dict):
        raise wrong(at, 'assertions are an object such as {"speed-index": ["warn", {"maxNumericValue": 4000}]}.')
    base = _Base(position, pattern, _method(entry.get("aggregationMethod", "optimistic"), f"{place}.aggregationMethod"))
    seen: set[str] = set()
    for name, given in assertions.items():
        where = f"{at}.{drafts.clipped(name)}"
        key = _key(name)
        if key in seen:
            raise wrong(where, "this is asserted twice, under two spellings; keep one of them.")
        seen.add(key)
        options = _options(given, where, base)
        if options is None:
            made.skipped.append(Skipped(where, "It is switched off."))
            continue
        for limit in _limits(key, options, where):
            if isinstance(limit, Skipped):
                made.skipped.append(limit)
            else:
                made.budgets.append(_draft(where, base, options, limit))
                if limit.kind is SubjectKind.FINDING and (said := replaced.said_of(key)) is not None:
                    made.skipped.append(Skipped(where, said))
                if options.named and _is_of_one_run(limit):
                    made.skipped.append(Skipped(f"{where}.aggregationMethod", _ONE_RUN))


def _is_of_one_run(limit: _Limit) -> bool:
    if limit.kind is SubjectKind.CATEGORY:
        return limit.subject != PERFORMANCE
    return limit.kind in (SubjectKind.FINDING, SubjectKind.USER_TIMING)


def _key(name: str) -> str:
    """camelCase and `.` are other spellings of kebab-case and `:`."""
    return re.sub(r"([a-z])([A-Z])", r"\1-\2", name).lower().replace(".", ":")


def _method(given: Any, place: str) -> Aggregation:
    return _METHODS[drafts.one_of(given, place.lstrip("."), _METHODS, "An aggregation method")]


def _options(given: Any, place: str, base: _Base) -> _Options | None:
    """None: it is off."""
    level, *others = given if isinstance(given, list) and given else [given]
    level = drafts.one_of(level, place, _LEVELS, 'A level, alone or as in ["warn", {"minScore": 0.5}],')
    if level == "off":
        return None
    if len(others) > 1:
        raise wrong(place, 'an assertion is a level, or a level and its options as in ["warn", {"minScore": 0.5}].')
    options = drafts.an_object(others[0] if others else {}, place, _OPTIONS, "The options of an assertion")
    method = base.method
    if "aggregationMethod" in options:
        method = _method(options["aggregationMethod"], f"{place}.aggregationMethod")
    names = ("minScore", "maxLength", "maxNumericValue")
    score, items, most = (
        drafts.a_number(options[name], f"{place}.{name}", name) if name in options else None for name in names
    )
    if score is not None and score > 1:
        raise wrong(f"{place}.minScore", "a score is from 0 to 1, such as 0.9.")
    if (score, items, most) == (None, None, None):
        score = DEFAULT_SCORE
    return _Options(BudgetSeverity(level.upper()), method, "aggregationMethod" in options, score, items, most)


def _limits(key: str, options: _Options, place: str) -> Iterator[_Limit | Skipped]:
    audit, *parts = [part for part in key.split(":") if part]
    match audit, parts:
        case "categories", [category]:
            yield from _category(category, options, place)
        case "resource-summary", [resource, "size" | "count" as what] if resource in _RESOURCES:
            kind = SubjectKind.RESOURCE_SIZE if what == "size" else SubjectKind.RESOURCE_COUNT
            yield from _numbers(kind, resource, options, place)
        case "user-timings", [_, *_]:
            yield from _numbers(SubjectKind.USER_TIMING, kebab("-".join(parts)), options, place)
        case (("categories" | "resource-summary" | "user-timings"), _):
            right = "categories:performance, resource-summary:script:size, resource-summary:font:count or user-timings:hero"
            raise wrong(place, f"this names nothing that can be asserted; right would be {right}.")
        case _, [] if audit in _OLD_BUDGETS:
            yield Skipped(place, "Lighthouse dropped this audit in version 12: import your budget.json itself, as BUDGET_JSON.")
        case _, [] if _AUDIT.match(audit):
            yield from _audit(audit, options, place)
        case _:
            raise wrong(place, "this is no audit's id, such as uses-text-compression.")


def _category(category: str, options: _Options, place: str) -> Iterator[_Limit | Skipped]:
    if options.least_score is not None:
        yield _Limit(SubjectKind.CATEGORY, category, options.least_score)
    if options.most is not None or options.most_items is not None:
        yield Skipped(place, "A category has a score alone: assert its minScore.")


def _numbers(kind: SubjectKind, subject: str, options: _Options, place: str) -> Iterator[_Limit | Skipped]:
    if options.most is not None:
        yield _Limit(kind, subject, options.most)
    if options.least_score is not None or options.most_items is not None:
        yield Skipped(place, "This has a number alone, and no score: assert its maxNumericValue.")


def _audit(audit: str, options: _Options, place: str) -> Iterator[_Limit | Skipped]:
    if options.most is not None:
        if audit in METRICS:
            yield _Limit(SubjectKind.METRIC, METRICS[audit].value, options.most)
        else:
            yield Skipped(f"{place}.maxNumericValue", "The number of this audit is not kept; the metrics' numbers are.")
    if options.most_items is not None:
        if options.most_items < MAX_ITEMS and audit not in _ONLY_NUMBERS:
            yield _Limit(SubjectKind.FINDING, audit, options.most_items)
            yield Skipped(f"{place}.maxLength", _PASSED)
        else:
            yield Skipped(f"{place}.maxLength", f"Of what an audit lists, {MAX_ITEMS} at most are kept, and of a metric none.")
    if options.least_score is not None:
        yield from _score(audit, options.least_score, place)


def _score(audit: str, least: float, place: str) -> Iterator[_Limit | Skipped]:
    """An audit with a score below 0.9 is a finding; what its score was is not kept."""
    if audit in _ONLY_NUMBERS:
        yield _Limit(SubjectKind.METRIC_SCORE, METRICS[audit].value, least)
    elif least < DEFAULT_SCORE:
        yield Skipped(f"{place}.minScore", f"{_KEPT[0].upper()}{_KEPT[1:]}: assert a minScore of 0.9.")
    else:
        yield _Limit(SubjectKind.FINDING, audit, 0)
        if least > DEFAULT_SCORE:
            yield Skipped(f"{place}.minScore", f"It is held against 0.9 instead: {_KEPT}.")


def _draft(at: str, base: _Base, options: _Options, limit: _Limit) -> Draft:
    return Draft(
        at,
        base.position,
        None,
        base.url_pattern,
        limit.kind,
        limit.subject,
        limit.value,
        0,
        options.method,
        options.severity,
    )
