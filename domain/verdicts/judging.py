"""From samples to verdicts: which changes are suspected, and which are confirmed, of everything that is compared at once.

The unit of noise is the snapshot. Its centre varies for two reasons: its runs do, and whatever they have in common does (the
machine's state, the network's, a cache). How far both go is estimated

- from how far the page's own snapshots lie apart, which are few;
- from how much farther apart than their runs explain the snapshots of *all* comparisons lie (`inflation`), applied to the
  page's own runs: these two are weighed by what they know;
- and, for all together, from how far the snapshots before moved as one (`drift`), which is added: a machine that grows slow
  takes all pages along.

A change is suspected when the first snapshot shows it, and nobody is told. It is confirmed when all new snapshots together pass
the correction over everything that was compared (Benjamini and Hochberg, 1995), and the later ones show it by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

from ..measuring import MetricName
from . import statistics
from .rules import NOISY, worse
from .statistics import Side

ALPHA = 0.01
"""Of all builds in which nothing changed so many may have a confirmed change; of all that is confirmed so much may be none."""

EARLY = 0.001
"""The same for what is looked at before all confirmations are there; so strict that the later look need not be stricter (the
boundary of Haybittle, 1971, and Peto, 1976).
"""

SUSPECTED = 0.05
"""A comparison's own p for a suspicion: the confirmation costs some runs, and a missed one cannot be confirmed."""

AGREED = 0.05
"""The p that the later snapshots and the ranks must have by themselves."""

MEDIUM = 0.33
"""Cliff's delta of a medium effect (Romano and others, 2006); less, and most runs are as they were."""

PEERS = 4
"""What all comparisons tell of a page's noise counts as so many degrees of freedom beside those of its own snapshots (the
moderated t, Smyth, 2004): few, since pages are not equally noisy.
"""

RESTLESS = 4.0
"""A page whose own variance is so many times what its peers make of it is judged by itself; so is what is new, where its runs
alone make it vary so many times as much as before.
"""

DRIFT = 3.0
"""How many times the variance of the common movement counts, which goes on from the snapshots before to those after."""

