"""The table of verdicts, and the row that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base
from .rules import Judgement, Reason


class Verdict(Base):
    """One metric of one page under one profile in a snapshot, compared with the snapshots before.

    `change_low` to `change_high` is the 95 % interval of the change; `p` one-sided, in its direction; `snapshots_before` and
    `snapshots_after` are how many were compared. Numbers are null where there was nothing to compare.
    """

    __tablename__ = "verdicts"
    __table_args__ = (
        UniqueConstraint("snapshot_id", "page_id", "profile_id", "metric"),
        Index(None, "page_id", "id"),
        Index(None, "site_id", "id"),
        Index(None, "workspace_id", "id"),
        # Those that say one thing are few among many.
        Index(None, "page_id", "judgement", "id"),
        Index(None, "site_id", "judgement", "id"),
        Index(None, "workspace_id", "judgement", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    snapshot_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("snapshots.id", ondelete="CASCADE"))
    page_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"))
    profile_id: Mapped[UUID]
    audit_id: Mapped[UUID]
    before_audit_id: Mapped[UUID | None]  # the newest of those that it is compared with
    metric: Mapped[str]  # the metric's column, as it is called in audits
    judgement: Mapped[Judgement]
    reason: Mapped[Reason]
    before: Mapped[float | None]
    after: Mapped[float | None]
    change_low: Mapped[float | None]
    change_high: Mapped[float | None]
    detectable: Mapped[float | None]
    p: Mapped[float | None]
    delta: Mapped[float | None]
    spread_ratio: Mapped[float | None]
    snapshots_before: Mapped[int]
    snapshots_after: Mapped[int]
    judged_at: Mapped[datetime]


class VerdictRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    snapshot_id: UUID
    page_id: UUID
    profile_id: UUID
    audit_id: UUID
    before_audit_id: UUID | None
    metric: str
    judgement: Judgement
    reason: Reason
    before: float | None
    after: float | None
    change_low: float | None
    change_high: float | None
    detectable: float | None
    p: float | None
    delta: float | None
    spread_ratio: float | None
    snapshots_before: int
    snapshots_after: int
    judged_at: datetime
