"""Reads of verdicts: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from ..access import Reach
from ..base import Query, one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from ..snapshots import Snapshot
from .model import Verdict, VerdictRow
from .rules import Judgement

_VERDICTS = query(VerdictRow, Verdict)
_BY_ID = _VERDICTS.where(one_of(Verdict.id, "ids"), within(Verdict.workspace_id, Verdict.site_id))

_JUDGEMENT = bindparam("judgement", None, type_=Text())
_METRIC = bindparam("metric", None, type_=Text())
_PROFILE = bindparam("profile", None, type_=Uuid())
_ENVIRONMENT = bindparam("environment", None, type_=Text())
_FILTERED = _VERDICTS.where(
    or_(_METRIC.is_(None), Verdict.metric == _METRIC),
    or_(_PROFILE.is_(None), Verdict.profile_id == _PROFILE),
    or_(
        _ENVIRONMENT.is_(None),
        exists().where(
            Snapshot.id == Verdict.snapshot_id,
            Snapshot.environment == _ENVIRONMENT,
            within(Snapshot.workspace_id, Snapshot.site_id),
        ),
    ),
)
_JUDGED = _FILTERED.where(Verdict.judgement == _JUDGEMENT)

OF_SNAPSHOT = Keyset(
    "snapshotVerdicts",
    _FILTERED.where(or_(_JUDGEMENT.is_(None), Verdict.judgement == _JUDGEMENT)),
    parent=Verdict.snapshot_id,
    tenant=Verdict.workspace_id,
    site=Verdict.site_id,
    keys=[Verdict.id],
)


def _list(name: str, parent: InstrumentedAttribute[UUID], *, judged: bool) -> Keyset[VerdictRow]:
    return Keyset(
        name,
        _JUDGED if judged else _FILTERED,
        parent=parent,
        tenant=Verdict.workspace_id,
        site=Verdict.site_id,
        keys=[Verdict.id],
        descending=True,
    )


# Those that say one thing are a list of their own, for which there is an index: regressions are few among many.
OF_PAGE = {judged: _list("pageVerdicts", Verdict.page_id, judged=judged) for judged in (False, True)}
OF_SITE = {judged: _list("siteVerdicts", Verdict.site_id, judged=judged) for judged in (False, True)}
OF_WORKSPACE = {judged: _list("verdicts", Verdict.workspace_id, judged=judged) for judged in (False, True)}
"""The newest first. All lists may be given `metric` (its column), `profile` and `environment`, and those that say one thing
(True) take `judgement`.
"""


class Counts(NamedTuple):
    """How many verdicts say what."""

    regressed: int = 0
    improved: int = 0
    no_evidence: int = 0
    incomparable: int = 0


class _CountRow(NamedTuple):
    snapshot_id: UUID
    judgement: Judgement
    number: int


_COUNTS = Query(
    _CountRow,
    select(Verdict.snapshot_id, Verdict.judgement, func.count().label("number"))
    .where(one_of(Verdict.snapshot_id, "ids"), within(Verdict.workspace_id, Verdict.site_id))
    .group_by(Verdict.snapshot_id, Verdict.judgement),
)


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, VerdictRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


async def counts_by_snapshots(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, Counts]:
    found = dict.fromkeys(ids, Counts())
    for row in await reader.all(_COUNTS, ids=ids, reach=reach.held):
        found[row.snapshot_id] = found[row.snapshot_id]._replace(**{row.judgement.value.lower(): row.number})
    return found
