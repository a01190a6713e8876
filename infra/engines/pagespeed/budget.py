"""How often we may ask Google: counted on our side, since its answers never say what is left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from domain.measuring import EngineFailure, FailureKind

MINUTE = 60.0
DAY = 86_400.0


class Budget:
    """At most so many calls in any 60 seconds and in any 24 hours, whatever day Google's quota counts in.

    `clock` gives seconds that never go back. The count is this process's own.
    """

    def __init__(self, per_minute: int, per_day: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._per_day = per_day
        self._clock = clock
        self._slots: deque[float] = deque()

    def take(self) -> float:
        """Reserves the next call; the seconds until it may be made. Raises EngineFailure DAILY_BUDGET_SPENT."""
        now = self._clock()
        while self._slots and self._slots[0] <= now - DAY:
            self._slots.popleft()
        if len(self._slots) >= self._per_day:
            hours = (self._slots[0] + DAY - now) / 3600
            raise EngineFailure(
                FailureKind.CONFIGURATION,
                "DAILY_BUDGET_SPENT",
                f"The budget of {self._per_day:,} PageSpeed Insights calls a day is spent; "
                f"the next is free in {hours:.1f} hours.",
            )
        slot = now
        if len(self._slots) >= self._per_minute:
            slot = max(now, self._slots[-self._per_minute] + MINUTE)
        self._slots.append(slot)
        return slot - now
