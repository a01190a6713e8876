"""Tables of budgets, of what broke them, and of how they stand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json
from .words import Aggregation, BudgetSeverity, BudgetSource, LimitKind, SubjectKind


class Budget(Base):
    """A limit. Without a site it holds for all of the workspace's, without a profile for every one.

    `path` is a pattern of robots.txt for the page's path with its query, `url_pattern` a regular expression for the final
    address; null: all. Of an imported file, `group_id` is the import and `position` the entry; `except_paths` are those of
    later entries that limit nothing, and still are the last to match.
    """

    __tablename__ = "budgets"
    __table_args__ = (
        Index(None, "workspace_id", "name", "id"),
        Index(None, "site_id", "name", "id"),
        Index(None, "profile_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    profile_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("profiles.id", ondelete="CASCADE"))
    name: Mapped[str]
    path: Mapped[str | None]
    url_pattern: Mapped[str | None]
    environment: Mapped[str]
    subject_kind: Mapped[SubjectKind]
    subject: Mapped[str]
    limit_kind: Mapped[LimitKind]
    limit_value: Mapped[float]
    tolerance: Mapped[float]
    aggregation: Mapped[Aggregation]
    severity: Mapped[BudgetSeverity]
    consecutive: Mapped[int]
    paused_at: Mapped[datetime | None]
    source: Mapped[BudgetSource]
    group_id: Mapped[UUID | None]
    position: Mapped[int]
    except_paths: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class Breach(Base):
    """From one crossing of a limit to the crossing back; its numbers are those of the audit with which it began.

    `since`: when the first of the breaching audits in a row ended; `conditions_id`: under which the baseline was. That and
    `audit_id` and `snapshot_id` have no foreign keys: a breach outlives its audit.
    """

    __tablename__ = "breaches"
    __table_args__ = (
        # What a page was before the breach that an audit is part of is one look into it.
        Index(None, "budget_id", "page_id", "profile_id", "environment", "ended_at"),
        Index(None, "workspace_id", "id"),
        Index(None, "page_id", "id"),
        Index(None, "site_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    budget_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("budgets.id", ondelete="CASCADE"))
    page_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"))
    profile_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    environment: Mapped[str]
    audit_id: Mapped[UUID]
    snapshot_id: Mapped[UUID | None]
    severity: Mapped[BudgetSeverity]
    value: Mapped[float | None]
    limit_value: Mapped[float]
    baseline: Mapped[float | None]
    over: Mapped[float | None]
    conditions_id: Mapped[UUID | None]
    since: Mapped[datetime]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Standing(Base):
    """How a budget stands with one page under one profile in one environment: what the last judged audit left.

    While audits in a row breach it: since when, and what the page was before the first of them (under which conditions).
    `days` are those since the last breach: [day, audits, worst value].
    """

    __tablename__ = "budget_states"
    __table_args__ = (Index(None, "page_id"), Index(None, "profile_id"))

    budget_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("budgets.id", ondelete="CASCADE"), primary_key=True)
    page_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    environment: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    site_id: Mapped[UUID]
    consecutive: Mapped[int]
    breach_id: Mapped[UUID | None]
    since: Mapped[datetime | None]
    baseline: Mapped[float | None]
    conditions_id: Mapped[UUID | None]
    last_value: Mapped[float | None]
    last_audit_id: Mapped[UUID]
    last_at: Mapped[datetime]
    days: Mapped[list[list[str | int | float]]] = mapped_column(Json)
