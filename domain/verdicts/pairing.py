"""The statistics of verdicts for two snapshots that somebody chose.

How far snapshots lie apart cannot be known from one a side: those before the earlier one tell. Where there are none, nothing is
said of timings but what they were. What passes the correction over everything that is compared, and what no later snapshot was
asked to confirm, is UNCONFIRMED.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from statistics import median
from typing import NamedTuple
from uuid import UUID

from ..measuring import MetricName
from . import facts, judging, saying
from .comparing import ComparedPage, ComparedProfile
from .deciding import BEFORE, levels_of
from .judging import Judged
from .noise import OWN, Compared, noise_of
from .rules import FACTS_JUDGED, TIMINGS_JUDGED, Judgement, Reason, Said
from .samples import RunOfSample, Runs, Sample
from .sides import of_that_machine, values_of
from .standing import Subject

Key = tuple[UUID, UUID]

_ORDER = {metric: place for place, metric in enumerate(MetricName)}


class _Sides(NamedTuple):
    """The runs of snapshots: those that are compared, and those that tell of the noise. `history` is what of these lies before,
    in its order, by which it is known how a machine drifts.
    """

    before: Runs
    after: Runs
    known: Sequence[Runs]
    history: Runs
    other_machine: bool


class _Case(NamedTuple):
    key: Key
    compared: Compared
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
    said: dict[Key, list[Said]] = {key: [] for key in dict.fromkeys([*sides[1], *sides[0]])}
    cases: list[_Case] = []

    @cache
    def divided(key: Key, cuts: tuple[UUID, ...]) -> _Sides:
        return _sides(sides[0][key], sides[1][key], cuts, pooled)

    for key in (key for key in said if key in sides[0] and key in sides[1]):
        equal = _conditions(sides[0][key], conditions) == _conditions(sides[1][key], conditions)
        for metric in TIMINGS_JUDGED:
            itself = (sides[0][key].audit.id,) if (*key, metric) in proved else ()
            those = divided(key, (*changed.get((*key, metric), ()), *itself))
            case = _case(key, metric, those)
            if case is not None and equal and not those.other_machine:
                cases.append(case)
            elif case is not None:
                reason = Reason.MACHINE_CHANGED if equal else Reason.CONDITIONS_CHANGED
                said[key].append(saying.unfit(case.compared, Judgement.INCOMPARABLE, reason))
        if equal:
            found = (_fact(metric, sides[0][key], sides[1][key]) for metric in FACTS_JUDGED)
            said[key] += [fact for fact in found if fact is not None]
    noise = noise_of([case.history for case in cases])
    judged = judging.judge([case.compared for case in cases], noise, last=True)
    for case, told in zip(cases, saying.say(judged, _nobody_looked, _is_known), strict=True):
        said[case.key].append(told)
    pages: dict[UUID, list[ComparedProfile]] = {}
    for (page_id, profile_id), metrics in said.items():
        ids = [each.audit.id if (each := side.get((page_id, profile_id))) is not None else None for side in sides]
        metrics.sort(key=lambda each: _ORDER[each.metric])
        pages.setdefault(page_id, []).append(ComparedProfile(profile_id, ids[0], ids[1], metrics))
    return [ComparedPage(*each) for each in pages.items()]


def _nobody_looked(judged: Judged) -> bool:
    return not judged.later


def _is_known(judged: Judged) -> bool:
    """Where nothing ever varied there is no telling how sure that is; nor where too few of the page's own tell of its noise."""
    return judged.evidence is not None and judged.evidence.error > 0 and judged.shown.is_known


def _conditions(sample: Sample, conditions: Mapping[UUID, object]) -> object:
    id = sample.audit.conditions_id
    return conditions.get(id, id) if id is not None else None


def _sides(was: Sample, now: Sample, cuts: Sequence[UUID], pooled: bool) -> _Sides:
    """Each snapshot with those that confirm it; `pooled` with those before it, up to as many as a verdict takes. `cuts`: with
    which audits it became another.

    Of a site's first snapshots those in between tell of the noise, too: of more of it than there is, where they changed.
    """
    chosen = {runs[0].audit_id for runs in (*was.after, *now.after) if runs}
    all_before, since = ([runs for runs in side.before if runs and runs[0].audit_id not in chosen] for side in (was, now))
    *older, earlier = levels_of(all_before, cuts)
    more = max(0, BEFORE - len(was.after)) if pooled else 0
    known, taken = (earlier[:-more], earlier[-more:]) if more else (earlier, [])
    before: list[Sequence[RunOfSample]] = [*taken, *was.after]
    # The chosen one may be another page than those before it: that is no noise.
    history = [*earlier, *was.after] if pooled or not earlier else earlier
    after, other_machine = of_that_machine(before, now.after)
    alike = [known, *older]
    if sum(max(0, len(side) - 1) for side in (before, *alike)) < OWN:
        there = {runs[0].audit_id for runs in all_before}
        between = [runs for runs in since if runs[0].audit_id not in there and runs[0].audit_id > was.audit.id]
        # One alone tells nothing by itself, and among those in between how far it lies from them.
        alike.append([*before, *between] if len(before) == 1 else between)
    return _Sides(before, after, alike, history, other_machine)


def _case(key: Key, metric: MetricName, sides: _Sides) -> _Case | None:
    before, after, history = (values_of(side, metric) for side in (sides.before, sides.after, sides.history))
    if not before or not values_of(sides.after[:1], metric):
        return None
    known = [values_of(side, metric) for side in sides.known]
    whole = Compared(key, metric, before, after, known)
    return _Case(key, whole, Compared(key, metric, history or before, after[:1], known[1:]))


def _fact(metric: MetricName, was: Sample, now: Sample) -> Said | None:
    """Of the two that were chosen, one by one, whatever others were."""
    before, after = ([median(values) for values in values_of(side.after[:1], metric)] for side in (was, now))
    return facts.compared(metric, before, after)
