"""The cache of one process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeVar

from domain.caching import Bucket, Reserved, Spent, Window

from .checks import TOLERANCE, checked_amount, checked_key, checked_seconds, checked_value, checked_windows

T = TypeVar("T")


class _Level(NamedTuple):
    tokens: float
    at: float


class MemoryCache:
    """Keeps at most `most` keys: expired ones go first, then those that were written longest ago.

    `clock` gives seconds that never go back.
    """

    def __init__(self, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        # By key, the one written last at the end: until when, and a value, a bucket's level or the slots of a log.
        self._entries: dict[str, tuple[float, bytes | _Level | deque[float]]] = {}
        # Every time at which a key was ever to expire; what was written again since is skipped.
        self._expiring: list[tuple[float, str]] = []

    async def get(self, key: str) -> bytes | None:
        return self._held(checked_key(key), bytes, self._clock())

    async def put(self, key: str, value: bytes, *, seconds: float) -> None:
        now = self._clock()
        self._keep(checked_key(key), checked_value(value), now + checked_seconds(seconds), now)

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self._entries.pop(checked_key(key), None)

    async def spend(self, key: str, amount: float, bucket: Bucket) -> Spent:
        now = self._clock()
        level = self._held(checked_key(key), _Level, now)
        tokens = bucket.capacity
        if level is not None:
            tokens = min(tokens, level.tokens + (now - level.at) * bucket.per_second)
        if not checked_amount(amount) <= min(bucket.capacity, tokens + TOLERANCE * bucket.capacity):
            return refused(amount, tokens, bucket)
        tokens = max(0.0, tokens - amount)
        full = now + (bucket.capacity - tokens) / bucket.per_second
        self._keep(key, _Level(tokens, now), full, now)
        return Spent(True, tokens, 0.0)

    async def reserve(self, key: str, windows: Sequence[Window]) -> Reserved:
        now = self._clock()
        most = max(window.limit for window in checked_windows(tuple(windows)))
        slots: deque[float] | None = self._held(checked_key(key), deque, now)
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
        until, thing = self._entries.get(key, (now, None))
        return thing if until > now and isinstance(thing, kind) else None

    def _keep(self, key: str, thing: bytes | _Level | deque[float], until: float, now: float) -> None:
        self._entries.pop(key, None)
        self._entries[key] = until, thing
        heappush(self._expiring, (until, key))
        while self._expiring and self._expiring[0][0] <= now:
            _, expired = heappop(self._expiring)
            if expired in self._entries and self._entries[expired][0] <= now:
                del self._entries[expired]
        while len(self._entries) > self._most:
            del self._entries[next(iter(self._entries))]
        if len(self._expiring) > 4 * self._most:
            self._expiring = [(expires, kept) for kept, (expires, _) in self._entries.items()]
            heapify(self._expiring)


def refused(amount: float, tokens: float, bucket: Bucket) -> Spent:
    """Nothing was taken: what is there, and when there is enough."""
    wait = (amount - tokens) / bucket.per_second if amount <= bucket.capacity else float("inf")
    return Spent(False, tokens, wait)
