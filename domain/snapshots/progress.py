"""How snapshots come to their end: one for which all audits were asked, and have ended, has ended too."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select, update

from .. import jobs
from ..audits import ENDED, Audit
from ..work import Job, Work
from . import events
from .model import Snapshot, SnapshotRow, SnapshotState

CLOSED = 100
"""At most so many in one transaction."""

_GOES_ON = exists().where(Audit.snapshot_id == Snapshot.id, Audit.state.not_in(ENDED))
_ENDED = (
    select(Snapshot.id)
    .where(Snapshot.state == SnapshotState.RUNNING, Snapshot.filled_at.is_not(None), ~_GOES_ON)
    .order_by(Snapshot.id)
    .limit(CLOSED)
    .with_for_update(skip_locked=True, of=Snapshot)
)
_ROW = tuple(getattr(Snapshot, name) for name in SnapshotRow._fields)


async def fill(work: Work, snapshot_id: UUID) -> None:
    """All its audits were asked for: when they have ended, so has it."""
    await work.db.execute(update(Snapshot).where(Snapshot.id == snapshot_id).values(filled_at=work.now))


async def close_ended(work: Work) -> Sequence[SnapshotRow]:
    """Finish up to CLOSED snapshots whose audits have all ended, one way or another, and leave them to be judged."""
    closed = await work.db.execute(
        update(Snapshot)
        .where(Snapshot.id.in_(_ENDED))
        .values(state=SnapshotState.FINISHED, finished_at=work.now)
        .returning(*_ROW)
    )
    rows = [SnapshotRow(*row) for row in closed]
    for row in rows:
        work.say(events.became(row, SnapshotState.FINISHED))
        work.enqueue(Job(events.JUDGE, row.workspace_id, row.id, jobs.SCHEDULED))
    return rows
