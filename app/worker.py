"""Takes audits, mails, snapshots and what channels are told as they come: measures, sends, judges and tells."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind

from app.folder import WorkerLock
from app.waiting import set_within
from app.wiring import House
from domain import audits, jobs, mails, metering, notifications, runners, tracing, verdicts
from domain.access import SYSTEM
from domain.errors import DatabaseAway
from domain.measuring import EngineName
from domain.ports import Calls, Delivery

LOCK_SECONDS = 1.0
PAUSE_SECONDS = 1.0
LOOK_SECONDS = 10.0
"""How often a task that nobody calls looks by itself: each new audit is called for, so this is for a bus that is away."""
WORKING_SECONDS = 10.0
APPEAR_SECONDS = 10.0
MAILS_AT_ONCE = 2
DELIVERIES_AT_ONCE = 4

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


class Lane(NamedTuple):
    """Works one job of its kind after the other. `work_one`: the next one; whether there was one."""

    kind: str
    work_one: Callable[[], Awaitable[bool]]


class Worker:
    """One task for each audit that may run at once, for each mail, and for each message to a channel.

    Told to stop, it takes nothing new and gives what is running `drain_seconds` to end; then the engines are stopped
    and their audits given back, as is what was to be sent. Cancelling `run` does that at once.
    """

    def __init__(self, house: House, *, drain_seconds: float) -> None:
        self._house = house
        self._drain_seconds = drain_seconds
        self._stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        runner = await self._known(stop)
        if runner is None:
            return
        serving = [asyncio.create_task(self._serve(lane)) for lane in self._lanes(runner)]
        helping = [asyncio.create_task(each) for each in (self._appear(), self._drain(stop, serving))]
        try:
            ended, _ = await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
            if not self._stopping.is_set():
                ended.pop().result()
                raise RuntimeError("a lane ended while the worker was to go on")
            await asyncio.wait(serving)
        finally:
            self._stopping.set()
            for task in (*serving, *helping):
                task.cancel()
            await asyncio.gather(*serving, *helping, return_exceptions=True)

    async def _known(self, stop: asyncio.Event) -> UUID | None:
        """The runner's id, as soon as the database is there; None when told to stop before."""
        while True:
            try:
                return await appear(self._house)
            except DatabaseAway:
                log.warning("The database is away; the worker waits for it.")
            if await set_within(stop, PAUSE_SECONDS):
                return None

    def _lanes(self, runner: UUID) -> Iterator[Lane]:
        for engine in self._house.engines:
            for _ in range(self._house.settings.probes_at_once if engine is EngineName.PROBE else 1):
                yield Lane(audits.KINDS[engine], partial(self._audit, runner, engine))
        for _ in range(MAILS_AT_ONCE):
            yield Lane(mails.KIND, self._mail)
        for kind in verdicts.KINDS:
            yield Lane(kind, partial(self._judge, kind))
        yield Lane(audits.JUDGE, self._judge_alone)
        for _ in range(DELIVERIES_AT_ONCE):
            yield Lane(notifications.KIND, self._deliver)

    async def _drain(self, stop: asyncio.Event, serving: list[asyncio.Task[None]]) -> None:
        await stop.wait()
        self._stopping.set()
        _, running = await asyncio.wait(serving, timeout=self._drain_seconds)
        if running:
            log.warning("Work is given back unfinished; another worker will take it up.", jobs=len(running))
        for task in running:
            task.cancel()

    async def _serve(self, lane: Lane) -> None:
        async with self._house.bus.calls(lane.kind) as calls:
            while not self._stopping.is_set():
                try:
                    await self._turn(calls, lane)
                except Exception:
                    log.exception("A turn of the worker failed.", kind=lane.kind)
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _turn(self, calls: Calls, lane: Lane) -> None:
        call = await self._next(calls)
        if call is not None:
            await self._answer(call, lane)
        # Nobody called, so the bus may be away: where there is one job, there may be more.
        while call is None and not self._stopping.is_set() and await self._try(lane):
            pass

    async def _answer(self, call: Delivery, lane: Lane) -> None:
        if self._stopping.is_set():
            await call.again(0)
            return
        async with _working(call):
            tried = await self._try(lane)
        await (call.again(PAUSE_SECONDS) if tried is None else call.done())

    async def _try(self, lane: Lane) -> bool | None:
        """Whether there was a job; None when it could not be found out, or ended in a bug, after a pause."""
        try:
            return await lane.work_one()
        except DatabaseAway:
            log.warning("The database is away.", kind=lane.kind)
        except Exception:
            log.exception("A job could not be worked.", kind=lane.kind)
        await asyncio.sleep(PAUSE_SECONDS)
        return None

    async def _next(self, calls: Calls) -> Delivery | None:
        """The next call; None when none came for a while, or the worker is to stop."""
        calling = asyncio.create_task(calls.next(LOOK_SECONDS))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({calling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return calling.result() if calling.done() else None
        finally:
            for task in (calling, stopping):
                task.cancel()
            await asyncio.gather(calling, stopping, return_exceptions=True)

    async def _audit(self, runner: UUID, engine: EngineName) -> bool:
        """Take the next audit and see it through; whether there was one."""
        house = self._house
        claim = await audits.take(house.database, runner_id=runner, pool=house.settings.runner_pool, engines=[engine])
        if claim is None:
            return False
        with _seeing_through(claim.job.job):
            await audits.perform(house.database, house.storage, house.engines[engine], house.keyring, claim)
        return True

    async def _mail(self) -> bool:
        """Take the next mail and send it; whether there was one."""
        house = self._house
        claim = await mails.take(house.database)
        if claim is None:
            return False
        with _seeing_through(claim.job), contextlib.suppress(jobs.ClaimLost):
            outcome, reason = await mails.perform(house.database, house.mailer, house.keyring, claim)
            if outcome is not mails.Outcome.SENT:
                log.warning("A mail was not sent.", mail=claim.job.subject.hex, outcome=outcome, reason=reason)
        return True

    async def _judge(self, kind: str) -> bool:
        """Take the next snapshot to be judged, or confirmed, and see it through; whether there was one."""
        house = self._house
        claim = await jobs.take_next(house.database, kind)
        if claim is None:
            return False
        with _seeing_through(claim.job), contextlib.suppress(jobs.ClaimLost):
            await verdicts.perform(house.database, claim, timedelta(seconds=house.settings.confirm_after_seconds))
        return True

    async def _judge_alone(self) -> bool:
        """Take the next audit that is part of no snapshot and look at it; whether there was one."""
        claim = await verdicts.take_alone(self._house.database)
        if claim is None:
            return False
        with _seeing_through(claim.job), contextlib.suppress(jobs.ClaimLost):
            await verdicts.perform_alone(self._house.database, claim)
        return True

    async def _deliver(self) -> bool:
        """Take the next delivery and try it; whether there was one."""
        house = self._house
        claim = await notifications.take(house.database)
        if claim is None:
            return False
        with _seeing_through(claim.job), contextlib.suppress(jobs.ClaimLost):
            outcome, reason = await notifications.perform(house.database, house.means, claim)
            if outcome is not notifications.Outcome.SENT:
                log.info("A channel was not told.", delivery=claim.job.subject.hex, outcome=outcome, reason=reason)
        return True

    async def _appear(self) -> None:
        while True:
            await asyncio.sleep(APPEAR_SECONDS)
            try:
                await appear(self._house)
            except DatabaseAway:
                continue
            except Exception:
                log.exception("The runner could not say that it is there.")


@contextlib.contextmanager
def _seeing_through(job: jobs.JobRow) -> Iterator[None]:
    """Counted and traced."""
    now = asyncio.get_running_loop().time
    began, outcome = now(), "error"
    if job.deliveries > 1:
        metering.job_redelivered(job.kind)
    try:
        with tracing.follow(job.trace, f"process {job.kind}", kind=SpanKind.CONSUMER):
            yield
        outcome = "done"
    finally:
        metering.job_finished(job.kind, outcome, now() - began)


@asynccontextmanager
async def _working(call: Delivery) -> AsyncGenerator[None, None]:
    """Meanwhile the bus is told, again and again, that nobody else need be called."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(WORKING_SECONDS)
            await call.working()

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling


async def appear(house: House) -> UUID:
    """Say that this machine's runner is there. Returns its id."""
    settings = house.settings
    async with house.database.work(SYSTEM) as work:
        return await runners.appear(
            work,
            name=settings.runner_name,
            location=settings.runner_location,
            pool=settings.runner_pool,
            engines=house.engines,
        )
