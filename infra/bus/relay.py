"""From the database to NATS: calls at once after their commit, events through the one process that holds the lease."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Generator, Sequence
from datetime import timedelta

from opentelemetry.trace import SpanKind

from domain import history, jobs, leases, metering, tracing
from domain.access import SYSTEM
from domain.errors import DatabaseAway
from domain.ids import new_id
from domain.leases import Lease, LeaseLost
from domain.ports import Database
from domain.work import Call, EventRow, Work

from .nats import BusAway, NatsBus, OutOfStep

_log = logging.getLogger(__name__)

LEASE = "relay"
LEASE_LASTS = timedelta(seconds=5)
STAND_BY_SECONDS = 1.0
IDLE_SECONDS = 1.0
RETRY_SECONDS = 0.5
RESEND_SECONDS = 2.0
MARK_SECONDS = 0.25
STOP_SECONDS = 1.0
CUT_OFF_SECONDS = 2.0
"""Whoever leads and does not reach NATS for so long lets others try: it may be away for this process alone."""
CUT_OFF_STAND_BY_SECONDS = 5.0
DECLARE_SECONDS = 60.0
"""So often it is seen that nobody has deleted a stream or a consumer."""

BATCH = 200
QUEUE = 10_000


class _CutOff(Exception):  # noqa: N818 - it may be nobody's fault
    """NATS does not answer this process."""


class Relay:
    """Runs in every process over PostgreSQL and NATS. Start it inside the event loop.

    Events leave in the order of their places, each with the place before it as what the stream must end with: what
    another process, or this one before an outage, has published already is refused and not doubled. So the stream's
    own end says where to go on, and the lease is there to spare work, not for safety.
    """

    def __init__(self, database: Database, bus: NatsBus, *, kinds: Sequence[str], holder: str) -> None:
        self._database = database
        self._bus = bus
        self._holder = holder
        self._kinds = kinds
        self._calls: asyncio.Queue[Call] = asyncio.Queue(QUEUE)
        self._sent: list[Call] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._agreed = False
        self.leads = False

    def committed(self, work: Work) -> None:
        """After each unit of work; never waits. A call that finds no room is sent later, from the database."""
        for call in work.calls:
            with contextlib.suppress(asyncio.QueueFull):
                self._calls.put_nowait(call)
        if work.said:
            self._bus.wake()

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._send_calls(), name="calls to the bus"),
            asyncio.create_task(self._mark_sent(), name="calls on the bus"),
            asyncio.create_task(self._relay_events(), name="events to the bus"),
        ]

    async def stop(self) -> None:
        """After the calls that are on their way, if the bus takes them soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._calls.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send_calls(self) -> None:
        while True:
            batch = [await self._calls.get()]
            while not self._calls.empty() and len(batch) < BATCH:
                batch.append(self._calls.get_nowait())
            try:
                with _publishing(batch):
                    await self._bus.send(batch)
                self._sent += batch
            except BusAway:
                _log.debug("The bus is away; the calls will be sent later.")
            except Exception:
                _log.exception("Calls could not be sent; they will be sent later.")
            finally:
                for _ in batch:
                    self._calls.task_done()

    async def _mark_sent(self) -> None:
        """What came together in one statement: the mark only says what need not be sent again."""
        while True:
            await asyncio.sleep(MARK_SECONDS)
            if self._sent:
                calls, self._sent = self._sent, []
                try:
                    await self._mark(calls)
                except DatabaseAway:
                    _log.debug("The database is away; the calls will be sent once more.")
                except Exception:
                    _log.exception("Calls could not be marked as sent; they will be sent once more.")

    async def _mark(self, calls: Sequence[Call]) -> None:
        async with self._database.work(SYSTEM) as work:
            await jobs.sent(work, calls)

    async def _relay_events(self) -> None:
        while True:
            lease, pause = None, STAND_BY_SECONDS
            try:
                lease = await leases.acquire(self._database, LEASE, holder=self._holder, lasts=LEASE_LASTS)
                if lease is not None:
                    await self._lead(lease)
            except (LeaseLost, DatabaseAway):
                self._agreed = False  # it may be another database now
            except _CutOff:
                pause = CUT_OFF_STAND_BY_SECONDS
                await self._release(lease)
            except asyncio.CancelledError:
                await self._release(lease)
                raise
            except Exception:
                self._agreed = False
                _log.exception("The events could not be relayed; trying again.")
            finally:
                self.leads = False
            await asyncio.sleep(pause)

    async def _release(self, lease: Lease | None) -> None:
        if lease is not None:
            with contextlib.suppress(Exception):
                await leases.release(self._database, lease)

    async def _lead(self, lease: Lease) -> None:
        self.leads = True
        loop = asyncio.get_running_loop()
        position = await self._agree(lease)
        resend_at, declare_at = loop.time(), loop.time() + DECLARE_SECONDS
        while True:
            late: Sequence[Call] = ()
            async with self._database.work(SYSTEM) as work:
                await leases.prove(work, lease)
                await history.published(work, position)
                more = await history.number(work) == history.BATCH
                if loop.time() >= resend_at:
                    late, resend_at = await jobs.unsent(work, BATCH), loop.time() + RESEND_SECONDS
            try:
                if loop.time() >= declare_at:
                    declare_at = loop.time() + DECLARE_SECONDS
                    await self._bus.declare((await history.state(self._database.reader)).id, position + 1, self._kinds)
                if late:
                    await self._bus.send(late)
                    await self._mark(late)
                rows = await history.after(self._database.reader, position)
                await self._publish(rows)
                position = rows[-1].sequence if rows else position
            except BusAway:
                await asyncio.sleep(RETRY_SECONDS)
                position = await self._agree(lease)
                continue
            except OutOfStep:
                position = await self._agree(lease)
                continue
            if not rows and not more:
                await self._bus.wait_woken(IDLE_SECONDS)

    async def _publish(self, rows: Sequence[EventRow]) -> None:
        if rows:
            with _publishing(rows):
                await self._bus.publish(rows)
            metering.events_published(len(rows))

    async def _agree(self, lease: Lease) -> int:
        """The place up to which the stream has the history, after mending what does not fit together. Raises _CutOff.

        What is known of the database is read after the stream was asked, in the unit of work that holds the lease. Who has
        agreed before goes on giving places while NATS is away; before that, they might be those of another past.
        """
        now = asyncio.get_running_loop().time
        until = now() + CUT_OFF_SECONDS
        while True:
            async with self._database.work(SYSTEM) as work:
                await leases.prove(work, lease)
                if self._agreed:
                    await history.number(work)
                if self._bus.connected:
                    with contextlib.suppress(BusAway):
                        position = await self._mend(work, await self._bus.last())
                        self._agreed = True
                        return position
            if now() >= until:
                raise _CutOff
            await asyncio.sleep(RETRY_SECONDS)

    async def _mend(self, work: Work, last: int) -> int:
        state = await history.state(work.db)
        if last > state.last:
            _log.warning("The stream is ahead of the database, which was restored: a new history begins.")
            # The bus first: it keeps the former name too, so that a crash in between is made good by the next.
            anew = new_id()
            await self._bus.start_over(anew, last + 1)
            await history.begin_anew(work, anew, last)
            return last
        if last < state.published:
            _log.warning("The stream has lost what was published: it is made anew from there on.")
            await self._bus.start_over(state.id, state.published + 1)
            last = state.published
        # A store that was emptied has lost the jobs' stream as well.
        await self._bus.declare(state.id, last + 1, self._kinds)
        return last


@contextlib.contextmanager
def _publishing(messages: Sequence[Call | EventRow]) -> Generator[None, None, None]:
    """A span in each trace that one of the messages belongs to; most belong to none."""
    with contextlib.ExitStack() as spans:
        for message in messages:
            if message.trace is not None:
                attributes = {"messaging.system": "nats", "messaging.operation.name": "publish"}
                spans.enter_context(
                    tracing.follow(message.trace, f"publish {message.kind}", kind=SpanKind.PRODUCER, attributes=attributes)
                )
        yield
