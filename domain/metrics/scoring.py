"""Lighthouse's arithmetic: the curve of each metric, the performance score, and which of several runs stands for all.

The source is Lighthouse's own code, release by release: `shared/statistics.js`, `shared/util.js`, `core/scoring.js`,
`core/lib/median-run.js`, the `defaultOptions` of `core/audits/metrics/*` and `core/config/default-config.js`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..measuring import FormFactor, MetricName

LATEST_MAJOR = 13
"""The newest Lighthouse whose curves and weights are known here."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A log-normal curve by two of its points: the score is 0.9 at `p10` and 0.5 at `median`, in the metric's unit."""

    p10: float
    median: float


_MOBILE = {
    MetricName.FCP: Curve(1800, 3000),
    MetricName.SPEED_INDEX: Curve(3387, 5800),
    MetricName.LCP: Curve(2500, 4000),
    MetricName.TBT: Curve(200, 600),
    MetricName.CLS: Curve(0.1, 0.25),
    MetricName.TTI: Curve(3785, 7300),
    MetricName.MAX_POTENTIAL_FID: Curve(130, 250),
}
_DESKTOP = {
    MetricName.FCP: Curve(934, 1600),
    MetricName.SPEED_INDEX: Curve(1311, 2300),
    MetricName.LCP: Curve(1200, 2400),
    MetricName.TBT: Curve(150, 350),
    MetricName.CLS: Curve(0.1, 0.25),
    MetricName.TTI: Curve(2468, 4500),
    MetricName.MAX_POTENTIAL_FID: Curve(130, 250),
}
_MOBILE_BEFORE_8 = _MOBILE | {MetricName.FCP: Curve(2336, 4000), MetricName.TBT: Curve(287, 600)}

# Each in the order of Lighthouse's own sum: halves of a hundredth are common, and the last bit decides how they round.
_WEIGHTS_6 = {
    MetricName.FCP: 15,
    MetricName.SPEED_INDEX: 15,
    MetricName.LCP: 25,
    MetricName.TTI: 15,
    MetricName.TBT: 25,
    MetricName.CLS: 5,
}
_WEIGHTS_8 = {
    MetricName.FCP: 10,
    MetricName.SPEED_INDEX: 10,
    MetricName.LCP: 25,
    MetricName.TTI: 10,
    MetricName.TBT: 30,
    MetricName.CLS: 15,
}
_WEIGHTS_9 = {
    MetricName.FCP: 10,
    MetricName.TTI: 10,
    MetricName.SPEED_INDEX: 10,
    MetricName.TBT: 30,
    MetricName.LCP: 25,
    MetricName.CLS: 15,
}
_WEIGHTS_10 = {
    MetricName.FCP: 10,
    MetricName.LCP: 25,
    MetricName.TBT: 30,
    MetricName.CLS: 25,
    MetricName.SPEED_INDEX: 10,
}

WEIGHTS: Mapping[int, Mapping[MetricName, int]] = {
    6: _WEIGHTS_6,
    7: _WEIGHTS_6,
    8: _WEIGHTS_8,
    9: _WEIGHTS_9,
    **dict.fromkeys(range(10, LATEST_MAJOR + 1), _WEIGHTS_10),
}
"""What each metric counts for in the performance score, of 100, by Lighthouse's major version."""

# The earliest and the latest moment of a load: in a browser, and as the probe sees it.
_LAB_MOMENTS = (MetricName.FCP, MetricName.TTI)
_PROBE_MOMENTS = (MetricName.TTFB, MetricName.PAGE_LOAD)


def curve(metric: MetricName, form_factor: FormFactor, major: int = LATEST_MAJOR) -> Curve | None:
    """The curve by which that Lighthouse scores this metric; None when it scores no such metric."""
    if form_factor is FormFactor.DESKTOP:
        return _DESKTOP.get(metric)
    return (_MOBILE if major >= 8 else _MOBILE_BEFORE_8).get(metric)


