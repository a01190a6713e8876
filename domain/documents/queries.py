"""Reads of API clients and their documents: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from ..access import Reach
from ..base import Query, R, one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from . import rules
from .model import (
    AliasRow,
    ApiClient,
    ClientDocumentRow,
    ClientRow,
    Document,
    DocumentAlias,
    DocumentRow,
    DocumentUsage,
    UsageRow,
)

MOST = 100
"""Of a document's ids and of its users, so many are told: the newest, and those seen last."""


def _most(rows: Query[R], parent: Any, *order: Any) -> Query[R]:
    """The first MOST rows under each parent, in order."""
    place = func.row_number().over(partition_by=parent, order_by=order).label("place")
    inner = rows.statement.add_columns(place).subquery()
    columns = [column for column in inner.c if column.key != "place"]
    return Query(rows.row, select(*columns).where(inner.c.place <= MOST).order_by(inner.c.place))


_CLIENTS = query(ClientRow, ApiClient).where(within(ApiClient.workspace_id))
_CLIENT_BY_ID = _CLIENTS.where(one_of(ApiClient.id, "ids"))
_CLIENT_BY_NAME = _CLIENTS.where(ApiClient.workspace_id == bindparam("workspace_id"), ApiClient.name == bindparam("name"))
_DOCUMENTS = query(DocumentRow, Document)
_BY_ID = _DOCUMENTS.where(one_of(Document.id, "ids"), within(Document.workspace_id))
_ALIASES = _most(
    query(AliasRow, DocumentAlias).where(one_of(DocumentAlias.document_id, "documents"), within(DocumentAlias.workspace_id)),
    DocumentAlias.document_id,
    DocumentAlias.id.desc(),
)
_USAGE = _most(
    query(UsageRow, DocumentUsage).where(one_of(DocumentUsage.document_id, "documents"), within(DocumentUsage.workspace_id)),
    DocumentUsage.document_id,
    DocumentUsage.last_at.desc(),
    DocumentUsage.id.desc(),
)

CLIENTS = Keyset(
    "clients",
    query(ClientRow, ApiClient),
    parent=ApiClient.workspace_id,
    tenant=ApiClient.workspace_id,
    keys=(ApiClient.name, ApiClient.id),
)
"""A workspace's API clients, by name."""

DOCUMENTS = Keyset(
    "documents",
    _DOCUMENTS,
    parent=Document.workspace_id,
    tenant=Document.workspace_id,
    keys=(Document.id,),
    descending=True,
)
"""All that a workspace has, the newest first."""

_earlier = aliased(DocumentAlias)
OF_CLIENT = Keyset(
    "clientDocuments",
    Query(
        ClientDocumentRow,
        query(ClientDocumentRow, Document, DocumentAlias)
        .statement.join(DocumentAlias, DocumentAlias.document_id == Document.id)
        .where(
            # Once, under however many ids the client has it.
            ~exists().where(
                _earlier.workspace_id == DocumentAlias.workspace_id,
                _earlier.document_id == DocumentAlias.document_id,
                _earlier.client_id == DocumentAlias.client_id,
                _earlier.id < DocumentAlias.id,
            )
        ),
    ),
    parent=DocumentAlias.client_id,
    tenant=DocumentAlias.workspace_id,
    keys=(Document.id,),
    descending=True,
)
"""What a client registered itself, the newest documents first."""

_CLIENT = bindparam("client_id", type_=Uuid())
_HASH = bindparam("hash", type_=Text())
_HERE = bindparam("workspace_id", type_=Uuid())
_IDS = DocumentAlias.alias == bindparam("alias", type_=Text())
_registered = exists().where(
    DocumentAlias.document_id == Document.id, or_(DocumentAlias.client_id == _CLIENT, DocumentAlias.client_id.is_(None))
)
_FOUND = union_all(
    select(DocumentAlias.document_id.label("id"), literal(0).label("preference")).where(
        DocumentAlias.workspace_id == _HERE, DocumentAlias.client_id == _CLIENT, _IDS
    ),
    select(DocumentAlias.document_id, literal(1)).where(
        DocumentAlias.workspace_id == _HERE, DocumentAlias.client_id.is_(None), _IDS
    ),
    select(Document.id, literal(2)).where(
        Document.workspace_id == _HERE, Document.hash == _HASH, or_(_CLIENT.is_(None), _registered)
    ),
).subquery()
_RESOLVED = Query(
    DocumentRow,
    _DOCUMENTS.where(Document.workspace_id == _HERE)
    .statement.join(_FOUND, _FOUND.c.id == Document.id)
    .order_by(_FOUND.c.preference)
    .limit(1),
)


async def clients_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ClientRow]:
    return {row.id: row for row in await reader.all(_CLIENT_BY_ID, ids=ids, reach=reach.held)}


async def client_by_name(reader: Reader, reach: Reach, workspace_id: UUID, name: str) -> ClientRow | None:
    return await reader.first(_CLIENT_BY_NAME, workspace_id=workspace_id, name=name, reach=reach.held)


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, DocumentRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


async def aliases_by_documents(reader: Reader, reach: Reach, documents: Collection[UUID]) -> Mapping[UUID, Sequence[AliasRow]]:
    """The newest MOST of each document's, of all clients and the whole workspace's."""
    found: dict[UUID, list[AliasRow]] = {document: [] for document in documents}
    for row in await reader.all(_ALIASES, documents=documents, reach=reach.held):
        found[row.document_id].append(row)
    return found


async def usage_by_documents(reader: Reader, reach: Reach, documents: Collection[UUID]) -> Mapping[UUID, Sequence[UsageRow]]:
    """Each document's users, up to MOST of them, those seen last first."""
    found: dict[UUID, list[UsageRow]] = {document: [] for document in documents}
    for row in await reader.all(_USAGE, documents=documents, reach=reach.held):
        found[row.document_id].append(row)
    return found


async def resolve(reader: Reader, workspace_id: UUID, client_id: UUID | None, id: str) -> DocumentRow | None:
    """What a request means by this id: the client's own, the whole workspace's, or a hash, `sha256:` before it or bare.

    A hash finds what the client or the whole workspace registered; for a key of no client, all that the workspace has.
    """
    if not rules.is_id(id):
        return None
    return await reader.first(_RESOLVED, workspace_id=workspace_id, client_id=client_id, alias=id, hash=rules.hash_in(id))
