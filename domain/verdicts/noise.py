"""What is compared, and what all comparisons together tell of how far snapshots lie apart by chance: see judging."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

import numpy as np

from ..measuring import MetricName
from . import statistics
from .rules import NOISY
from .statistics import Side

OWN = 3
"""So many degrees of freedom must come of a page's own snapshots before something is confirmed: four before, without others.
With fewer, peers that are quieter make a restless page look sure.
"""


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
    def is_known(self) -> bool:
        """Whether enough of its own snapshots tell how far they lie apart."""
        return statistics.variance_between(*self.alike)[1] >= OWN

    @property
    def alike(self) -> list[Side]:
        """The sides but for what is judged: within each only noise moves it."""
        return [self.before, *self.known]


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
        within = within_of(each)
        between, freedom = statistics.variance_between(*each.alike)
        if not freedom:
            continue
        if within > 0:
            ratios.append(between / within / statistics.median_of_variance(freedom))
        freedoms[each.subject] = freedom
        apart.setdefault(each.metric, []).append(between / scale_of(each) ** 2)
    subjects = len(freedoms)
    return Noise(
        inflation=max(1.0, median(ratios)) if ratios else 1.0,
        drift=_drift(compared, [each for those in apart.values() for each in those], subjects),
        freedom=sum(freedoms.values()) * (subjects - 1) // max(1, subjects),
        typical={metric: median([each for each in those if each > 0] or [0.0]) for metric, those in apart.items()},
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
            moved[place].append((center - fmean(own.values())) / scale_of(each))
    # The middle of that many moves by chance alone, too (the variance of a median is π/2 that of a mean).
    chance = 1.57 * median(apart) / subjects
    return max(0.0, float(np.var([median(values) for values in moved.values()], ddof=1)) - chance)


def scale_of(each: Compared) -> float:
    """What changes are shares of. Below it the least absolute change is what counts, so that noise is seen against that."""
    least = NOISY[each.metric]
    return max(abs(fmean(statistics.centers(each.before))), least.absolute / least.share)


def within_of(each: Compared) -> float:
    """Of what is alike, by its runs."""
    return statistics.variance_of_center([runs for side in each.alike for runs in side])
