"""Takes audits as they come, measures them, and sweeps up after those who died."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from uuid import UUID

import structlog

from app.wiring import House
from domain import audits, runners
from domain.access import NOBODY
from domain.measuring import EngineName

IDLE_SECONDS = 1.0
SWEEP_SECONDS = 10.0

log = structlog.get_logger()


class Worker:
    """Run it as a task; cancelling it stops the engines and leaves their audits to be swept up."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._waiting = asyncio.Event()

    async def run(self) -> None:
        settings = self._house.settings
        async with self._house.database.work(NOBODY) as work:
            runner = await runners.appear(
                work,
                name=settings.runner_name,
                location=settings.runner_location,
                pool=settings.runner_pool,
                engines=self._house.engines,
            )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._sweep())
            for _ in range(settings.probes_at_once):
                group.create_task(self._serve(runner, [EngineName.PROBE]))
            group.create_task(self._serve(runner, [EngineName.LIGHTHOUSE]))
            group.create_task(self._serve(runner, [EngineName.PAGESPEED]))

    async def _hear(self) -> None:
        async with self._house.bus.listen(audits.JOBS) as messages:
            async for _ in messages:
                self._waiting.set()

    async def _serve(self, runner: UUID, engines: Sequence[EngineName]) -> None:
        while True:
            if not await self._one(runner, engines):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._waiting.wait(), IDLE_SECONDS)
                self._waiting.clear()

    async def _one(self, runner: UUID, engines: Sequence[EngineName]) -> bool:
        house = self._house
        try:
            claim = await audits.take(house.database, runner_id=runner, pool=house.settings.runner_pool, engines=engines)
            if claim is None:
                return False
            await audits.perform(house.database, house.storage, house.engines[claim.audit.engine], house.seal, claim)
        except Exception:
            log.exception("An audit could not be worked.", engines=[*engines])
            await asyncio.sleep(IDLE_SECONDS)
        return True

    async def _sweep(self) -> None:
        while True:
            try:
                again = await audits.sweep(self._house.database)
                if again:
                    log.warning("Audits of vanished workers wait again.", audits=again)
            except Exception:
                log.exception("The sweep failed.")
            await asyncio.sleep(SWEEP_SECONDS)
