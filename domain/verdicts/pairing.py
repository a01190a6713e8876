"""The statistics of verdicts for two snapshots that somebody chose.

How far snapshots lie apart cannot be known from one a side: those before the earlier one tell. Where there are none, nothing is
said of timings but what they were. What passes the correction over everything that is compared, and what no later snapshot was
asked to confirm, is UNCONFIRMED.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple
from uuid import UUID

from ..measuring import MetricName
from . import judging, statistics
from .comparing import ComparedMetric, ComparedPage, ComparedProfile
from .deciding import BEFORE, benchmarks, machine_changed, values_of
from .judging import Compared, Evidence, Noise
from .rules import FACT_SHARE, FACTS_JUDGED, TIMINGS_JUDGED, Judgement, Reason, worse
from .samples import RunOfSample, Runs, Sample
from .standing import Subject

Key = tuple[UUID, UUID]

ENOUGH = 2
"""So few snapshots before do not tell how far they lie apart."""

OWN = BEFORE - 1
"""Without a confirmation it takes as many degrees of freedom of the page's own as a verdict's four snapshots before have: with
one, and peers that are quieter, a third of all comparisons in which nothing changed had something UNCONFIRMED.
"""

_ORDER = {metric: place for place, metric in enumerate(MetricName)}


class _Sides(NamedTuple):
    """The runs of snapshots: those that are compared, and those that tell of the noise. `history` is what of these lies before,
    in its order, by which it is known how a machine drifts.
    """

    before: Runs
    after: Runs
    known: Runs
    history: Runs
    between: Runs


class _Case(NamedTuple):
    key: Key
    compared: Compared
    first: Compared
    """With the first snapshot of those after alone."""
    history: Compared


def pair_up(
    before: Sequence[Sample],
    after: Sequence[Sample],
    changed: Mapping[Subject, Sequence[UUID]],
    proved: Collection[Subject],
    conditions: Mapping[UUID, object],
    pooled: bool,
) -> Sequence[ComparedPage]:
    """Page by page, and of each page profile by profile, in the order in which they were asked for.

    `changed`: with which audits something became another before the earlier snapshot; `proved`: what it changed itself.
    """
    sides = [{(each.audit.page_id, each.audit.profile_id): each for each in side} for side in (before, after)]
    said: dict[Key, list[ComparedMetric]] = {key: [] for key in dict.fromkeys([*sides[1], *sides[0]])}
    cases: list[_Case] = []
    for key in said:
        was, now = sides[0].get(key), sides[1].get(key)
        if was is None or now is None:
            continue
        equal = _conditions(was, conditions) == _conditions(now, conditions)
        machine = machine_changed(benchmarks(was.after), benchmarks(now.after[:1]))
        for metric in TIMINGS_JUDGED:
            since = was.audit.id if (*key, metric) in proved else next(reversed(changed.get((*key, metric), ())), None)
            case = _case(key, metric, _sides(was, now, since, pooled))
            if case is not None and equal and not machine:
                cases.append(case)
            elif case is not None:
                said[key].append(_unfit(case, Reason.MACHINE_CHANGED if equal else Reason.CONDITIONS_CHANGED))
        if equal:
            said[key] += [fact for metric in FACTS_JUDGED if (fact := _fact(metric, was, now)) is not None]
    for case, found in zip(cases, _judged(cases), strict=True):
        said[case.key].append(found)
    pages: dict[UUID, list[ComparedProfile]] = {}
    for (page_id, profile_id), metrics in said.items():
        ids = [each.audit.id if (each := side.get((page_id, profile_id))) is not None else None for side in sides]
        metrics.sort(key=lambda each: _ORDER[each.metric])
        pages.setdefault(page_id, []).append(ComparedProfile(profile_id, ids[0], ids[1], metrics))
    return [ComparedPage(*each) for each in pages.items()]


def _conditions(sample: Sample, conditions: Mapping[UUID, object]) -> object:
    id = sample.audit.conditions_id
    return conditions.get(id, id) if id is not None else None


def _sides(was: Sample, now: Sample, since: UUID | None, pooled: bool) -> _Sides:
    """Each snapshot with those that confirm it; `pooled` with those before it, up to as many as a verdict takes.

    Of a site's first snapshots those in between tell of the noise: of more of it than there is, where they changed.
    """
    chosen = {runs[0].audit_id for runs in (*was.after, *now.after) if runs}
    earlier, between = ([runs for runs in side.before if runs and runs[0].audit_id not in chosen] for side in (was, now))
    earlier = [runs for runs in earlier if since is None or runs[0].audit_id >= since]
    more = max(0, BEFORE - len(was.after)) if pooled else 0
    known, taken = (earlier[:-more], earlier[-more:]) if more else (earlier, [])
    before: list[Sequence[RunOfSample]] = [*taken, *was.after]
    # The chosen one may be another page than those before it: that is no noise.
    history = [*earlier, *was.after] if pooled or not earlier else earlier
    # A confirmation on another machine confirms nothing.
    after = [
        runs for place, runs in enumerate(now.after) if not place or not machine_changed(benchmarks(before), benchmarks([runs]))
    ]
    if len(known) + len(before) > ENOUGH:
        return _Sides(before, after, known, history, [])
    there = {runs[0].audit_id for runs in earlier}
    between = [runs for runs in between if runs[0].audit_id not in there]
    return _Sides(before, after, between, history, between)


def _case(key: Key, metric: MetricName, sides: _Sides) -> _Case | None:
    before, after, known, history, between = (values_of(side, metric) for side in sides)
    if not before or not values_of(sides.after[:1], metric):
        return None
    whole, first = (Compared(key, metric, before, side, [known]) for side in (after, after[:1]))
    return _Case(key, whole, first, Compared(key, metric, history or before, after[:1], [between]))


def _middles(each: Compared) -> tuple[float, float]:
    return fmean(statistics.centers(each.before)), fmean(statistics.centers(each.after))


def _unfit(case: _Case, reason: Reason) -> ComparedMetric:
    judgement = Judgement.NO_EVIDENCE if reason is Reason.TOO_FEW else Judgement.INCOMPARABLE
    number = {"snapshots_before": len(case.first.before), "snapshots_after": 1}
    before, after = _middles(case.first)
    return ComparedMetric(case.first.metric, judgement, reason, before, after, **number)


def _judged(cases: Sequence[_Case]) -> list[ComparedMetric]:
    noise = judging.noise_of([case.history for case in cases])
    found = [judging.weigh(case.first, noise) for case in cases]
    suspects = judging.suspected(found)
    whole = [
        judging.weigh(case.compared, noise) if suspect else each
        for case, each, suspect in zip(cases, found, suspects, strict=True)
    ]
    confirmed = judging.confirmed(whole, suspects)
    ps = [each.all if suspect and each is not None else 1.0 for each, suspect in zip(whole, suspects, strict=True)]
    passed = statistics.holm(ps, judging.ALPHA)
    return [_said(*each, noise) for each in zip(cases, whole, suspects, confirmed, passed, strict=True)]


def _said(case: _Case, found: Evidence | None, suspect: bool, confirmed: bool, passed: bool, noise: Noise) -> ComparedMetric:
    if found is None:
        return _unfit(case, Reason.TOO_FEW)
    shown = case.compared if suspect else case.first
    later, metric = len(shown.after) - 1, shown.metric
    judgement, reason = Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE
    # Where nothing ever varied there is no telling how sure that is; nor where too few of the page's own tell of its noise.
    known = statistics.variance_between(*shown.alike)[1] >= OWN and found.error > 0
    unconfirmed = passed and not later and found.is_large and known
    if confirmed or unconfirmed:
        judgement = Judgement.REGRESSED if judging.is_worse(metric, found) else Judgement.IMPROVED
        reason = Reason.CONFIRMED if confirmed else Reason.UNCONFIRMED
    elif suspect:
        reason = Reason.NOT_CONFIRMED if later else Reason.SUSPECTED
    elif found.first <= judging.SUSPECTED and not found.is_large:
        reason = Reason.TOO_SMALL
    return ComparedMetric(
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
        spread_ratio=_spread_ratio(shown),
        snapshots_before=len(shown.before),
        snapshots_after=later + 1,
    )


def _spread_ratio(shown: Compared) -> float | None:
    ratio = statistics.spread_ratio(shown.before, shown.after)
    if 0.5 < ratio < 2:
        return None
    ratio, p = statistics.spread_test(shown.before, shown.after)
    return ratio if p <= judging.ALPHA else None


def _fact(metric: MetricName, was: Sample, now: Sample) -> ComparedMetric | None:
    """What does not vary by itself is compared directly; None where it did not change."""
    before, after = (values_of(each.after[:1], metric) for each in (was, now))
    if not before or not after:
        return None
    old, new = median(before[0]), median(after[0])
    if abs(new - old) < max(FACT_SHARE * abs(old), 1e-9):
        return None
    judgement = Judgement.REGRESSED if (new - old) * worse(metric) > 0 else Judgement.IMPROVED
    return ComparedMetric(metric, judgement, Reason.DIFFERENT, old, new, snapshots_before=1, snapshots_after=1)
