"""From what was measured to what is said of it: every metric of every page of a snapshot, compared and put into words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import NamedTuple
from uuid import UUID

from ..measuring import MetricName
from . import facts, judging, saying
from .judging import CONFIRMATIONS, Judged
from .noise import Compared
from .rules import FACTS_JUDGED, TIMINGS_JUDGED, Judgement, Reason, Said
from .samples import AuditOfSnapshot, RunOfSample, Runs, Sample
from .sides import of_that_machine, values_of
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
    said: Said


def decide(samples: Sequence[Sample], changed: Changed, tried: int, proved: Collection[Subject] = ()) -> list[Decided]:
    """Everything that is said of a snapshot into which so many others looked. What is SUSPECTED still needs another one.

    `proved` was confirmed when there were fewer: it was told, and stays.
    """
    decided: list[Decided] = []
    cases: list[tuple[AuditOfSnapshot, Compared]] = []
    for sample in samples:
        fit, other_machine = of_that_machine(sample.before[-BEFORE:], sample.after)
        for metric in TIMINGS_JUDGED:
            if values_of(sample.after[:1], metric):
                case = _case(sample, metric, fit, changed)
                unfit = _unfit(sample, case, other_machine)
                if unfit is not None:
                    decided.append(Decided(sample.audit, unfit))
                else:
                    cases.append((sample.audit, case))
        told = (_fact(sample, metric, changed, tried, proved) for metric in FACTS_JUDGED)
        decided += [Decided(sample.audit, fact) for fact in told if fact is not None]

    def goes_on(judged: Judged) -> bool:
        enough = judged.later >= CONFIRMATIONS or tried >= MOST_TRIED
        return not enough and judged.evidence is not None and judging.may_be_confirmed(judged.evidence, judged.later)

    found = judging.judge([case for _, case in cases], last=tried >= MOST_TRIED)
    for place, (audit, case) in enumerate(cases):
        if (audit.page_id, audit.profile_id, case.metric) in proved:
            found[place] = found[place]._replace(is_confirmed=True)
    said = saying.say(found, goes_on)
    return decided + [Decided(audit, each) for (audit, _), each in zip(cases, said, strict=True)]


def _case(sample: Sample, metric: MetricName, after: Runs, changed: Changed) -> Compared:
    subject = (sample.audit.page_id, sample.audit.profile_id)
    *older, here = levels_of(sample.before, changed.get((*subject, metric), ()))
    # Noise is what it was, although the page is another.
    known = [values_of(side, metric) for side in (*older, here[:-BEFORE])]
    return Compared(subject, metric, values_of(here[-BEFORE:], metric), values_of(after, metric), known)


def levels_of(side: Runs, changed: Sequence[UUID]) -> list[list[Sequence[RunOfSample]]]:
    """What lies before the first audit that changed it, what lies from there to the next, and so on to the last."""
    levels: list[list[Sequence[RunOfSample]]] = [[] for _ in range(len(changed) + 1)]
    for runs in side:
        if runs:
            levels[bisect_right(changed, runs[0].audit_id)].append(runs)
    return levels


def _unfit(sample: Sample, case: Compared, other_machine: bool) -> Said | None:
    """Where there is nothing to compare with, or what there is was measured otherwise."""
    if not case.before and sample.was_otherwise:
        return saying.unfit(case, Judgement.INCOMPARABLE, Reason.CONDITIONS_CHANGED)
    if not case.before:
        return saying.unfit(case, Judgement.NO_EVIDENCE, Reason.TOO_FEW)
    return saying.unfit(case, Judgement.INCOMPARABLE, Reason.MACHINE_CHANGED) if other_machine else None


def _fact(sample: Sample, metric: MetricName, changed: Changed, tried: int, proved: Collection[Subject]) -> Said | None:
    subject = (sample.audit.page_id, sample.audit.profile_id, metric)
    *levels, after = (
        [median(values) for values in values_of(side, metric)]
        for side in (*levels_of(sample.before[-BEFORE:], changed.get(subject, ())), sample.after)
    )
    return facts.said(metric, levels, after, is_proved=subject in proved, goes_on=tried < MOST_TRIED)
