"""An engine that does as it is told, for tests of what stands around engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from domain.measuring import (
    EngineFailure,
    EngineName,
    Evidence,
    FindingSeen,
    ImageKind,
    ImageSeen,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    RequestSeen,
    ResourceType,
    RunResult,
    Score,
    Severity,
    UserTiming,
)


def result(ttfb: float = 100.0) -> RunResult:
    return RunResult(
        metrics={MetricName.TTFB: ttfb, MetricName.PAGE_LOAD: ttfb * 3, MetricName.REQUEST_COUNT: 2},
        final_url="http://127.0.0.1/final",
        engine_version="1.0",
        requests=(
            RequestSeen("http://127.0.0.1/final", ResourceType.DOCUMENT, status=200, start_ms=0, end_ms=ttfb),
            RequestSeen("http://127.0.0.1/app.js", ResourceType.SCRIPT, status=404, transfer_bytes=10),
        ),
        findings=(
            FindingSeen("small", "Small", Severity.LOW, "delivery"),
            FindingSeen("grave", "Grave", Severity.HIGH, "delivery", evidence=(Evidence("a", "b"),), saving_ms=10),
        ),
        scores=(Score("delivery", "Delivery", 0.5),),
        user_timings=(UserTiming("ready", 12.0, None),),
        images=(ImageSeen(ImageKind.FILMSTRIP, "image/jpeg", b"jpeg", 300.0),),
        report={"hello": "world"},
    )


class ToldEngine:
    """Measures one run for each of `ttfbs`; `failure` comes after them, and `forever` never ends, once it `waits`."""

    name = EngineName.PROBE

    def __init__(
        self, ttfbs: tuple[float, ...] = (120, 100, 110), failure: Exception | None = None, forever: bool = False
    ) -> None:
        self.ttfbs = ttfbs
        self.failure = failure
        self.forever = forever
        self.orders: list[Order] = []
        self.stopped = False
        self.waits = asyncio.Event()

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        self.orders.append(order)
        try:
            for run, ttfb in enumerate(self.ttfbs):
                yield Reached(Phase.LOADING, run)
                yield Measured(run, result(ttfb))
            self.waits.set()
            if self.forever:
                await asyncio.Event().wait()
            if self.failure is not None:
                raise self.failure
        finally:
            self.stopped = True


__all__ = ["EngineFailure", "ToldEngine", "result"]
