"""The port to what all processes share for a short time: values, token buckets, and slots in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

LONGEST_SECONDS = 366 * 86_400.0
"""Nothing is kept for longer."""

LONGEST_VALUE = 65_536
"""Of one value, in bytes."""

MOST_SLOTS = 1_000_000
"""In one window."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: full at first, at most `capacity`, filled again with `per_second`."""

    capacity: float
    per_second: float

    def __post_init__(self) -> None:
        if not (0 < self.capacity < math.inf and 0 < self.per_second < math.inf):
            raise ValueError("a bucket needs a capacity and a rate above zero")
        if self.capacity / self.per_second > LONGEST_SECONDS:
            raise ValueError(f"a bucket must be full again within {LONGEST_SECONDS:,.0f} seconds")


class Spent(NamedTuple):
    """`remaining` is what is left afterwards; `retry_after` is in seconds, 0 when granted."""

    granted: bool
    remaining: float
    retry_after: float


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` slots in any `seconds`. A full one is waited for, or `refuses`."""

    limit: int
    seconds: float
    refuses: bool = False

    def __post_init__(self) -> None:
        if not (1 <= self.limit <= MOST_SLOTS and 0 < self.seconds <= LONGEST_SECONDS):
            raise ValueError(f"a window has 1 to {MOST_SLOTS:,} slots and {LONGEST_SECONDS:,.0f} seconds at most")


class Reserved(NamedTuple):
    """`wait` is in seconds: until the slot, or until a refusing window has one again."""

    granted: bool
    wait: float


class Cache(Protocol):
    """Shared by the processes of an installation while that is possible, and never the only place of anything.

    Whatever it holds may be gone at any time, and what was replaced or deleted during an outage may come back until
    its seconds are over. A key holds one thing: asked for another, it is as if nothing were there. Keys are made by
    us, of printable ASCII; a bad key or a value that is too long is a bug and raises ValueError. Nothing else raises.
    """

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, *, seconds: float) -> None: ...

    async def delete(self, *keys: str) -> None:
        """Missing ones are no error."""
        ...

    async def spend(self, key: str, amount: float, bucket: Bucket) -> Spent:
        """Takes the amount out of the bucket, or nothing. More than the capacity is refused for ever (math.inf)."""
        ...

    async def restore(self, key: str, amount: float, bucket: Bucket) -> None:
        """Gives back what was spent and not needed, never above the capacity. Nothing happens if the key is gone."""
        ...

    async def reserve(self, key: str, windows: Sequence[Window]) -> Reserved:
        """Takes the next slot that every window has free, or none."""
        ...
