"""Reads of the mails that are not sent."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from uuid import UUID

from sqlalchemy import bindparam, select

from ..base import Query
from ..keyring import MAIL, Keyring, Unsealed
from ..ports import Reader
from ..work import StoredJob
from . import rules
from .actions import KIND
from .model import Pending, PendingRow, StoredMail

BATCH = 500
_PENDING: Query[PendingRow] = Query(
    PendingRow,
    select(
        StoredMail.id,
        StoredMail.template,
        StoredMail.sealed,
        StoredMail.created_at,
        StoredJob.ready_at,
        StoredJob.claim_until,
        StoredJob.dead_at,
        StoredJob.error,
    )
    .join(StoredJob, StoredJob.subject == StoredMail.id)
    .where(StoredJob.kind == KIND, StoredMail.id > bindparam("after"))
    .order_by(StoredMail.id)
    .limit(BATCH),
).beyond_reach("For the operator at the command line.")


async def pending(reader: Reader, keyring: Keyring) -> AsyncGenerator[Pending, None]:
    """Those that wait and those that were given up, the oldest first; only for the operator at the command line."""
    after = UUID(int=0)
    while True:
        rows = await reader.all(_PENDING, after=after)
        for row in rows:
            yield Pending(row, _to(row, keyring))
        if len(rows) < BATCH:
            return
        after = rows[-1].id


def _to(row: PendingRow, keyring: Keyring) -> str | None:
    try:
        return rules.masked(json.loads(keyring.open(row.sealed, MAIL))["to"])
    except Unsealed:
        return None
