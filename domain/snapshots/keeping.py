"""Old snapshots are deleted, with what was said of them, when their audits are."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, exists, select

from ..audits import Audit
from ..base import UtcDateTime, one_of
from ..work import Work
from .model import Snapshot

FORGOTTEN = 200

_OLD = (
    select(Snapshot.id)
    .where(
        Snapshot.finished_at < bindparam("before", type_=UtcDateTime()),
        ~exists().where(Audit.snapshot_id == Snapshot.id),
    )
    .order_by(Snapshot.id)
    .limit(FORGOTTEN)
    .with_for_update(skip_locked=True, of=Snapshot)
)


async def forget(work: Work, kept: timedelta) -> int:
    """Delete what ended longer ago and has no audits any more, up to FORGOTTEN; how many there were."""
    ids = (await work.db.execute(_OLD, {"before": work.now - kept})).scalars().all()
    if ids:
        await work.db.execute(delete(Snapshot).where(one_of(Snapshot.id, "ids")), {"ids": ids})
    return len(ids)
