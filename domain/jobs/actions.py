"""What a person does with jobs that were given up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Result, delete, update

from ..access import Permission
from ..errors import Refused
from ..ids import Kind
from ..work import Call, StoredJob, Work
from . import queries
from .model import JobRow


async def revive(work: Work, *, job_id: UUID) -> JobRow:
    """Let it be tried again, as often as a new one."""
    row = await _dead(work, job_id)
    assert row.workspace_id is not None  # it is within reach
    work.actor.require(Permission.JOB_WRITE, row.workspace_id)
    again = update(StoredJob).where(StoredJob.id == job_id, StoredJob.dead_at.is_not(None))
    values = {"dead_at": None, "error": None, "deliveries": 0, "ready_at": work.now, "sent_at": None}
    _require(work, job_id, await work.db.execute(again.values(**values).returning(StoredJob.id)))
    work.calls.append(Call(row.kind, row.id, row.trace))
    return row


async def drop(work: Work, *, job_id: UUID) -> JobRow:
    """Forget it."""
    row = await _dead(work, job_id)
    assert row.workspace_id is not None  # it is within reach
    work.actor.require(Permission.JOB_WRITE, row.workspace_id)
    gone = delete(StoredJob).where(StoredJob.id == job_id, StoredJob.dead_at.is_not(None))
    _require(work, job_id, await work.db.execute(gone.returning(StoredJob.id)))
    return row


async def _dead(work: Work, job_id: UUID) -> JobRow:
    row = (await queries.dead_by_ids(work.db, work.actor.reach, [job_id])).get(job_id)
    if row is None:
        raise _absent(work, job_id)
    return row


def _require(work: Work, job_id: UUID, result: Result[Any]) -> None:
    """Somebody else may have revived it in the meantime: then it is not this one's to change."""
    if result.first() is None:
        raise _absent(work, job_id)


def _absent(work: Work, job_id: UUID) -> Refused:
    return work.actor.absent(Permission.JOB_WRITE, Kind.JOB, job_id, "job among the dead ones")
