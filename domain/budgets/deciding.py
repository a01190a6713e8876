"""One audit held against one budget, and what that does to how the budget stands: decisions only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from .. import metrics
from ..measuring import EngineName, FormFactor, MetricName
from . import subjects
from .rows import BudgetRow, StandingRow
from .words import Aggregation, BudgetReason, BudgetResource, BudgetSource, BudgetState, LimitKind, SubjectKind

BASELINE = 5
"""So many audits before this one are what a page was."""

FEWEST = 3
"""With fewer of them nobody knows what it was."""

MAX_DAYS = 29

PLACES = 9
"""What lies beyond a limit is reckoned to so many decimals, more than are kept of what is measured."""


class Audited(Protocol):
    """An audit's row, as far as it is looked at here."""

    @property
    def engine(self) -> EngineName: ...
    @property
    def engine_version(self) -> str | None: ...
    @property
    def form_factor(self) -> FormFactor: ...
    @property
    def representative_run(self) -> int | None: ...
    @property
    def scores(self) -> list[dict[str, Any]]: ...
    @property
    def user_timings(self) -> list[dict[str, Any]]: ...


class Sample(NamedTuple):
    """An audit and what was measured.

    That is the rows of its runs in order, the pieces of evidence of each finding, and how many requests of each type each
    run made, of those runs whose requests are known.
    """

    audit: Audited
    runs: Sequence[Any] = ()
    findings: Mapping[str, int] = {}
    counts: Mapping[int, Mapping[BudgetResource, int]] = {}


class Outcome(NamedTuple):
    """What came of it. `limit` is where the limit lies for this audit; `over` is how far beyond it the value is."""

    budget: BudgetRow
    state: BudgetState
    value: float | None = None
    limit: float | None = None
    baseline: float | None = None
    over: float | None = None
    reason: BudgetReason | None = None


class _Value(NamedTuple):
    value: float | None
    everywhere: bool = True


def decide(budget: BudgetRow, sample: Sample, before: Sequence[Sample] = (), stood: float | None = None) -> Outcome:
    """`before` are the last audits of the page under equal conditions; `stood` is what it was before those that breach it."""
    fixed = budget.limit_value if budget.limit_kind is LimitKind.ABSOLUTE else None
    if _is_foreign(budget, sample):
        return Outcome(budget, BudgetState.NOT_JUDGED, limit=fixed, reason=BudgetReason.OTHER_ENGINE)
    value, everywhere = _value(budget, sample)
    if value is None:
        return Outcome(budget, BudgetState.NOT_JUDGED, limit=fixed, reason=BudgetReason.NOT_MEASURED)
    limit, baseline = budget.limit_value, None
    if budget.limit_kind is LimitKind.RELATIVE:
        baseline = stood if stood is not None else _usual(budget, before)
        if baseline is None:
            return Outcome(budget, BudgetState.NOT_JUDGED, value, reason=BudgetReason.TOO_FEW_BEFORE)
        limit = relative(baseline, budget.limit_value, lower=subjects.lower_is_better(budget))
    # Turned so that for either direction more is worse; rounded, since 0.2 is a little more than 0.05 beyond 0.15.
    over = round(value - limit if subjects.lower_is_better(budget) else limit - value, PLACES)
    if over > budget.tolerance:
        return Outcome(budget, BudgetState.BREACHED, value, limit, baseline, over)
    if budget.aggregation is Aggregation.PESSIMISTIC and not everywhere:
        return Outcome(budget, BudgetState.BREACHED, value, limit, baseline, None, BudgetReason.RUN_WITHOUT_VALUE)
    return Outcome(budget, BudgetState.PASSED, value, limit, baseline)


def _usual(budget: BudgetRow, before: Sequence[Sample]) -> float | None:
    were = [each for each in (_value(budget, earlier).value for earlier in before) if each is not None]
    return metrics.median(were) if len(were) >= FEWEST else None


def relative(baseline: float, percent: float, *, lower: bool) -> float:
    """So many percent worse than the baseline; of one that is zero that is zero, whatever the percentage."""
    return baseline + baseline * percent / 100 if lower else baseline - baseline * percent / 100


def _is_foreign(budget: BudgetRow, sample: Sample) -> bool:
    """Whether it is about one of Lighthouse's audits, which the probe knows nothing of: that it found nothing says nothing."""
    of_lighthouse = budget.source is BudgetSource.LHCI and budget.subject_kind is SubjectKind.FINDING
    return of_lighthouse and sample.audit.engine is EngineName.PROBE


