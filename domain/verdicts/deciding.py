"""From what was measured to what is said of it: every metric of every page of a snapshot, compared and put into words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from math import log, sqrt
from statistics import fmean, median
from typing import NamedTuple
from uuid import UUID

from ..measuring import MetricName
from . import judging, statistics
from .judging import CONFIRMATIONS, Compared, Judged
from .rules import FACT_SHARE, FACTS_JUDGED, MACHINE_SHARE, TIMINGS_JUDGED, Judgement, Reason, worse
from .samples import AuditOfSnapshot, RunOfSample, Runs, Sample
from .standing import Subject

Changed = Mapping[Subject, Sequence[UUID]]
"""The audits with which it became another, in order."""

BEFORE = 4
"""So many snapshots before are pooled; those before them tell of the noise alone."""

MOST_TRIED = 4
"""So many snapshots are taken to confirm another, where some of them measure nothing."""


class Decided(NamedTuple):
    """What is said of one metric of one audit."""

    audit: AuditOfSnapshot
    metric: MetricName
    judgement: Judgement
    reason: Reason
    before: float | None = None
    after: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    detectable: float | None = None
    p: float | None = None
    delta: float | None = None
    spread_ratio: float | None = None
    snapshots_before: int = 0
    snapshots_after: int = 0


class _Case(NamedTuple):
    sample: Sample
    metric: MetricName
    compared: Compared


def decide(samples: Sequence[Sample], changed: Changed, tried: int, proved: Collection[Subject] = ()) -> list[Decided]:
    """Everything that is said of a snapshot into which so many others looked. What is SUSPECTED still needs another one.

    `proved` was confirmed when there were fewer: it was told, and stays.
    """
    said: list[Decided] = []
    cases: list[_Case] = []
    for sample in samples:
        machine = benchmarks(sample.before[-BEFORE:])
        others = [machine_changed(machine, [indexes]) for indexes in benchmarks(sample.after)]
        # A confirmation on another machine confirms nothing.
        fit = [runs for place, (runs, other) in enumerate(zip(sample.after, others, strict=True)) if not place or not other]
        for metric in TIMINGS_JUDGED:
            if values_of(sample.after[:1], metric):
                case = _case(sample, metric, fit, changed)
                unfit = _unfit(case, others[0])
                if unfit is not None:
                    said.append(unfit)
                else:
                    cases.append(case)
        facts = (_fact(sample, metric, changed, tried, proved) for metric in FACTS_JUDGED)
        said += [fact for fact in facts if fact is not None]
    return said + _judged(cases, tried, proved)


def _judged(cases: Sequence[_Case], tried: int, proved: Collection[Subject]) -> list[Decided]:
    found = judging.judge([case.compared for case in cases])
    told = []
    for case, judged in zip(cases, found, strict=True):
        subject = (case.sample.audit.page_id, case.sample.audit.profile_id, case.metric)
        if subject in proved:
            judged = judged._replace(is_confirmed=True)
        told.append(_said(case, judged, tried))
    return told


def _said(case: _Case, judged: Judged, tried: int) -> Decided:
    audit, metric, each, found = case.sample.audit, case.metric, case.compared, judged.evidence
    if found is None:
        after = fmean(statistics.centers(each.after[:1]))
        few = len(each.before)
        return Decided(
            audit, metric, Judgement.NO_EVIDENCE, Reason.TOO_FEW, after=after, snapshots_before=few, snapshots_after=1
        )
    later = len(each.after) - 1 if judged.is_suspect else 0
    judgement, reason = Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE
    if judged.is_confirmed and later:
        judgement = Judgement.REGRESSED if judging.is_worse(metric, found) else Judgement.IMPROVED
        reason = Reason.CONFIRMED
    elif judged.is_suspect:
        goes_on = later < CONFIRMATIONS and tried < MOST_TRIED and judging.may_be_confirmed(found, later)
        reason = Reason.SUSPECTED if goes_on else Reason.NOT_CONFIRMED
    elif found.first <= judging.SUSPECTED and not found.is_large:
        reason = Reason.TOO_SMALL
    shown = Compared(each.subject, metric, each.before, each.after[: later + 1], each.known)
    ratio, spread_p = statistics.spread_test(shown.before, shown.after)
    return Decided(
        audit,
        metric,
        judgement,
        reason,
        before=found.before,
        after=found.after,
        change_low=found.low,
        change_high=found.high,
        detectable=judging.detectable(shown, found),
        p=found.all,
        delta=found.delta,
        spread_ratio=ratio if spread_p <= judging.ALPHA and (ratio >= 2 or ratio <= 0.5) else None,
        snapshots_before=len(each.before),
        snapshots_after=later + 1,
    )


def _case(sample: Sample, metric: MetricName, after: Runs, changed: Changed) -> _Case:
    audit = sample.audit
    subject = (audit.page_id, audit.profile_id)
    *older, here = _levels(sample.before, changed.get((*subject, metric), ()))
    # Noise is what it was, although the page is another.
    known = [values_of(side, metric) for side in (*older, here[:-BEFORE])]
    return _Case(sample, metric, Compared(subject, metric, values_of(here[-BEFORE:], metric), values_of(after, metric), known))


def _levels(side: Runs, changed: Sequence[UUID]) -> list[list[Sequence[RunOfSample]]]:
    """What lies before the first audit that changed it, what lies from there to the next, and so on to the last."""
    levels: list[list[Sequence[RunOfSample]]] = [[] for _ in range(len(changed) + 1)]
    for runs in side:
        if runs:
            levels[bisect_right(changed, runs[0].audit_id)].append(runs)
    return levels


def values_of(side: Runs, metric: MetricName) -> list[list[float]]:
    """Snapshot by snapshot the values of the runs that have one."""
    found = ([value for run in runs if (value := getattr(run, metric.value)) is not None] for runs in side)
    return [values for values in found if values]


def _unfit(case: _Case, other_machine: bool) -> Decided | None:
    """Where there is nothing to compare with, or what there is was measured otherwise."""
    sample, audit = case.sample, case.sample.audit
    after = fmean(statistics.centers(case.compared.after[:1]))
    if not case.compared.before:
        if sample.was_otherwise:
            reason, judgement = Reason.CONDITIONS_CHANGED, Judgement.INCOMPARABLE
        else:
            reason, judgement = Reason.TOO_FEW, Judgement.NO_EVIDENCE
        return Decided(audit, case.metric, judgement, reason, after=after, snapshots_after=1)
    if other_machine:
        before = fmean(statistics.centers(case.compared.before))
        return Decided(
            audit,
            case.metric,
            Judgement.INCOMPARABLE,
            Reason.MACHINE_CHANGED,
            before=before,
            after=after,
            snapshots_before=len(case.compared.before),
            snapshots_after=1,
        )
    return None


def machine_changed(before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> bool:
    """Whether the machine's benchmark, given snapshot by snapshot for each run, moved.

    That is its middle by more than MACHINE_SHARE, almost every run with it, and all that farther than it goes from snapshot to
    snapshot by itself (a 95 % prediction interval), as on a machine that others use too.
    """
    low, high = ([[log(index) for index in runs] for runs in side if runs] for side in (before, after))
    if not low or not high:
        return False
    moved = abs(median(value for runs in high for value in runs) - median(value for runs in low for value in runs))
    if moved < log(1 + MACHINE_SHARE) or abs(statistics.cliffs_delta(low, high)) < 0.8:
        return False
    apart, freedom = statistics.variance_between(low)
    return not freedom or moved > statistics.t_quantile(0.025, freedom) * sqrt(apart * (1 / len(low) + 1 / len(high)))


def benchmarks(side: Runs) -> list[list[float]]:
    """Snapshot by snapshot the machine's benchmark in each run that has it."""
    return [[run.benchmark_index for run in runs if run.benchmark_index] for runs in side]


