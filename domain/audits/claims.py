"""One worker has an audit at a time: taking it, keeping it, and what becomes of those whose worker is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import delete, func, literal, select, true, update
from sqlalchemy.orm import aliased

from .. import files
from ..access import Actor, Role
from ..base import Query, UtcDateTime, query
from ..idempotency import KEPT, Replay
from ..measuring import EngineName, FailureKind, Phase
from ..ports import Database, Storage
from ..work import Outbox, Work
from . import events, rules
from .model import Audit, AuditRow, AuditState, Run


class ClaimLost(Exception):  # noqa: N818 - nothing went wrong: somebody else has it, or it was cancelled
    """The audit is no longer this worker's."""


class Claim(NamedTuple):
    """An audit and the token that recording it asks for."""

    audit: AuditRow
    token: UUID


def worker(workspace_id: UUID) -> Actor:
    """A worker, on behalf of the workspace whose audit it has."""
    return Actor(roles={workspace_id: Role.MEMBER})


_ANYBODYS = Actor()
_OUTBOX_KEPT = timedelta(hours=24)


async def take(
    database: Database, *, runner_id: UUID, pool: str, engines: Collection[EngineName], only: UUID | None = None
) -> Claim | None:
    """The next audit for these engines: by priority, then the workspace with the fewest running, then age.

    One conditional statement: of two workers at once, one gets it and the other the next. `only` takes this audit or none.
    """
    waiting, running = aliased(Audit), aliased(Audit)
    busy = (
        select(func.count()).where(running.workspace_id == waiting.workspace_id, running.state == AuditState.RUNNING)
    ).scalar_subquery()
    following = (
        select(waiting.id)
        .where(waiting.state == AuditState.QUEUED, waiting.engine.in_(sorted(engines)))
        .where(waiting.id == only if only is not None else true())
        .order_by(waiting.priority, busy, waiting.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=waiting)
        .scalar_subquery()
    )
    token = uuid4()
    async with database.work(_ANYBODYS) as work:
        taken = await work.db.execute(
            update(Audit)
            .where(Audit.id == following, Audit.state == AuditState.QUEUED)
            .values(
                state=AuditState.RUNNING,
                claim=token,
                claim_until=work.now + rules.CLAIM,
                attempts=Audit.attempts + 1,
                runner_id=runner_id,
                runner_pool=pool,
                started_at=func.coalesce(Audit.started_at, literal(work.now, UtcDateTime())),
                phase=Phase.STARTING,
                run=None,
            )
            .returning(Audit.id)
        )
        id = taken.scalar_one_or_none()
        if id is None:
            return None
        # What an earlier worker measured and did not finish does not count.
        await work.db.execute(delete(Run).where(Run.audit_id == id))
        await files.abandon(work, audit_id=id)
        row = await work.db.first(query(AuditRow, Audit).where(Audit.id == id))
        assert row is not None
        work.say(events.progressed(row.workspace_id, id, AuditState.RUNNING, Phase.STARTING))
        return Claim(row, token)


async def hold(work: Work, claim: Claim, /, **values: Any) -> None:
    """Keep the claim for another while, and write `values` with it. Raises ClaimLost when it is gone."""
    held = await work.db.execute(
        update(Audit)
        .where(Audit.id == claim.audit.id, Audit.claim == claim.token, Audit.state == AuditState.RUNNING)
        .values(**{"claim_until": work.now + rules.CLAIM, **values})
        .returning(Audit.id)
    )
    if held.first() is None:
        raise ClaimLost
    if "phase" in values:
        state = values.get("state", AuditState.RUNNING)
        work.say(events.progressed(claim.audit.workspace_id, claim.audit.id, state, values["phase"], values.get("run")))


async def end(work: Work, claim: Claim, state: AuditState, **values: Any) -> None:
    """Record how it ended, and give the claim back."""
    await hold(
        work,
        claim,
        state=state,
        phase=Phase.ENDED,
        run=None,
        finished_at=work.now,
        claim=None,
        claim_until=None,
        **values,
    )


class _LooseFile(NamedTuple):
    id: UUID
    storage_key: str


_LOOSE = Query(
    _LooseFile,
    query(_LooseFile, files.File)
    .statement.outerjoin(Audit, Audit.id == files.File.audit_id)
    .where(Audit.id.is_(None))
    .limit(500),
)


async def sweep_files(database: Database, storage: Storage) -> int:
    """Delete the files of deleted and of abandoned audits: the bytes first, so that no key is ever forgotten.

    Returns how many it deleted.
    """
    loose = await database.reader.all(_LOOSE)
    if loose:
        await storage.delete([file.storage_key for file in loose])
        async with database.work(_ANYBODYS) as work:
            await work.db.execute(delete(files.File).where(files.File.id.in_([file.id for file in loose])))
    return len(loose)


async def sweep(database: Database) -> int:
    """Put back what dead workers held, give up what has killed too many, and forget what is too old to matter.

    Returns how many audits wait again.
    """
    async with database.work(_ANYBODYS) as work:
        stale = (Audit.state == AuditState.RUNNING, Audit.claim_until < work.now)
        lost = await work.db.execute(
            update(Audit)
            .where(*stale, Audit.attempts >= rules.MAX_ATTEMPTS)
            .values(
                state=AuditState.FAILED,
                phase=Phase.ENDED,
                run=None,
                finished_at=work.now,
                claim=None,
                claim_until=None,
                failure_kind=FailureKind.ENGINE,
                failure_code="WORKER_LOST",
                failure_message=f"Its worker disappeared {rules.MAX_ATTEMPTS} times while measuring this page.",
                failure_retryable=True,
            )
            .returning(Audit.workspace_id, Audit.id)
        )
        for workspace_id, id in lost.all():
            work.say(events.progressed(workspace_id, id, AuditState.FAILED, Phase.ENDED))
        freed = await work.db.execute(
            update(Audit)
            .where(*stale)
            .values(state=AuditState.QUEUED, phase=Phase.QUEUED, run=None, claim=None, claim_until=None)
            .returning(Audit.workspace_id, Audit.id)
        )
        again = freed.all()
        for workspace_id, id in again:
            work.say(events.progressed(workspace_id, id, AuditState.QUEUED, Phase.QUEUED))
            work.say(events.work_waits(workspace_id))
        await work.db.execute(delete(Outbox).where(Outbox.at < work.now - _OUTBOX_KEPT))
        await work.db.execute(delete(Replay).where(Replay.at < work.now - KEPT))
        return len(again)
