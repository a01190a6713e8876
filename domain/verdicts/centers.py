"""What stands for a snapshot. It is apart from the rest of the arithmetic, for those who only show it and need no scipy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from statistics import median

ENOUGH = 5
"""Of fewer runs the means of pairs do not bear an outlier."""


def center(runs: Sequence[float]) -> float:
    """The median of the means of all pairs of runs, each with itself too (Hodges and Lehmann, 1963); of fewer than ENOUGH runs
    their median.

    It bears an outlier as a median does, and wastes less: of five runs a median is a third less exact. Where runs lie in
    two heaps, it does not jump from one to the other.
    """
    return _center(tuple(runs)) if len(runs) >= ENOUGH else median(runs)


@lru_cache(maxsize=20_000)
def _center(runs: tuple[float, ...]) -> float:
    """Those of one snapshot are asked for over and over."""
    return median((first + second) / 2 for first, second in combinations_with_replacement(runs, 2))
