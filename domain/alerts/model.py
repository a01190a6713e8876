"""The table of alerts, and the row that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json
from ..notifications import AlertKind, AlertSeverity
from .rules import AlertState, Resolution

OPEN_ONES = text("resolved_at IS NULL")


class Alert(Base):
    """Something is wrong, from when it was first seen until it is no more.

    `subject` names what is wrong: of the alerts that are not resolved, no two of a workspace have the same. `occurrences`
    and `last_seen_at` count how often it was seen. `state` is what the moments below say, for lists to be in its order.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "workspace_id",
            "subject",
            unique=True,
            postgresql_where=OPEN_ONES,
            sqlite_where=OPEN_ONES,
        ),
        Index(None, "workspace_id", "subject", "resolved_at"),
        Index(None, "workspace_id", "id"),
        Index(None, "workspace_id", "state", "id"),
        Index(None, "site_id", "state", "id"),
        Index(None, "page_id", "state", "id"),
        Index(None, "snoozed_until"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    page_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"))
    # No foreign keys: an alert outlives what it names.
    profile_id: Mapped[UUID | None]
    snapshot_id: Mapped[UUID | None]
    audit_id: Mapped[UUID | None]
    environment: Mapped[str | None]
    kind: Mapped[AlertKind]
    severity: Mapped[AlertSeverity]
    subject: Mapped[str]
    title: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[AlertState]
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    occurrences: Mapped[int]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[UUID | None]
    snoozed_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[Resolution | None]


class AlertRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    page_id: UUID | None
    profile_id: UUID | None
    snapshot_id: UUID | None
    audit_id: UUID | None
    environment: str | None
    kind: AlertKind
    severity: AlertSeverity
    subject: str
    title: str
    details: dict[str, Any]
    state: AlertState
    opened_at: datetime
    last_seen_at: datetime
    occurrences: int
    acknowledged_at: datetime | None
    acknowledged_by_id: UUID | None
    snoozed_until: datetime | None
    resolved_at: datetime | None
    resolution: Resolution | None
