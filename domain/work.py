"""The unit of work: one transaction, one actor, one moment, what it says, and the work that it leaves to others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Executable, ForeignKey, Index, Integer, Result, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from . import tracing
from .access import Actor
from .base import Base, Json, Query, R
from .ids import new_id


class EventKind(StrEnum):
    """Everything that a workspace's history tells of."""

    AUDIT_REQUESTED = "AUDIT_REQUESTED"
    AUDIT_STARTED = "AUDIT_STARTED"
    AUDIT_PROGRESSED = "AUDIT_PROGRESSED"
    AUDIT_REQUEUED = "AUDIT_REQUEUED"
    AUDIT_FINISHED = "AUDIT_FINISHED"
    AUDIT_FAILED = "AUDIT_FAILED"
    AUDIT_CANCELLED = "AUDIT_CANCELLED"
    SNAPSHOT_REQUESTED = "SNAPSHOT_REQUESTED"
    SNAPSHOT_FINISHED = "SNAPSHOT_FINISHED"
    SNAPSHOT_CANCELLED = "SNAPSHOT_CANCELLED"
    SNAPSHOT_JUDGED = "SNAPSHOT_JUDGED"
    DEPLOY_RECORDED = "DEPLOY_RECORDED"
    SCHEDULE_FIRED = "SCHEDULE_FIRED"
    SCHEDULE_SKIPPED = "SCHEDULE_SKIPPED"
    ALERT_OPENED = "ALERT_OPENED"
    ALERT_WORSENED = "ALERT_WORSENED"
    ALERT_RESOLVED = "ALERT_RESOLVED"
    ALERT_ACKNOWLEDGED = "ALERT_ACKNOWLEDGED"
    ALERT_SNOOZED = "ALERT_SNOOZED"
    CHANNEL_PAUSED = "CHANNEL_PAUSED"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to `subject`, a thing of this workspace (and of this site).

    `trace`: the span that it belongs to, where that is not the current one.
    """

    kind: EventKind
    workspace_id: UUID
    subject: UUID
    site_id: UUID | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work of a kind to be done for `subject`; a smaller priority goes first. Nobody takes it before its `rest` is over."""

    kind: str
    workspace_id: UUID | None
    subject: UUID
    priority: int = 0
    rest: timedelta = timedelta()


class Call(NamedTuple):
    """What the bus carries of a job: that there is work of its kind. One too many is harmless, so nothing tells them apart."""

    kind: str
    job_id: UUID
    trace: str | None


_UNNUMBERED = text("sequence IS NULL")


class StoredEvent(Base):
    """The outbox of events, and for a day their history.

    `sequence` is an event's place in the history: given in the order of the commits, without a gap. Null: not yet given.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("sequence"),
        Index(None, "workspace_id", "sequence"),
        Index("ix_events_unnumbered", "id", postgresql_where=_UNNUMBERED, sqlite_where=_UNNUMBERED),
        Index(None, "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    # No foreign key: what a deleted workspace said keeps its place until it is forgotten.
    workspace_id: Mapped[UUID]
    site_id: Mapped[UUID | None]
    subject: Mapped[UUID]
    kind: Mapped[EventKind]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]
    trace: Mapped[str | None]


class EventRow(NamedTuple):
    """An event with its place in the history."""

    sequence: int
    workspace_id: UUID
    site_id: UUID | None
    subject: UUID
    kind: EventKind
    payload: dict[str, Any]
    at: datetime
    trace: str | None


class StoredJob(Base):
    """Background work that is not done yet: its row goes when it is.

    `claim` is the token of the worker that has it, good until `claim_until`; recording asks for it. `deliveries` is counted
    when a worker takes it, before the work. `sent_at` null: its call is not on the bus. `dead_at`: given up.
    """

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("kind", "subject"), Index(None, "kind", "priority", "id"), Index(None, "workspace_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # Null: of no workspace, as the mail to somebody who forgot their password.
    workspace_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    subject: Mapped[UUID]
    priority: Mapped[int]
    at: Mapped[datetime]
    ready_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    claim: Mapped[UUID | None]
    claim_until: Mapped[datetime | None]
    deliveries: Mapped[int]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None]
    trace: Mapped[str | None]


class Origin(NamedTuple):
    """From where somebody asks, as far as that is known: their address, and what their program says it is."""

    address: str = ""
    agent: str = ""


NOWHERE = Origin()


class Writer(Protocol):
    """The transaction of a unit of work: reads what it wrote, and changes rows."""

    def add(self, instance: Base) -> None: ...

    async def flush(self) -> None:
        """Send what was added. Raises Conflict where a unique rule of the database refuses it."""
        ...

    async def execute(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]: ...

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]: ...

    async def first(self, query: Query[R], **values: Any) -> R | None: ...

    async def reach_into(self, workspace_id: UUID) -> None:
        """From here on rows of this workspace too may be read and written: it is new, or somebody comes into it."""
        ...


class Renew(Protocol):
    async def __call__(self, reader: Writer, actors: Collection[Actor], /) -> Sequence[Actor]: ...


@dataclass(slots=True)
class Work:
    """Handed to every action. `now` is the one moment of everything done in it (aware UTC).

    `renew` reads actors as they are now, where `actor` may be what was known of them a moment ago.
    """

    db: Writer
    actor: Actor
    now: datetime
    origin: Origin = NOWHERE
    said: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    renew: Renew | None = None

    async def look_again(self) -> None:
        """Who `actor` is now, in this transaction: for what must not be done by somebody who has just become less."""
        if self.renew is not None:
            (self.actor,) = await self.renew(self.db, [self.actor])

    def say(self, event: Event) -> None:
        """Written with the rest of the transaction, and heard after it, only then."""
        self.said.append(event)

    def enqueue(self, job: Job) -> None:
        """Written with the rest of the transaction; workers are called after it, only then, or when its rest is over."""
        id, trace = new_id(), tracing.traceparent()
        self.db.add(
            StoredJob(
                id=id,
                kind=job.kind,
                workspace_id=job.workspace_id,
                subject=job.subject,
                priority=job.priority,
                at=self.now,
                ready_at=self.now + job.rest,
                deliveries=0,
                trace=trace,
            )
        )
        if not job.rest:
            self.calls.append(Call(job.kind, id, trace))
