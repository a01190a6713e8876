"""One worker has a job at a time: taking it, keeping it, giving it back, and what becomes of those whose worker is gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Result, Select, bindparam, delete, func, select, update
from sqlalchemy.orm import aliased

from ..base import Query, query
from ..work import Call, StoredJob, Work
from . import rules
from .model import JobRow


class ClaimLost(Exception):  # noqa: N818 - nothing went wrong: somebody else has it, or it was cancelled
    """The job is no longer this worker's."""


class Claim(NamedTuple):
    """A job and the token that recording it asks for."""

    job: JobRow
    token: UUID


_COLUMNS = tuple(getattr(StoredJob, name) for name in JobRow._fields)


async def take(work: Work, kinds: Collection[str], *, subject: UUID | None = None) -> Claim | None:
    """The next job of these kinds: by priority, then the workspace with the fewest running, then age.

    One conditional statement: of two workers at once, one gets it and the other the next. The delivery is counted here,
    before the work. `subject` takes this one's or none.
    """
    waiting = aliased(StoredJob)
    busy = (
        select(StoredJob.workspace_id, func.count().label("running"))
        .where(StoredJob.claim.is_not(None))
        .group_by(StoredJob.workspace_id)
        .subquery()
    )
    following = (
        _waiting(select(waiting.id), waiting, work, kinds, subject)
        .outerjoin(busy, busy.c.workspace_id == waiting.workspace_id)
        .order_by(waiting.priority, func.coalesce(busy.c.running, 0), waiting.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=waiting)
    )
    token = uuid4()
    taken = await work.db.execute(
        update(StoredJob)
        .where(StoredJob.id == following.scalar_subquery(), StoredJob.claim.is_(None))
        .values(claim=token, claim_until=work.now + rules.CLAIM, deliveries=StoredJob.deliveries + 1)
        .returning(*_COLUMNS)
    )
    row = taken.first()
    return Claim(JobRow(*row), token) if row is not None else None


async def wait(work: Work, kinds: Collection[str], *, subject: UUID | None = None) -> bool:
    """Whether there are jobs that `take` would give, or would have given: it passes over those that somebody writes to."""
    there = _waiting(select(StoredJob.id), StoredJob, work, kinds, subject).limit(1)
    return (await work.db.execute(there)).first() is not None


def _waiting(
    statement: Select[Any], jobs: type[StoredJob], work: Work, kinds: Collection[str], subject: UUID | None
) -> Select[Any]:
    which = jobs.ready_at <= work.now if subject is None else jobs.subject == subject
    return statement.where(jobs.kind.in_(sorted(kinds)), jobs.claim.is_(None), jobs.dead_at.is_(None), which)


async def hold(work: Work, claim: Claim) -> None:
    """Keep the claim for another while: the first thing in every unit of work about the job. Raises ClaimLost."""
    _require(await work.db.execute(_ours(claim).values(claim_until=work.now + rules.CLAIM).returning(StoredJob.id)))


async def finish(work: Work, claim: Claim) -> None:
    """It is done, and its row goes. Raises ClaimLost."""
    done = delete(StoredJob).where(StoredJob.id == claim.job.id, StoredJob.claim == claim.token)
    _require(await work.db.execute(done.returning(StoredJob.id)))


async def release(work: Work, claim: Claim) -> None:
    """Give it back undone, as if it had not been taken. Raises ClaimLost."""
    given = _ours(claim).values(claim=None, claim_until=None, sent_at=None, deliveries=StoredJob.deliveries - 1)
    _require(await work.db.execute(given.returning(StoredJob.id)))
    work.calls.append(Call(claim.job.kind, claim.job.id, claim.job.trace))


async def postpone(work: Work, claim: Claim, pause: timedelta) -> None:
    """Give it back undone, for nobody to take before the pause is over. Raises ClaimLost."""
    given = _ours(claim).values(
        claim=None, claim_until=None, sent_at=None, deliveries=StoredJob.deliveries - 1, ready_at=work.now + pause
    )
    _require(await work.db.execute(given.returning(StoredJob.id)))


