"""Fires what is due and sweeps up after those who died: in one process of all, the one that holds the lease."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from app.waiting import set_within
from app.wiring import House, holder
from domain import (
    accounts,
    alerts,
    audits,
    history,
    idempotency,
    leases,
    mails,
    notifications,
    schedules,
    snapshots,
    verdicts,
    workspaces,
)
from domain.access import SYSTEM
from domain.errors import DatabaseAway
from domain.leases import Lease, LeaseLost
from domain.work import Work

LEASE = "scheduler"
LEASE_LASTS = timedelta(seconds=10)
STAND_BY_SECONDS = 2.0
TICK_SECONDS = 1.0
SWEEP_SECONDS = 5.0
WATCH_SECONDS = 10.0
TIDY_SECONDS = 60.0
PIECES = 10

log = structlog.get_logger()


async def schedule(house: House, stop: asyncio.Event) -> None:
    """Act whenever the lease is ours, until `stop` is set."""
    while not stop.is_set():
        lease: Lease | None = None
        try:
            lease = await leases.acquire(house.database, LEASE, holder=holder(), lasts=LEASE_LASTS)
            if lease is not None:
                if not house.database.is_sqlite:  # where there may be several of us
                    log.info("This process is the scheduler now.", fence=lease.fence)
                await _Acting(house, lease).run(stop)
        except LeaseLost:
            log.warning("Another process is the scheduler now; this one stands by.")
            continue
        except DatabaseAway:
            log.warning("The database is away; the scheduler waits for it.")
        except Exception:
            log.exception("The scheduler failed; it goes on in a moment.")
        finally:
            if lease is not None:
                with contextlib.suppress(Exception):
                    await leases.release(house.database, lease)
        await set_within(stop, STAND_BY_SECONDS)


class _Acting:
    """The one that acts. Each unit of work proves the lease first: a process that lost it writes nothing any more."""

    def __init__(self, house: House, lease: Lease) -> None:
        self._house = house
        self._lease = lease

    async def run(self, stop: asyncio.Event) -> None:
        now = asyncio.get_running_loop().time
        chores = (
            (self._fire, TICK_SECONDS),
            (self._close, TICK_SECONDS),
            (self._sweep, SWEEP_SECONDS),
            (self._watch, WATCH_SECONDS),
            (self._tidy, TIDY_SECONDS),
        )
        next_at = [now() for _ in chores]
        while not stop.is_set():
            for place, (chore, seconds) in enumerate(chores):
                if next_at[place] <= now() and not stop.is_set():
                    try:
                        await chore()
                    except (LeaseLost, DatabaseAway):
                        raise
                    except Exception:
                        log.exception("A chore of the scheduler failed.", chore=chore.__name__)
                    next_at[place] = now() + seconds
            await set_within(stop, max(0.0, min(next_at) - now()))

    @asynccontextmanager
    async def _work(self) -> AsyncGenerator[Work, None]:
        async with self._house.database.work(SYSTEM) as work:
            await leases.prove(work, self._lease)
            yield work

    async def _fire(self) -> None:
        """What is due, in pieces, and not so many that nothing else has its turn."""
        for _ in range(PIECES):
            fired = await schedules.fire_due(self._house.database, self._lease)
            if fired.broken is not None:
                log.error("A schedule could not be fired, and is put off.", exc_info=fired.broken)
            if not fired.schedules:
                return

    async def _close(self) -> None:
        """Snapshots whose audits have ended."""
        async with self._work() as work:
            await snapshots.close_ended(work)

    async def _sweep(self) -> None:
        async with self._work() as work:
            lapsed = [await each(work) for each in (audits.sweep, mails.sweep, verdicts.sweep, notifications.sweep)]
        again, given_up = sum(len(each.again) for each in lapsed), sum(len(each.dead) for each in lapsed)
        if again or given_up:
            log.warning("Workers have vanished.", again=again, given_up=given_up)

    async def _watch(self) -> None:
        """Schedules that bring nothing any more, and alerts that were put off until now; what is left comes next time."""
        for _ in range(PIECES):
            async with self._work() as work:
                if await schedules.watch(work) < schedules.LIMIT:
                    break
        for _ in range(PIECES):
            async with self._work() as work:
                if await alerts.remind(work) < alerts.MOST_REMINDED:
                    break

    async def _tidy(self) -> None:
        for _ in range(PIECES):
            async with self._work() as work:
                if await history.forget(work) < history.FORGET:
                    break
        async with self._work() as work:
            await idempotency.forget(work)
            await mails.forget(work)
            await accounts.forget(work)
            await workspaces.forget_invitations(work)
        for _ in range(PIECES):
            async with self._work() as work:
                if await notifications.forget(work) < notifications.FORGOTTEN:
                    break
        for _ in range(PIECES):
            async with self._work() as work:
                if not any(await workspaces.purge(work)):
                    break
        if (days := self._house.settings.audits_kept_days) is not None:
            for _ in range(PIECES):
                async with self._work() as work:
                    if await audits.forget(work, timedelta(days=days)) < audits.FORGET:
                        break
            for _ in range(PIECES):
                async with self._work() as work:
                    if await snapshots.forget(work, timedelta(days=days)) < snapshots.FORGOTTEN:
                        break
        # Needs no proof: it deletes what belongs to nothing, and two at once do no harm.
        for _ in range(PIECES):
            if not await audits.sweep_files(self._house.database, self._house.storage):
                break