def metric_score(metric: MetricName, value: float, form_factor: FormFactor, major: int = LATEST_MAJOR) -> float | None:
    """The score of one value, 0 to 1 in hundredths; None when that Lighthouse scores no such metric.

    Since 9.3 Lighthouse cuts off instead of rounding, and lifts what lies above 0.9 by up to half a hundredth, so that
    1 can still be reached (`computeLogNormalScore`); major 9 stands for its later releases.
    """
    points = curve(metric, form_factor, major)
    if points is None:
        return None
    share = _share_above(points, value)
    if major < 9:
        return _hundredths(share)
    share = _keep_in_band(points, value, share)
    if share > 0.9:
        share += 0.05 * (share - 0.9)
    return math.floor(share * 100) / 100


def performance_score(values: Mapping[MetricName, float], form_factor: FormFactor, major: int) -> float | None:
    """The performance category's score, 0 to 1 in hundredths, as that major version of Lighthouse computes it.

    None when a metric that has weight is missing, or when the version's weights are not known (before 6, after 13).
    """
    weights = WEIGHTS.get(major, {})
    total = 0.0
    # Not sum(): from Python 3.12 on it compensates for rounding, which Lighthouse does not.
    for metric, weight in weights.items():
        score = metric_score(metric, values[metric], form_factor, major) if _measured(values, metric) else None
        if score is None:
            return None
        total += score * weight
    return _hundredths(total / sum(weights.values())) if weights else None


def representative_run(runs: Sequence[Mapping[MetricName, float]]) -> int:
    """The index of the run that stands for all: the one nearest to the median of its earliest and its latest moment.

    Lighthouse takes FCP and TTI, with the mean of the two middle values where the number is even, the least squared
    distance and, at a tie, the smaller TTI, then the earlier run. Where no run has both, the same rule is applied to
    TTFB and page load, which the probe measures. Runs without the pair are no candidates; without any, it is run 0.
    """
    for early, late in (_LAB_MOMENTS, _PROBE_MOMENTS):
        candidates = [i for i, run in enumerate(runs) if _happened(run, early) and _happened(run, late)]
        if candidates:
            return _nearest_to_median(runs, candidates, early, late)
    return 0


def _nearest_to_median(
    runs: Sequence[Mapping[MetricName, float]], candidates: Sequence[int], early: MetricName, late: MetricName
) -> int:
    median_early = median(runs[i][early] for i in candidates)
    median_late = median(runs[i][late] for i in candidates)

    def distance_then_late(index: int) -> tuple[float, float]:
        off_early = median_early - runs[index][early]
        off_late = median_late - runs[index][late]
        return off_early * off_early + off_late * off_late, runs[index][late]

    return min(candidates, key=distance_then_late)


def _measured(values: Mapping[MetricName, float], metric: MetricName) -> bool:
    return math.isfinite(values.get(metric, math.nan))


def _happened(run: Mapping[MetricName, float], moment: MetricName) -> bool:
    # median-run.js reads a zero as a missing value.
    return _measured(run, moment) and run[moment] != 0


def _share_above(points: Curve, value: float) -> float:
    """The share of the log-normal distribution that lies above `value`, 0 to 1."""
    if value <= 0:
        return 1.0
    # Values far too small for a ratio count as the smallest number there is, which has a logarithm.
    offset = math.log(max(math.ulp(0.0), value / points.median))
    # 0.9061938024368232 is the inverse complementary error function of 1/5.
    standardized = offset * 0.9061938024368232 / -math.log(points.p10 / points.median)
    return min(1.0, max(0.0, (1 - _erf(standardized)) / 2))


def _keep_in_band(points: Curve, value: float, share: float) -> float:
    """`share`, kept on its own side of 0.9 and 0.5 whatever the approximation made of it."""
    if value <= points.p10:
        return max(0.9, share)
    if value <= points.median:
        return max(0.5, min(math.nextafter(0.9, 0), share))
    return min(math.nextafter(0.5, 0), share)


def _erf(x: float) -> float:
    """The error function as Lighthouse approximates it (Abramowitz and Stegun, 7.1.26); math.erf is too exact."""
    t = 1 / (1 + 0.3275911 * abs(x))
    y = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return math.copysign(1 - y * math.exp(-x * x), x) if x else 0.0


def _hundredths(value: float) -> float:
    """Rounded to hundredths with halves going up, as JavaScript's Math.round does; round() would go to even."""
    scaled = value * 100
    whole = math.floor(scaled)
    return (whole + (scaled - whole >= 0.5)) / 100
