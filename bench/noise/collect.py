"""Audits the pages again and again, unchanged and slowed on purpose, and keeps every run: one line of JSON a snapshot."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from domain.measuring import Engine, EngineName, FormFactor, Measured, MetricName, Order
from domain.verdicts.rules import TIMINGS_JUDGED

from .site import PAGES, SLOWED, serving

Subject = tuple[str, str]
"""A page and the kind of device."""

RUNS = 5
EFFECTS = (0.05, 0.10, 0.20)
TRIED_MS = 50.0

STANDING_MS = {EngineName.PROBE: 200.0}
"""So much later each answer always comes, where no slow device is simulated: a tenth of 100 ms is no change that counts."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One page under one profile at one time. `effect`: by how much its decisive metric was to move, 0 for unchanged."""

    at: float
    engine: EngineName
    page: str
    form_factor: FormFactor
    effect: float
    delay_ms: float
    runs: list[dict[str, float]]
    benchmark: list[float | None]

    @property
    def subject(self) -> Subject:
        return self.page, self.form_factor


def read(file: Path) -> Iterator[Snapshot]:
    with file.open() as lines:
        for line in lines:
            yield Snapshot(**json.loads(line))


class Collector:
    """`decisive` is the metric whose move is set: LCP in a browser, the page's load for the probe."""

    def __init__(self, engine: Engine, decisive: MetricName, file: Path, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._decisive = decisive
        self._file = file
        self._say = say
        self._per_ms: dict[Subject, tuple[float, float]] = {}
        for each in read(file) if file.exists() else ():
            if each.effect:  # as it was found out before
                self._per_ms[each.subject] = each.delay_ms / each.effect, 1.0

    async def collect(self, until: float, *, profiles: tuple[FormFactor, ...] = tuple(FormFactor)) -> None:
        """Round after round until that time: each page unchanged under each profile, then each page slowed, by turns."""
        async with serving() as origin:
            number = sum(1 for each in read(self._file) if not each.effect) if self._file.exists() else 0
            turn = number // (len(PAGES) * len(profiles))
            while time.time() < until:
                for page in PAGES:
                    for profile in profiles:
                        await self._keep(origin, page, profile, 0.0, 0.0)
                effect, slowed = EFFECTS[turn % len(EFFECTS)], profiles[0]
                for page in SLOWED:
                    await self._keep(origin, page, slowed, effect, await self._delay(origin, page, slowed, effect))
                turn += 1

    async def _keep(self, origin: str, page: str, profile: FormFactor, effect: float, delay_ms: float) -> None:
        began = time.time()
        runs, benchmark = await self._measure(origin, page, profile, delay_ms, RUNS)
        kept = Snapshot(began, self._engine.name, page, profile, effect, delay_ms, runs, benchmark)
        with self._file.open("a") as lines:
            lines.write(json.dumps(asdict(kept)) + "\n")
        middle = median(run[self._decisive] for run in runs)
        self._say(f"{page:<12}{profile:<9}+{delay_ms:6.1f} ms  {self._decisive} {middle:8.1f}  in {time.time() - began:5.1f} s")

    async def _delay(self, origin: str, page: str, profile: FormFactor, effect: float) -> float:
        """How much later each answer has to come, from how much the metric moved when it was tried."""
        if (page, profile) not in self._per_ms:
            base, slowed = [
                median(run[self._decisive] for run in (await self._measure(origin, page, profile, delay, 3))[0])
                for delay in (0.0, TRIED_MS)
            ]
            self._per_ms[page, profile] = base, max(0.5, (slowed - base) / TRIED_MS)
        base, per_ms = self._per_ms[page, profile]
        return round(effect * base / per_ms, 1)

    async def _measure(
        self, origin: str, page: str, profile: FormFactor, delay_ms: float, runs: int
    ) -> tuple[list[dict[str, float]], list[float | None]]:
        later = STANDING_MS.get(self._engine.name, 0.0) + delay_ms
        order = Order(f"{origin}/{page}/{round(later * 10)}/", profile, runs)
        found: list[dict[str, float]] = []
        benchmark: list[float | None] = []
        async with aclosing(_steps(self._engine, order)) as steps:
            async for step in steps:
                metrics = step.result.metrics
                found.append({name.value: round(metrics[name], 3) for name in TIMINGS_JUDGED if name in metrics})
                benchmark.append(step.result.benchmark_index)
        return found, benchmark


async def _steps(engine: Engine, order: Order) -> AsyncGenerator[Measured, None]:
    async with aclosing(engine.measure(order)) as steps:
        async for step in steps:
            if isinstance(step, Measured):
                yield step
