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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean
from typing import NamedTuple

from ..measuring import MetricName
from . import statistics
from .noise import Compared, Noise, noise_of, scale_of, within_of
from .rules import NOISY, worse
from .statistics import Side

ALPHA = 0.01
"""Of all builds in which nothing changed so many may have a false REGRESSED; of all that is confirmed so much may be none."""

EARLY = 0.001
"""The same for what is looked at before all confirmations are there; so strict that the later look need not be stricter (the
boundary of Haybittle, 1971, and Peto, 1976).
"""

SUSPECTED = 0.05
"""A comparison's own p for a suspicion: the confirmation costs some runs, and a missed one cannot be confirmed."""

AGREED = 0.05
"""The p that the later snapshots and the ranks must have by themselves."""

HOPE = 0.2
"""Where the first of the later snapshots has a greater p by itself, another one will not do."""

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


def weigh(each: Compared, noise: Noise) -> Evidence | None:
    """What there is to be said; None where there are too few snapshots to know how far they lie apart."""
    before, after = statistics.centers(each.before), statistics.centers(each.after)
    k, m = len(before), len(after)
    own, freedom = statistics.variance_between(*each.alike, each.after)
    if not k or not m or not freedom:
        return None
    scale = scale_of(each)
    within = within_of(each)
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
        later=statistics.t_test(sign * later, error(each.after[1:]), freedom) if m > 1 else 1.0,
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


def judge(compared: Sequence[Compared], noise: Noise | None = None, *, last: bool = False) -> list[Judged]:
    """Everything that is compared at once. `noise`: where it is known from elsewhere; `last`: no other snapshot looks into it.

    Each one's `after` is the first snapshot and those that confirm it so far; only of suspects the latter are looked at.
    """
    first = [replace(each, after=each.after[:1]) for each in compared]
    noise = noise or noise_of(first)
    alone = [weigh(each, noise) for each in first]
    suspects = suspected(alone)
    shown = [each if suspect else one for each, one, suspect in zip(compared, first, suspects, strict=True)]
    found = [weigh(each, noise) if suspect else one for each, one, suspect in zip(shown, alone, suspects, strict=True)]
    few = [len(each.after) <= CONFIRMATIONS for each in compared]
    significant = _significant(found, suspects, [1.0] * len(found))
    proved = _significant(found, suspects, [ALPHA / EARLY if soon and not last else 1.0 for soon in few])
    return [
        # Where nothing ever varied there is no telling how sure that is: then both confirmations are waited for.
        Judged(
            each, what, suspect, passed, yes and _is_sure(each, what) and not (soon and what is not None and what.error == 0)
        )
        for each, what, suspect, passed, yes, soon in zip(shown, found, suspects, significant, proved, few, strict=True)
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


def _is_sure(each: Compared, found: Evidence | None) -> bool:
    """Whether later snapshots and the ranks show it, too, of a page whose noise is known."""
    return found is not None and found.later <= AGREED and found.is_ordered and each.is_known


def may_be_confirmed(found: Evidence, later: int) -> bool:
    """Whether one more snapshot could do it: not, where the first of the later ones shows nothing of it."""
    return not later or found.later <= HOPE


def is_worse(metric: MetricName, found: Evidence) -> bool:
    return found.change * worse(metric) > 0
