"""What is done to API clients and their documents. Whoever writes here waits for the workspace's other writers first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, update

from .. import security
from ..access import Permission, Reach
from ..base import Query, count, query
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode
from ..ids import Kind, encode, new_id
from ..security import SecurityKind
from ..work import Work
from . import pushing, queries, rules
from .model import ApiClient, ClientRow, Document, DocumentAlias, DocumentRow, DocumentUsage, Pushed
from .rules import Checked, ClientMode

PIECE = 1_000
"""At most so many documents are pruned in one transaction."""


_NUMBER = count(ApiClient, ApiClient.workspace_id == bindparam("workspace_id"))


def _stale(client: bool) -> Query[DocumentRow]:
    """The workspace's documents that nobody used since, nor pushed: nobody at all, or not this client, which once did."""
    ids = exists().where(DocumentAlias.document_id == Document.id)
    if client:
        ids = ids.where(DocumentAlias.client_id == bindparam("client_id"))
    found = query(DocumentRow, Document).where(
        Document.workspace_id == bindparam("workspace_id"),
        Document.id > bindparam("after"),
        Document.created_at < bindparam("since"),
        ~ids.where(DocumentAlias.pushed_at >= bindparam("since")),
        ~exists().where(DocumentUsage.document_id == Document.id, DocumentUsage.last_at >= bindparam("since")),
    )
    found = found.where(ids) if client else found
    return Query(DocumentRow, found.statement.order_by(Document.id).limit(bindparam("limit")))


_STALE, _STALE_OF_CLIENT = _stale(client=False), _stale(client=True)
_FIRST = UUID(int=0)


async def create_client(work: Work, *, workspace_id: UUID, name: str, mode: ClientMode) -> UUID:
    """A new API client, without a key and without documents."""
    work.actor.require(Permission.DOCUMENT_WRITE, workspace_id)
    name = rules.check_name(name)
    await _refuse_bound(work)
    await pushing.take_turn(work, workspace_id)
    await _refuse_name(work, workspace_id, name)
    there = await work.db.first(_NUMBER, workspace_id=workspace_id)
    if there is not None and there.number >= rules.MAX_CLIENTS:
        raise LimitReached(f"A workspace has at most {rules.MAX_CLIENTS:,} API clients.", rules.MAX_CLIENTS)
    id = new_id()
    work.db.add(ApiClient(id=id, workspace_id=workspace_id, name=name, mode=mode, created_at=work.now))
    await work.db.flush()
    _log(work, workspace_id, id, change="created", name=name, mode=str(mode))
    return id


async def change_client(work: Work, *, client_id: UUID, name: str | None = None, mode: ClientMode | None = None) -> UUID:
    """Call it otherwise, or let it send other operations from now on; None leaves what is."""
    row = await _client(work, client_id)
    work.actor.require(Permission.DOCUMENT_WRITE, row.workspace_id)
    name = rules.check_name(name) if name is not None else None
    await _refuse_bound(work)
    await pushing.take_turn(work, row.workspace_id)
    row = await _client(work, client_id)  # somebody else may have changed it before
    name = name or row.name
    if name != row.name:
        await _refuse_name(work, row.workspace_id, name)
    values = {"name": name, "mode": mode or row.mode}
    await work.db.execute(update(ApiClient).where(ApiClient.id == client_id).values(**values))
    if (name, mode or row.mode) != (row.name, row.mode):
        now = {"name": name, "mode": str(mode or row.mode)}
        _log(work, row.workspace_id, client_id, change="changed", **now, formerName=row.name, formerMode=str(row.mode))
    return client_id


async def delete_client(work: Work, *, client_id: UUID) -> UUID:
    """Its keys open nothing any more, its ids name nothing; documents that it alone registered are left to pruning."""
    row = await _client(work, client_id)
    work.actor.require(Permission.DOCUMENT_WRITE, row.workspace_id)
    await _refuse_bound(work)
    await pushing.take_turn(work, row.workspace_id)
    gone = delete(ApiClient).where(ApiClient.id == client_id).returning(ApiClient.name, ApiClient.mode)
    for name, mode in await work.db.execute(gone):
        _log(work, row.workspace_id, client_id, change="deleted", name=name, mode=str(mode))
    return client_id


