"""Takes audits as they come, measures them, and sweeps up after those who died."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from uuid import UUID

import structlog

from app.folder import WorkerLock
from app.waiting import set_within
from app.wiring import House
from domain import audits, runners
from domain.access import NOBODY
from domain.measuring import EngineName

LOCK_SECONDS = 1.0
PAUSE_SECONDS = 1.0
LOOK_SECONDS = 10.0
"""How often a task with nothing to do looks by itself: every new audit says that it waits, so this is for lost words."""
SWEEP_SECONDS = 10.0

log = structlog.get_logger()


async def work(house: House, stop: asyncio.Event, *, drain_seconds: float, address: str = "") -> None:
    """Work until `stop` is set, as soon as no other process works on this folder."""
    lock = WorkerLock(house.settings.data, shared=not house.database.is_sqlite)
    try:
        waiting = False
        while not lock.take(address):
            if not waiting:
                log.info("Another process works on this folder; this one stands by.")
                waiting = True
            if await set_within(stop, LOCK_SECONDS):
                return
        await Worker(house, drain_seconds=drain_seconds).run(stop)
    finally:
        lock.close()


class Worker:
    """One task for each audit that may run at once.

    Told to stop, it takes nothing new and gives what is running `drain_seconds` to end; then the engines are stopped
    and their audits left to the sweep of another worker. Cancelling `run` does that at once.
    """

    def __init__(self, house: House, *, drain_seconds: float) -> None:
        self._house = house
        self._drain_seconds = drain_seconds
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        runner = await appear(self._house)
        serving = [asyncio.create_task(self._serve(runner, engines)) for engines in self._lanes()]
        helping = [asyncio.create_task(each) for each in (self._hear(), self._sweep(), self._drain(stop, serving))]
        try:
            await asyncio.wait(serving)
        finally:
            for task in (*serving, *helping):
                task.cancel()
            await asyncio.gather(*serving, *helping, return_exceptions=True)

    def _lanes(self) -> Iterator[Sequence[EngineName]]:
        for _ in range(self._house.settings.probes_at_once):
            yield (EngineName.PROBE,)
        yield (EngineName.LIGHTHOUSE,)
        yield (EngineName.PAGESPEED,)

    async def _drain(self, stop: asyncio.Event, serving: Sequence[asyncio.Task[None]]) -> None:
        await stop.wait()
        self._stopping.set()
        self._woken.set()
        _, running = await asyncio.wait(serving, timeout=self._drain_seconds)
        if running:
            log.warning("Audits are left unfinished; another worker will take them up.", audits=len(running))
        for task in running:
            task.cancel()

    async def _hear(self) -> None:
        async with self._house.bus.listen(audits.JOBS) as messages:
            async for _ in messages:
                self._woken.set()

    async def _serve(self, runner: UUID, engines: Sequence[EngineName]) -> None:
        while not self._stopping.is_set():
            if not await self._one(runner, engines) and not self._stopping.is_set():
                await set_within(self._woken, LOOK_SECONDS)
                self._woken.clear()

    async def _one(self, runner: UUID, engines: Sequence[EngineName]) -> bool:
        house = self._house
        try:
            claim = await audits.take(house.database, runner_id=runner, pool=house.settings.runner_pool, engines=engines)
            if claim is None:
                return False
            await audits.perform(house.database, house.storage, house.engines[claim.audit.engine], house.seal, claim)
        except Exception:
            log.exception("An audit could not be worked.", engines=[*engines])
            await asyncio.sleep(PAUSE_SECONDS)
        return True

    async def _sweep(self) -> None:
        while True:
            try:
                again = await audits.sweep(self._house.database)
                if again:
                    log.warning("Audits of vanished workers wait again.", audits=again)
                await audits.sweep_files(self._house.database, self._house.storage)
                await asyncio.sleep(SWEEP_SECONDS)
                await appear(self._house)
            except Exception:
                log.exception("The sweep failed.")
                await asyncio.sleep(SWEEP_SECONDS)


async def appear(house: House) -> UUID:
    """Say that this machine's runner is there. Returns its id."""
    settings = house.settings
    async with house.database.work(NOBODY) as work:
        return await runners.appear(
            work,
            name=settings.runner_name,
            location=settings.runner_location,
            pool=settings.runner_pool,
            engines=house.engines,
        )
