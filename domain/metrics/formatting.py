"""Values and changes of metrics in words, for people."""

from __future__ import annotations

import math

from ..measuring import MetricName
from .catalogue import CATALOGUE, Unit


def format_value(metric: MetricName, value: float) -> str:
    """The value for people: `1,234 ms`, `12.3 s`, `45.6 kB`, a score as `92` of 100, CLS as `0.123`."""
    match CATALOGUE[metric].unit:
        case Unit.MILLISECOND:
            return _milliseconds(value)
        case Unit.BYTE:
            return _bytes(value)
        case Unit.COUNT:
            return _plain(value)
        case Unit.SCORE:
            return str(math.floor(value * 100 + 0.5))
        case Unit.DAY:
            # Days left: what has begun to run out does not count, so that six and a half are not shown as seven.
            days = math.floor(value)
            return f"{days:,} {'day' if abs(days) == 1 else 'days'}"
        case Unit.UNITLESS:
            return f"{value:.3f}"


def format_change(metric: MetricName, change: float) -> str:
    """`+200 ms`, `−1.5 kB`, `±0`."""
    return _sign(change) + format_value(metric, abs(change))


def format_share(change: float) -> str:
    """A relative change: `+80 %`, `−5 %`, `±0 %`."""
    return f"{_sign(change)}{abs(change) * 100:,.0f} %"


def _sign(change: float) -> str:
    return "+" if change > 0 else "−" if change < 0 else "±"


def _milliseconds(value: float) -> str:
    if round(value) >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{_plain(value) if value < 10 else f'{value:,.0f}'} ms"


def _bytes(value: float) -> str:
    if round(value) < 1000:
        return f"{value:.0f} B"
    if round(value / 1000, 1) < 1000:
        return f"{value / 1000:.1f} kB"
    return f"{value / 1_000_000:,.1f} MB"


def _plain(value: float) -> str:
    """One decimal, and none when it says nothing."""
    return f"{value:,.1f}".removesuffix(".0")
