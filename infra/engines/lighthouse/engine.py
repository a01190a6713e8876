"""The engine: waits for the machine, then measures run by run, each in a browser that has seen nothing before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from domain.measuring import EngineName, Measured, Order, Phase, Reached

from ..guard import Guard, check_url
from .access import cookies_of, headers_of
from .flags import lighthouse_settings
from .installation import Installation, find_lighthouse
from .lock import MachineLock
from .run import Job, run

DEADLINE = 180.0


class LighthouseEngine:
    """Measures with Lighthouse 10 or newer, one run at a time on this machine, whoever asks.

    The paths may be None: then they are looked for (`find_lighthouse`). `deadline` is in seconds and for one run.
    """

    name = EngineName.LIGHTHOUSE

    def __init__(
        self,
        guard: Guard,
        *,
        lock_file: Path,
        lighthouse: Path | None = None,
        chrome: Path | None = None,
        node: Path | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        self._guard = guard
        self._lock_file = lock_file
        self._paths = (lighthouse, chrome, node)
        self._deadline = deadline
        self._found: Installation | None = None

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        job = await self._job(order)
        lock = MachineLock(self._lock_file)
        try:
            if not lock.take():
                yield Reached(Phase.WAITING, 0)
                await lock.wait()
            for number in range(order.runs):
                yield Reached(Phase.STARTING, number)
                async with aclosing(run(job, self._guard, self._deadline)) as steps:
                    async for step in steps:
                        yield Reached(step, number) if isinstance(step, Phase) else Measured(number, step)
        finally:
            lock.close()

    async def _job(self, order: Order) -> Job:
        """Everything that can be refused is refused here, before anything is started."""
        target = check_url(order.url)
        port = target.port or (443 if target.scheme == "https" else 80)
        job = Job(
            installation=await self._installation(),
            url=target.geturl(),
            target=(target.hostname or "", port),
            origin=f"{target.scheme}://{target.netloc}",
            headers=headers_of(order.access),
            cookies=cookies_of(order.access),
            settings=lighthouse_settings(order.form_factor, order.throttling),
        )
        await self._guard.addresses(*job.target)
        return job

    async def _installation(self) -> Installation:
        if self._found is None:
            self._found = await asyncio.to_thread(find_lighthouse, *self._paths)
        return self._found
