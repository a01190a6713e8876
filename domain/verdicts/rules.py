"""What counts as a change, and what is said of one; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from ..measuring import MetricName
from ..metrics import CATALOGUE, Direction, Unit


class Judgement(StrEnum):
    """What a verdict says."""

    REGRESSED = "REGRESSED"
    IMPROVED = "IMPROVED"
    NO_EVIDENCE = "NO_EVIDENCE"
    INCOMPARABLE = "INCOMPARABLE"


class Reason(StrEnum):
    """Why it says so."""

    CONFIRMED = "CONFIRMED"
    UNCONFIRMED = "UNCONFIRMED"
    DIFFERENT = "DIFFERENT"
    SUSPECTED = "SUSPECTED"
    NOT_CONFIRMED = "NOT_CONFIRMED"
    TOO_SMALL = "TOO_SMALL"
    WITHIN_NOISE = "WITHIN_NOISE"
    TOO_FEW = "TOO_FEW"
    CONDITIONS_CHANGED = "CONDITIONS_CHANGED"
    MACHINE_CHANGED = "MACHINE_CHANGED"


class Said(NamedTuple):
    """What is said of one metric of one page under one profile: see Verdict."""

    metric: MetricName
    judgement: Judgement
    reason: Reason
    before: float | None = None
    after: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    detectable: float | None = None
    p: float | None = None
    delta: float | None = None
    spread_ratio: float | None = None
    snapshots_before: int = 0
    snapshots_after: int = 0


class Least(NamedTuple):
    """The least change that anybody is told of: this share of what was before, and no less than so much of the unit."""

    share: float
    absolute: float

    def of(self, before: float) -> float:
        return max(self.share * abs(before), self.absolute)


_BY_UNIT = {
    Unit.MILLISECOND: Least(0.05, 20),
    Unit.SCORE: Least(0.05, 0.03),
    Unit.UNITLESS: Least(0.10, 0.01),
}
_OWN = {
    MetricName.TBT: Least(0.10, 50),
    MetricName.MAX_POTENTIAL_FID: Least(0.10, 50),
    MetricName.TTFB: Least(0.05, 10),
    MetricName.REDIRECT: Least(0.10, 10),
    MetricName.DNS: Least(0.25, 10),
    MetricName.CONNECT: Least(0.25, 10),
    MetricName.TLS: Least(0.25, 10),
    MetricName.DOWNLOAD: Least(0.10, 10),
}

NOISY: Mapping[MetricName, Least] = MappingProxyType(
    {
        name: _OWN.get(name) or _BY_UNIT[metric.unit]
        for name, metric in CATALOGUE.items()
        if name in _OWN or metric.unit in _BY_UNIT
    }
)
"""The metrics that vary from run to run, each with the least change that counts. All others are facts: bytes, counts, days."""

TIMINGS_JUDGED = (
    MetricName.LCP,
    MetricName.FCP,
    MetricName.TBT,
    MetricName.CLS,
    MetricName.SPEED_INDEX,
    MetricName.TTFB,
    MetricName.PAGE_LOAD,
)
"""Of those the ones that verdicts are about: each further one makes the correction over all of them stricter."""

FACTS_JUDGED = (
    MetricName.REQUEST_COUNT,
    MetricName.REDIRECT_COUNT,
    MetricName.TRANSFER_BYTES,
    MetricName.SCRIPT_BYTES,
    MetricName.STYLESHEET_BYTES,
    MetricName.IMAGE_BYTES,
    MetricName.FONT_BYTES,
    MetricName.THIRD_PARTY_BYTES,
    MetricName.THIRD_PARTY_COUNT,
    MetricName.DOM_SIZE,
)
"""What does not vary by itself, and is compared directly."""

FACT_SHARE = 0.01
"""A page whose weight moves by less than this share, such as by another cookie, has not changed."""

MACHINE_SHARE = 0.25
"""By so much the machine's benchmark has to move for it to be another machine."""


def worse(metric: MetricName) -> int:
    """The sign of a change for the worse."""
    return 1 if CATALOGUE[metric].direction is Direction.LOWER_IS_BETTER else -1