async def push(work: Work, *, workspace_id: UUID, client_id: UUID | None, version: str, documents: Sequence[Checked]) -> Pushed:
    """Register documents for a client, or for the whole workspace. What cannot be is told, and the others are stored.

    An id never gets another text, and nothing is deleted. Raises LimitReached, having stored none.
    """
    work.actor.require(Permission.DOCUMENT_WRITE, workspace_id)
    if not rules.is_version(version):
        message = f"A version is 1 to {rules.MAX_VERSION} letters, digits and . _ + -"
        raise InvalidInput.at("version", message)
    if len(documents) > rules.MAX_PUSHED:
        message = f"At most {rules.MAX_PUSHED:,} documents are pushed at once."
        raise InvalidInput.at("documents", message, ProblemCode.TOO_MANY)
    await _refuse_bound(work)
    await pushing.take_turn(work, workspace_id)
    await _require_client(work, workspace_id, client_id)
    return await pushing.store(work, workspace_id, client_id, version, documents)


async def prune(
    work: Work,
    *,
    workspace_id: UUID,
    client_id: UUID | None = None,
    unused_since: datetime,
    dry: bool = False,
    after: UUID | None = None,
) -> Sequence[DocumentRow]:
    """Forget documents that were neither pushed nor used since, and say which; `dry` only says which they would be.

    At most PIECE at once, the oldest first; `after` goes on behind the last of them. With a client, its registrations
    go, and documents that nobody else registered.
    """
    work.actor.require(Permission.DOCUMENT_WRITE, workspace_id)
    await pushing.take_turn(work, workspace_id)
    await _require_client(work, workspace_id, client_id)
    bounds = {"workspace_id": workspace_id, "since": unused_since, "after": after or _FIRST, "limit": PIECE}
    if client_id is None:
        rows = await work.db.all(_STALE, **bounds)
    else:
        rows = await work.db.all(_STALE_OF_CLIENT, client_id=client_id, **bounds)
    if rows and not dry:
        ids = [row.id for row in rows]
        documents = delete(Document).where(Document.id.in_(ids))
        if client_id is not None:
            registered = DocumentAlias.document_id.in_(ids), DocumentAlias.client_id == client_id
            await work.db.execute(delete(DocumentAlias).where(*registered))
            documents = documents.where(~exists().where(DocumentAlias.document_id == Document.id))
        await work.db.execute(documents)
    return rows


async def _refuse_bound(work: Work) -> None:
    """Raises NotAllowed for the key of a client that sends registered documents only: it would register what it likes."""
    if (client_id := work.actor.client_id) is not None:
        own = (await queries.clients_by_ids(work.db, work.actor.reach, [client_id])).get(client_id)
        if own is not None and own.mode is ClientMode.REGISTERED_ONLY:
            message = "This key's client sends registered documents only: somebody else registers them."
            raise NotAllowed(message, Permission.DOCUMENT_WRITE)


async def _client(work: Work, client_id: UUID) -> ClientRow:
    row = (await queries.clients_by_ids(work.db, work.actor.reach, [client_id])).get(client_id)
    if row is None:
        raise work.actor.absent(Permission.DOCUMENT_WRITE, Kind.CLIENT, client_id)
    return row


async def _require_client(work: Work, workspace_id: UUID, client_id: UUID | None) -> None:
    if client_id is not None and client_id not in await queries.clients_by_ids(work.db, Reach.whole(workspace_id), [client_id]):
        raise NotFound("There is no such client in this workspace.", encode(Kind.CLIENT, client_id))


async def _refuse_name(work: Work, workspace_id: UUID, name: str) -> None:
    existing = await queries.client_by_name(work.db, Reach.whole(workspace_id), workspace_id, name)
    if existing is not None:
        message = "A client of this workspace has this name already."
        raise Conflict(message, ProblemCode.ALREADY_EXISTS, (Kind.CLIENT, existing.id))


def _log(work: Work, workspace_id: UUID, client_id: UUID, **details: Any) -> None:
    subject = encode(Kind.CLIENT, client_id)
    security.log(work, SecurityKind.CLIENT_CHANGED, workspace_id=workspace_id, subject=subject, **details)
