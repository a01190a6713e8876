from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from app.metering import BacklogMeter
from domain.metering import Backlog, QueueRow
from infra.telemetry import Telemetry
from tests.telemetry import scrape, telemetry

__all__ = ["telemetry"]


class Queues:
    """A database whose answer the test sets."""

    def __init__(self) -> None:
        self.asked = 0
        self.waiting = 5
        self.error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def read(self) -> Backlog:
        self.asked += 1
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return Backlog([QueueRow("metered", self.waiting, 1, 0, 2.0, 0, 0)])


def waiting(telemetry: Telemetry) -> float | None:
    samples = scrape(telemetry)
    shown = any(labels["kind"] == "metered" for labels in samples.labels("pacemark_jobs_waiting"))
    return samples.value("pacemark_jobs_waiting", kind="metered") if shown else None


async def test_what_was_last_read_is_shown_while_the_block_lasts(telemetry: Telemetry) -> None:
    queues = Queues()
    with BacklogMeter(queues.read, every_seconds=0) as meter:
        assert waiting(telemetry) is None
        await meter.refresh()
        assert waiting(telemetry) == 5
        queues.waiting = 3
        assert waiting(telemetry) == 5
        await meter.refresh()
        assert waiting(telemetry) == 3
    assert waiting(telemetry) is None


async def test_the_database_is_asked_at_most_so_often_however_many_ask(telemetry: Telemetry) -> None:
    queues = Queues()
    with BacklogMeter(queues.read, every_seconds=60) as meter:
        await asyncio.gather(*(meter.refresh() for _ in range(20)))
    assert queues.asked == 1


async def test_nothing_is_shown_of_queues_whose_database_is_away_or_slow(telemetry: Telemetry) -> None:
    queues = Queues()
    with capture_logs() as logs, BacklogMeter(queues.read, every_seconds=0, patience_seconds=0.05) as meter:
        await meter.refresh()
        queues.error = OSError("postgresql://user:hunter2@host refused")
        await meter.refresh()
        await meter.refresh()
        assert waiting(telemetry) is None
        queues.error = None
        await meter.refresh()
        assert waiting(telemetry) == 5
        queues.answers.clear()
        await meter.refresh()
        assert waiting(telemetry) is None
    assert [(entry["event"], entry["error"]) for entry in logs] == [
        ("What waits could not be counted.", "OSError"),
        ("What waits could not be counted.", "TimeoutError"),
    ]


async def test_where_nobody_fetches_it_refreshes_by_itself(telemetry: Telemetry) -> None:
    queues = Queues()
    with BacklogMeter(queues.read, every_seconds=0.01) as meter:
        running = asyncio.create_task(meter.run())
        async with asyncio.timeout(10):
            while queues.asked < 3:
                await asyncio.sleep(0.01)
        assert waiting(telemetry) == 5
        running.cancel()
