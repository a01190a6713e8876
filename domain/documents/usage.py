"""How documents are used: counted in the process, and added to the database now and then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update

from ..base import one_of, query
from ..ids import new_id
from ..work import Work
from ..workspaces import Workspace
from . import rules
from .model import ApiClient, Document, DocumentUsage, PushedVersion, UsageRow

MOST = 10_000
"""So many counts are kept apart by version; what comes beyond them is counted as of none."""


class Used(NamedTuple):
    """What was counted of one document for one version of a client; `durations` by rules.BOUNDARIES."""

    workspace_id: UUID
    document_id: UUID
    client_id: UUID | None
    version: str
    errors: int
    durations: Sequence[int]

    @property
    def calls(self) -> int:
        return sum(self.durations)


class _Cell:
    __slots__ = ("durations", "errors", "workspace_id")

    def __init__(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self.errors = 0
        self.durations = [0] * rules.BUCKETS

    def add(self, errors: int, durations: Sequence[int]) -> None:
        self.errors += errors
        self.durations = [one + other for one, other in zip(self.durations, durations, strict=True)]


_Key = tuple[UUID, UUID | None, str]


class Usage:
    """What this process answered since it was last asked. It never waits; one thread uses it."""

    def __init__(self) -> None:
        self._cells: dict[_Key, _Cell] = {}

    def record(
        self, workspace_id: UUID, document_id: UUID, client_id: UUID | None, version: str, seconds: float, failed: bool
    ) -> None:
        """One operation has ended, so many seconds after it began. What is no version counts as none."""
        cell = self._cells.get((document_id, client_id, version)) or self._cell(workspace_id, document_id, client_id, version)
        cell.durations[rules.bucket(seconds)] += 1
        cell.errors += failed

    def drain(self) -> Sequence[Used]:
        """All of it, which is then forgotten here."""
        cells, self._cells = self._cells, {}
        return [Used(cell.workspace_id, *key, cell.errors, cell.durations) for key, cell in cells.items()]

    def restore(self, used: Sequence[Used]) -> None:
        """What was drained and could not be written: it is given again the next time."""
        for each in used:
            cell = self._cell(each.workspace_id, each.document_id, each.client_id, each.version)
            cell.add(each.errors, each.durations)

    def _cell(self, workspace_id: UUID, document_id: UUID, client_id: UUID | None, version: str) -> _Cell:
        if not rules.is_version(version):
            version = ""
        cell = self._cells.get((document_id, client_id, version))
        if cell is None and len(self._cells) >= MOST:
            version = ""
            cell = self._cells.get((document_id, client_id, version))
        if cell is None:
            cell = self._cells[document_id, client_id, version] = _Cell(workspace_id)
        return cell


class _IdRow(NamedTuple):
    workspace_id: UUID
    id: UUID


class _VersionRow(NamedTuple):
    workspace_id: UUID
    client_id: UUID | None
    version: str


_DOCUMENTS = query(_IdRow, Document).where(one_of(Document.id, "ids"), one_of(Document.workspace_id, "workspaces"))
_CLIENTS = query(_IdRow, ApiClient).where(one_of(ApiClient.id, "ids"), one_of(ApiClient.workspace_id, "workspaces"))
_VERSIONS = query(_VersionRow, PushedVersion).where(
    one_of(PushedVersion.workspace_id, "workspaces"), one_of(PushedVersion.version, "versions")
)
_BEFORE = query(UsageRow, DocumentUsage).where(
    one_of(DocumentUsage.workspace_id, "workspaces"),
    one_of(DocumentUsage.document_id, "documents"),
    one_of(DocumentUsage.version, "versions"),
)
_TURNS = select(Workspace.id).where(one_of(Workspace.id, "workspaces")).order_by(Workspace.id).with_for_update(key_share=True)


async def count(work: Work, used: Sequence[Used]) -> None:
    """Add what a process counted. What is gone in the meantime is not; a version never pushed for the client counts as none."""
    workspaces = {each.workspace_id for each in used}
    # Two processes that count at once wait for each other, and both for who deletes what they count.
    await work.db.execute(_TURNS, {"workspaces": workspaces})
    cells = await _known(work, workspaces, used)
    if not cells:
        return
    keys = {"documents": {key[0] for key in cells}, "versions": {key[2] for key in cells}}
    before = {
        (row.document_id, row.client_id, row.version): row for row in await work.db.all(_BEFORE, workspaces=workspaces, **keys)
    }
    new, changed = list[dict[str, Any]](), list[dict[str, Any]]()
    for key, cell in cells.items():
        row = before.get(key)
        if row is not None:
            cell.add(row.errors, row.durations)
        counted = {"errors": cell.errors, "durations": cell.durations, "calls": sum(cell.durations), "last_at": work.now}
        if row is not None:
            changed.append({"id": row.id, **counted})
        else:
            names = dict(zip(("document_id", "client_id", "version"), key, strict=True))
            new.append({"id": new_id(), "workspace_id": cell.workspace_id, **names, **counted})
    if new:
        await work.db.execute(insert(DocumentUsage), new)
    if changed:
        await work.db.execute(update(DocumentUsage), changed)


async def _known(work: Work, workspaces: Collection[UUID], used: Sequence[Used]) -> Mapping[_Key, _Cell]:
    """What there is to count of documents and clients that are still there, under the versions that were pushed."""
    documents = await work.db.all(_DOCUMENTS, workspaces=workspaces, ids={each.document_id for each in used})
    clients = await work.db.all(_CLIENTS, workspaces=workspaces, ids={each.client_id for each in used if each.client_id})
    versions = set(await work.db.all(_VERSIONS, workspaces=workspaces, versions={each.version for each in used}))
    there = {*documents, *clients}
    cells = dict[_Key, _Cell]()
    for each in used:
        ids = {each.document_id, each.client_id} - {None}
        if not all((each.workspace_id, id) in there for id in ids):
            continue
        pushed = {(each.workspace_id, client, each.version) for client in (each.client_id, None)}
        key = (each.document_id, each.client_id, each.version if pushed & versions else "")
        cell = cells.setdefault(key, _Cell(each.workspace_id))
        cell.add(each.errors, each.durations)
    return cells
