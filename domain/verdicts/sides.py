"""What of the runs is compared: the values of a metric snapshot by snapshot, and whether one machine measured them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from statistics import median

from ..measuring import MetricName
from . import statistics
from .rules import MACHINE_SHARE
from .samples import Runs


def values_of(side: Runs, metric: MetricName) -> list[list[float]]:
    """Snapshot by snapshot the values of the runs that have one."""
    found = ([value for run in runs if (value := getattr(run, metric.value)) is not None] for runs in side)
    return [values for values in found if values]


def benchmarks(side: Runs) -> list[list[float]]:
    """Snapshot by snapshot the machine's benchmark in each run that has it."""
    return [[run.benchmark_index for run in runs if run.benchmark_index] for runs in side]


def machine_changed(before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> bool:
    """Whether the machine's benchmark, given snapshot by snapshot for each run, moved.

    That is its middle by more than MACHINE_SHARE, almost every run with it, and all that farther than it goes from snapshot to
    snapshot by itself (a 95 % prediction interval), as on a machine that others use too.
    """
    low, high = ([[log(index) for index in runs] for runs in side if runs] for side in (before, after))
    if not low or not high:
        return False
    moved = abs(median(value for runs in high for value in runs) - median(value for runs in low for value in runs))
    if moved < log(1 + MACHINE_SHARE) or abs(statistics.cliffs_delta(low, high)) < 0.8:
        return False
    apart, freedom = statistics.variance_between(low)
    return not freedom or moved > statistics.t_quantile(0.025, freedom) * sqrt(apart * (1 / len(low) + 1 / len(high)))


def of_that_machine(before: Runs, after: Runs) -> tuple[Runs, bool]:
    """Those after without what another machine took, which confirms nothing; and whether the first is of another itself."""
    machine = benchmarks(before)
    others = [machine_changed(machine, [indexes]) for indexes in benchmarks(after)]
    fit = [runs for place, (runs, other) in enumerate(zip(after, others, strict=True)) if not place or not other]
    return fit, others[0]
