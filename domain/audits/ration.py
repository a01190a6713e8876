"""How much of histories one operation may have, however many it asks for."""

from __future__ import annotations

from ..errors import LimitReached

MAX_SAMPLES = 500_000
"""So many audits are looked at."""

MAX_GIVEN = 20_000
"""So many points are given, those of intervals in which nothing was measured too: what these cost is not known before."""


class Ration:
    """What one operation has looked at and was given so far. Both raise LimitReached for more than there is."""

    __slots__ = ("given", "looked_at")

    def __init__(self) -> None:
        self.looked_at = 0
        self.given = 0

    @property
    def left(self) -> int:
        """So many audits may still be looked at."""
        return max(0, MAX_SAMPLES - self.looked_at)

    def look(self, audits: int) -> None:
        self.looked_at += audits
        if self.looked_at > MAX_SAMPLES:
            message = f"One operation looks at {MAX_SAMPLES:,} audits at most, and this spans more."
            raise LimitReached(f"{message} Take less time, or fewer pages, sites or profiles at once.", MAX_SAMPLES)

    def give(self, points: int) -> None:
        if self.given + points > MAX_GIVEN:
            message = f"One operation gets {MAX_GIVEN:,} points at most, and with this it would be {self.given + points:,}."
            advice = "Take a longer interval or less time, or ask for fewer pages and metrics at once."
            raise LimitReached(f"{message} {advice}", MAX_GIVEN)
        self.given += points
