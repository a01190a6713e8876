"""What a snapshot's verdicts rest on: the runs of its audits, of those that confirm it, and of those before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Integer, Text, Uuid, bindparam, case, func, or_, select, true
from sqlalchemy.orm import aliased

from ..access import Reach
from ..audits import Audit, AuditState, Run
from ..base import Query, UtcDateTime, one_of, query, within
from ..ports import Reader
from ..snapshots import SHORTEST_HASH, Snapshot, SnapshotRow

EARLIER = 16
"""So many snapshots before are looked at: the newest are compared with, and all tell how far apart they lie by chance."""

FARTHEST = 500
"""They are looked for among so many audits of the page, whatever their branches: one without a past does not walk all of it."""

PIECE = 500
"""The runs of so many audits are read at a time."""

SLOWER = timedelta(hours=1)
"""So much longer than an ancestor those that were asked for before it may have taken."""


class AuditOfSnapshot(NamedTuple):
    id: UUID
    site_id: UUID
    page_id: UUID
    profile_id: UUID
    conditions_id: UUID | None
    snapshot_id: UUID | None


class RunOfSample(NamedTuple):
    """Of a run what is judged of it."""

    audit_id: UUID
    benchmark_index: float | None
    lcp_ms: float | None
    fcp_ms: float | None
    tbt_ms: float | None
    cls: float | None
    speed_index_ms: float | None
    ttfb_ms: float | None
    page_load_ms: float | None
    request_count: float | None
    redirect_count: float | None
    transfer_bytes: float | None
    script_bytes: float | None
    stylesheet_bytes: float | None
    image_bytes: float | None
    font_bytes: float | None
    third_party_bytes: float | None
    third_party_count: float | None
    dom_size: float | None


Runs = Sequence[Sequence[RunOfSample]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A page under a profile: its audits before, the oldest first, and since; each is the runs of one snapshot."""

    audit: AuditOfSnapshot
    before: Runs
    after: Runs
    was_otherwise: bool
    """Whether it was measured before, under other conditions."""


class Line(NamedTuple):
    """The snapshots that one is compared with: of this branch (None: of any), up to this one, which were done by then."""

    branch: str | None
    until: UUID
    by: datetime = datetime.max.replace(tzinfo=UTC)


def on_the_line(snapshots: Any) -> Sequence[ColumnElement[bool]]:
    """Takes what a Line has. What was measured without a branch, as schedules do, is of every one."""
    branch = bindparam("branch", type_=Text())
    return (
        snapshots.id <= bindparam("until", type_=Uuid()),
        or_(branch.is_(None), snapshots.branch.is_(None), snapshots.branch == branch),
    )


class _Base(NamedTuple):
    id: UUID
    branch: str | None
    finished_at: datetime | None


_HASH = bindparam("ancestor", type_=Text())
_ANCESTOR = Query(
    _Base,
    query(_Base, Snapshot)
    .where(
        Snapshot.site_id == bindparam("site", type_=Uuid()),
        Snapshot.environment == bindparam("environment", type_=Text()),
        # As Git takes them: whoever gives the first digits means the same as whoever gives all of them.
        Snapshot.commit_hash >= bindparam("head", type_=Text()),
        Snapshot.commit_hash < bindparam("beyond", type_=Text()),
        or_(
            func.substr(Snapshot.commit_hash, 1, func.length(_HASH)) == _HASH,
            func.substr(_HASH, 1, func.length(Snapshot.commit_hash)) == Snapshot.commit_hash,
        ),
        Snapshot.id < bindparam("snapshot", type_=Uuid()),
        within(Snapshot.workspace_id, Snapshot.site_id),
    )
    .statement.order_by(case((Snapshot.commit_hash == _HASH, 0), else_=1), Snapshot.id.desc())
    .limit(1),
)


async def line_of(reader: Reader, reach: Reach, snapshot: SnapshotRow) -> Line:
    """Where its commit's ancestor was measured, the ancestor and what was before it on its branch; else its own branch."""
    if snapshot.ancestor_hash is not None:
        head = snapshot.ancestor_hash[:SHORTEST_HASH]
        asked = {"ancestor": snapshot.ancestor_hash, "head": head, "beyond": f"{head}g"}  # which no hex digit is behind
        here = {"site": snapshot.site_id, "snapshot": snapshot.id}
        base = await reader.first(_ANCESTOR, reach=reach.held, environment=snapshot.environment, **here, **asked)
        if base is not None:
            line = Line(base.branch, base.id)
            return line._replace(by=base.finished_at + SLOWER) if base.finished_at is not None else line
    return Line(snapshot.branch, snapshot.id)


