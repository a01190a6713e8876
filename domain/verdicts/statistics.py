"""The arithmetic of noise: what stands for a snapshot, how far snapshots lie apart, and whether one side lies above the other.

Everything here is pure and knows no metric. A *snapshot* is the tuple of its runs' values, a *side* some snapshots.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy import special, stats

from .centers import center as center

Snapshot = Sequence[float]
Side = Sequence[Snapshot]


def centers(side: Side) -> list[float]:
    return [center(runs) for runs in side]


EXTREME = 4.0
"""A snapshot whose runs vary so many times as much as the middle one's counts as that, since one run that took ten seconds says
nothing of all others.
"""


def variance_of_center(side: Side) -> float:
    """How far a snapshot's centre would vary if its runs were independent, from how far its runs lie apart: the mean over the
    side, without extremes. 1.05: the centre is so much less exact than a mean (3/π, the test's efficiency). 0 where no snapshot
    has two runs.
    """
    several = [runs for runs in side if len(runs) > 1]
    if not several:
        return 0.0
    spreads = np.asarray([np.var(runs, ddof=1) / len(runs) for runs in several])
    middle = float(
        np.median([spread / _median_of_variance(len(runs) - 1) for spread, runs in zip(spreads, several, strict=True)])
    )
    # Where more than half have runs that are all the same, the others tell.
    return 1.05 * float(np.mean(np.minimum(spreads, EXTREME * middle) if middle else spreads))


def _median_of_variance(freedom: int) -> float:
    """Of a sample's variance, as a share of the true one (of chi-squared, by Wilson and Hilferty, 1931)."""
    return float((1 - 2 / (9 * freedom)) ** 3)


def variance_between(*sides: Side) -> tuple[float, int]:
    """How far the snapshots' centres lie apart within their sides, and the degrees of freedom of that; (0, 0) for none."""
    squares, freedom = 0.0, 0
    for side in sides:
        if len(side) > 1:
            found = np.asarray(centers(side))
            squares += float(((found - found.mean()) ** 2).sum())
            freedom += len(found) - 1
    return (squares / freedom, freedom) if freedom else (0.0, 0)


def superiority(before: Side, after: Side) -> float:
    """How probable it is that a run of `after` lies above one of `before`, ties counted half (the Mann-Whitney U over n·m)."""
    low, high = np.concatenate([*map(np.asarray, before)]), np.concatenate([*map(np.asarray, after)])
    return float(np.mean((high[:, None] > low[None, :]) + 0.5 * (high[:, None] == low[None, :])))


def cliffs_delta(before: Side, after: Side) -> float:
    """The effect size of the rank test, −1 to 1: how much more often a run of `after` lies above than below one of `before`."""
    return 2 * superiority(before, after) - 1


def rank_test(before: Side, after: Side, inflation: float) -> float:
    """The one-sided p of the Mann-Whitney test that `after` lies above, its runs counted for as many as they are worth.

    Runs of one snapshot resemble each other. Where a snapshot's centre varies `inflation` times as much as that of
    independent runs would, n of its runs tell as much as n/inflation independent ones (the design effect of survey
    statistics; Rosner and Grove, 1999, for this test). Never fewer than one for a snapshot. Ties are corrected for.
    """
    n, m = (max(sum(map(len, side)) / max(inflation, 1.0), float(len(side))) for side in (before, after))
    pooled = np.concatenate([*map(np.asarray, before), *map(np.asarray, after)])
    _, counts = np.unique(pooled, return_counts=True)
    ties = 1 - float((counts**3 - counts).sum()) / (len(pooled) ** 3 - len(pooled)) if len(pooled) > 1 else 0.0
    if ties <= 0:
        return 0.5
    error = sqrt(ties * (n + m + 1) / (12 * n * m))
    return float(special.ndtr((0.5 - superiority(before, after)) / error))


def t_test(change: float, error: float, freedom: float) -> float:
    """The one-sided p that the change is greater than nothing. `error` is its standard error."""
    return float(special.stdtr(freedom, -change / error)) if error > 0 else float(change <= 0)


def t_quantile(p: float, freedom: float) -> float:
    """So many standard errors above nothing have this one-sided p."""
    return float(-special.stdtrit(freedom, p))


def holm(ps: Sequence[float], alpha: float) -> list[bool]:
    """Which of all that was tested is significant, if at most `alpha` of such families may have a false one (Holm, 1979)."""
    significant, bound = [False] * len(ps), True
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        bound = bound and ps[place] <= alpha / (len(ps) - rank)
        significant[place] = bound
    return significant


def spread_test(before: Side, after: Side) -> tuple[float, float]:
    """Whether runs lie farther apart than before around their own snapshot's centre: how many times, and the p of that.

    Levene's idea (1960) with ranks instead of means: the Mann-Whitney test of the distances, two-sided.
    """
    apart = _apart(before), _apart(after)
    means = [float(each.mean()) for each in apart]
    if means[0] == 0 or means[1] == 0:
        return (1.0 if means[0] == means[1] else float("inf") if means[0] == 0 else 0.0), 1.0
    return means[1] / means[0], float(stats.mannwhitneyu(*apart, method="asymptotic").pvalue)


def spread_ratio(before: Side, after: Side) -> float:
    """How many times as far apart runs lie as before, by itself; 1 where they do not on either side."""
    was, now = float(_apart(before).mean()), float(_apart(after).mean())
    return now / was if was else 1.0


def _apart(side: Side) -> np.ndarray:
    return np.concatenate([np.abs(np.asarray(runs) - center(runs)) for runs in side])
