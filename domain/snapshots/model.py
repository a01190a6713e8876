"""The table of snapshots, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base


class Cause(StrEnum):
    """Who or what started a snapshot."""

    PERSON = "PERSON"
    SCHEDULE = "SCHEDULE"
    DEPLOY = "DEPLOY"
    BUILD = "BUILD"
    CONFIRMATION = "CONFIRMATION"


class SnapshotState(StrEnum):
    """How a snapshot stands. The last two are final."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


_RUNNING = text("state = 'RUNNING'")


class Snapshot(Base):
    """`filled_at` null: more of its audits are still to be asked for. `confirms_id`: the one whose suspicions it looks into.
    `judged_at` null: its verdicts are not there, or not final.
    """

    __tablename__ = "snapshots"
    __table_args__ = (
        Index(None, "workspace_id", "id"),
        Index(None, "site_id", "environment", "id"),
        Index(None, "site_id", "environment", "commit_hash"),
        Index(None, "confirms_id"),
        Index("ix_snapshots_running", "id", postgresql_where=_RUNNING, sqlite_where=_RUNNING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    cause: Mapped[Cause]
    state: Mapped[SnapshotState]
    name: Mapped[str | None]
    environment: Mapped[str]
    base_url: Mapped[str | None]
    runs: Mapped[int | None]
    schedule_id: Mapped[UUID | None]
    commit_hash: Mapped[str | None]
    branch: Mapped[str | None]
    ancestor_hash: Mapped[str | None]
    author: Mapped[str | None]
    message: Mapped[str | None]
    committed_at: Mapped[datetime | None]
    build_url: Mapped[str | None]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    filled_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    confirms_id: Mapped[UUID | None]
    judged_at: Mapped[datetime | None]


class SnapshotRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    cause: Cause
    state: SnapshotState
    name: str | None
    environment: str
    base_url: str | None
    runs: int | None
    schedule_id: UUID | None
    commit_hash: str | None
    branch: str | None
    ancestor_hash: str | None
    author: str | None
    message: str | None
    committed_at: datetime | None
    build_url: str | None
    requested_at: datetime
    filled_at: datetime | None
    finished_at: datetime | None
    confirms_id: UUID | None
    judged_at: datetime | None


class Progress(NamedTuple):
    """How many of a snapshot's audits stand how."""

    total: int = 0
    queued: int = 0
    running: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
