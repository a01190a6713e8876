"""What both implementations take: the shapes of a key, a value, its time and an amount. All raise ValueError."""

from __future__ import annotations

import math
import re

from domain.caching import LONGEST_SECONDS, LONGEST_VALUE, Window

_SHAPE = re.compile(r"[A-Za-z0-9][!-~]{0,199}\Z")
# For the rounding of clocks, so that whoever waits for as long as told is granted.
TOLERANCE = 1e-9


def checked_key(key: str) -> str:
    if _SHAPE.match(key) is None:
        raise ValueError("a cache key has 1 to 200 printable ASCII characters without spaces and begins with a letter or digit")
    return key


def checked_value(value: bytes) -> bytes:
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"a cached value has at most {LONGEST_VALUE:,} bytes, this one {len(value):,}")
    return value


def checked_seconds(seconds: float) -> float:
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"a value is cached for more than 0 and at most {LONGEST_SECONDS:,.0f} seconds")
    return seconds


def checked_amount(amount: float) -> float:
    if not 0 <= amount < math.inf:
        raise ValueError("what is spent or given back is a number from 0 on")
    return amount


def checked_windows(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    if not windows:
        raise ValueError("a slot is reserved in at least one window")
    return windows
