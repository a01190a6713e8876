"""Reads of jobs: how the queues stand, and what was given up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select

from ..access import Reach
from ..base import Query, one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from ..work import StoredJob
from .model import JobRow, KindRow

_JOBS = query(JobRow, StoredJob)
_DEAD = _JOBS.where(StoredJob.dead_at.is_not(None))
_DEAD_BY_ID = _DEAD.where(one_of(StoredJob.id, "ids"), within(StoredJob.workspace_id))
_waits = (StoredJob.claim.is_(None)) & (StoredJob.dead_at.is_(None))


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_KINDS = Query(
    KindRow,
    select(
        StoredJob.kind,
        _number(_waits),
        _number(StoredJob.claim.is_not(None)),
        _number(StoredJob.dead_at.is_not(None)),
        _number(_waits & StoredJob.sent_at.is_(None)),
        _number(StoredJob.deliveries > 1),
        func.min(case((_waits, StoredJob.at))),
    )
    .group_by(StoredJob.kind)
    .order_by(StoredJob.kind),
).beyond_reach("Numbers alone, for the operator.")


DEAD = Keyset(
    "deadJobs",
    _DEAD,
    parent=StoredJob.workspace_id,
    tenant=StoredJob.workspace_id,
    keys=(StoredJob.id,),
    descending=True,
)
"""What was given up, the newest first."""


async def dead_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, JobRow]:
    return {row.id: row for row in await reader.all(_DEAD_BY_ID, ids=ids, reach=reach.held)}


async def by_kinds(reader: Reader) -> Sequence[KindRow]:
    """How the queues stand, of all workspaces."""
    return await reader.all(_KINDS)