def _value(budget: BudgetRow, sample: Sample) -> _Value:
    audit = sample.audit
    match budget.subject_kind:
        case SubjectKind.FINDING:
            return _Value(float(sample.findings.get(budget.subject, 0)))
        case SubjectKind.USER_TIMING:
            return _Value(_timing(audit, budget.subject))
    metric = subjects.metric_of(budget)
    if metric is None and budget.subject_kind is SubjectKind.CATEGORY:
        return _Value(next((each["score"] for each in audit.scores if each["category"] == budget.subject), None))
    if metric is None:
        resource = BudgetResource(budget.subject)
        counted = [sample.counts.get(run.index) for run in sample.runs]
        values = [float(counts.get(resource, 0)) if counts is not None else None for counts in counted]
    else:
        values = [getattr(run, metric.value) for run in sample.runs]
        if budget.subject_kind is SubjectKind.METRIC_SCORE:
            values = [_score(audit, metric, value) for value in values]
    indices = [run.index for run in sample.runs]
    representative = indices.index(audit.representative_run) if audit.representative_run in indices else None
    return aggregated(values, representative, budget.aggregation, lower=subjects.lower_is_better(budget))


def aggregated(values: Sequence[float | None], representative: int | None, aggregation: Aggregation, *, lower: bool) -> _Value:
    """One value for several runs, and whether each has one; `representative` is the place of the run that stands for all."""
    there = [each for each in values if each is not None]
    everywhere = len(there) == len(values)
    if aggregation is Aggregation.MEDIAN_RUN:
        return _Value(values[representative] if representative is not None else None, everywhere)
    if not there:
        return _Value(None, False)
    if aggregation is Aggregation.MEDIAN:
        return _Value(metrics.median(there), everywhere)
    best, worst = (min(there), max(there)) if lower else (max(there), min(there))
    return _Value(best if aggregation is Aggregation.OPTIMISTIC else worst, everywhere)


def _score(audit: Audited, metric: MetricName, value: float | None) -> float | None:
    """What Lighthouse gives for the value, in the version that measured it."""
    if value is None:
        return None
    major = (audit.engine_version or "").split(".")[0]
    of_lighthouse = audit.engine is EngineName.LIGHTHOUSE and major.isdigit()
    version = int(major) if of_lighthouse else metrics.LATEST_MAJOR
    return metrics.metric_score(metric, value, audit.form_factor, version)


def _timing(audit: Audited, name: str) -> float | None:
    """The first of that name: how long it took, or when it was, where it is a mark."""
    for each in audit.user_timings:
        if kebab(each["name"]) == kebab(name):
            duration: float | None = each["duration_ms"]
            start: float = each["start_ms"]
            return duration if duration is not None else start
    return None


def kebab(name: str) -> str:
    """As LHCI names what it asserts: `heroImage 2` is hero-image-2."""
    parts: list[str] = []
    before = ""
    for char in name:
        if char.isascii() and char.isalnum():
            parts.append(f"-{char}" if before.islower() and char.isupper() else char)
        elif parts and parts[-1] != "-":
            parts.append("-")
        before = char
    return "".join(parts).strip("-").lower()


class Step(NamedTuple):
    """How a budget stands after an audit, and whether a breach begins or ends with it."""

    consecutive: int
    began: bool
    ended: bool
    days: list[list[str | int | float]]


def step(standing: StandingRow | None, outcome: Outcome, at: datetime, audit_id: UUID) -> Step | None:
    """None: nothing changes, since nothing was judged, or this audit or a later one was judged before.

    A breach begins with the N-th breaching audit in a row, once; it ends with the first that is within the limit.
    """
    if outcome.state is BudgetState.NOT_JUDGED:
        return None
    if standing is not None and (at, audit_id.int) <= (standing.last_at, standing.last_audit_id.int):
        return None
    is_open = standing is not None and standing.breach_id is not None
    if outcome.state is BudgetState.PASSED:
        days = [] if standing is None else standing.days
        return Step(0, began=False, ended=is_open, days=_with(days, outcome, at))
    consecutive = (standing.consecutive if standing is not None else 0) + 1
    began = not is_open and consecutive >= outcome.budget.consecutive
    return Step(consecutive, began, ended=False, days=[])


def _with(days: Sequence[Sequence[str | int | float]], outcome: Outcome, at: datetime) -> list[list[str | int | float]]:
    assert outcome.value is not None  # it passed
    worse = max if subjects.lower_is_better(outcome.budget) else min
    day, kept = at.date().isoformat(), [list(each) for each in days]
    if kept and kept[-1][0] == day:
        kept[-1] = [day, int(kept[-1][1]) + 1, worse(float(kept[-1][2]), outcome.value)]
    else:
        kept.append([day, 1, outcome.value])
    return kept[-MAX_DAYS:]
