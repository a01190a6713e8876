"""What is done with files."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import update

from ..access import Permission
from ..work import Work
from .model import File, FileKind


class Stored(NamedTuple):
    """Bytes that storage has already: what their row says."""

    id: UUID
    kind: FileKind
    position: int
    at_ms: float | None
    storage_key: str
    bytes: int
    content_type: str
    content_encoding: str | None


NOBODYS = UUID(int=0)


async def abandon(work: Work, *, audit_id: UUID) -> None:
    """What an earlier attempt at an audit stored is no longer the audit's: the next sweep deletes it.

    For the worker that just took the audit: the row that it claimed is its permission.
    """
    await work.db.execute(update(File).where(File.audit_id == audit_id).values(audit_id=NOBODYS))


async def keep(work: Work, *, workspace_id: UUID, site_id: UUID, audit_id: UUID, run: int, stored: list[Stored]) -> None:
    """Record what was stored for one run of an audit."""
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id, site_id)
    for file in stored:
        work.db.add(
            File(
                **file._asdict(),
                workspace_id=workspace_id,
                site_id=site_id,
                audit_id=audit_id,
                run=run,
                created_at=work.now,
            )
        )
    await work.db.flush()
