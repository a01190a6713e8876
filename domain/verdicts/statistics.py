"""The arithmetic of noise: what stands for a snapshot, how far snapshots lie apart, and whether one side lies above the other.

Everything here is pure and knows no metric. A *snapshot* is the tuple of its runs' values, a *side* some snapshots.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from statistics import fmean

import numpy as np
from scipy import special, stats

from .centers import center as center

Snapshot = Sequence[float]
Side = Sequence[Snapshot]


def centers(side: Side) -> list[float]:
    return [center(runs) for runs in side]


def variance_of_center(side: Side) -> float:
    """How far a snapshot's centre would vary if its runs were independent: the mean over the side of what comes of leaving out
    one run after another (the jackknife, Tukey, 1958), and for three runs of the one that is nearer to the middle. It bears an
    outlier as the centre does: one run of ten seconds moves neither, two heaps of runs do. 0 where no snapshot has two runs.
    """
    found = [_variance(tuple(runs)) for runs in side if len(runs) > 1]
    return fmean(found) if found else 0.0


OF_THREE = 1.72
"""The variance of the median of three normal values, as a multiple of the mean square of how near the nearer one is to it."""


@lru_cache(maxsize=20_000)
def _variance(runs: tuple[float, ...]) -> float:
    if len(runs) == 3:  # without one there are two, which bear no outlier
        low, middle, high = sorted(runs)
        return OF_THREE * min(middle - low, high - middle) ** 2
    without = [center(runs[:place] + runs[place + 1 :]) for place in range(len(runs))]
    middle = fmean(without)
    return (len(runs) - 1) / len(runs) * sum((each - middle) ** 2 for each in without)


def median_of_variance(freedom: int) -> float:
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


def significant(ps: Sequence[float], alpha: float) -> list[bool]:
    """Which of all that was tested is, if on average a share `alpha` of those may be none (Benjamini and Hochberg, 1995).

    Where nothing at all is to be found, at most a share `alpha` of such families has one: then it is as strict as any.
    """
    ordered = sorted(ps)
    bar = max((p for rank, p in enumerate(ordered, 1) if p <= alpha * rank / len(ps)), default=-1.0)
    return [p <= bar for p in ps]


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
