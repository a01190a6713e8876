"""The cache of one process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeAlias, TypeVar

from domain.caching import Bucket, Reserved, Spent, Window

from .checks import TOLERANCE, checked_amount, checked_key, checked_seconds, checked_value, checked_windows

T = TypeVar("T")

OVERHEAD = 1_280
"""Bytes counted for a key beside its letters and its value or slots: ample for a value, about right for a short log."""

SHORTEST_SECONDS = 1.0
"""So long a bucket is known at least."""

SLOT_SIZE = 32
"""Bytes of one slot in a log."""


class _Level(NamedTuple):
    tokens: float
    at: float


_Thing: TypeAlias = bytes | _Level | deque[float]


@dataclass(slots=True)
class _Entry:
    """A value, a bucket's level or the slots of a log."""

    thing: _Thing = b""
    until: float = 0.0
    size: int = 0
    looked_at: float = math.inf


class MemoryCache:
    """Keeps at most `most` keys and about `most_bytes`: expired ones go first, then those that were written longest ago.

    What alone is larger is not kept. `clock` gives seconds that never go back.
    """

    def __init__(
        self, *, most: int = 10_000, most_bytes: int = 64 * 1024 * 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        # The one written last at the end.
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        # When to look whether a key has expired. One written again meanwhile is looked at again when it then expires.
        self._expiring: list[tuple[float, str]] = []

    async def get(self, key: str) -> bytes | None:
        return self._held(key, bytes, self._clock())

    async def put(self, key: str, value: bytes, *, seconds: float) -> None:
        now = self._clock()
        self._keep(checked_key(key), checked_value(value), now + checked_seconds(seconds), now)

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self._drop(checked_key(key))

    async def spend(self, key: str, amount: float, bucket: Bucket) -> Spent:
        now = self._clock()
        level = self._held(key, _Level, now)
        tokens = bucket.capacity if level is None else _filled(level, bucket, now)
        if not checked_amount(amount) <= min(bucket.capacity, tokens + TOLERANCE * bucket.capacity):
            return refused(amount, tokens, bucket)
        tokens = max(0.0, tokens - amount)
        self._keep(key, _Level(tokens, now), _full_at(tokens, bucket, now), now)
        return Spent(True, tokens, 0.0)

    async def restore(self, key: str, amount: float, bucket: Bucket) -> None:
        now = self._clock()
        level = self._held(key, _Level, now)
        amount = checked_amount(amount)
        if level is None:
            return
        tokens = min(bucket.capacity, _filled(level, bucket, now) + amount)
        self._keep(key, _Level(tokens, now), _full_at(tokens, bucket, now), now)

    async def reserve(self, key: str, windows: Sequence[Window]) -> Reserved:
        now = self._clock()
        most = max(window.limit for window in checked_windows(tuple(windows)))
        slots: deque[float] | None = self._held(key, deque, now)
        if slots is None or slots.maxlen != most:
            slots = deque(slots or (), most)
        slot = free = now
        for window in windows:
            if len(slots) >= window.limit:
                again = slots[-window.limit] + window.seconds
                if window.refuses:
                    free = max(free, again)
                else:
                    slot = max(slot, again)
        if free > now:
            return Reserved(False, free - now)
        slots.append(slot)
        self._keep(key, slots, slot + max(window.seconds for window in windows), now)
        return Reserved(True, slot - now)

    def _held(self, key: str, kind: type[T], now: float) -> T | None:
        entry = self._entries.get(key)
        if entry is None:
            checked_key(key)
            return None
        return entry.thing if entry.until > now and isinstance(entry.thing, kind) else None

    def _keep(self, key: str, thing: _Thing, until: float, now: float) -> None:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
        else:
            self._entries.move_to_end(key)
        size = _size(key, thing)
        self._bytes += size - entry.size
        entry.thing, entry.until, entry.size = thing, until, size
        if until < entry.looked_at:
            self._look_at(key, entry)
        if self._expiring[0][0] <= now:
            self._drop_expired(now)
        while len(self._entries) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))
        if len(self._expiring) > 2 * len(self._entries) + 64:
            self._expiring = [(kept.looked_at, name) for name, kept in self._entries.items()]
            heapify(self._expiring)

    def _look_at(self, key: str, entry: _Entry) -> None:
        entry.looked_at = entry.until
        heappush(self._expiring, (entry.until, key))

    def _drop_expired(self, now: float) -> None:
        while self._expiring and self._expiring[0][0] <= now:
            due, key = heappop(self._expiring)
            entry = self._entries.get(key)
            if entry is None or entry.looked_at != due:
                continue  # it was dropped, or is looked at earlier
            if entry.until <= now:
                self._drop(key)
            else:
                self._look_at(key, entry)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size


def refused(amount: float, tokens: float, bucket: Bucket) -> Spent:
    """Nothing was taken: what is there, and when there is enough."""
    wait = (amount - tokens) / bucket.per_second if amount <= bucket.capacity else float("inf")
    return Spent(False, tokens, wait)


def _full_at(tokens: float, bucket: Bucket, now: float) -> float:
    """When there is nothing to be known of it any more; not at once, for it is soon asked again."""
    return now + max(SHORTEST_SECONDS, (bucket.capacity - tokens) / bucket.per_second)


def _filled(level: _Level, bucket: Bucket, now: float) -> float:
    return min(bucket.capacity, level.tokens + (now - level.at) * bucket.per_second)


def _size(key: str, thing: _Thing) -> int:
    return OVERHEAD + len(key) + len(thing) * (SLOT_SIZE if isinstance(thing, deque) else 1)
