"""Reads of snapshots: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, bindparam, func, or_, select

from ..access import Reach
from ..audits import Audit, AuditRow, AuditState
from ..base import Query, one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from .model import Progress, Snapshot, SnapshotRow

_SNAPSHOTS = query(SnapshotRow, Snapshot)
_BY_ID = _SNAPSHOTS.where(one_of(Snapshot.id, "ids"), within(Snapshot.workspace_id, Snapshot.site_id))

_CAUSE = bindparam("cause", type_=Text())
_ENVIRONMENT = bindparam("environment", type_=Text())
_BRANCH = bindparam("branch", type_=Text())
_COMMIT = bindparam("commit", type_=Text())
_FILTERED = _SNAPSHOTS.where(
    or_(_CAUSE.is_(None), Snapshot.cause == _CAUSE),
    or_(_ENVIRONMENT.is_(None), Snapshot.environment == _ENVIRONMENT),
    or_(_BRANCH.is_(None), Snapshot.branch == _BRANCH),
    or_(_COMMIT.is_(None), Snapshot.commit_hash == _COMMIT),
)

SNAPSHOTS = Keyset(
    "snapshots",
    _FILTERED,
    parent=Snapshot.workspace_id,
    tenant=Snapshot.workspace_id,
    site=Snapshot.site_id,
    keys=[Snapshot.id],
    descending=True,
)
OF_SITE = Keyset(
    "siteSnapshots",
    _FILTERED,
    parent=Snapshot.site_id,
    tenant=Snapshot.workspace_id,
    site=Snapshot.site_id,
    keys=[Snapshot.id],
    descending=True,
)
"""The newest first; both take `cause`, `environment`, `branch` and `commit`, each a value or None."""

AUDITS = Keyset(
    "snapshotAudits",
    query(AuditRow, Audit),
    parent=Audit.snapshot_id,
    tenant=Audit.workspace_id,
    site=Audit.site_id,
    keys=[Audit.id],
)
"""Page by page, and of each page profile by profile: so they were asked for."""


class SnapshotPageRow(NamedTuple):
    snapshot_id: UUID
    page_id: UUID


PAGES = Keyset(
    "snapshotPages",
    Query(SnapshotPageRow, query(SnapshotPageRow, Audit).statement.distinct()),
    parent=Audit.snapshot_id,
    tenant=Audit.workspace_id,
    site=Audit.site_id,
    keys=[Audit.page_id],
)
_OF_PAGES = query(AuditRow, Audit).where(
    one_of(Audit.snapshot_id, "snapshots"), one_of(Audit.page_id, "pages"), within(Audit.workspace_id, Audit.site_id)
)
_OF_PAGES = Query(AuditRow, _OF_PAGES.statement.order_by(Audit.id))


async def audits_by_pages(
    reader: Reader, reach: Reach, keys: Collection[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], Sequence[AuditRow]]:
    """By (snapshot, page), in the order in which they were asked for."""
    found: dict[tuple[UUID, UUID], list[AuditRow]] = {key: [] for key in keys}
    given = {"snapshots": {snapshot for snapshot, _ in keys}, "pages": {page for _, page in keys}}
    for row in await reader.all(_OF_PAGES, reach=reach.held, **given):
        if row.snapshot_id is not None and (key := (row.snapshot_id, row.page_id)) in found:
            found[key].append(row)
    return found


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, SnapshotRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


_CONFIRMING = Query(
    SnapshotRow,
    _SNAPSHOTS.where(one_of(Snapshot.confirms_id, "ids"), within(Snapshot.workspace_id, Snapshot.site_id)).statement.order_by(
        Snapshot.id
    ),
)


async def confirmations_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, Sequence[SnapshotRow]]:
    """Those that look once more into what each made suspect, in their order."""
    found: dict[UUID, list[SnapshotRow]] = {id: [] for id in ids}
    for row in await reader.all(_CONFIRMING, ids=ids, reach=reach.held):
        assert row.confirms_id is not None
        found[row.confirms_id].append(row)
    return found


class _StateRow(NamedTuple):
    snapshot_id: UUID
    state: AuditState
    number: int


_STATES = Query(
    _StateRow,
    select(Audit.snapshot_id, Audit.state, func.count().label("number"))
    .where(one_of(Audit.snapshot_id, "ids"), within(Audit.workspace_id, Audit.site_id))
    .group_by(Audit.snapshot_id, Audit.state),
)


async def progress_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, Progress]:
    found = dict.fromkeys(ids, Progress())
    for row in await reader.all(_STATES, ids=ids, reach=reach.held):
        so_far = found[row.snapshot_id]
        found[row.snapshot_id] = so_far._replace(**{"total": so_far.total + row.number, row.state.lower(): row.number})
    return found
