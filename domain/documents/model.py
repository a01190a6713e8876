"""Tables of API clients, their documents and how those are used, and the rows that reads give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json
from .rules import ClientMode


def _unique(table: str, *columns: str) -> tuple[Index, Index]:
    """Unique for each client, and for what is the whole workspace's: null equals nothing, so that takes an index of its own."""
    common = text("client_id IS NULL")
    shared = [column for column in columns if column != "client_id"]
    return (
        Index(None, *columns, unique=True),
        Index(f"ix_{table}_common", *shared, unique=True, postgresql_where=common, sqlite_where=common),
    )


class ApiClient(Base):
    __tablename__ = "api_clients"
    __table_args__ = (Index(None, "workspace_id", "name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str]
    mode: Mapped[ClientMode]
    created_at: Mapped[datetime]


class Document(Base):
    """A text, once in a workspace however many registered it. `hash`: 64 hex digits of its SHA-256."""

    __tablename__ = "documents"
    __table_args__ = (Index(None, "workspace_id", "hash", unique=True), Index(None, "workspace_id", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    hash: Mapped[str]
    text: Mapped[str]
    name: Mapped[str | None]
    names: Mapped[list[str]] = mapped_column(Json)
    operation: Mapped[str]
    cost: Mapped[float]
    created_at: Mapped[datetime]


class DocumentAlias(Base):
    """Says that a client, or the whole workspace (null), registered the document, under this id and first in `version`."""

    __tablename__ = "document_aliases"
    __table_args__ = (
        *_unique("document_aliases", "workspace_id", "client_id", "alias"),
        Index(None, "client_id", "document_id"),
        Index(None, "document_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    document_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("documents.id", ondelete="CASCADE"))
    client_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("api_clients.id", ondelete="CASCADE"))
    alias: Mapped[str]
    version: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    pushed_at: Mapped[datetime]


class PushedVersion(Base):
    """A version for which something was pushed: what requests say of themselves is counted only if it is one."""

    __tablename__ = "pushed_versions"
    __table_args__ = (*_unique("pushed_versions", "workspace_id", "client_id", "version"), Index(None, "client_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    client_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("api_clients.id", ondelete="CASCADE"))
    version: Mapped[str]
    pushed_at: Mapped[datetime]


class DocumentUsage(Base):
    """What was asked by one version of a client, or by keys of none (null). `durations` counts calls by rules.BOUNDARIES."""

    __tablename__ = "document_usage"
    __table_args__ = (
        *_unique("document_usage", "document_id", "client_id", "version"),
        Index(None, "workspace_id"),
        Index(None, "client_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    document_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("documents.id", ondelete="CASCADE"))
    client_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("api_clients.id", ondelete="CASCADE"))
    version: Mapped[str]
    calls: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    errors: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    last_at: Mapped[datetime]
    durations: Mapped[list[int]] = mapped_column(Json)


class ClientRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    name: str
    mode: ClientMode
    created_at: datetime


class DocumentRow(NamedTuple):
    """`name` and `operation` are the first operation's, `names` all of them; an operation may have no name."""

    id: UUID
    workspace_id: UUID
    hash: str
    text: str
    name: str | None
    operation: str
    cost: float
    created_at: datetime
    names: Sequence[str]


class ClientDocumentRow(NamedTuple):
    """A document among those of a client: it begins as every document's row does."""

    id: UUID
    workspace_id: UUID
    hash: str
    text: str
    name: str | None
    operation: str
    cost: float
    created_at: datetime
    names: Sequence[str]
    client_id: UUID


class AliasRow(NamedTuple):
    """`client_id` None: the whole workspace's. `version` is the one in which it came, `pushed_at` when it last was."""

    id: UUID
    workspace_id: UUID
    document_id: UUID
    client_id: UUID | None
    alias: str
    version: str
    created_at: datetime
    created_by: str
    pushed_at: datetime


class UsageRow(NamedTuple):
    """`client_id` None: by keys of no client. `version` empty: one that was not told, or never pushed."""

    id: UUID
    workspace_id: UUID
    document_id: UUID
    client_id: UUID | None
    version: str
    calls: int
    errors: int
    last_at: datetime
    durations: Sequence[int]


class Pushed(NamedTuple):
    """What came of a push, by the ids that were given: `refused` with a reason each."""

    added: Sequence[str]
    unchanged: Sequence[str]
    refused: Sequence[tuple[str, str]]
