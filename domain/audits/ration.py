"""How much of histories one operation may have, however many it asks for."""

from __future__ import annotations

from ..errors import LimitReached

MAX_SAMPLES = 500_000
"""So many audits are looked at."""

MAX_GIVEN = 20_000
"""So many points are given, those of intervals in which nothing was measured too."""

ASSUMED = 100
"""So many points a chart is taken to have where it is reckoned what an operation may cost."""

ALWAYS = 400
"""So many are given in any case: what a chart has whose interval we choose."""


class Ration:
    """What one operation has looked at and was given so far.

    `share` is which part of what an operation may cost it was reckoned to cost, with ASSUMED points for each chart. It may have
    more of them, but no more than would have made it as dear as an operation may be.
    """

    __slots__ = ("_charts", "given", "looked_at", "share")

    def __init__(self) -> None:
        self.looked_at = 0
        self.given = 0
        self.share = 0.0
        self._charts = 0

    @property
    def left(self) -> int:
        """So many audits may still be looked at."""
        return max(0, MAX_SAMPLES - self.looked_at)

    def look(self, audits: int) -> None:
        """Raises LimitReached."""
        self.looked_at += audits
        if self.looked_at > MAX_SAMPLES:
            message = f"One operation looks at {MAX_SAMPLES:,} audits at most, and this spans more."
            raise LimitReached(f"{message} Take less time, or fewer pages, sites or profiles at once.", MAX_SAMPLES)

    def draw(self, charts: int) -> None:
        """So many charts more are asked for."""
        self._charts += charts

    def give(self, points: int) -> None:
        """Raises LimitReached."""
        most = MAX_GIVEN
        if self.share > 0:
            most = min(most, max(ALWAYS, int(ASSUMED * self._charts / self.share)))
        if self.given + points > most:
            asked = "One operation" if most == MAX_GIVEN else "An operation that asks for so much of each point"
            message = f"{asked} gets {most:,} points at most, and with this it would be {self.given + points:,}."
            advice = "Take a longer interval or less time, or ask for fewer pages and metrics at once."
            raise LimitReached(f"{message} {advice}", most)
        self.given += points
