"""The table of files, and the row that reads give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base


class FileKind(StrEnum):
    """What a file holds."""

    REPORT = "REPORT"
    SCREENSHOT = "SCREENSHOT"
    FILMSTRIP = "FILMSTRIP"


class File(Base):
    """`audit_id` has no foreign key: audits stand above files, and a row outlives its audit until its bytes are gone."""

    __tablename__ = "files"
    __table_args__ = (Index(None, "audit_id", "run", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID]
    audit_id: Mapped[UUID]
    run: Mapped[int]
    kind: Mapped[FileKind]
    position: Mapped[int]
    at_ms: Mapped[float | None]
    storage_key: Mapped[str]
    bytes: Mapped[int]
    content_type: Mapped[str]
    content_encoding: Mapped[str | None]
    created_at: Mapped[datetime]


class FileRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    audit_id: UUID
    run: int
    kind: FileKind
    position: int
    at_ms: float | None
    storage_key: str
    bytes: int
    content_type: str
    content_encoding: str | None