async def give_up(work: Work, claim: Claim, error: str) -> None:
    """It cannot be done, and waits for a person. Raises ClaimLost."""
    given = _ours(claim).values(claim=None, claim_until=None, dead_at=work.now, error=error)
    _require(await work.db.execute(given.returning(StoredJob.id)))


async def withdraw(work: Work, subject: UUID) -> None:
    """There is nothing to do for it any more; a worker that has it finds its claim gone."""
    await work.db.execute(delete(StoredJob).where(StoredJob.subject == subject))


async def withdraw_all(work: Work, subjects: Select[Any]) -> None:
    """The same for all that this selects."""
    await work.db.execute(delete(StoredJob).where(StoredJob.subject.in_(subjects)))


class Lapsed(NamedTuple):
    """Jobs whose workers are gone: those that wait again, and those that were given up."""

    again: Sequence[JobRow]
    dead: Sequence[JobRow]


async def lapse(work: Work, kinds: Collection[str], limit: int) -> Lapsed:
    """Take back up to `limit` jobs of these kinds whose claims have run out."""
    stale = (
        select(StoredJob.id)
        .where(StoredJob.kind.in_(sorted(kinds)), StoredJob.claim_until < work.now)
        .order_by(StoredJob.claim_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = await work.db.execute(
        update(StoredJob)
        .where(StoredJob.id.in_(stale), StoredJob.claim_until < work.now)
        .values(claim=None, claim_until=None, sent_at=None)
        .returning(*_COLUMNS)
    )
    rows = [JobRow(*row) for row in found]
    dead = [row for row in rows if row.deliveries >= rules.MAX_DELIVERIES]
    again = [row for row in rows if row.deliveries < rules.MAX_DELIVERIES]
    for row in dead:
        error = f"Its worker disappeared {row.deliveries} times while working on it."
        await work.db.execute(update(StoredJob).where(StoredJob.id == row.id).values(dead_at=work.now, error=error))
    for row in again:
        pause = rules.pause(row.deliveries)
        await work.db.execute(update(StoredJob).where(StoredJob.id == row.id).values(ready_at=work.now + pause))
        if not pause:
            work.calls.append(Call(row.kind, row.id, row.trace))
    return Lapsed(again, dead)


class _UnsentRow(NamedTuple):
    id: UUID
    kind: str
    trace: str | None


_UNSENT = Query(
    _UnsentRow,
    query(_UnsentRow, StoredJob)
    .where(
        StoredJob.sent_at.is_(None),
        StoredJob.claim.is_(None),
        StoredJob.dead_at.is_(None),
        StoredJob.ready_at <= bindparam("now"),
        StoredJob.at <= bindparam("late"),
    )
    .statement.order_by(StoredJob.id)
    .limit(bindparam("limit")),
).beyond_reach("Calls for all workspaces' jobs are sent again.")


async def unsent(work: Work, limit: int) -> Sequence[Call]:
    """Calls that should be on the bus by now and are not known to be."""
    rows = await work.db.all(_UNSENT, now=work.now, late=work.now - rules.RESEND, limit=limit)
    return [Call(row.kind, row.id, row.trace) for row in rows]


async def sent(work: Work, calls: Sequence[Call]) -> None:
    """The bus has them for good."""
    waiting = select(StoredJob.id).where(StoredJob.id.in_([call.job_id for call in calls]), StoredJob.claim.is_(None))
    # Whoever has taken one in the meantime need not be waited for: it is not to be sent again anyway.
    unlocked = waiting.with_for_update(skip_locked=True)
    await work.db.execute(update(StoredJob).where(StoredJob.id.in_(unlocked)).values(sent_at=work.now))


def _ours(claim: Claim) -> Any:
    return update(StoredJob).where(StoredJob.id == claim.job.id, StoredJob.claim == claim.token)


def _require(result: Result[Any]) -> None:
    if result.first() is None:
        raise ClaimLost
