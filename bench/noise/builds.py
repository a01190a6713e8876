"""Builds of twenty pages, drawn from what was measured: always whole snapshots, so that their runs stay together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.measuring import MetricName
from domain.verdicts.judging import Compared

from .collect import Snapshot

PAGES = 20
BEFORE = 4
AFTER = 3
"""One at first, and two that confirm."""

METRICS = {
    "LIGHTHOUSE": (
        MetricName.LCP,
        MetricName.FCP,
        MetricName.TBT,
        MetricName.CLS,
        MetricName.SPEED_INDEX,
        MetricName.TTFB,
    ),
    "PROBE": (MetricName.TTFB, MetricName.PAGE_LOAD),
}

Subject = tuple[str, str]
Pool = Mapping[Subject, Sequence[Snapshot]]


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that is compared at once, with all snapshots that were taken. `slowed`: whose decisive metric was."""

    compared: Sequence[Compared]
    slowed: frozenset[int]


class Drawing:
    """`drift`: by how much, as a share, all pages move together from one snapshot to the next, up or down, as a random walk.

    `in_time`: snapshots follow one another as they were measured, so that whatever the machine went through is in them.
    """

    def __init__(
        self,
        engine: str,
        unchanged: Pool,
        slowed: Mapping[float, Pool],
        seed: int,
        *,
        drift: float = 0.0,
        in_time: bool = False,
    ) -> None:
        self._metrics = METRICS[engine]
        self._unchanged = unchanged
        self._slowed = slowed
        self._chance = np.random.default_rng(seed)
        self._drift = drift
        self._in_time = in_time
        self._names = sorted({page for page, _ in unchanged})
        self._profiles = sorted({profile for _, profile in unchanged})

    def build(self, effect: float = 0.0) -> Build:
        """With an effect one page is slowed under a profile for which that was measured; all else is as it was."""
        walk = 1 + np.cumsum(self._chance.normal(0, self._drift, BEFORE + AFTER)) if self._drift else np.ones(BEFORE + AFTER)
        places = [(number, profile) for number in range(PAGES) for profile in self._profiles]
        named = {number: self._names[self._chance.integers(len(self._names))] for number in range(PAGES)}
        target: tuple[int, str] | None = None
        if effect:
            fit = [place for place in places if self._slowed[effect].get((named[place[0]], place[1]))]
            target = fit[self._chance.integers(len(fit))]
        compared: list[Compared] = []
        slowed: set[int] = set()
        for place in places:
            subject = (named[place[0]], place[1])
            drawn = self._draw(subject, effect if place == target else 0.0)
            for metric in self._metrics:
                sides = [_values(each, metric, float(moved)) for each, moved in zip(drawn, walk, strict=True)]
                if all(sides):
                    if place == target and metric is self._metrics[0]:
                        slowed.add(len(compared))
                    compared.append(Compared((place, subject), metric, sides[:BEFORE], sides[BEFORE:]))
        return Build(compared, frozenset(slowed))

    def _draw(self, subject: Subject, effect: float) -> Sequence[Snapshot]:
        pool = self._unchanged[subject]
        wanted = BEFORE if effect else BEFORE + AFTER
        if self._in_time:
            first = int(self._chance.integers(len(pool) - wanted + 1))
            drawn = list(pool[first : first + wanted])
        else:
            drawn = [pool[place] for place in self._chance.choice(len(pool), wanted, replace=False)]
        if effect:
            slowed = self._slowed[effect][subject]
            drawn += [slowed[place] for place in self._chance.choice(len(slowed), AFTER, replace=len(slowed) < AFTER)]
        return drawn


def _values(snapshot: Snapshot, metric: MetricName, moved: float) -> list[float]:
    return [run[metric.value] * moved for run in snapshot.runs if metric.value in run]


def variation(pool: Pool, metric: MetricName) -> Mapping[Subject, tuple[float, float]]:
    """How far the runs of a snapshot lie apart, and how far snapshots: as shares of the middle (standard deviations)."""
    from domain.verdicts import statistics

    found: dict[Subject, tuple[float, float]] = {}
    for subject, snapshots in pool.items():
        sides = [_values(each, metric, 1.0) for each in snapshots]
        middle = float(np.median([value for runs in sides for value in runs]))
        within = float(np.sqrt(np.mean([np.var(runs, ddof=1) for runs in sides])))
        between = float(np.std(statistics.centers(sides), ddof=1))
        found[subject] = within / middle, between / middle
    return found
