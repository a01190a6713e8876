"""Old audits are deleted, some at a time, where the installation says for how long they are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, or_, select
from sqlalchemy.orm import aliased

from ..base import UtcDateTime, one_of
from ..work import StoredJob, Work
from .events import JUDGE
from .model import ENDED, Audit, AuditState

FORGET = 200
"""With all that was measured it is a thousand times as many rows: writers wait for no more."""

_other = aliased(Audit)

# One look into the index for each audit: as a join it would be one over all that there are.
_newest = (
    select(_other.id)
    .where(
        _other.page_id == Audit.page_id,
        _other.profile_id == Audit.profile_id,
        _other.environment == Audit.environment,
        _other.state == AuditState.FINISHED,
    )
    .order_by(_other.finished_at.desc(), _other.id.desc())
    .limit(1)
    .correlate(Audit)
    .scalar_subquery()
)
_OLD = (
    select(Audit.id)
    .where(
        Audit.id < bindparam("first_id"),
        Audit.finished_at < bindparam("before", type_=UtcDateTime()),
        Audit.state.in_(ENDED),
        or_(Audit.state != AuditState.FINISHED, Audit.id != _newest),
        ~exists().where(StoredJob.subject == Audit.id, StoredJob.kind != JUDGE),
    )
    .order_by(Audit.id)
    .limit(FORGET)
    .with_for_update(skip_locked=True, of=Audit)
)


async def forget(work: Work, kept: timedelta) -> int:
    """Delete what ended longer ago, up to FORGET audits with all that was measured; how many there were.

    The newest finished one of a page under a profile in an environment stays, and so does what was given up and may be
    tried again. The sweep of files deletes what they had in storage.
    """
    before = work.now - kept
    ids = (await work.db.execute(_OLD, {"before": before, "first_id": _first_id(before)})).scalars().all()
    if ids:
        await work.db.execute(delete(Audit).where(one_of(Audit.id, "ids")), {"ids": ids})
    return len(ids)


def _first_id(at: datetime) -> UUID:
    """The least id that is made at that time: audits come in the order of their ids, so that the oldest are found first."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
