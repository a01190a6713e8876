"""How small a change could have been seen, by shifting the samples at hand."""

from __future__ import annotations

from math import sqrt
from statistics import fmean

import numpy as np

from . import statistics
from .judging import SUSPECTED, Evidence
from .noise import Compared

POWER = 0.8
RESAMPLED = 400


def detectable(each: Compared, found: Evidence) -> float:
    """By how much the samples at hand must be shifted to be seen four times out of five (80 % power): the smallest change that
    would have been suspected.

    Both sides are made anew RESAMPLED times from whole snapshots without the change that they show, as far apart as the
    variance says; each time there is a shift from which on it is seen. The same samples always give the same number.
    """
    sides = [statistics.centers(side) for side in (*each.alike, each.after) if len(side) > 1]
    residuals = np.concatenate([np.asarray(side) - fmean(side) for side in sides])
    own = float(np.sqrt(np.mean(residuals**2)))
    chance = np.random.default_rng(len(residuals))
    if own > 0:
        residuals *= sqrt(found.variance) / own
    else:  # it never varied, and its peers do
        residuals = chance.normal(0, sqrt(found.variance), RESAMPLED)
    drawn = [chance.choice(residuals, (RESAMPLED, len(side))).mean(axis=1) for side in (each.before, each.after)]
    bar = max(statistics.t_quantile(SUSPECTED, found.freedom) * found.error, found.least)
    return max(float(np.quantile(bar - (drawn[1] - drawn[0]), POWER)), 0.0)
