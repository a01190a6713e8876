"""From what was measured to what is said of it: every metric of every page of a snapshot, compared and put into words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import log
from statistics import fmean, median
from typing import NamedTuple
from uuid import UUID

from ..audits import RunRow
from ..measuring import MetricName
from . import judging, statistics
from .judging import Compared, Evidence, Noise
from .rules import FACT_SHARE, FACTS_JUDGED, MACHINE_SHARE, TIMINGS_JUDGED, Judgement, Reason, worse
from .samples import AuditOfSnapshot, Sample

Runs = Sequence[Sequence[RunRow]]
Changed = Mapping[tuple[UUID, UUID, MetricName], UUID]
"""By page, profile and metric the audit with which it became another."""

CONFIRMATIONS = 2
"""So many snapshots are taken later of what is suspected."""


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


def decide(
    samples: Sequence[Sample], changed: Changed, confirmations: int, proved: Collection[tuple[UUID, UUID, MetricName]] = ()
) -> list[Decided]:
    """Everything that is said of a snapshot, after so many confirmations. What is SUSPECTED still needs another one."""
    said: list[Decided] = []
    cases: list[_Case] = []
    for sample in samples:
        for metric in TIMINGS_JUDGED:
            values = _values(sample.after[:1], metric)
            if values:
                case = _case(sample, metric, changed)
                unfit = _unfit(case)
                if unfit is not None:
                    said.append(unfit)
                else:
                    cases.append(case)
        said += [fact for metric in FACTS_JUDGED if (fact := _fact(sample, metric, changed)) is not None]
    return said + _judged(cases, confirmations, proved)


def _judged(cases: Sequence[_Case], confirmations: int, proved: Collection[tuple[UUID, UUID, MetricName]]) -> list[Decided]:
    first = [case.compared for case in cases]
    first = [Compared(each.subject, each.metric, each.before, each.after[:1], each.known) for each in first]
    noise = judging.noise_of(first)
    found = [judging.weigh(each, noise) for each in first]
    suspects = judging.suspected(found)
    whole = [
        judging.weigh(case.compared, noise) if suspect else each
        for case, each, suspect in zip(cases, found, suspects, strict=True)
    ]
    early = confirmations < CONFIRMATIONS
    confirmed = judging.confirmed(whole, suspects, judging.EARLY if early else judging.ALPHA)
    # Where nothing ever varied there is no telling how sure that is: then both confirmations are waited for.
    confirmed = [
        (yes and not (early and (each is None or each.error == 0)))
        or (case.sample.audit.page_id, case.sample.audit.profile_id, case.metric) in proved
        for yes, each, case in zip(confirmed, whole, cases, strict=True)
    ]
    return [
        _said(case, evidence, noise, suspect, yes, confirmations)
        for case, evidence, suspect, yes in zip(cases, whole, suspects, confirmed, strict=True)
    ]


def _said(case: _Case, found: Evidence | None, noise: Noise, suspect: bool, proved: bool, confirmations: int) -> Decided:
    audit, metric, each = case.sample.audit, case.metric, case.compared
    if found is None:
        after = fmean(statistics.centers(each.after[:1]))
        few = len(each.before)
        return Decided(
            audit, metric, Judgement.NO_EVIDENCE, Reason.TOO_FEW, after=after, snapshots_before=few, snapshots_after=1
        )
    later = len(each.after) - 1 if suspect else 0
    judgement, reason = Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE
    if proved and later:
        judgement = Judgement.REGRESSED if judging.is_worse(metric, found) else Judgement.IMPROVED
        reason = Reason.CONFIRMED
    elif suspect:
        reason = Reason.SUSPECTED if confirmations < CONFIRMATIONS and _may_be_proved(found, later) else Reason.NOT_CONFIRMED
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


def _may_be_proved(found: Evidence, later: int) -> bool:
    """Whether one more snapshot could: not, where the first confirmation shows nothing of it."""
    return not later or found.later < 0.5


def _case(sample: Sample, metric: MetricName, changed: Changed) -> _Case:
    audit = sample.audit
    since = changed.get((audit.page_id, audit.profile_id, metric))
    before, known = _since(sample.before, since), _since(sample.known, since)
    subject = (audit.page_id, audit.profile_id)
    # A confirmation on another machine confirms nothing.
    after = [runs for place, runs in enumerate(sample.after) if not place or not machine_changed(before, [runs])]
    compared = Compared(subject, metric, _values(before, metric), _values(after, metric), _values(known, metric))
    return _Case(replace(sample, before=before), metric, compared)


def _since(side: Runs, audit_id: UUID | None) -> list[Sequence[RunRow]]:
    """Without what lies before the audit that changed it."""
    return [runs for runs in side if audit_id is None or (runs and runs[0].audit_id >= audit_id)]


def _values(side: Runs, metric: MetricName) -> list[list[float]]:
    """Snapshot by snapshot the values of the runs that have one."""
    found = ([value for run in runs if (value := getattr(run, metric.value)) is not None] for runs in side)
    return [values for values in found if values]


def _unfit(case: _Case) -> Decided | None:
    """Where there is nothing to compare with, or what there is was measured otherwise."""
    sample, audit = case.sample, case.sample.audit
    after = fmean(statistics.centers(case.compared.after[:1]))
    if not case.compared.before:
        if sample.was_otherwise:
            reason, judgement = Reason.CONDITIONS_CHANGED, Judgement.INCOMPARABLE
        else:
            reason, judgement = Reason.TOO_FEW, Judgement.NO_EVIDENCE
        return Decided(audit, case.metric, judgement, reason, after=after, snapshots_after=1)
    if machine_changed(sample.before, sample.after[:1]):
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


def machine_changed(before: Runs, after: Runs) -> bool:
    """Whether the machine's benchmark moved: its middle by more than MACHINE_SHARE, and almost every run with it."""
    sides = [[[log(run.benchmark_index) for run in runs if run.benchmark_index] for runs in side] for side in (before, after)]
    low, high = ([runs for runs in side if runs] for side in sides)
    if not low or not high:
        return False
    moved = median(value for runs in high for value in runs) - median(value for runs in low for value in runs)
    return abs(moved) >= log(1 + MACHINE_SHARE) and abs(statistics.cliffs_delta(low, high)) >= 0.8


def _fact(sample: Sample, metric: MetricName, changed: Changed) -> Decided | None:
    """What does not vary by itself is compared directly: a change beyond all that was seen before. None where there is none."""
    before = [median(values) for values in _values(sample.before, metric)]
    after = [median(values) for values in _values(sample.after, metric)]
    if not before or not after:
        return None
    now, middle = after[0], median(before)
    if (now - middle) * worse(metric) <= 0:
        # Better than since it became worse is better; worse is only what no snapshot before was, lest it go up and down.
        since = changed.get((sample.audit.page_id, sample.audit.profile_id, metric))
        before = [median(values) for values in _values(_since(sample.before, since), metric)] or before
        middle = median(before)
    outside = now > max(before) or now < min(before)
    if not outside or abs(now - middle) < max(FACT_SHARE * abs(middle), 1e-9):
        return None
    judgement = Judgement.REGRESSED if (now - middle) * worse(metric) > 0 else Judgement.IMPROVED
    return Decided(
        sample.audit,
        metric,
        judgement,
        Reason.DIFFERENT,
        before=middle,
        after=now,
        snapshots_before=len(before),
        snapshots_after=len(after),
    )
