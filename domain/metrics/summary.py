"""Several runs become one number: the median, how far the runs lie apart, and what an audit says of itself."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..measuring import EngineName, MetricName
from .catalogue import CATALOGUE, Unit


@dataclass(frozen=True, slots=True)
class Spread:
    """One metric over an audit's runs: the median `value`, the least and the greatest, and of how many samples."""

    value: float
    low: float
    high: float
    samples: int


def median(values: Iterable[float]) -> float:
    """The middle value; of an even number, the mean of the two middle ones. Raises ValueError when there is none."""
    return float(statistics.median(values))


def spread(values: Iterable[float]) -> Spread:
    """Median, range and number of the values. Raises ValueError when there is none."""
    sample = tuple(values)
    return Spread(median(sample), min(sample), max(sample), len(sample))


_LEAST = {
    Unit.MILLISECOND: 10.0,
    Unit.BYTE: 1_000.0,
    Unit.COUNT: 1.0,
    Unit.SCORE: 0.01,
    Unit.DAY: 1.0,
    Unit.UNITLESS: 0.01,
}


def relative_change(metric: MetricName, value: float, baseline: float) -> float:
    """By which part of the baseline the value lies above it.

    A baseline of next to nothing counts as 10 ms, 1 kB, one thing or a hundredth: from none to 300 ms is told, and no page
    is the worst of all for its first microsecond.
    """
    return (value - baseline) / max(abs(baseline), _LEAST[CATALOGUE[metric].unit])


def audit_metrics(
    engine: EngineName, runs: Sequence[Mapping[MetricName, float]], representative: int
) -> dict[MetricName, float]:
    """The audit's own numbers, in the order of the catalogue; a metric that no run has is absent.

    A browser's numbers are those of the representative run, which belong together: its score is the score of its
    LCP, and its report shows both. The probe's are medians, metric by metric: its samples are many and cheap, and a
    median is steadier than any single one of them. A run that lacks a metric does not count for it.
    """
    if engine is not EngineName.PROBE:
        chosen = runs[representative]
        return {metric: chosen[metric] for metric in MetricName if metric in chosen}
    samples = {metric: [run[metric] for run in runs if metric in run] for metric in MetricName}
    return {metric: _middle(metric, values) for metric, values in samples.items() if values}


def _middle(metric: MetricName, values: Sequence[float]) -> float:
    """The median; of what is counted, one that was really seen: there is no half a request."""
    return statistics.median_low(values) if CATALOGUE[metric].unit is Unit.COUNT else median(values)
