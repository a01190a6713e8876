"""The slow work: a snapshot judged, from its claim until its verdicts are written, with no transaction open while it thinks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, select, update

from .. import audits, jobs, sites, snapshots
from ..access import SYSTEM, Actor, Reach, Role
from ..errors import LimitReached
from ..ids import new_id
from ..ports import Database
from ..snapshots import Snapshot, SnapshotRow
from ..work import Job, Work
from . import samples, standing
from .model import Verdict
from .rules import Judgement, Reason

if TYPE_CHECKING:
    from .deciding import Decided
    from .samples import Sample

KINDS = (snapshots.JUDGE, snapshots.CONFIRM)

CONFIRM_AFTER = timedelta(minutes=5)
"""What is suspected is measured again so much later: what passes by itself was no change."""

_PLACED = (Snapshot.id, Snapshot.workspace_id, Snapshot.site_id, Snapshot.cause)

HOLD_SECONDS = 10.0
SWEPT = 500


async def perform(database: Database, claim: jobs.Claim, confirm_after: timedelta = CONFIRM_AFTER) -> None:
    """Judge, or ask for a confirmation. Cancelled, it gives the job back at once. Raises ClaimLost and DatabaseAway."""
    workspace_id = claim.job.workspace_id
    assert workspace_id is not None  # snapshots have one
    async with jobs.giving_back(database, claim):
        reach = Reach.whole(workspace_id)
        found = (await snapshots.by_ids(database.reader, reach, [claim.job.subject])).get(claim.job.subject)
        if found is None:
            async with database.work(SYSTEM) as work:
                await jobs.finish(work, claim)
        elif claim.job.kind == snapshots.CONFIRM:
            await _confirm(database, claim, found, confirm_after)
        else:
            await _judge(database, claim, found, confirm_after)


async def _judge(database: Database, claim: jobs.Claim, found: SnapshotRow, confirm_after: timedelta) -> None:
    """`found` has ended. Where it confirms another, that one is judged."""
    from . import deciding, telling, worsening  # scipy and what is built on it is for those who judge

    reader, reach, whole = database.reader, Reach.whole(found.workspace_id), found
    if found.confirms_id is not None:
        whole = (await snapshots.by_ids(reader, reach, [found.confirms_id])).get(found.confirms_id) or found
    line = await samples.line_of(reader, reach, whole)
    looked = await standing.confirming(reader, reach, whole.id)
    read = await samples.read(reader, reach, whole, line, looked)
    changed = await standing.changed_at(reader, reach, whole, line, read)
    proved = await standing.said(reader, reach, whole.id, Reason.CONFIRMED)
    thinking = asyncio.to_thread(deciding.decide, read, changed, len(looked), proved)
    decided = await _kept(database, claim, thinking)
    ended = await standing.ended(reader, reach, found.id)
    prepared = await telling.prepare(reader, found, ended)
    async with database.work(Actor(roles={whole.workspace_id: Role.MEMBER})) as work:
        await sites.in_turn(work, reach, [whole.site_id])
        await jobs.finish(work, claim)
        await _write(work, whole, decided, _newest_before(read), confirm_after)
        await telling.tell(work, found, ended, prepared)
        first, elsewhere = found.id == whole.id, line.branch != whole.branch
        await worsening.tell_verdicts(work, whole, decided, proved, first=first, elsewhere=elsewhere)
        if found.id != whole.id:
            await work.db.execute(update(Snapshot).where(Snapshot.id == found.id).values(judged_at=work.now))


async def _kept(database: Database, claim: jobs.Claim, thinking: Coroutine[Any, Any, list[Decided]]) -> list[Decided]:
    """What is decided; meanwhile the claim is kept. Raises ClaimLost."""
    task = asyncio.create_task(thinking)
    while True:
        await asyncio.wait({task}, timeout=HOLD_SECONDS)
        if task.done():
            return task.result()
        async with database.work(SYSTEM) as work:
            await jobs.hold(work, claim)


def _newest_before(read: Sequence[Sample]) -> Mapping[UUID, UUID]:
    """By audit the newest of those that it is compared with, where there are any."""
    return {each.audit.id: each.before[-1][0].audit_id for each in read if each.before and each.before[-1]}


async def _write(
    work: Work,
    snapshot: SnapshotRow,
    decided: Sequence[Decided],
    newest_before: Mapping[UUID, UUID],
    confirm_after: timedelta,
) -> None:
    """The verdicts, instead of those that are there; and a confirmation to come, or the end."""
    await _replace(work, snapshot, decided, newest_before)
    if any(each.said.reason is Reason.SUSPECTED for each in decided):
        work.enqueue(Job(snapshots.CONFIRM, snapshot.workspace_id, snapshot.id, jobs.SCHEDULED, rest=confirm_after))
        return
    await work.db.execute(update(Snapshot).where(Snapshot.id == snapshot.id).values(judged_at=work.now))
    told = [each.said.judgement for each in decided]
    work.say(snapshots.judged(snapshot, told.count(Judgement.REGRESSED), told.count(Judgement.IMPROVED)))


async def _replace(work: Work, snapshot: SnapshotRow, decided: Sequence[Decided], newest_before: Mapping[UUID, UUID]) -> None:
    """What is said of the same again keeps its id."""
    subject = (Verdict.page_id, Verdict.profile_id, Verdict.metric)
    there = await work.db.execute(select(Verdict.id, *subject).where(Verdict.snapshot_id == snapshot.id))
    ids = {tuple(row[1:]): row.id for row in there}
    await work.db.execute(delete(Verdict).where(Verdict.snapshot_id == snapshot.id))
    place = {"workspace_id": snapshot.workspace_id, "site_id": snapshot.site_id, "snapshot_id": snapshot.id}
    for each in decided:
        audit, metric = each.audit, each.said.metric.value
        values = each.said._asdict() | {"metric": metric}
        what: dict[str, UUID | None] = {"page_id": audit.page_id, "profile_id": audit.profile_id, "audit_id": audit.id}
        what["before_audit_id"] = newest_before.get(audit.id)
        id = ids.get((audit.page_id, audit.profile_id, metric)) or new_id()
        work.db.add(Verdict(id=id, **place, **what, **values, judged_at=work.now))
    await work.db.flush()


async def _confirm(database: Database, claim: jobs.Claim, snapshot: SnapshotRow, confirm_after: timedelta) -> None:
    """Measure what is suspected once more, with as many runs as the first time."""
    reach = Reach.whole(snapshot.workspace_id)
    suspects = await standing.said(database.reader, reach, snapshot.id, Reason.SUSPECTED)
    async with database.work(Actor(roles={snapshot.workspace_id: Role.MEMBER})) as work:
        try:
            targets = sorted({(page_id, profile_id) for page_id, profile_id, _ in suspects})
            if targets:
                await snapshots.confirm(work, snapshot, targets)
            else:  # what was suspected is deleted: the rest is as good as it gets
                work.enqueue(Job(snapshots.JUDGE, snapshot.workspace_id, snapshot.id, jobs.SCHEDULED))
        except LimitReached:
            await jobs.postpone(work, claim, confirm_after)
        else:
            await jobs.finish(work, claim)


async def sweep(work: Work) -> jobs.Lapsed:
    """Put back what dead workers held, and give up what has outlived too many of them: then nobody waits for its judgement."""
    lapsed = await jobs.lapse(work, (*KINDS, audits.JUDGE), SWEPT)
    for row in lapsed.dead:
        looked_into = select(Snapshot.confirms_id).where(Snapshot.id == row.subject).scalar_subquery()
        given_up = update(Snapshot).where((Snapshot.id == row.subject) | (Snapshot.id == looked_into))
        given_up = given_up.where(Snapshot.judged_at.is_(None)).values(judged_at=work.now)
        for snapshot in await work.db.execute(given_up.returning(*_PLACED)):
            work.say(snapshots.judged(snapshot, 0, 0))
    return lapsed
