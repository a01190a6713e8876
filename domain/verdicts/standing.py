"""How far the judging of a snapshot is: what looks into it, what is said of it so far, and what changed before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, exists, or_, select

from ..access import Reach
from ..audits import Audit, AuditRow, AuditState
from ..base import Query, one_of, query, within
from ..measuring import MetricName
from ..ports import Reader
from ..snapshots import Snapshot, SnapshotRow
from .model import Verdict
from .rules import Judgement, Reason
from .samples import AuditOfSnapshot, Line, on_the_line

Subject = tuple[UUID, UUID, MetricName]
"""A page, a profile and a metric."""

MOST_TRIED = 4
"""So many snapshots are taken to confirm another, where some of them measure nothing."""


class Confirming(NamedTuple):
    """The snapshots that look into one, and how many count. One that measured nothing does only when there were enough."""

    ids: Sequence[UUID]
    number: int


class _Looked(NamedTuple):
    id: UUID
    measured: bool


_CONFIRMING = Query(
    _Looked,
    select(
        Snapshot.id,
        exists()
        .where(
            Audit.snapshot_id == Snapshot.id,
            Audit.state == AuditState.FINISHED,
            within(Audit.workspace_id, Audit.site_id),
        )
        .label("measured"),
    ).where(Snapshot.confirms_id == bindparam("snapshot", type_=Uuid()), within(Snapshot.workspace_id, Snapshot.site_id)),
)


async def confirming(reader: Reader, reach: Reach, snapshot_id: UUID) -> Confirming:
    rows = await reader.all(_CONFIRMING, snapshot=snapshot_id, reach=reach.held)
    number = len(rows) if len(rows) >= MOST_TRIED else sum(row.measured for row in rows)
    return Confirming([row.id for row in rows], number)


_ENDED = Query(
    AuditRow,
    query(AuditRow, Audit)
    .where(Audit.snapshot_id == bindparam("snapshot", type_=Uuid()), within(Audit.workspace_id, Audit.site_id))
    .statement.order_by(Audit.page_id, Audit.profile_id),
)
"""In one order, as all who lock the alerts of these pages take them."""


async def ended(reader: Reader, reach: Reach, snapshot_id: UUID) -> Sequence[AuditRow]:
    """Its audits, which have all ended."""
    return await reader.all(_ENDED, snapshot=snapshot_id, reach=reach.held)


class _Said(NamedTuple):
    page_id: UUID
    profile_id: UUID
    metric: str


_SAID = query(_Said, Verdict).where(
    Verdict.snapshot_id == bindparam("snapshot", type_=Uuid()),
    Verdict.reason == bindparam("reason", type_=Text()),
    within(Verdict.workspace_id, Verdict.site_id),
)


async def said(reader: Reader, reach: Reach, snapshot_id: UUID, reason: Reason) -> set[Subject]:
    """Of what there are verdicts with this reason."""
    rows = await reader.all(_SAID, snapshot=snapshot_id, reason=reason.value, reach=reach.held)
    return {(row.page_id, row.profile_id, MetricName(row.metric)) for row in rows}


class _Changed(NamedTuple):
    page_id: UUID
    profile_id: UUID
    metric: str
    audit_id: UUID


_CHANGED = Query(_Changed, query(_Changed, Verdict).statement.join(Snapshot, Snapshot.id == Verdict.snapshot_id)).where(
    one_of(Verdict.page_id, "pages"),
    or_(Verdict.judgement == Judgement.REGRESSED, Verdict.judgement == Judgement.IMPROVED),
    Verdict.snapshot_id != bindparam("snapshot", type_=Uuid()),
    Snapshot.environment == bindparam("environment", type_=Text()),
    *on_the_line(Snapshot),
    within(Snapshot.workspace_id, Snapshot.site_id),
    within(Verdict.workspace_id, Verdict.site_id),
)


async def changed_at(
    reader: Reader, reach: Reach, snapshot: SnapshotRow, line: Line, own: Collection[AuditOfSnapshot]
) -> Mapping[Subject, UUID]:
    """The audit that last changed before its own: what lies before that is another page."""
    given = {"snapshot": snapshot.id, "environment": snapshot.environment, "pages": {audit.page_id for audit in own}}
    before = {(audit.page_id, audit.profile_id): audit.id for audit in own}
    found: dict[Subject, UUID] = {}
    for row in await reader.all(_CHANGED, reach=reach.held, **given, **line._asdict()):
        key = (row.page_id, row.profile_id, MetricName(row.metric))
        if row.audit_id < before.get(key[:2], row.audit_id):
            found[key] = max(row.audit_id, found.get(key, row.audit_id))
    return found
