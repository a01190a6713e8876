"""Builds of twenty pages, drawn from what was measured of four: always whole snapshots, so that their runs stay together.

Within a page of a build no snapshot is drawn twice; another page that is a copy of it may have drawn the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.measuring import EngineName, MetricName
from domain.verdicts import statistics
from domain.verdicts.noise import Compared
from domain.verdicts.sides import machine_changed

from .collect import Snapshot, Subject
from .site import SLOWED

PAGES = 20
BEFORE = 4
AFTER = 3
"""One at first, and two that confirm."""

KNOWN = 12
"""So many snapshots more, where there are as many, tell of the noise alone, as the history of a page does."""

OFF = 0.4
"""A page whose metric moved by so much more or less of what it was to is not one that moved by that."""

METRICS = {
    EngineName.LIGHTHOUSE: (
        MetricName.LCP,
        MetricName.FCP,
        MetricName.TBT,
        MetricName.CLS,
        MetricName.SPEED_INDEX,
        MetricName.TTFB,
    ),
    EngineName.PROBE: (MetricName.PAGE_LOAD, MetricName.TTFB),
}
"""The first is the one whose move is set."""

Pool = Mapping[Subject, Sequence[Snapshot]]


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that is compared at once, with all snapshots that were taken.

    `incomparable`: the places of what another machine measured; `slowed`: of the metric that was made worse on purpose.
    """

    compared: Sequence[Compared]
    incomparable: frozenset[int]
    slowed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Drawing:
    """`drift`: by how much, as a share, all pages move together from one snapshot to the next, up or down, as a random walk.

    `in_time`: all pages' snapshots follow one another as they were measured, whatever the machine went through meanwhile;
    `in_one_hour`: those after do, and those before are of any time. `known`: so many more tell of the noise alone.
    """

    engine: EngineName
    unchanged: Pool
    slowed: Mapping[float, Pool]
    drift: float = 0.0
    in_time: bool = False
    in_one_hour: bool = False
    known: int = KNOWN

    def build(self, seed: Sequence[int], effect: float = 0.0) -> Build:
        """With an effect one page is slowed under a profile for which that was measured; all else is as it was."""
        chance = np.random.default_rng(seed)
        walk = 1 + np.cumsum(chance.normal(0, self.drift, BEFORE + AFTER)) if self.drift else np.ones(BEFORE + AFTER)
        begins = int(chance.integers(windows(self.unchanged))) if self.in_time or self.in_one_hour else None
        subjects = self._subjects(chance)
        target = None
        if effect:
            fit = [place for place, subject in enumerate(subjects) if self.slowed[effect].get(subject)]
            target = int(chance.choice(fit))
        compared: list[Compared] = []
        incomparable, slowed = set[int](), set[int]()
        for place, subject in enumerate(subjects):
            known, drawn = self._draw(chance, subject, effect if place == target else 0.0, begins)
            machines = [[index for index in each.benchmark if index] for each in drawn]
            others = [machine_changed(machines[:BEFORE], [each]) for each in machines[BEFORE:]]
            for metric in METRICS[self.engine]:
                sides = [_values(each, metric, float(moved)) for each, moved in zip(drawn, walk, strict=True)]
                if not all(sides):
                    continue
                if others[0]:
                    incomparable.add(len(compared))
                if place == target and metric is METRICS[self.engine][0]:
                    slowed.add(len(compared))
                after = [side for number, side in enumerate(sides[BEFORE:]) if not number or not others[number]]
                history = [_values(each, metric) for each in known]
                name = f"{place} {subject[0]} {subject[1]}"
                compared.append(Compared(name, metric, sides[:BEFORE], after, [history] if all(history) else []))
        return Build(compared, frozenset(incomparable), frozenset(slowed))

    def _subjects(self, chance: np.random.Generator) -> list[Subject]:
        """Each page under all profiles."""
        pages, profiles = (sorted(set(those)) for those in zip(*self.unchanged, strict=True))
        return [(str(page), profile) for page in chance.choice(pages, PAGES) for profile in profiles]

    def _draw(
        self, chance: np.random.Generator, subject: Subject, effect: float, begins: int | None
    ) -> tuple[list[Snapshot], list[Snapshot]]:
        """Those that tell of the noise alone, and those that are compared."""
        pool = self.unchanged[subject]
        wanted = BEFORE if effect else BEFORE + AFTER
        if begins is None:
            drawn = _some(chance, pool, min(len(pool), wanted + self.known))
            known, drawn = drawn[wanted:], drawn[:wanted]
        elif self.in_time:
            known, drawn = list(pool[:begins][-self.known :]), list(pool[begins : begins + wanted])
        else:
            hour, others = pool[begins : begins + AFTER], [*pool[:begins], *pool[begins + AFTER :]]
            drawn = _some(chance, others, min(len(others), BEFORE + self.known))
            known, drawn = drawn[BEFORE:], [*drawn[:BEFORE], *hour]
        return known, drawn + (_some(chance, self.slowed[effect][subject], AFTER) if effect else [])


def windows(unchanged: Pool) -> int:
    """So many times there are at which a build may begin, of snapshots in the order in which they were taken."""
    return min(map(len, unchanged.values())) - BEFORE - AFTER + 1


def slowed_as_wanted(unchanged: Pool, slowed: Pool, effect: float, metric: MetricName) -> Pool:
    """Without what moved by much more or less than it was to, and without what was measured too seldom to be confirmed."""
    return {
        subject: those
        for subject, those in slowed.items()
        if subject[0] in SLOWED
        and len(those) >= AFTER
        and abs(middle(those, metric) / middle(unchanged[subject], metric) - 1 - effect) <= effect * OFF
    }


def _some(chance: np.random.Generator, pool: Sequence[Snapshot], number: int) -> list[Snapshot]:
    return [pool[place] for place in chance.choice(len(pool), number, replace=False)]


def _values(snapshot: Snapshot, metric: MetricName, moved: float = 1.0) -> list[float]:
    return [run[metric.value] * moved for run in snapshot.runs if metric.value in run]


def pooled(snapshots: Iterable[Snapshot]) -> Pool:
    pool: dict[Subject, list[Snapshot]] = {}
    for each in snapshots:
        pool.setdefault(each.subject, []).append(each)
    return pool


def middle(snapshots: Sequence[Snapshot], metric: MetricName) -> float:
    """The median of all runs."""
    return float(np.median([value for each in snapshots for value in _values(each, metric)]))


def variation(snapshots: Sequence[Snapshot], metric: MetricName) -> tuple[float, float]:
    """How far the runs of a snapshot lie apart, and how far snapshots: standard deviations as shares of the middle."""
    sides = [_values(each, metric) for each in snapshots]
    within = float(np.sqrt(np.mean([np.var(runs, ddof=1) for runs in sides])))
    between = float(np.std(statistics.centers(sides), ddof=1))
    return within / middle(snapshots, metric), between / middle(snapshots, metric)
