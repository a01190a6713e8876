"""One worker has an audit at a time: taking it, keeping it, and what becomes of those whose worker is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, literal, select, update

from .. import files, jobs, workspaces
from ..access import SYSTEM, Actor, Role
from ..base import Query, UtcDateTime, query
from ..errors import DatabaseAway
from ..jobs import ClaimLost
from ..measuring import EngineName, FailureKind, Phase
from ..ports import Database, Storage
from ..work import Job, Work
from . import conditions, events
from .model import ENDED, Audit, AuditRow, AuditState, Run


class Claim(NamedTuple):
    """An audit, and the claim on its job that recording it asks for."""

    audit: AuditRow
    job: jobs.Claim

    @property
    def token(self) -> UUID:
        return self.job.token


def worker(workspace_id: UUID) -> Actor:
    """A worker, on behalf of the workspace whose audit it has."""
    return Actor(roles={workspace_id: Role.MEMBER})


SWEPT = 500
TRIES = 20
TRY_AGAIN_SECONDS = 0.05


async def take(
    database: Database, *, runner_id: UUID, pool: str, engines: Collection[EngineName], only: UUID | None = None
) -> Claim | None:
    """The next audit for these engines, as `jobs.take` chooses it. `only` takes this audit or none. Raises DatabaseAway."""
    kinds = [events.KINDS[engine] for engine in engines]
    tries = TRIES
    while tries:
        async with database.work(SYSTEM) as work:
            job = await jobs.take(work, kinds, subject=only)
            if job is not None:
                audit = await _start(work, job.job.subject, runner_id, pool, job.job.trace)
                if audit is not None:
                    return Claim(audit, job)
                # Its site was deleted, or its workspace: there is nothing to measure.
                await jobs.finish(work, job)
                stopped = {"state": AuditState.CANCELLED, "phase": Phase.ENDED, "run": None, "finished_at": work.now}
                for placed in await _changed(work, job.job.subject, AuditState.QUEUED, **stopped):
                    work.say(events.ended(placed, AuditState.CANCELLED))
                continue
            if not await jobs.wait(work, kinds, subject=only):
                return None
        # Somebody takes it at this moment, or only marks that its call was sent: then nobody is called a second time.
        tries -= 1
        await asyncio.sleep(TRY_AGAIN_SECONDS)
    raise DatabaseAway("The jobs that wait are locked by somebody who does not go on.")


# Its owners may bring the workspace back; what waited in it was not for then.
_OF_DELETED = exists().where(workspaces.Workspace.id == Audit.workspace_id, workspaces.Workspace.deleted_at.is_not(None))


async def _start(work: Work, id: UUID, runner_id: UUID, pool: str, trace: str | None) -> AuditRow | None:
    started = await work.db.execute(
        update(Audit)
        .where(Audit.id == id, Audit.state == AuditState.QUEUED, ~_OF_DELETED)
        .values(
            state=AuditState.RUNNING,
            runner_id=runner_id,
            runner_pool=pool,
            started_at=func.coalesce(Audit.started_at, literal(work.now, UtcDateTime())),
            phase=Phase.STARTING,
            run=None,
        )
        .returning(Audit.id)
    )
    if started.first() is None:
        return None
    # What an earlier worker measured and did not finish does not count.
    await work.db.execute(delete(Run).where(Run.audit_id == id))
    await files.abandon(work, audit_id=id)
    row = await work.db.first(_ONE, id=id)
    assert row is not None
    work.say(events.started(row, trace))
    return row


_ONE = query(AuditRow, Audit).where(Audit.id == bindparam("id")).beyond_reach("A worker reads the audit that it has claimed.")


async def hold(work: Work, claim: Claim) -> None:
    """Keep the claim for another while. Raises ClaimLost when it is gone, or its site is."""
    await jobs.hold(work, claim.job)
    if await work.db.first(_ONE, id=claim.audit.id) is None:
        raise ClaimLost


async def progress(work: Work, claim: Claim, phase: Phase, run: int | None) -> None:
    """Tell how far it has come, and keep the claim. Raises ClaimLost."""
    await hold(work, claim)
    await work.db.execute(update(Audit).where(Audit.id == claim.audit.id).values(phase=phase, run=run))
    work.say(events.progressed(claim.audit, phase, run))


async def end(work: Work, claim: Claim, state: AuditState, **values: Any) -> None:
    """Record how it ended, with which its job is done. Raises ClaimLost, also when its site was deleted."""
    await jobs.finish(work, claim.job)
    if state is AuditState.FINISHED:
        values["conditions_id"] = await conditions.keep(work, claim.audit, values["engine_version"])
    ended = await work.db.execute(
        update(Audit)
        .where(Audit.id == claim.audit.id)
        .values(state=state, phase=Phase.ENDED, run=None, finished_at=work.now, **values)
        .returning(Audit.id)
    )
    if ended.first() is None:
        raise ClaimLost
    work.say(events.ended(claim.audit, state))
    if claim.audit.snapshot_id is None:
        work.enqueue(Job(events.JUDGE, claim.audit.workspace_id, claim.audit.id, jobs.SCHEDULED))


async def release(work: Work, claim: Claim) -> None:
    """Give it back unfinished, for another worker to begin anew. Raises ClaimLost."""
    await jobs.release(work, claim.job)
    await work.db.execute(update(Audit).where(Audit.id == claim.audit.id).values(**_WAITING))
    work.say(events.requeued(claim.audit))


_WAITING: Mapping[str, Any] = {"state": AuditState.QUEUED, "phase": Phase.QUEUED, "run": None}


async def sweep(work: Work) -> jobs.Lapsed:
    """Put back what dead workers held, and give up what has outlived too many of them."""
    lapsed = await jobs.lapse(work, events.KINDS.values(), SWEPT)
    for job in lapsed.again:
        for audit in await _changed(work, job.subject, AuditState.RUNNING, **_WAITING):
            work.say(events.requeued(audit))
    for job in lapsed.dead:
        failure = {"failure_kind": FailureKind.ENGINE, "failure_code": "WORKER_LOST", "failure_retryable": True}
        message = f"Its worker disappeared {job.deliveries} times while measuring this page."
        ended = {"state": AuditState.FAILED, "phase": Phase.ENDED, "run": None, "finished_at": work.now}
        found = await _changed(work, job.subject, AuditState.RUNNING, failure_message=message, **failure, **ended)
        for audit in found:
            work.say(events.ended(audit, AuditState.FAILED))
    return lapsed


async def revive(work: Work, audit_id: UUID) -> None:
    """Its job was given up, and a person wants it tried again."""
    nothing = {f"failure_{part}": None for part in ("kind", "code", "message", "retryable")}
    for audit in await _changed(work, audit_id, AuditState.FAILED, finished_at=None, **nothing, **_WAITING):
        work.say(events.requeued(audit))


async def cancel_all(work: Work, snapshot_id: UUID) -> None:
    """Stop what waits or runs of a snapshot. The jobs first, as workers lock them."""
    of_snapshot = select(Audit.id).where(Audit.snapshot_id == snapshot_id, Audit.state.not_in(ENDED))
    await jobs.withdraw_all(work, of_snapshot)
    stopped = await work.db.execute(
        update(Audit)
        .where(Audit.snapshot_id == snapshot_id, Audit.state.not_in(ENDED))
        .values(state=AuditState.CANCELLED, finished_at=work.now, phase=Phase.ENDED, run=None)
        .returning(Audit.id, Audit.workspace_id, Audit.site_id)
    )
    for row in stopped:
        work.say(events.ended(events.Placed(*row), AuditState.CANCELLED))


async def _changed(work: Work, id: UUID, state: AuditState, /, **values: Any) -> Sequence[events.Placed]:
    changed = update(Audit).where(Audit.id == id, Audit.state == state).values(**values)
    rows = await work.db.execute(changed.returning(Audit.id, Audit.workspace_id, Audit.site_id))
    return [events.Placed(*row) for row in rows]


class _LooseFile(NamedTuple):
    id: UUID
    storage_key: str


_LOOSE = Query(
    _LooseFile,
    query(_LooseFile, files.File)
    .statement.outerjoin(Audit, Audit.id == files.File.audit_id)
    .where(Audit.id.is_(None))
    .limit(500),
).beyond_reach("The sweep deletes what belongs to no audit any more, whosever it was.")


async def sweep_files(database: Database, storage: Storage) -> int:
    """Delete the files of deleted and of abandoned audits: the bytes first, so that no key is ever forgotten.

    Two at once do no harm. Returns how many it deleted.
    """
    loose = await database.reader.all(_LOOSE)
    if loose:
        await storage.delete([file.storage_key for file in loose])
        async with database.work(SYSTEM) as work:
            await work.db.execute(delete(files.File).where(files.File.id.in_([file.id for file in loose])))
    return len(loose)
