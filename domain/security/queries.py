"""Reads of the security log."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam

from ..base import Query, query
from ..paging import Keyset
from ..ports import Reader
from .model import SecurityEntry, SecurityRow

_ENTRIES = query(SecurityRow, SecurityEntry)

LOG = Keyset(
    "securityLog",
    _ENTRIES,
    parent=SecurityEntry.workspace_id,
    tenant=SecurityEntry.workspace_id,
    keys=(SecurityEntry.id,),
    descending=True,
)
"""A workspace's, the newest first."""

OF_PERSON = Keyset(
    "accountLog",
    _ENTRIES.where(SecurityEntry.workspace_id.is_(None)).beyond_reach("What belongs to no workspace, by the person's own id."),
    parent=SecurityEntry.user_id,
    tenant=None,
    keys=(SecurityEntry.id,),
    descending=True,
)
"""A person's, about their account alone, the newest first; only for themselves."""

BATCH = 500
_LATER = Query(
    SecurityRow,
    _ENTRIES.statement.where(SecurityEntry.id > bindparam("after"), SecurityEntry.at >= bindparam("since"))
    .order_by(SecurityEntry.id)
    .limit(BATCH),
)
_LATER_OF_ALL = _LATER.beyond_reach("An operator at the command line exports what happened in the whole installation.")
_LATER_OF_ONE = _LATER.where(SecurityEntry.workspace_id == bindparam("workspace_id"))


async def export(reader: Reader, *, since: datetime, workspace_id: UUID | None = None) -> AsyncGenerator[SecurityRow, None]:
    """All that was written since then, in the order in which it was, of one workspace or of the whole installation."""
    query, values = (_LATER_OF_ALL, {}) if workspace_id is None else (_LATER_OF_ONE, {"workspace_id": workspace_id})
    after = UUID(int=0)
    while True:
        rows = await reader.all(query, after=after, since=since, **values)
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        after = rows[-1].id
