"""Reads of files."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import bindparam

from ..access import Reach
from ..base import Query, one_of, query, within
from ..ports import Reader, Storage
from ..workspaces import Workspace
from .model import File, FileRow

_FILES = query(FileRow, File)
_BY_AUDIT = Query(
    FileRow,
    _FILES.where(one_of(File.audit_id, "audits"), within(File.workspace_id, File.site_id)).statement.order_by(
        File.run, File.position
    ),
)
_BY_ID = _FILES.where(one_of(File.id, "ids"), within(File.workspace_id, File.site_id))
_SIGNED = _FILES.where(
    File.id == bindparam("id"), Workspace.id == File.workspace_id, Workspace.deleted_at.is_(None)
).beyond_reach("Whoever holds a signed link may fetch its file.")


async def by_audits(reader: Reader, reach: Reach, audits: Collection[UUID]) -> Mapping[UUID, Sequence[FileRow]]:
    """All files of each audit, by run and position."""
    found: dict[UUID, list[FileRow]] = {audit: [] for audit in audits}
    for row in await reader.all(_BY_AUDIT, audits=audits, reach=reach.held):
        found[row.audit_id].append(row)
    return found


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, FileRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


async def fetch(reader: Reader, storage: Storage, file_id: UUID) -> tuple[FileRow, bytes] | None:
    """A file and its decoded bytes, for whoever holds a signed link to it."""
    row = await reader.first(_SIGNED, id=file_id)
    if row is None:
        return None
    data = await storage.get(row.storage_key)
    return row, gzip.decompress(data) if row.content_encoding == "gzip" else data
