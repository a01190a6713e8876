"""The table of schedules, and the row that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json


class Schedule(Base):
    """`next_at` is when the scheduler looks at it next; null while it is paused. So is `quiet_at`: when it looks at whether it
    still brings something.

    From `firing_at` to `failures` is the firing that goes on: the moment it is for (null: none goes on), its snapshot, the
    page up to which audits were asked for, under which profiles, how many were, how many were not, and how often it failed.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("site_id", "name"),
        Index(None, "workspace_id", "name", "id"),
        Index(None, "page_id"),
        Index(None, "profile_id"),
        Index(None, "next_at"),
        Index(None, "quiet_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    page_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"))
    profile_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("profiles.id"))
    name: Mapped[str]
    environment: Mapped[str]
    runs: Mapped[int | None]
    cron: Mapped[str | None]
    every_minutes: Mapped[int | None]
    time_zone: Mapped[str]
    jitter_seconds: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    paused_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    firing_at: Mapped[datetime | None]
    snapshot_id: Mapped[UUID | None]
    reached: Mapped[UUID | None]
    profiles: Mapped[list[str] | None] = mapped_column(Json)
    asked: Mapped[int]
    skipped: Mapped[int]
    failures: Mapped[int]
    quiet_at: Mapped[datetime | None]


class ScheduleRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    page_id: UUID | None
    profile_id: UUID | None
    name: str
    environment: str
    runs: int | None
    cron: str | None
    every_minutes: int | None
    time_zone: str
    jitter_seconds: int
    created_at: datetime
    paused_at: datetime | None
    next_at: datetime | None
    last_at: datetime | None
    firing_at: datetime | None
    snapshot_id: UUID | None
    reached: UUID | None
    profiles: list[str] | None
    asked: int
    skipped: int
    failures: int
