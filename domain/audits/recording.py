"""What a run and an audit measured, written down: the bytes first, then the rows, under the claim."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam

from .. import files, metrics
from ..base import query
from ..ids import new_id
from ..measuring import EngineFailure, FailureKind, ImageKind, Measured, MetricName, Phase, RunResult, Severity
from ..ports import Database, Storage
from . import newest
from .claims import Claim, end, progress, worker
from .model import AuditRow, AuditState, Finding, Request, Run

MAX_REQUESTS = 2_000
MAX_FINDINGS = 200

_GRAVEST_FIRST = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, Severity.INFO: 3}


class _RunRow(NamedTuple):
    id: UUID


_RECORDED = query(_RunRow, Run).where(
    Run.workspace_id == bindparam("workspace_id"),
    Run.audit_id == bindparam("audit_id"),
    Run.index == bindparam("index"),
)


async def record_run(database: Database, storage: Storage, claim: Claim, step: Measured) -> None:
    audit, result, run_id = claim.audit, step.result, new_id()
    stored: list[files.Stored] = []
    try:
        await _store(storage, claim, step, stored)
        async with database.work(worker(audit.workspace_id)) as work:
            await progress(work, claim, Phase.RECORDING, step.run)
            if await work.db.first(_RECORDED, workspace_id=audit.workspace_id, audit_id=audit.id, index=step.run) is not None:
                return  # its commit was done, and only not heard of
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


async def finish(database: Database, claim: Claim, results: list[RunResult]) -> None:
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
        await newest.settle(work, audit)


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
