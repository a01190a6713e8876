"""The slow work: a snapshot judged, from its claim until its verdicts are written, with no transaction open while it thinks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update

from .. import jobs, snapshots
from ..access import SYSTEM, Actor, Reach, Role
from ..errors import DatabaseAway, LimitReached
from ..ids import new_id
from ..ports import Database
from ..snapshots import Snapshot, SnapshotRow
from ..work import Job, StoredJob, Work
from .model import Verdict
from .rules import Judgement, Reason

if TYPE_CHECKING:
    from .deciding import Decided

KINDS = (snapshots.JUDGE, snapshots.CONFIRM)

CONFIRM_AFTER = timedelta(minutes=5)
"""What is suspected is measured again so much later: what passes by itself was no change."""

HOLD_SECONDS = 10.0
TRIES = 20
TRY_AGAIN_SECONDS = 0.05
SWEPT = 500


async def take(database: Database, kind: str) -> jobs.Claim | None:
    """The next job of this kind, one of KINDS. Raises DatabaseAway."""
    for _ in range(TRIES):
        async with database.work(SYSTEM) as work:
            claim = await jobs.take(work, [kind])
            if claim is not None or not await jobs.wait(work, [kind]):
                return claim
        # Somebody takes it at this moment, or only marks that its call was sent: then nobody is called a second time.
        await asyncio.sleep(TRY_AGAIN_SECONDS)
    raise DatabaseAway("The snapshots that wait are locked by somebody who does not go on.")


async def perform(database: Database, claim: jobs.Claim, confirm_after: timedelta = CONFIRM_AFTER) -> None:
    """Judge, or ask for a confirmation. Cancelled, it gives the job back at once. Raises ClaimLost and DatabaseAway."""
    try:
        await _perform(database, claim, confirm_after)
    except asyncio.CancelledError:
        with contextlib.suppress(jobs.ClaimLost, DatabaseAway):
            async with database.work(SYSTEM) as work:
                await jobs.release(work, claim)
        raise


async def _perform(database: Database, claim: jobs.Claim, confirm_after: timedelta) -> None:
    workspace_id = claim.job.workspace_id
    assert workspace_id is not None  # snapshots have one
    reach = Reach.whole(workspace_id)
    found = (await snapshots.by_ids(database.reader, reach, [claim.job.subject])).get(claim.job.subject)
    if found is None:
        async with database.work(SYSTEM) as work:
            await jobs.finish(work, claim)
        return
    if claim.job.kind == snapshots.CONFIRM:
        await _confirm(database, claim, found)
        return
    whole = found
    if found.confirms_id is not None:
        first = (await snapshots.by_ids(database.reader, reach, [found.confirms_id])).get(found.confirms_id)
        whole = first or found
    from . import samples, telling  # scipy and what is built on it is for those who judge

    line = await samples.line_of(database.reader, reach, whole)
    read = await samples.read(database.reader, reach, whole, line)
    changed = await samples.changed_at(database.reader, reach, whole, line, [each.audit for each in read])
    confirmations = await samples.confirmations(database.reader, reach, whole.id)
    proved = await samples.proved(database.reader, reach, whole.id)
    decided = await _thinking(database, claim, asyncio.to_thread(_decide, read, changed, confirmations, proved))
    ended = await samples.ended(database.reader, reach, found.id)
    async with database.work(Actor(roles={workspace_id: Role.MEMBER})) as work:
        await jobs.finish(work, claim)
        await _write(work, whole, decided, confirm_after)
        await telling.tell(work, found, ended)
        # Facts were told when the snapshot itself was judged.
        told = decided if found.id == whole.id else [each for each in decided if each.reason is Reason.CONFIRMED]
        await telling.tell_verdicts(work, whole, told)
        if found.id != whole.id:
            await work.db.execute(update(Snapshot).where(Snapshot.id == found.id).values(judged_at=work.now))


async def _thinking(database: Database, claim: jobs.Claim, deciding: Coroutine[Any, Any, list[Decided]]) -> list[Decided]:
    """What is decided; meanwhile the claim is kept. Raises ClaimLost."""
    task = asyncio.create_task(deciding)
    while True:
        await asyncio.wait({task}, timeout=HOLD_SECONDS)
        if task.done():
            return task.result()
        async with database.work(SYSTEM) as work:
            await jobs.hold(work, claim)


def _decide(*given: object) -> list[Decided]:
    from .deciding import decide

    return decide(*given)  # type: ignore[arg-type]  # as they are read above


async def _write(work: Work, snapshot: SnapshotRow, decided: Sequence[Decided], confirm_after: timedelta) -> None:
    """The verdicts, instead of those that are there; and a confirmation to come, or the end."""
    await work.db.execute(delete(Verdict).where(Verdict.snapshot_id == snapshot.id))
    place = {"workspace_id": snapshot.workspace_id, "site_id": snapshot.site_id, "snapshot_id": snapshot.id}
    for each in decided:
        values = each._asdict() | {"metric": each.metric.value}
        audit = values.pop("audit")
        what = {"page_id": audit.page_id, "profile_id": audit.profile_id, "audit_id": audit.id}
        work.db.add(Verdict(id=new_id(), **place, **what, **values, judged_at=work.now))
    await work.db.flush()
    if any(each.reason is Reason.SUSPECTED for each in decided):
        job = Job(snapshots.CONFIRM, snapshot.workspace_id, snapshot.id, jobs.SCHEDULED)
        work.enqueue(job)
        await work.db.flush()
        later = update(StoredJob).where(StoredJob.kind == job.kind, StoredJob.subject == snapshot.id)
        await work.db.execute(later.values(ready_at=work.now + confirm_after))
        return
    await work.db.execute(update(Snapshot).where(Snapshot.id == snapshot.id).values(judged_at=work.now))
    told = [each.judgement for each in decided]
    work.say(snapshots.judged(snapshot, told.count(Judgement.REGRESSED), told.count(Judgement.IMPROVED)))


async def _confirm(database: Database, claim: jobs.Claim, snapshot: SnapshotRow) -> None:
    """Measure what is suspected once more, with as many runs as the first time."""
    from . import samples

    reach = Reach.whole(snapshot.workspace_id)
    suspects = await samples.suspects(database.reader, reach, snapshot.id)
    async with database.work(Actor(roles={snapshot.workspace_id: Role.MEMBER})) as work:
        try:
            targets = sorted({(row.page_id, row.profile_id) for row in suspects})
            if targets:
                await snapshots.confirm(work, snapshot, targets)
            else:  # what was suspected is deleted: the rest is as good as it gets
                work.enqueue(Job(snapshots.JUDGE, snapshot.workspace_id, snapshot.id, jobs.SCHEDULED))
        except LimitReached:
            await jobs.postpone(work, claim, CONFIRM_AFTER)
        else:
            await jobs.finish(work, claim)


async def sweep(work: Work) -> jobs.Lapsed:
    """Put back what dead workers held, and give up what has outlived too many of them."""
    return await jobs.lapse(work, KINDS, SWEPT)
