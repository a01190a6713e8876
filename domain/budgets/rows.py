"""The rows that reads of budgets give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from .words import Aggregation, BudgetSeverity, BudgetSource, LimitKind, SubjectKind


class BudgetRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID | None
    profile_id: UUID | None
    name: str
    path: str | None
    url_pattern: str | None
    environment: str
    subject_kind: SubjectKind
    subject: str
    limit_kind: LimitKind
    limit_value: float
    tolerance: float
    aggregation: Aggregation
    severity: BudgetSeverity
    consecutive: int
    paused_at: datetime | None
    source: BudgetSource
    group_id: UUID | None
    position: int
    except_paths: list[str]
    created_at: datetime


class BreachRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    budget_id: UUID
    page_id: UUID
    profile_id: UUID
    environment: str
    audit_id: UUID
    snapshot_id: UUID | None
    severity: BudgetSeverity
    value: float | None
    limit_value: float
    baseline: float | None
    over: float | None
    conditions_id: UUID | None
    since: datetime
    began_at: datetime
    ended_at: datetime | None


class StandingRow(NamedTuple):
    budget_id: UUID
    page_id: UUID
    profile_id: UUID
    environment: str
    workspace_id: UUID
    site_id: UUID
    consecutive: int
    breach_id: UUID | None
    since: datetime | None
    baseline: float | None
    conditions_id: UUID | None
    last_value: float | None
    last_audit_id: UUID
    last_at: datetime
    days: list[list[str | int | float]]
