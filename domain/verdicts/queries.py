"""Reads of verdicts: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Text, bindparam, or_

from ..access import Reach
from ..base import one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from .model import Verdict, VerdictRow

_VERDICTS = query(VerdictRow, Verdict)
_BY_ID = _VERDICTS.where(one_of(Verdict.id, "ids"), within(Verdict.workspace_id, Verdict.site_id))

_JUDGEMENT = bindparam("judgement", type_=Text())
_FILTERED = _VERDICTS.where(or_(_JUDGEMENT.is_(None), Verdict.judgement == _JUDGEMENT))

OF_SNAPSHOT = Keyset(
    "snapshotVerdicts",
    _FILTERED,
    parent=Verdict.snapshot_id,
    tenant=Verdict.workspace_id,
    site=Verdict.site_id,
    keys=[Verdict.id],
)
OF_PAGE = Keyset(
    "pageVerdicts",
    _FILTERED,
    parent=Verdict.page_id,
    tenant=Verdict.workspace_id,
    site=Verdict.site_id,
    keys=[Verdict.id],
    descending=True,
)
"""The newest first; all take `judgement`, a value or None."""

OF_WORKSPACE = Keyset(
    "verdicts",
    _FILTERED,
    parent=Verdict.workspace_id,
    tenant=Verdict.workspace_id,
    site=Verdict.site_id,
    keys=[Verdict.id],
    descending=True,
)


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, VerdictRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}
