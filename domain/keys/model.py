"""Tables of API keys, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..access import Role
from ..base import Base, Json


class ApiKey(Base):
    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "workspace_id"), Index(None, "client_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    user_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    # A key of a deleted client opens nothing: it would be one of no client, which may send anything.
    client_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("api_clients.id", ondelete="CASCADE"))
    name: Mapped[str]
    prefix: Mapped[str]
    digest: Mapped[str]
    role: Mapped[Role]
    # Null: all that the role grants, and every site.
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    sites: Mapped[list[str] | None] = mapped_column(Json)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKeyRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    user_id: UUID | None
    name: str
    prefix: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None
    client_id: UUID | None
    scopes: list[str] | None
    sites: list[str] | None
    expires_at: datetime | None
    last_used_at: datetime | None
