"""How often we may ask Google: counted on our side, since its answers never say what is left."""

from __future__ import annotations

import hashlib

from domain.caching import Cache, Window
from domain.measuring import EngineFailure, FailureKind

MINUTE = 60.0
DAY = 86_400.0


class Budget:
    """At most so many calls in any 60 seconds and in any 24 hours, whatever day Google's quota counts in.

    All who share the cache and the API key share the budget, as Google counts it.
    """

    def __init__(self, cache: Cache, api_key: str, per_minute: int, per_day: int) -> None:
        self._cache = cache
        self._key = f"pagespeed:{hashlib.sha256(api_key.encode()).hexdigest()[:32]}"
        self._per_day = per_day
        self._windows = (Window(per_minute, MINUTE), Window(per_day, DAY, refuses=True))

    async def take(self) -> float:
        """Reserves the next call; the seconds until it may be made. Raises EngineFailure DAILY_BUDGET_SPENT."""
        granted, wait = await self._cache.reserve(self._key, self._windows)
        if not granted:
            raise EngineFailure(
                FailureKind.CONFIGURATION,
                "DAILY_BUDGET_SPENT",
                f"The budget of {self._per_day:,} PageSpeed Insights calls a day is spent; "
                f"the next is free in {wait / 3600:.1f} hours.",
            )
        return wait
