"""Tables of audits and what they measured, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json
from ..measuring import EngineName, FailureKind, FormFactor, Phase, ResourceType, Severity, ThrottlingMethod


class AuditState(StrEnum):
    """How an audit stands. The last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ENDED = frozenset({AuditState.FINISHED, AuditState.FAILED, AuditState.CANCELLED})


class MetricColumns:
    """One column a metric of the catalogue, named by it. Null: not measured."""

    performance_score: Mapped[float | None]
    lcp_ms: Mapped[float | None]
    fcp_ms: Mapped[float | None]
    tbt_ms: Mapped[float | None]
    cls: Mapped[float | None]
    speed_index_ms: Mapped[float | None]
    tti_ms: Mapped[float | None]
    max_potential_fid_ms: Mapped[float | None]
    ttfb_ms: Mapped[float | None]
    redirect_ms: Mapped[float | None]
    dns_ms: Mapped[float | None]
    connect_ms: Mapped[float | None]
    tls_ms: Mapped[float | None]
    download_ms: Mapped[float | None]
    page_load_ms: Mapped[float | None]
    request_count: Mapped[float | None]
    redirect_count: Mapped[float | None]
    transfer_bytes: Mapped[float | None]
    decoded_bytes: Mapped[float | None]
    document_bytes: Mapped[float | None]
    script_bytes: Mapped[float | None]
    stylesheet_bytes: Mapped[float | None]
    image_bytes: Mapped[float | None]
    font_bytes: Mapped[float | None]
    media_bytes: Mapped[float | None]
    other_bytes: Mapped[float | None]
    third_party_bytes: Mapped[float | None]
    third_party_count: Mapped[float | None]
    certificate_days: Mapped[float | None]
    dom_size: Mapped[float | None]


CHARTED = ("performance_score", "lcp_ms", "fcp_ms", "tbt_ms", "cls", "speed_index_ms", "ttfb_ms")


_SCHEDULED = text("schedule_id IS NOT NULL")