def _fact(sample: Sample, metric: MetricName, changed: Changed, tried: int, proved: Collection[Subject]) -> Decided | None:
    """What does not vary by itself is compared directly: a change beyond all that was seen before. None where there is none.

    Where it did vary, as with advertisements, or too little was seen, it is worse only when confirmations show it too.
    """
    subject = (sample.audit.page_id, sample.audit.profile_id, metric)
    *levels, after = (
        [median(values) for values in values_of(side, metric)]
        for side in (*_levels(sample.before[-BEFORE:], changed.get(subject, ())), sample.after)
    )
    before = [value for level in levels for value in level]
    if not before or not after:
        return None
    sign = worse(metric)
    if (after[0] - median(before)) * sign <= 0:
        # Better than since it became worse is better; worse is only what no snapshot before was, lest it go up and down.
        before = levels[-1] or before
    middle = median(before)
    least = max(FACT_SHARE * abs(middle), 1e-9)
    shown = [not min(before) <= value <= max(before) and abs(value - middle) >= least for value in after]
    if not shown[0]:
        return None
    judgement = Judgement.REGRESSED if (after[0] - middle) * sign > 0 else Judgement.IMPROVED
    reason = Reason.DIFFERENT
    varied = any(level and max(level) - min(level) >= least for level in levels)
    if judgement is Judgement.REGRESSED and (len(before) < 2 or varied):
        # All of them show it, and the way the first does.
        agree = all(shown) and len({value > middle for value in after}) == 1
        if subject in proved or (agree and len(after) > 1):
            reason = Reason.CONFIRMED
        else:
            judgement = Judgement.NO_EVIDENCE
            reason = Reason.SUSPECTED if agree and tried < MOST_TRIED else Reason.NOT_CONFIRMED
    return Decided(
        sample.audit,
        metric,
        judgement,
        reason,
        before=middle,
        after=after[0],
        snapshots_before=len(before),
        snapshots_after=len(after),
    )
