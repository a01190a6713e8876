"""Tables of deploys and annotations, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base


class Deploy(Base):
    """Another version of a site went live. `snapshot_id`: what was measured of it, where that was asked for."""

    __tablename__ = "deploys"
    __table_args__ = (Index(None, "site_id", "at", "id"), Index(None, "workspace_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    environment: Mapped[str]
    version: Mapped[str]
    commit_hash: Mapped[str | None]
    branch: Mapped[str | None]
    author: Mapped[str | None]
    message: Mapped[str | None]
    url: Mapped[str | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    # No foreign key: a deploy outlives what was measured of it.
    snapshot_id: Mapped[UUID | None]


class Annotation(Base):
    """What somebody wrote to a time of a site, or of one page of it."""

    __tablename__ = "annotations"
    __table_args__ = (Index(None, "site_id", "at", "id"), Index(None, "page_id"), Index(None, "workspace_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    page_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    text: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class DeployRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    environment: str
    version: str
    commit_hash: str | None
    branch: str | None
    author: str | None
    message: str | None
    url: str | None
    at: datetime
    recorded_at: datetime
    snapshot_id: UUID | None


class AnnotationRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    page_id: UUID | None
    at: datetime
    text: str
    created_at: datetime
