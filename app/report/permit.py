"""Who may see a report: whoever holds a link that was signed for it, or a key of its workspace."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam

from app.doors.bearer import key_holder
from app.wiring import House
from domain import audits, files, workspaces
from domain.access import Reach
from domain.base import query
from domain.ids import Kind, parse
from domain.keyring import LINKS


class _OwnerRow(NamedTuple):
    workspace_id: UUID


_OWNER = (
    query(_OwnerRow, audits.Audit)
    .where(audits.Audit.id == bindparam("id"))
    .where(workspaces.Workspace.id == audits.Audit.workspace_id, workspaces.Workspace.deleted_at.is_(None))
    .beyond_reach("The signature speaks for the workspace that made the link.")
)


async def permitted(house: House, id: str, token: str, authorization: str, now: datetime) -> audits.AuditRow | None:
    """The audit; None for one that is not there, not yours, or behind a link that is forged or has expired."""
    kind, audit_id = parse(id) or (None, None)
    if kind is not Kind.AUDIT or audit_id is None:
        return None
    reader = house.database.reader
    if files.signed_id(token, now, house.keyring.derive(LINKS)) == audit_id:
        owner = await reader.first(_OWNER, id=audit_id)
        reach = Reach.whole(owner.workspace_id) if owner else Reach()
    else:
        holder = await key_holder(house, authorization)
        reach = holder.reach if holder else Reach()
    return (await audits.by_ids(reader, reach, [audit_id])).get(audit_id) if reach.held else None
