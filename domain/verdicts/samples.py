"""What a snapshot's verdicts rest on: the runs of its audits, of those that confirm it, and of those before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, bindparam, exists, or_, select, true
from sqlalchemy.orm import aliased

from .. import audits
from ..access import Reach
from ..audits import Audit, AuditRow, AuditState, RunRow
from ..base import Query, one_of, query, within
from ..measuring import MetricName
from ..ports import Reader
from ..snapshots import Snapshot, SnapshotRow
from .model import Verdict
from .rules import Judgement, Reason

BEFORE = 4
"""So many snapshots before are pooled."""

KNOWN = 6
"""And so many before those tell of the noise alone."""


class AuditOfSnapshot(NamedTuple):
    id: UUID
    site_id: UUID
    page_id: UUID
    profile_id: UUID
    conditions_id: UUID | None
    snapshot_id: UUID | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A page under a profile: its audits before, the oldest first, and since; each is the runs of one snapshot."""

    audit: AuditOfSnapshot
    before: Sequence[Sequence[RunRow]]
    after: Sequence[Sequence[RunRow]]
    known: Sequence[Sequence[RunRow]]
    was_otherwise: bool
    """Whether it was measured before, under other conditions."""


_AUDITS = query(AuditOfSnapshot, Audit)
_FINISHED = Audit.state == AuditState.FINISHED
_OF_SNAPSHOTS = Query(
    AuditOfSnapshot,
    _AUDITS.where(
        _FINISHED, one_of(Audit.snapshot_id, "snapshots"), within(Audit.workspace_id, Audit.site_id)
    ).statement.order_by(Audit.id),
)


class _Earlier(NamedTuple):
    of: UUID
    id: UUID
    conditions_id: UUID | None
    finished_at: datetime


_earlier, _there = aliased(Audit), aliased(Audit)
_taken = aliased(Snapshot)
_BRANCH = bindparam("branch", type_=Text())
_newest_before = (
    select(_earlier.id, _earlier.conditions_id, _earlier.finished_at)
    .join(_taken, _taken.id == _earlier.snapshot_id)
    .where(
        _earlier.page_id == Audit.page_id,
        _earlier.profile_id == Audit.profile_id,
        _earlier.environment == Audit.environment,
        _earlier.state == AuditState.FINISHED,
        _earlier.finished_at < Audit.finished_at,
        _taken.id <= bindparam("until", type_=Uuid()),
        or_(_BRANCH.is_(None), _taken.branch.is_(None), _taken.branch == _BRANCH),
        within(_taken.workspace_id, _taken.site_id),
        within(_earlier.workspace_id, _earlier.site_id),
    )
    .order_by(_earlier.finished_at.desc(), _earlier.id.desc())
    .limit(bindparam("limit", type_=Integer()))
    .correlate(Audit)
)
_of_snapshot = (
    Audit.snapshot_id == bindparam("snapshot", type_=Uuid()),
    _FINISHED,
    within(Audit.workspace_id, Audit.site_id),
)
_lateral = _newest_before.lateral("earlier")
_BEFORE: Query[_Earlier] = Query(
    _Earlier,
    select(Audit.id.label("of"), _lateral.c.id, _lateral.c.conditions_id, _lateral.c.finished_at)
    .select_from(Audit)
    .join(_lateral, true())
    .where(*_of_snapshot),
    sqlite=select(Audit.id.label("of"), _there.id, _there.conditions_id, _there.finished_at)
    .select_from(Audit)
    .join(_there, _there.id.in_(_newest_before.with_only_columns(_earlier.id)))
    .where(*_of_snapshot, within(_there.workspace_id, _there.site_id)),
)
"""Audit by audit through the index: the newest ones before it, whatever their conditions, in no order."""


class _Since(NamedTuple):
    page_id: UUID
    profile_id: UUID
    metric: str
    audit_id: UUID


_CONFIRMED = Query(
    _Since,
    Query(_Since, query(_Since, Verdict).statement.join(Snapshot, Snapshot.id == Verdict.snapshot_id))
    .where(
        one_of(Verdict.page_id, "pages"),
        Snapshot.environment == bindparam("environment", type_=Text()),
        Snapshot.id <= bindparam("until", type_=Uuid()),
        or_(_BRANCH.is_(None), Snapshot.branch.is_(None), Snapshot.branch == _BRANCH),
        within(Snapshot.workspace_id, Snapshot.site_id),
        or_(Verdict.judgement == Judgement.REGRESSED, Verdict.judgement == Judgement.IMPROVED),
        Verdict.snapshot_id != bindparam("snapshot", type_=Uuid()),
        within(Verdict.workspace_id, Verdict.site_id),
    )
    .statement.order_by(Verdict.id),
)


class Line(NamedTuple):
    """The snapshots that one is compared with: of this branch (None: of any), up to this one."""

    branch: str | None
    until: UUID


class _Base(NamedTuple):
    id: UUID
    branch: str | None


_ANCESTOR = Query(
    _Base,
    query(_Base, Snapshot)
    .where(
        Snapshot.site_id == bindparam("site", type_=Uuid()),
        Snapshot.environment == bindparam("environment", type_=Text()),
        Snapshot.commit_hash == bindparam("ancestor", type_=Text()),
        Snapshot.id < bindparam("snapshot", type_=Uuid()),
        within(Snapshot.workspace_id, Snapshot.site_id),
    )
    .statement.order_by(Snapshot.id.desc())
    .limit(1),
)


async def line_of(reader: Reader, reach: Reach, snapshot: SnapshotRow) -> Line:
    """Where its commit's ancestor was measured, the ancestor and what was before it on its branch; else its own branch.

    What was measured without a branch, as schedules do, is of every one.
    """
    if snapshot.ancestor_hash is not None:
        given = {"site": snapshot.site_id, "environment": snapshot.environment, "ancestor": snapshot.ancestor_hash}
        base = await reader.first(_ANCESTOR, snapshot=snapshot.id, reach=reach.held, **given)
        if base is not None:
            return Line(base.branch, base.id)
    return Line(snapshot.branch, snapshot.id)


