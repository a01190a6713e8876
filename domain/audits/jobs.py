"""The slow work: one audit, from its claim to its record, with no transaction open while it is measured."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from .. import files, metering, metrics, sites, tracing
from ..errors import DatabaseAway
from ..ids import new_id
from ..jobs import ClaimLost
from ..measuring import (
    Access,
    Engine,
    EngineFailure,
    FailureKind,
    ImageKind,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    RunResult,
    Severity,
)
from ..ports import Database, Storage
from . import rules
from .claims import Claim, end, hold, progress, release, worker
from .model import AuditRow, AuditState, Finding, Request, Run

BEAT_SECONDS = 1.0
MAX_MISSED_BEATS = 10
AWAY_TRIES = 10
MAX_REQUESTS = 2_000
MAX_FINDINGS = 200

_GRAVEST_FIRST = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, Severity.INFO: 3}


async def perform(database: Database, storage: Storage, engine: Engine, seal: sites.Seal, claim: Claim) -> None:
    """Measure and record. Returns early, with the engine stopped, when the claim is lost or the audit cancelled.

    What the engine cannot do is recorded as the audit's failure; a bug is recorded so too, and raised. When the database
    is away, nothing is recorded: the claim runs out, and another worker begins anew. Cancelled, it gives the audit back.
    """
    measuring = asyncio.create_task(_measure(database, storage, engine, seal, claim))
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
    if measuring.cancelled():
        if not beating.cancelled():
            beating.result()
        return
    failure = measuring.exception()
    if failure is None or isinstance(failure, ClaimLost):
        return
    if isinstance(failure, DatabaseAway):
        # No fault of the worker's: given back as soon as the database is there, while the claim lasts.
        with contextlib.suppress(ClaimLost):
            await _patiently(partial(_give_back, database, claim))
        return
    known = failure if isinstance(failure, EngineFailure) else _BUG
    with contextlib.suppress(ClaimLost):
        async with database.work(worker(claim.audit.workspace_id)) as work:
            await end(
                work,
                claim,
                AuditState.FAILED,
                failure_kind=known.kind,
                failure_code=known.code,
                failure_message=rules.storable_text(known.message),
                failure_retryable=known.retryable,
            )
    if known is _BUG:
        raise failure


_BUG = EngineFailure(
    FailureKind.ENGINE,
    "INTERNAL",
    "Something went wrong on our side while measuring; it has been logged.",
    retryable=True,
)


async def _give_back(database: Database, claim: Claim) -> None:
    async with database.work(worker(claim.audit.workspace_id)) as work:
        await release(work, claim)


async def _patiently(act: Callable[[], Awaitable[None]]) -> None:
    """Again and again while the database is away, for not quite as long as a claim lasts. Raises DatabaseAway after that."""
    for _ in range(AWAY_TRIES):
        try:
            return await act()
        except DatabaseAway:
            await asyncio.sleep(BEAT_SECONDS)
    return await act()


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


async def _measure(database: Database, storage: Storage, engine: Engine, seal: sites.Seal, claim: Claim) -> None:
    audit = claim.audit
    order = await _order(database, seal, audit)
    results: list[RunResult] = []
    now = asyncio.get_running_loop().time
    began, outcome = now(), "failed"
    try:
        with tracing.span(f"measure {audit.engine}", attributes={"pacemark.runs": audit.runs}):
            await _runs(database, storage, engine, claim, order, results)
        outcome = "measured"
    finally:
        metering.engine_ran(audit.engine, outcome, now() - began)
    await _finish(database, claim, results)


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
                        await _record_run(database, storage, claim, step)
                        results.append(step.result)
    except TimeoutError:
        if not patience.expired():
            raise
        raise EngineFailure(
            FailureKind.ENGINE, "DEADLINE", "The measurement took too long and was stopped.", retryable=True
        ) from None


async def _order(database: Database, seal: sites.Seal, audit: AuditRow) -> Order:
    reach = (audit.workspace_id,)
    site = (await sites.by_ids(database.reader, reach, [audit.site_id]))[audit.site_id]
    access = Access()
    # A base URL is whatever a member typed: the site's secrets go to the site alone.
    if sites.split_url(audit.requested_url).origin == site.origin:
        try:
            access = await sites.open_access(database.reader, reach, site.id, seal)
        except sites.SealBroken as broken:
            message = "What is sent to reach this site cannot be read: the secret has changed. Set the site's access again."
            raise EngineFailure(FailureKind.CONFIGURATION, "ACCESS_UNREADABLE", message) from broken
    return Order(audit.requested_url, audit.form_factor, audit.runs, sites.throttling_of(audit), access)


async def _tell(database: Database, claim: Claim, step: Reached) -> None:
    async def tell() -> None:
        async with database.work(worker(claim.audit.workspace_id)) as work:
            await progress(work, claim, step.phase, step.run)

    await _patiently(tell)


async def _record_run(database: Database, storage: Storage, claim: Claim, step: Measured) -> None:
    audit, result, run_id = claim.audit, step.result, new_id()
    stored: list[files.Stored] = []
    try:
        await _store(storage, claim, step, stored)
        async with database.work(worker(audit.workspace_id)) as work:
            await progress(work, claim, Phase.RECORDING, step.run)
            work.db.add(
                Run(
                    id=run_id,
                    workspace_id=audit.workspace_id,
                    site_id=audit.site_id,
                    audit_id=audit.id,
                    index=step.run,
                    measured_at=work.now,
                    benchmark_index=result.benchmark_index,
                    warnings=list(result.warnings),
                    **_columns(result.metrics),
                )
            )
            await work.db.flush()
            for position, request in enumerate(result.requests[:MAX_REQUESTS]):
                work.db.add(
                    Request(
                        run_id=run_id,
                        position=position,
                        workspace_id=audit.workspace_id,
                        site_id=audit.site_id,
                        **asdict(request),
                    )
                )
            await files.keep(
                work,
                workspace_id=audit.workspace_id,
                site_id=audit.site_id,
                audit_id=audit.id,
                run=step.run,
                stored=stored,
            )
    except BaseException:
        await storage.delete([file.storage_key for file in stored])
        raise


async def _store(storage: Storage, claim: Claim, step: Measured, stored: list[files.Stored]) -> None:
    """The report and the pictures of one run, under names that no other worker's attempt has.

    Each is in `stored` before its bytes are on their way, so that whoever cleans up knows of it.
    """
    folder = f"{claim.audit.workspace_id.hex}/{claim.audit.id.hex}/{claim.token.hex[:8]}-{step.run}"
    if step.result.report is not None:
        data = await asyncio.to_thread(_packed, step.result.report)
        key = f"{folder}/report.json.gz"
        stored.append(files.Stored(new_id(), files.FileKind.REPORT, 0, None, key, len(data), "application/json", "gzip"))
        await storage.put(key, data, content_type="application/json", content_encoding="gzip")
    for position, image in enumerate(step.result.images, start=1):
        key = f"{folder}/{position}"
        kind = files.FileKind.SCREENSHOT if image.kind is ImageKind.SCREENSHOT else files.FileKind.FILMSTRIP
        size = len(image.data)
        stored.append(files.Stored(new_id(), kind, position, image.at_ms, key, size, image.content_type, None))
        await storage.put(key, image.data, content_type=image.content_type)


def _packed(report: Any) -> bytes:
    return gzip.compress(json.dumps(report, separators=(",", ":")).encode(), 6)


async def _finish(database: Database, claim: Claim, results: list[RunResult]) -> None:
    audit = claim.audit
    if not results:
        raise EngineFailure(FailureKind.ENGINE, "NO_RUNS", "The engine measured nothing.", retryable=True)
    representative = metrics.representative_run([result.metrics for result in results])
    chosen = results[representative]
    values = metrics.audit_metrics(audit.engine, [result.metrics for result in results], representative)
    async with database.work(worker(audit.workspace_id)) as work:
        await end(
            work,
            claim,
            AuditState.FINISHED,
            engine_version=chosen.engine_version,
            final_url=chosen.final_url,
            representative_run=representative,
            scores=[asdict(score) for score in chosen.scores],
            user_timings=[asdict(timing) for timing in chosen.user_timings],
            **_columns(values),
        )
        for finding in _findings(audit, chosen):
            work.db.add(finding)
        await work.db.flush()


def _findings(audit: AuditRow, chosen: RunResult) -> Iterable[Finding]:
    ordered = sorted(chosen.findings, key=lambda seen: (_GRAVEST_FIRST[seen.severity], -(seen.saving_ms or 0), seen.rule))
    for position, seen in enumerate(ordered[:MAX_FINDINGS]):
        yield Finding(
            id=new_id(),
            workspace_id=audit.workspace_id,
            site_id=audit.site_id,
            audit_id=audit.id,
            position=position,
            rule=seen.rule,
            title=seen.title,
            description=seen.description,
            severity=seen.severity,
            category=seen.category,
            evidence=[{"subject": piece.subject, "detail": piece.detail} for piece in seen.evidence],
            saving_ms=seen.saving_ms,
            saving_bytes=seen.saving_bytes,
            link=seen.link,
        )


def _columns(values: Mapping[MetricName, float]) -> dict[str, float]:
    """Times to the microsecond, the rest to six places: what lies behind is the clock's noise and no page's."""
    return {name.value: round(value, 3 if name.value.endswith("_ms") else 6) for name, value in values.items()}