class Audit(MetricColumns, Base):
    """One page measured under one profile. While it waits or runs, a job stands for it, with the claim of who has it."""

    __tablename__ = "audits"
    __table_args__ = (
        Index(None, "page_id", "id"),
        # The metrics that are charted most: a year of them is read from the index alone, where the workspace has to be in it
        # too, since PostgreSQL asks of each row whose it is.
        Index(
            None,
            "page_id",
            "profile_id",
            "environment",
            "state",
            "finished_at",
            postgresql_include=["workspace_id", "conditions_id", *CHARTED],
        ),
        Index(None, "workspace_id", "state"),
        Index(None, "profile_id"),
        Index(None, "snapshot_id", "id"),
        # When a schedule brought something last is at its end.
        Index(None, "schedule_id", "state", "finished_at", postgresql_where=_SCHEDULED, sqlite_where=_SCHEDULED),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"), index=True)
    page_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("pages.id", ondelete="CASCADE"))
    profile_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("profiles.id"))
    profile_version: Mapped[int]
    environment: Mapped[str]
    engine: Mapped[EngineName]
    engine_version: Mapped[str | None]
    form_factor: Mapped[FormFactor]
    throttling_method: Mapped[ThrottlingMethod | None]
    rtt_ms: Mapped[float | None]
    throughput_kbps: Mapped[float | None]
    cpu_slowdown: Mapped[float | None]
    runner_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("runners.id"))
    runner_pool: Mapped[str | None]
    # Null until it has finished. No foreign key: to look for audits of conditions that go would be a look at all audits.
    conditions_id: Mapped[UUID | None]
    state: Mapped[AuditState]
    schedule_id: Mapped[UUID | None]
    # No foreign key, as of the schedule: both may be forgotten before the audit is.
    snapshot_id: Mapped[UUID | None]
    # It is one more look at what is suspected, and no part of what a page usually is.
    confirms: Mapped[bool] = mapped_column(default=False)
    requested_by: Mapped[str]
    requested_url: Mapped[str]
    final_url: Mapped[str | None]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    phase: Mapped[Phase]
    runs: Mapped[int]
    run: Mapped[int | None]
    failure_kind: Mapped[FailureKind | None]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    failure_retryable: Mapped[bool | None]
    representative_run: Mapped[int | None]
    scores: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    user_timings: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class Conditions(Base):
    """What must be equal for two results to be compared: equal ones of a workspace are one row, whose id they decide."""

    __tablename__ = "conditions"
    __table_args__ = (Index(None, "workspace_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    environment: Mapped[str]
    profile_version: Mapped[int]
    engine: Mapped[EngineName]
    engine_major: Mapped[int | None]
    form_factor: Mapped[FormFactor]
    throttling_method: Mapped[ThrottlingMethod | None]
    rtt_ms: Mapped[float | None]
    throughput_kbps: Mapped[float | None]
    cpu_slowdown: Mapped[float | None]
    runner_pool: Mapped[str | None]


class Run(MetricColumns, Base):
    __tablename__ = "runs"
    __table_args__ = (UniqueConstraint("audit_id", "index"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    site_id: Mapped[UUID]
    audit_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("audits.id", ondelete="CASCADE"))
    index: Mapped[int]
    measured_at: Mapped[datetime]
    benchmark_index: Mapped[float | None]
    warnings: Mapped[list[str]] = mapped_column(Json)


class Request(Base):
    """One request of a run."""

    __tablename__ = "requests"

    run_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    site_id: Mapped[UUID]
    url: Mapped[str]
    resource_type: Mapped[ResourceType]
    method: Mapped[str]
    status: Mapped[int | None]
    protocol: Mapped[str | None]
    mime_type: Mapped[str | None]
    start_ms: Mapped[float | None]
    end_ms: Mapped[float | None]
    transfer_bytes: Mapped[float | None]
    decoded_bytes: Mapped[float | None]
    third_party: Mapped[bool]
    failure: Mapped[str | None]


class Finding(Base):
    """What the representative run found; `position` orders the gravest first."""

    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("audit_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    site_id: Mapped[UUID]
    audit_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("audits.id", ondelete="CASCADE"))
    position: Mapped[int]
    rule: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    severity: Mapped[Severity]
    category: Mapped[str]
    evidence: Mapped[list[dict[str, str]]] = mapped_column(Json)
    saving_ms: Mapped[float | None]
    saving_bytes: Mapped[float | None]
    link: Mapped[str | None]


class AuditRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    site_id: UUID
    page_id: UUID
    profile_id: UUID
    profile_version: int
    environment: str
    engine: EngineName
    engine_version: str | None
    form_factor: FormFactor
    throttling_method: ThrottlingMethod | None
    rtt_ms: float | None
    throughput_kbps: float | None
    cpu_slowdown: float | None
    runner_id: UUID | None
    runner_pool: str | None
    conditions_id: UUID | None
    state: AuditState
    snapshot_id: UUID | None
    requested_url: str
    final_url: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    phase: Phase
    runs: int
    run: int | None
    failure_kind: FailureKind | None
    failure_code: str | None
    failure_message: str | None
    failure_retryable: bool | None
    representative_run: int | None
    scores: list[dict[str, Any]]
    user_timings: list[dict[str, Any]]
    performance_score: float | None
    lcp_ms: float | None
    fcp_ms: float | None
    tbt_ms: float | None
    cls: float | None
    speed_index_ms: float | None
    tti_ms: float | None
    max_potential_fid_ms: float | None
    ttfb_ms: float | None
    redirect_ms: float | None
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    download_ms: float | None
    page_load_ms: float | None
    request_count: float | None
    redirect_count: float | None
    transfer_bytes: float | None
    decoded_bytes: float | None
    document_bytes: float | None
    script_bytes: float | None
    stylesheet_bytes: float | None
    image_bytes: float | None
    font_bytes: float | None
    media_bytes: float | None
    other_bytes: float | None
    third_party_bytes: float | None
    third_party_count: float | None
    certificate_days: float | None
    dom_size: float | None


class ConditionsRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    environment: str
    profile_version: int
    engine: EngineName
    engine_major: int | None
    form_factor: FormFactor
    throttling_method: ThrottlingMethod | None
    rtt_ms: float | None
    throughput_kbps: float | None
    cpu_slowdown: float | None
    runner_pool: str | None


class RunRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    audit_id: UUID
    index: int  # type: ignore[assignment]  # the field hides tuple.index, which nobody calls on a row
    measured_at: datetime
    benchmark_index: float | None
    warnings: list[str]
    performance_score: float | None
    lcp_ms: float | None
    fcp_ms: float | None
    tbt_ms: float | None
    cls: float | None
    speed_index_ms: float | None
    tti_ms: float | None
    max_potential_fid_ms: float | None
    ttfb_ms: float | None
    redirect_ms: float | None
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    download_ms: float | None
    page_load_ms: float | None
    request_count: float | None
    redirect_count: float | None
    transfer_bytes: float | None
    decoded_bytes: float | None
    document_bytes: float | None
    script_bytes: float | None
    stylesheet_bytes: float | None
    image_bytes: float | None
    font_bytes: float | None
    media_bytes: float | None
    other_bytes: float | None
    third_party_bytes: float | None
    third_party_count: float | None
    certificate_days: float | None
    dom_size: float | None


class RequestRow(NamedTuple):
    run_id: UUID
    position: int
    url: str
    resource_type: ResourceType
    method: str
    status: int | None
    protocol: str | None
    mime_type: str | None
    start_ms: float | None
    end_ms: float | None
    transfer_bytes: float | None
    decoded_bytes: float | None
    third_party: bool
    failure: str | None


class FindingRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    audit_id: UUID
    position: int
    rule: str
    title: str
    description: str
    severity: Severity
    category: str
    evidence: list[dict[str, str]]
    saving_ms: float | None
    saving_bytes: float | None
    link: str | None
