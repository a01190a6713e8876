"""A push: what is new is stored, what is there is left as it is, and what cannot be is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from ..base import Query, count, one_of, query
from ..errors import LimitReached
from ..ids import new_id
from ..work import Work
from ..workspaces import Workspace
from . import rules
from .model import Document, DocumentAlias, Pushed, PushedVersion
from .rules import Checked


class _AliasRow(NamedTuple):
    id: UUID
    alias: str
    hash: str


class _HashRow(NamedTuple):
    id: UUID
    hash: str


_NUMBER = count(DocumentAlias, DocumentAlias.workspace_id == bindparam("workspace_id"))
_ALIASES = Query(
    _AliasRow,
    query(_AliasRow, DocumentAlias, Document)
    .statement.join(Document, Document.id == DocumentAlias.document_id)
    .where(DocumentAlias.workspace_id == bindparam("workspace_id"), one_of(DocumentAlias.alias, "aliases")),
)
_HASHES = query(_HashRow, Document).where(Document.workspace_id == bindparam("workspace_id"), one_of(Document.hash, "hashes"))

ANOTHER = "This id has another text already, and an id never changes: give the new text an id of its own."


async def take_turn(work: Work, workspace_id: UUID) -> None:
    """One writer of a workspace's documents at a time: each sees what those before it stored."""
    await work.db.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


async def store(work: Work, workspace_id: UUID, client_id: UUID | None, version: str, documents: Sequence[Checked]) -> Pushed:
    """For a client, or for the whole workspace. Raises LimitReached."""
    added, unchanged, refused = list[str](), list[str](), list[tuple[str, str]]()
    good = list[tuple[Checked, str]]()
    for document in documents:
        problem = rules.refusal(document)
        if problem is None:
            good.append((document, rules.hash_of(document.text)))
        else:
            refused.append((document.alias, problem))
    there = _ALIASES.where(DocumentAlias.client_id == client_id)
    aliases = await work.db.all(there, workspace_id=workspace_id, aliases=[document.alias for document, _ in good])
    taken = {row.alias: row.hash for row in aliases}
    new = list[tuple[Checked, str]]()
    for document, hash in good:
        if document.alias not in taken:
            added.append(document.alias)
            new.append((document, hash))
            taken[document.alias] = hash
        elif taken[document.alias] == hash:
            unchanged.append(document.alias)
        else:
            refused.append((document.alias, ANOTHER))
    again = set(unchanged)
    seen = [row.id for row in aliases if row.alias in again]
    await work.db.execute(update(DocumentAlias).where(DocumentAlias.id.in_(seen)).values(pushed_at=work.now))
    await _add(work, workspace_id, client_id, version, new)
    if added or unchanged:
        await _keep_version(work, workspace_id, client_id, version)
    return Pushed(added, unchanged, refused)


async def _add(
    work: Work, workspace_id: UUID, client_id: UUID | None, version: str, new: Sequence[tuple[Checked, str]]
) -> None:
    if not new:
        return
    number = await work.db.first(_NUMBER, workspace_id=workspace_id)
    if number is not None and number.number + len(new) > rules.MAX_ALIASES:
        message = f"A workspace has at most {rules.MAX_ALIASES:,} ids of documents: prune those that nobody uses any more."
        raise LimitReached(message, rules.MAX_ALIASES)
    rows = await work.db.all(_HASHES, workspace_id=workspace_id, hashes=[hash for _, hash in new])
    ids = {row.hash: row.id for row in rows}
    documents, aliases = [], []
    for document, hash in new:
        if hash not in ids:
            ids[hash] = new_id()
            documents.append(
                {
                    "id": ids[hash],
                    "workspace_id": workspace_id,
                    "hash": hash,
                    "text": document.text,
                    "name": document.names[0] if document.names else None,
                    "names": list(document.names),
                    "operation": document.operation,
                    "cost": document.cost,
                    "created_at": work.now,
                }
            )
        aliases.append(
            {
                "id": new_id(),
                "workspace_id": workspace_id,
                "document_id": ids[hash],
                "client_id": client_id,
                "alias": document.alias,
                "version": version,
                "created_at": work.now,
                "created_by": work.actor.name,
                "pushed_at": work.now,
            }
        )
    if documents:
        await work.db.execute(insert(Document), documents)
    await work.db.execute(insert(DocumentAlias), aliases)


async def _keep_version(work: Work, workspace_id: UUID, client_id: UUID | None, version: str) -> None:
    ours = (
        PushedVersion.workspace_id == workspace_id,
        PushedVersion.client_id == client_id,
        PushedVersion.version == version,
    )
    kept = await work.db.execute(update(PushedVersion).where(*ours).values(pushed_at=work.now).returning(PushedVersion.id))
    if kept.first() is None:
        work.db.add(
            PushedVersion(id=new_id(), workspace_id=workspace_id, client_id=client_id, version=version, pushed_at=work.now)
        )
        await work.db.flush()