class _Confirming(NamedTuple):
    id: UUID
    measured: bool


_CONFIRMING = Query(
    _Confirming,
    select(
        Snapshot.id,
        exists()
        .where(Audit.snapshot_id == Snapshot.id, _FINISHED, within(Audit.workspace_id, Audit.site_id))
        .label("measured"),
    ).where(Snapshot.confirms_id == bindparam("snapshot", type_=Uuid()), within(Snapshot.workspace_id, Snapshot.site_id)),
)


_OF_SNAPSHOT = query(AuditRow, Audit).where(
    Audit.snapshot_id == bindparam("snapshot", type_=Uuid()), within(Audit.workspace_id, Audit.site_id)
)
_ENDED = Query(AuditRow, _OF_SNAPSHOT.statement.order_by(Audit.page_id, Audit.profile_id))
"""In one order, as all who lock the alerts of these pages take them."""


async def ended(reader: Reader, reach: Reach, snapshot_id: UUID) -> Sequence[AuditRow]:
    """Its audits, which have all ended."""
    return await reader.all(_ENDED, snapshot=snapshot_id, reach=reach.held)


class Suspect(NamedTuple):
    page_id: UUID
    profile_id: UUID


_SUSPECTS = query(Suspect, Verdict).where(
    Verdict.snapshot_id == bindparam("snapshot", type_=Uuid()),
    Verdict.reason == Reason.SUSPECTED,
    within(Verdict.workspace_id, Verdict.site_id),
)


async def suspects(reader: Reader, reach: Reach, snapshot_id: UUID) -> Sequence[Suspect]:
    """The pages, under the profiles, of which some metric is suspected."""
    return await reader.all(_SUSPECTS, snapshot=snapshot_id, reach=reach.held)


MOST_TRIED = 4
"""So many snapshots are taken to confirm another, where some of them measure nothing."""


async def confirmations(reader: Reader, reach: Reach, snapshot_id: UUID) -> int:
    """How many snapshots have looked into this one. One that measured nothing counts only when there were enough of them."""
    rows = await reader.all(_CONFIRMING, snapshot=snapshot_id, reach=reach.held)
    return len(rows) if len(rows) >= MOST_TRIED else sum(row.measured for row in rows)


class _Kept(NamedTuple):
    page_id: UUID
    profile_id: UUID
    metric: str


_KEPT = query(_Kept, Verdict).where(
    Verdict.snapshot_id == bindparam("snapshot", type_=Uuid()),
    Verdict.reason == Reason.CONFIRMED,
    within(Verdict.workspace_id, Verdict.site_id),
)


async def proved(reader: Reader, reach: Reach, snapshot_id: UUID) -> Collection[tuple[UUID, UUID, MetricName]]:
    """What was confirmed when there were fewer confirmations: it was told, and stays."""
    rows = await reader.all(_KEPT, snapshot=snapshot_id, reach=reach.held)
    return {(row.page_id, row.profile_id, MetricName(row.metric)) for row in rows}


async def changed_at(
    reader: Reader, reach: Reach, snapshot: SnapshotRow, line: Line, own: Collection[AuditOfSnapshot]
) -> Mapping[tuple[UUID, UUID, MetricName], UUID]:
    """By page, profile and metric the audit that last changed before its own: what lies before that is another page."""
    given = {"snapshot": snapshot.id, "environment": snapshot.environment, "pages": {audit.page_id for audit in own}}
    before = {(audit.page_id, audit.profile_id): audit.id for audit in own}
    found: dict[tuple[UUID, UUID, MetricName], UUID] = {}
    for row in await reader.all(_CONFIRMED, reach=reach.held, **given, **line._asdict()):
        key = (row.page_id, row.profile_id, MetricName(row.metric))
        if row.audit_id < before.get(key[:2], row.audit_id):
            found[key] = max(row.audit_id, found.get(key, row.audit_id))
    return found


async def read(reader: Reader, reach: Reach, snapshot: SnapshotRow, line: Line) -> Sequence[Sample]:
    """Of each audit that the snapshot finished."""
    confirming = [row.id for row in await reader.all(_CONFIRMING, snapshot=snapshot.id, reach=reach.held)]
    own = await reader.all(_OF_SNAPSHOTS, snapshots=[snapshot.id, *confirming], reach=reach.held)
    earlier = await reader.all(_BEFORE, snapshot=snapshot.id, limit=BEFORE + KNOWN, reach=reach.held, **line._asdict())
    runs = await audits.runs_by_audits(reader, reach, {row.id for row in own} | {row.id for row in earlier})
    later: dict[tuple[UUID, UUID, UUID | None], list[Sequence[RunRow]]] = {}
    for row in own:
        if row.snapshot_id != snapshot.id:
            later.setdefault((row.page_id, row.profile_id, row.conditions_id), []).append(runs[row.id])
    before: dict[UUID, list[_Earlier]] = {}
    for each in sorted(earlier, key=lambda each: (each.finished_at, each.id)):
        before.setdefault(each.of, []).append(each)
    samples = []
    for audit in own:
        if audit.snapshot_id == snapshot.id:
            those = before.get(audit.id, [])
            alike = [runs[each.id] for each in those if each.conditions_id == audit.conditions_id]
            since = [runs[audit.id], *later.get((audit.page_id, audit.profile_id, audit.conditions_id), [])]
            samples.append(Sample(audit, alike[-BEFORE:], since, alike[:-BEFORE], len(alike) < len(those)))
    return samples
