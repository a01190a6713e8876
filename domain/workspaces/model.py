"""Tables of tenants, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, column, table
from sqlalchemy.orm import Mapped, mapped_column

from ..access import Role
from ..base import Base, Json


class Workspace(Base):
    __tablename__ = "workspaces"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]
    # From then on nobody sees it; until it is purged its owners can bring it back.
    deleted_at: Mapped[datetime | None]


class Member(Base):
    __tablename__ = "members"
    __table_args__ = (Index(None, "user_id"),)

    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[Role]
    # Sees single sites only: those of `member_sites`.
    by_site: Mapped[bool] = mapped_column(default=False)
    joined_at: Mapped[datetime]


class MemberSite(Base):
    """A site that a member `by_site` has."""

    __tablename__ = "member_sites"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "user_id"], ["members.workspace_id", "members.user_id"], ondelete="CASCADE"),
        Index(None, "site_id"),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True)


class Invitation(Base):
    """Its row goes when somebody joins by it. `sites`: null for the whole workspace, else the hex of the sites' ids."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("workspace_id", "email"), UniqueConstraint("digest"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    email: Mapped[str]
    role: Mapped[Role]
    sites: Mapped[list[str] | None] = mapped_column(Json)
    digest: Mapped[str]
    invited_by: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


SITES = table("sites", column("id", Uuid()), column("workspace_id", Uuid()))
"""Their room stands above this one."""


class WorkspaceRow(NamedTuple):
    id: UUID
    slug: str
    name: str
    created_at: datetime


class MemberRow(NamedTuple):
    """A member, by the id of the person, with what is known of them."""

    workspace_id: UUID
    id: UUID
    role: Role
    by_site: bool
    joined_at: datetime
    name: str
    email: str | None


class MemberSiteRow(NamedTuple):
    workspace_id: UUID
    user_id: UUID
    site_id: UUID


class InvitationRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    email: str
    role: Role
    sites: list[str] | None
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class DeletedRow(NamedTuple):
    """A workspace that its owners can bring back until it is purged."""

    id: UUID
    slug: str
    name: str
    deleted_at: datetime
