"""The slow work: one audit, from its claim to its record, with no transaction open while it is measured."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from .. import metering, sites, tracing
from ..access import Reach
from ..errors import DatabaseAway
from ..jobs import ClaimLost
from ..keyring import Keyring, Unsealed
from ..measuring import (
    Access,
    Engine,
    EngineFailure,
    FailureKind,
    Order,
    Phase,
    Reached,
    RunResult,
)
from ..ports import Database, Storage
from . import rules
from .claims import Claim, end, hold, progress, release, worker
from .model import AuditRow, AuditState
from .recording import finish, record_run

BEAT_SECONDS = 1.0
MAX_MISSED_BEATS = 10
AWAY_SECONDS = 10.0


async def perform(database: Database, storage: Storage, engine: Engine, keyring: Keyring, claim: Claim) -> None:
    """Measure and record. Returns early, with the engine stopped, when the claim is lost or the audit cancelled.

    What the engine cannot do is recorded as the audit's failure; a bug is recorded so too, and raised. When the database
    is away for long, nothing is recorded, and the audit is given back. Cancelled, it gives the audit back at once.
    """
    measuring = asyncio.create_task(_measure(database, storage, engine, keyring, claim))
    beating = asyncio.create_task(_beat(database, claim))
    try:
        try:
            await asyncio.wait({measuring, beating}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            beating.cancel()
            if not measuring.done():
                measuring.cancel()
            await asyncio.gather(measuring, beating, return_exceptions=True)
    except asyncio.CancelledError:
        with contextlib.suppress(ClaimLost, DatabaseAway):
            await _give_back(database, claim)
        raise
    failure = measuring.exception() if not measuring.cancelled() else beating.exception() if not beating.cancelled() else None
    if failure is None or isinstance(failure, ClaimLost):
        return
    if isinstance(failure, DatabaseAway):
        # No fault of the worker's: given back as soon as the database is there, while the claim lasts.
        with contextlib.suppress(ClaimLost):
            await _patiently(partial(_give_back, database, claim))
        return
    known = failure if isinstance(failure, EngineFailure) else _BUG
    with contextlib.suppress(ClaimLost):
        await _patiently(partial(_fail, database, claim, known))
    if known is _BUG:
        raise failure


_BUG = EngineFailure(
    FailureKind.ENGINE,
    "INTERNAL",
    "Something went wrong on our side while measuring; it has been logged.",
    retryable=True,
)


async def _fail(database: Database, claim: Claim, failure: EngineFailure) -> None:
    async with database.work(worker(claim.audit.workspace_id)) as work:
        await end(
            work,
            claim,
            AuditState.FAILED,
            failure_kind=failure.kind,
            failure_code=failure.code,
            failure_message=rules.storable_text(failure.message),
            failure_retryable=failure.retryable,
        )


async def _give_back(database: Database, claim: Claim) -> None:
    async with database.work(worker(claim.audit.workspace_id)) as work:
        await release(work, claim)


async def _patiently(act: Callable[[], Awaitable[None]]) -> None:
    """Again and again while the database is away, for not quite as long as a claim lasts. Raises DatabaseAway after that.

    Whoever was not told that a commit was done does it again: each `act` must bear that.
    """
    now = asyncio.get_running_loop().time
    until = now() + AWAY_SECONDS
    while True:
        try:
            return await act()
        except DatabaseAway:
            if now() >= until:
                raise
            await asyncio.sleep(BEAT_SECONDS)


async def _beat(database: Database, claim: Claim) -> None:
    """Keep the claim until it is lost. A database that is away for a moment is no loss: the claim lasts longer than that."""
    missed = 0
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        try:
            async with database.work(worker(claim.audit.workspace_id)) as work:
                await hold(work, claim)
            missed = 0
        except ClaimLost:
            return
        except Exception:
            missed += 1
            if missed == MAX_MISSED_BEATS:
                raise


async def _measure(database: Database, storage: Storage, engine: Engine, keyring: Keyring, claim: Claim) -> None:
    audit = claim.audit
    order = await _order(database, keyring, audit)
    results: list[RunResult] = []
    now = asyncio.get_running_loop().time
    began, outcome = now(), "failed"
    try:
        with tracing.span(f"measure {audit.engine}", attributes={"pacemark.runs": audit.runs}):
            await _runs(database, storage, engine, claim, order, results)
        outcome = "measured"
    finally:
        metering.engine_ran(audit.engine, outcome, now() - began)
    await _patiently(partial(finish, database, claim, results))


async def _runs(
    database: Database, storage: Storage, engine: Engine, claim: Claim, order: Order, results: list[RunResult]
) -> None:
    """Each run of the engine, recorded and added to the results. Raises EngineFailure, DEADLINE among others."""
    audit, now = claim.audit, asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(None) as patience:
            left = rules.deadline(audit.engine, audit.runs)
            patience.reschedule(now() + left)
            async with contextlib.aclosing(engine.measure(order)) as steps:
                async for step in steps:
                    # Waiting for a turn or for a limit is nobody's slowness: its time is not counted.
                    if (due := patience.when()) is not None:
                        left = due - now()
                    waiting = isinstance(step, Reached) and step.phase is Phase.WAITING
                    patience.reschedule(None if waiting else now() + left)
                    if isinstance(step, Reached):
                        await _tell(database, claim, step)
                    else:
                        step = replace(step, result=rules.storable(step.result))
                        await _patiently(partial(record_run, database, storage, claim, step))
                        results.append(step.result)
    except TimeoutError:
        if not patience.expired():
            raise
        raise EngineFailure(
            FailureKind.ENGINE, "DEADLINE", "The measurement took too long and was stopped.", retryable=True
        ) from None


async def _order(database: Database, keyring: Keyring, audit: AuditRow) -> Order:
    reach = Reach.whole(audit.workspace_id)
    site = (await sites.by_ids(database.reader, reach, [audit.site_id])).get(audit.site_id)
    if site is None:
        raise ClaimLost
    access = Access()
    # A base URL is whatever a member typed: the site's secrets go to the site alone.
    if sites.split_url(audit.requested_url).origin == site.origin:
        try:
            access = await sites.open_access(database.reader, reach, site.id, keyring)
        except Unsealed as broken:
            message = "What is sent to reach this site cannot be read: the secret has changed. Set the site's access again."
            raise EngineFailure(FailureKind.CONFIGURATION, "ACCESS_UNREADABLE", message) from broken
    return Order(audit.requested_url, audit.form_factor, audit.runs, sites.throttling_of(audit), access)


async def _tell(database: Database, claim: Claim, step: Reached) -> None:
    async def tell() -> None:
        async with database.work(worker(claim.audit.workspace_id)) as work:
            await progress(work, claim, step.phase, step.run)

    await _patiently(tell)