_OF_PAGES = or_(bindparam("all_pages", type_=Boolean()), one_of(Audit.page_id, "pages"))
_AUDITS = query(AuditOfSnapshot, Audit).where(
    Audit.state == AuditState.FINISHED,
    one_of(Audit.snapshot_id, "snapshots"),
    _OF_PAGES,
    within(Audit.workspace_id, Audit.site_id),
)
_AUDITS = Query(AuditOfSnapshot, _AUDITS.statement.order_by(Audit.id))


class _Earlier(NamedTuple):
    of: UUID
    id: UUID
    conditions_id: UUID | None
    finished_at: datetime


_BY = bindparam("by", type_=UtcDateTime())
_earlier, _there = aliased(Audit), aliased(Audit)
_taken = aliased(Snapshot)
_walked = (
    select(_earlier.id, _earlier.snapshot_id, _earlier.conditions_id, _earlier.finished_at)
    .where(
        _earlier.page_id == Audit.page_id,
        _earlier.profile_id == Audit.profile_id,
        _earlier.environment == Audit.environment,
        _earlier.state == AuditState.FINISHED,
        _earlier.finished_at < case((Audit.finished_at < _BY, Audit.finished_at), else_=_BY),
        _earlier.workspace_id == Audit.workspace_id,
        within(_earlier.workspace_id, _earlier.site_id),
    )
    .order_by(_earlier.finished_at.desc(), _earlier.id.desc())
    .limit(bindparam("farthest", type_=Integer()))
    .correlate(Audit)
    .subquery("walked")
)
_newest_before = (
    select(_walked.c.id, _walked.c.conditions_id, _walked.c.finished_at)
    .join(_taken, _taken.id == _walked.c.snapshot_id)
    .where(
        # Confirmations share their hour with what they confirm: with them one bad hour would be half of what was before.
        _taken.confirms_id.is_(None),
        *on_the_line(_taken),
        within(_taken.workspace_id, _taken.site_id),
    )
    .order_by(_walked.c.finished_at.desc(), _walked.c.id.desc())
    .limit(bindparam("limit", type_=Integer()))
    .correlate(Audit)
)
_own = (
    Audit.snapshot_id == bindparam("snapshot", type_=Uuid()),
    Audit.state == AuditState.FINISHED,
    _OF_PAGES,
    within(Audit.workspace_id, Audit.site_id),
)
_lateral = _newest_before.lateral("earlier")
_BEFORE: Query[_Earlier] = Query(
    _Earlier,
    select(Audit.id.label("of"), _lateral.c.id, _lateral.c.conditions_id, _lateral.c.finished_at)
    .select_from(Audit)
    .join(_lateral, true())
    .where(*_own),
    sqlite=select(Audit.id.label("of"), _there.id, _there.conditions_id, _there.finished_at)
    .select_from(Audit)
    .join(_there, _there.id.in_(_newest_before.with_only_columns(_walked.c.id)))
    .where(*_own, within(_there.workspace_id, _there.site_id)),
)
"""Audit by audit through the index: the newest ones before it, whatever their conditions, in no order."""

_RUNS = query(RunOfSample, Run).where(one_of(Run.audit_id, "audits"), within(Run.workspace_id, Run.site_id))
_RUNS = Query(RunOfSample, _RUNS.statement.order_by(Run.audit_id, Run.index))


async def read(
    reader: Reader,
    reach: Reach,
    snapshot: SnapshotRow,
    line: Line,
    confirming: Sequence[UUID],
    pages: Collection[UUID] | None = None,
) -> Sequence[Sample]:
    """Of each audit that the snapshot finished, of all its pages or of these. `confirming`: the snapshots that look into it."""
    chosen = {"all_pages": pages is None, "pages": pages or ()}
    own = await reader.all(_AUDITS, snapshots=[snapshot.id, *confirming], reach=reach.held, **chosen)
    asked = {"snapshot": snapshot.id, "limit": EARLIER, "farthest": FARTHEST, **line._asdict(), **chosen}
    earlier = await reader.all(_BEFORE, reach=reach.held, **asked)
    runs = await _runs(reader, reach, {row.id for row in own} | {row.id for row in earlier})
    later: dict[tuple[UUID, UUID, UUID | None], list[Sequence[RunOfSample]]] = {}
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
            samples.append(Sample(audit, alike, since, len(alike) < len(those)))
    return samples


async def _runs(reader: Reader, reach: Reach, audits: Collection[UUID]) -> Mapping[UUID, Sequence[RunOfSample]]:
    found: dict[UUID, list[RunOfSample]] = {audit: [] for audit in audits}
    ordered = sorted(audits)
    for start in range(0, len(ordered), PIECE):
        for row in await reader.all(_RUNS, audits=ordered[start : start + PIECE], reach=reach.held):
            found[row.audit_id].append(row)
    return found