CONFIRMATIONS = 2
"""So many snapshots are taken later of what is suspected."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric of one page under one profile. `subject` tells pages and profiles apart. `known`: further snapshots of the
    same, which tell of its noise alone, in sides between which it changed.
    """

    subject: object
    metric: MetricName
    before: Side
    after: Side
    known: Sequence[Side] = ()

    @property
    def alike(self) -> list[Side]:
        """The sides but for what is judged: within each only noise moves it."""
        return [self.before, *self.known]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the samples say of a change, in the metric's unit.

    `after` − `before` is the change, `low` to `high` its 95 % interval, `error` its standard error (of so many degrees of
    `freedom`), `variance` that of a snapshot's centre; `least` the least change that counts. `first` and `all` are one-sided
    p in the change's direction, of the first snapshot and of all; `later` that of the others, 1 without any; `ranks` that of
    the rank test, and `delta` its effect size.
    """

    before: float
    after: float
    low: float
    high: float
    error: float
    variance: float
    freedom: int
    delta: float
    ranks: float
    first: float
    all: float
    later: float
    least: float

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def is_large(self) -> bool:
        return abs(self.change) >= self.least and abs(self.delta) >= MEDIUM

    @property
    def is_ordered(self) -> bool:
        """Whether the ranks agree. Of one snapshot before and two after no order is rare enough: then no runs may overlap."""
        return self.ranks <= AGREED or abs(self.delta) == 1


@dataclass(frozen=True, slots=True)
class Noise:
    """What all comparisons together tell: see above. `drift` is a variance of relative changes, `freedom` how many degrees of
    freedom a comparison's peers have, `typical` the relative variance between snapshots of each metric: for those whose runs
    tell nothing, since there is one alone or they are all the same.
    """

    inflation: float = 1.0
    drift: float = 0.0
    freedom: int = 0
    typical: Mapping[MetricName, float] = field(default_factory=dict)


def noise_of(compared: Sequence[Compared]) -> Noise:
    ratios, apart, freedoms = [], dict[MetricName, list[float]](), dict[object, int]()
    for each in compared:
        within = _within(each)
        between, freedom = statistics.variance_between(*each.alike)
        if not freedom:
            continue
        if within > 0:
            ratios.append(between / within)
        freedoms[each.subject] = freedom
        apart.setdefault(each.metric, []).append(between / _scale(each) ** 2)
    subjects = len(freedoms)
    return Noise(
        inflation=max(1.0, median(ratios)) if ratios else 1.0,
        drift=_drift(compared, [each for those in apart.values() for each in those], subjects),
        freedom=sum(freedoms.values()) * (subjects - 1) // max(1, subjects),
        typical={metric: fmean(those) for metric, those in apart.items()},
    )


def _drift(compared: Sequence[Compared], apart: Sequence[float], subjects: int) -> float:
    """How far the snapshots before moved as one, beyond what chance moves the middle of so many."""
    number = Counter(place for each in compared for place in range(-len(each.before), 0))
    # The places that at least half of all have: some pages may have begun anew a while ago.
    places = {place for place, those in number.items() if 2 * those >= max(number.values())}
    if subjects < 2 or len(places) < 2:
        return 0.0
    moved: dict[int, list[float]] = {place: [] for place in places}
    for each in compared:
        found = statistics.centers(each.before)
        own = {place: found[place] for place in places if -place <= len(found)}
        for place, center in own.items():
            moved[place].append((center - fmean(own.values())) / _scale(each))
    # The middle of that many moves by chance alone, too (the variance of a median is π/2 that of a mean).
    chance = 1.57 * median(apart) / subjects
    return max(0.0, float(np.var([median(values) for values in moved.values()], ddof=1)) - chance)


def _scale(each: Compared) -> float:
    """What changes are shares of. Below it the least absolute change is what counts, so that noise is seen against that."""
    least = NOISY[each.metric]
    return max(abs(fmean(statistics.centers(each.before))), least.absolute / least.share)


def _within(each: Compared) -> float:
    """Of what is alike, by its runs."""
    return statistics.variance_of_center([runs for side in each.alike for runs in side])


def weigh(each: Compared, noise: Noise) -> Evidence | None:
    """What there is to be said; None where there are too few snapshots to know how far they lie apart."""
    before, after = statistics.centers(each.before), statistics.centers(each.after)
    scale, k, m = _scale(each), len(before), len(after)
    own, freedom = statistics.variance_between(*each.alike, each.after)
    if not k or not m or not freedom:
        return None
    within = _within(each)
    peers = noise.inflation * within if within > 0 else noise.typical.get(each.metric, 0.0) * scale**2
    # Where the page is by far more restless than its peers tell, they know nothing of it; without runs to tell, sooner.
    trusted = min(PEERS, noise.freedom) if own <= (RESTLESS if within > 0 else 1.0) * peers else 0
    variance = (freedom * own + trusted * peers) / (freedom + trusted)
    freedom += trusted
    moved = DRIFT * noise.drift * scale**2
    middle, change = fmean(before), fmean(after) - fmean(before)
    sign = 1.0 if change >= 0 else -1.0
    least = NOISY[each.metric].of(middle)

    def error(side: Side) -> float:
        # Where runs lie by far farther apart than before, their centre is less exact, too (Welch, 1947).
        own = noise.inflation * statistics.variance_of_center(side)
        since = own if own > RESTLESS * variance else variance
        return sqrt(variance / k + since / len(side) + moved)

    reach = statistics.t_quantile(0.025, freedom) * error(each.after)
    later = fmean(after[1:]) - middle if m > 1 else 0.0
    rank_sides = (each.before, each.after) if sign > 0 else (each.after, each.before)
    return Evidence(
        before=middle,
        after=middle + change,
        low=change - reach,
        high=change + reach,
        error=error(each.after),
        variance=variance,
        freedom=freedom,
        delta=statistics.cliffs_delta(each.before, each.after),
        ranks=statistics.rank_test(*rank_sides, noise.inflation),
        first=statistics.t_test(sign * (after[0] - middle), error(each.after[:1]), freedom),
        all=statistics.t_test(sign * change, error(each.after), freedom),
        later=statistics.t_test(sign * later, error(each.after[1:]), freedom) if m > 1 and abs(later) >= least else 1.0,
        least=least,
    )


class Judged(NamedTuple):
    """What is made of a comparison among all those at once. `shown` is what the evidence is of: of what is no suspect the first
    snapshot after. `is_significant`: it passes the correction, whether or not later snapshots show it too.
    """

    shown: Compared
    evidence: Evidence | None
    is_suspect: bool
    is_significant: bool
    is_confirmed: bool

    @property
    def later(self) -> int:
        """How many snapshots look into it."""
        return len(self.shown.after) - 1


def judge(compared: Sequence[Compared], noise: Noise | None = None) -> list[Judged]:
    """Everything that is compared at once; `noise` where it is known from elsewhere.

    Each one's `after` is the first snapshot and those that confirm it so far; only of suspects the latter are looked at.
    """
    first = [replace(each, after=each.after[:1]) for each in compared]
    noise = noise or noise_of(first)
    alone = [weigh(each, noise) for each in first]
    suspects = suspected(alone)
    shown = [each if suspect else one for each, one, suspect in zip(compared, first, suspects, strict=True)]
    found = [weigh(each, noise) if suspect else one for each, one, suspect in zip(shown, alone, suspects, strict=True)]
    early = [len(each.after) <= CONFIRMATIONS for each in compared]
    significant = _significant(found, suspects, [1.0] * len(found))
    proved = _significant(found, suspects, [ALPHA / EARLY if soon else 1.0 for soon in early])
    return [
        # Where nothing ever varied there is no telling how sure that is: then both confirmations are waited for.
        Judged(each, what, suspect, passed, yes and _agrees(what) and not (soon and (what is None or what.error == 0)))
        for each, what, suspect, passed, yes, soon in zip(shown, found, suspects, significant, proved, early, strict=True)
    ]


def suspected(found: Sequence[Evidence | None]) -> list[bool]:
    """Which first snapshots show a change that is worth a confirmation."""
    return [each is not None and each.is_large and each.first <= SUSPECTED for each in found]


def _significant(found: Sequence[Evidence | None], suspects: Sequence[bool], dearer: Sequence[float]) -> list[bool]:
    """Which of everything compared has changed; what is no suspect had its say. `dearer`: so many times as rare it must be."""
    ps = [
        min(1.0, each.all * times) if suspect and each is not None else 1.0
        for each, suspect, times in zip(found, suspects, dearer, strict=True)
    ]
    return [
        passed and each is not None and each.is_large
        for each, passed in zip(found, statistics.significant(ps, ALPHA), strict=True)
    ]


def _agrees(found: Evidence | None) -> bool:
    """Whether later snapshots and the ranks show it, too."""
    return found is not None and found.later <= AGREED and found.is_ordered


def may_be_confirmed(found: Evidence, later: int) -> bool:
    """Whether one more snapshot could do it: not, where the first of the later ones shows nothing of it."""
    return not later or found.later < 0.5


def is_worse(metric: MetricName, found: Evidence) -> bool:
    return found.change * worse(metric) > 0
