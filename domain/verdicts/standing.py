"""How far the judging of a snapshot is: what looks into it, what is said of it so far, and what changed before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, or_

from ..access import Reach
from ..audits import Audit, AuditRow
from ..base import Query, UtcDateTime, one_of, query, within
from ..measuring import MetricName
from ..ports import Reader
from ..snapshots import Snapshot, SnapshotRow
from ..work import Writer
from .model import Verdict
from .rules import Judgement, Reason
from .samples import Line, Sample, on_the_line

Subject = tuple[UUID, UUID, MetricName]
"""A page, a profile and a metric."""


class _Looked(NamedTuple):
    id: UUID


_CONFIRMING = query(_Looked, Snapshot).where(
    Snapshot.confirms_id == bindparam("snapshot", type_=Uuid()), within(Snapshot.workspace_id, Snapshot.site_id)
)


async def confirming(reader: Reader, reach: Reach, snapshot_id: UUID) -> Sequence[UUID]:
    """The snapshots that look into this one."""
    return [row.id for row in await reader.all(_CONFIRMING, snapshot=snapshot_id, reach=reach.held)]


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
    # Ids are in the order of time: verdicts are younger than what they are about.
    Verdict.id > bindparam("oldest", type_=Uuid()),
    Verdict.snapshot_id != bindparam("snapshot", type_=Uuid()),
    Snapshot.environment == bindparam("environment", type_=Text()),
    *on_the_line(Snapshot),
    within(Snapshot.workspace_id, Snapshot.site_id),
    within(Verdict.workspace_id, Verdict.site_id),
)


async def changed_at(
    reader: Reader, reach: Reach, snapshot: SnapshotRow, line: Line, samples: Collection[Sample]
) -> Mapping[Subject, Sequence[UUID]]:
    """The audits, in order, that changed before its own, as far as the samples reach: before each it is another page."""
    own = {(each.audit.page_id, each.audit.profile_id): each.audit.id for each in samples}
    oldest = min((runs[0].audit_id for each in samples for runs in each.before if runs), default=None)
    if oldest is None:
        return {}
    asked = {"snapshot": snapshot.id, "environment": snapshot.environment, "pages": {page for page, _ in own}, "oldest": oldest}
    found: dict[Subject, list[UUID]] = {}
    for row in await reader.all(_CHANGED, reach=reach.held, **asked, **line._asdict()):
        key = (row.page_id, row.profile_id, MetricName(row.metric))
        if row.audit_id < own.get(key[:2], row.audit_id):
            found.setdefault(key, []).append(row.audit_id)
    return {key: sorted(ids) for key, ids in found.items()}


class Step(NamedTuple):
    page_id: UUID
    profile_id: UUID
    metric: str
    before: float | None
    judged_at: datetime


_REGRESSED = Query(
    Step,
    query(Step, Verdict)
    .where(
        one_of(Verdict.page_id, "pages"),
        Verdict.judgement == Judgement.REGRESSED,
        Verdict.judged_at >= bindparam("since", type_=UtcDateTime()),
        within(Verdict.workspace_id, Verdict.site_id),
    )
    .statement.order_by(Verdict.id),
)


async def regressed_since(
    reader: Writer, reach: Reach, pages: Collection[UUID], since: datetime
) -> Mapping[Subject, Sequence[Step]]:
    """What of these pages became worse since then, the oldest first."""
    found: dict[Subject, list[Step]] = {}
    for row in await reader.all(_REGRESSED, pages=pages, since=since, reach=reach.held):
        found.setdefault((row.page_id, row.profile_id, MetricName(row.metric)), []).append(row)
    return found
