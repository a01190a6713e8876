"""Decisions about budgets themselves: what makes one valid, and which ones are for an audit. Nothing here reads or writes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from .. import metrics
from ..errors import Fault, ProblemCode
from ..measuring import FormFactor, MetricName
from ..metrics import Unit
from . import patterns, regexes, subjects
from .rows import BudgetRow
from .words import Aggregation, BudgetResource, BudgetSeverity, BudgetSource, LimitKind, SubjectKind

MAX_BUDGETS = 1_000
MAX_IMPORTED = 200
MAX_PATTERNS = 50
MAX_CONSECUTIVE = 10
MAX_PERCENT = 10_000
MAX_SUBJECT = 200
MAX_LIMIT = 2.0**53

_SUBJECT = re.compile(r"[\w][\w .:/-]*\Z")


_SCORED = frozenset(metric for metric in MetricName if metrics.curve(metric, FormFactor.MOBILE) is not None)


class Settings(NamedTuple):
    """What may be changed of a budget."""

    name: str
    profile_id: UUID | None
    path: str | None
    url_pattern: str | None
    environment: str
    subject_kind: SubjectKind
    subject: str
    limit_kind: LimitKind
    limit_value: float
    tolerance: float
    aggregation: Aggregation
    severity: BudgetSeverity
    consecutive: int


HARMLESS = frozenset({"name", "severity"})
"""What is changed of a budget without its beginning anew."""


def check(settings: Settings, faults: list[Fault]) -> None:
    if settings.path is not None and (wrong := patterns.fault_of(settings.path)) is not None:
        faults.append(Fault(("path",), wrong, ProblemCode.MALFORMED))
    if settings.url_pattern is not None:
        try:
            regexes.read(settings.url_pattern)
        except regexes.Unreadable as unreadable:
            faults.append(Fault(("urlPattern",), str(unreadable), ProblemCode.MALFORMED))
    if (wrong := _subject_fault(settings)) is not None:
        faults.append(Fault(("subject",), wrong, ProblemCode.MALFORMED))
    else:
        _check_limit(settings, faults)
    if not (math.isfinite(settings.tolerance) and 0 <= settings.tolerance <= MAX_LIMIT):
        faults.append(Fault(("tolerance",), "A tolerance is not less than 0, in the limit's unit.", ProblemCode.OUT_OF_RANGE))
    if not 1 <= settings.consecutive <= MAX_CONSECUTIVE:
        message = f"consecutive is from 1 to {MAX_CONSECUTIVE}."
        faults.append(Fault(("consecutive",), message, ProblemCode.OUT_OF_RANGE))


def _subject_fault(settings: Settings) -> str | None:
    match settings.subject_kind:
        case SubjectKind.METRIC:
            return None if settings.subject in set(MetricName) else "There is no such metric."
        case SubjectKind.METRIC_SCORE:
            return None if settings.subject in _SCORED else "Lighthouse gives this metric no score."
        case SubjectKind.RESOURCE_SIZE | SubjectKind.RESOURCE_COUNT:
            return None if settings.subject in set(BudgetResource) else "There is no such type of resources."
    if len(settings.subject) > MAX_SUBJECT or not _SUBJECT.match(settings.subject):
        return f"A finding's rule, a category or a timing is 1 to {MAX_SUBJECT} letters, digits, spaces or . : / - _"
    return None


def _check_limit(settings: Settings, faults: list[Fault]) -> None:
    value = settings.limit_value
    if settings.limit_kind is LimitKind.RELATIVE:
        if not (math.isfinite(value) and 0 <= value <= MAX_PERCENT):
            message = f"A relative limit is so many percent worse than before: 0 to {MAX_PERCENT:,}."
            faults.append(Fault(("limit",), message, ProblemCode.OUT_OF_RANGE))
        return
    most = 1.0 if subjects.unit(settings) is Unit.SCORE else MAX_LIMIT
    if not (math.isfinite(value) and 0 <= value <= most):
        message = "The limit of a score is from 0 to 1." if most == 1 else "A limit is not less than 0."
        faults.append(Fault(("limit",), message, ProblemCode.OUT_OF_RANGE))


def name_of(settings: Settings) -> str:
    """A name for a budget that was given none: `Largest Contentful Paint: at most 2,500 ms on /blog/*`."""
    edge = "at most" if subjects.lower_is_better(settings) else "at least"
    limit = f"{edge} {subjects.shown(settings, settings.limit_value)}"
    if settings.limit_kind is LimitKind.RELATIVE:
        limit = f"at most {settings.limit_value:g} % worse"
    elif settings.subject_kind is SubjectKind.FINDING and settings.limit_value < 1:
        limit = "none"
    where = settings.path or settings.url_pattern
    return f"{subjects.title(settings)}: {limit}{f' on {where}' if where else ''}"[:100]


class Place(NamedTuple):
    """What decides which budgets are for an audit."""

    site_id: UUID
    path: str
    url: str
    profile_id: UUID
    environment: str


def matching(budgets: Sequence[BudgetRow], place: Place) -> list[BudgetRow]:
    """Those that hold an audit. Of one budget.json the last entry whose path matches, and no other entry, as it says of
    itself: paused limits too make an entry the last one. Of an LHCI file, and of those made by hand, all that match.
    """
    there = [each for each in budgets if each.site_id in (None, place.site_id) and _is_on(each, place)]
    last: dict[UUID, int] = {}
    for each in there:
        if each.source is BudgetSource.BUDGET_JSON and each.group_id is not None:
            last[each.group_id] = max(last.get(each.group_id, 0), each.position)
    return [
        each
        for each in there
        if each.paused_at is None
        and each.environment == place.environment
        and each.profile_id in (None, place.profile_id)
        and (each.source is not BudgetSource.BUDGET_JSON or last.get(each.group_id or each.id, each.position) == each.position)
        and not any(patterns.matches(path, place.path) for path in each.except_paths)
    ]


def _is_on(budget: BudgetRow, place: Place) -> bool:
    return patterns.matches(budget.path, place.path) and (
        budget.url_pattern is None or regexes.found(budget.url_pattern, place.url)
    )
