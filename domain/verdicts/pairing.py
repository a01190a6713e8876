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
from . import facts, judging, saying, statistics
from .comparing import ComparedPage, ComparedProfile
from .deciding import BEFORE
from .judging import Compared, Judged
from .rules import FACTS_JUDGED, TIMINGS_JUDGED, Judgement, Reason, Said
from .samples import RunOfSample, Runs, Sample
from .sides import of_that_machine, values_of
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
    def divided(key: Key, since: UUID | None) -> _Sides:
        return _sides(sides[0][key], sides[1][key], since, pooled)

    for key in (key for key in said if key in sides[0] and key in sides[1]):
        begins = {metric: next(reversed(changed.get((*key, metric), ())), None) for metric in MetricName}
        begins |= {metric: sides[0][key].audit.id for metric in begins if (*key, metric) in proved}
        equal = _conditions(sides[0][key], conditions) == _conditions(sides[1][key], conditions)
        for metric in TIMINGS_JUDGED:
            those = divided(key, begins[metric])
            case = _case(key, metric, those)
            if case is not None and equal and not those.other_machine:
                cases.append(case)
            elif case is not None:
                reason = Reason.MACHINE_CHANGED if equal else Reason.CONDITIONS_CHANGED
                said[key].append(saying.unfit(case.compared, Judgement.INCOMPARABLE, reason))
        if equal:
            found = (_fact(metric, divided(key, begins[metric])) for metric in FACTS_JUDGED)
            said[key] += [fact for fact in found if fact is not None]
    judged = judging.judge([case.compared for case in cases], judging.noise_of([case.history for case in cases]))
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
    found = judged.evidence
    return found is not None and found.error > 0 and statistics.variance_between(*judged.shown.alike)[1] >= OWN


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
    after, other_machine = of_that_machine(before, now.after)
    if len(known) + len(before) > ENOUGH:
        return _Sides(before, after, known, history, [], other_machine)
    there = {runs[0].audit_id for runs in earlier}
    between = [runs for runs in between if runs[0].audit_id not in there]
    return _Sides(before, after, between, history, between, other_machine)


def _case(key: Key, metric: MetricName, sides: _Sides) -> _Case | None:
    before, after, known, history, between = (values_of(side, metric) for side in sides[:-1])
    if not before or not values_of(sides.after[:1], metric):
        return None
    whole = Compared(key, metric, before, after, [known])
    return _Case(key, whole, Compared(key, metric, history or before, after[:1], [between]))


def _fact(metric: MetricName, sides: _Sides) -> Said | None:
    before, after = ([median(values) for values in values_of(side, metric)] for side in (sides.before, sides.after[:1]))
    return facts.compared(metric, before, after)
