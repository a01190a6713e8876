"""Tables of channels, routes and deliveries, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json
from ..keyring import CHANNELS
from ..security import Sealed
from .rules import AlertSeverity, ChannelKind, DeliveryState, Moment, PauseReason


class Channel(Base):
    """Where people are told. `sealed`: where to, and what signs; `shown`: as much of where to as may be read.

    `everything`: it gets every alert; else what its routes say. `failing_since` and `failures`: since it took something last.
    """

    __tablename__ = "channels"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    kind: Mapped[ChannelKind]
    name: Mapped[str]
    sealed: Mapped[bytes]
    shown: Mapped[str]
    everything: Mapped[bool]
    former_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    paused_at: Mapped[datetime | None]
    paused_reason: Mapped[PauseReason | None]
    failing_since: Mapped[datetime | None]
    failures: Mapped[int]


SEALED = Sealed(Channel.id, Channel.sealed, CHANNELS)


class Route(Base):
    """Which alerts go to a channel: all that it names must be so."""

    __tablename__ = "routes"
    __table_args__ = (Index(None, "workspace_id"), Index(None, "channel_id", "id"), Index(None, "site_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("channels.id", ondelete="CASCADE"))
    kinds: Mapped[list[str] | None] = mapped_column(Json)
    severity: Mapped[AlertSeverity]
    site_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    tags: Mapped[list[str]] = mapped_column(Json)
    environment: Mapped[str | None]
    created_at: Mapped[datetime]


class Delivery(Base):
    """One alert's moment told to one channel. `message` is what is told, as it stood then.

    `reached`: digests of addresses that have it; `refused`: those that are refused for good, and why. `before`: how many of its
    tries there were before somebody wanted it tried anew.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "channel_id", "id"), Index(None, "workspace_id"), Index(None, "created_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("channels.id", ondelete="CASCADE"))
    # No foreign key: what was sent stays in the log.
    alert_id: Mapped[UUID | None]
    moment: Mapped[Moment]
    state: Mapped[DeliveryState]
    message: Mapped[dict[str, Any]] = mapped_column(Json)
    reached: Mapped[list[str]] = mapped_column(Json)
    refused: Mapped[dict[str, str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    tries: Mapped[int]
    before: Mapped[int]


class Attempt(Base):
    """One try of a delivery, and what came of it."""

    __tablename__ = "delivery_attempts"

    delivery_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    at: Mapped[datetime]
    duration_ms: Mapped[float]
    status: Mapped[int | None]
    error: Mapped[str | None]
    answer: Mapped[str | None]


class ChannelRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    kind: ChannelKind
    name: str
    shown: str
    everything: bool
    former_until: datetime | None
    created_at: datetime
    paused_at: datetime | None
    paused_reason: PauseReason | None
    failing_since: datetime | None


class RouteRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    channel_id: UUID
    kinds: list[str] | None
    severity: AlertSeverity
    site_id: UUID | None
    tags: list[str]
    environment: str | None
    created_at: datetime


class DeliveryRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    channel_id: UUID
    alert_id: UUID | None
    moment: Moment
    state: DeliveryState
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    tries: int


class AttemptRow(NamedTuple):
    delivery_id: UUID
    number: int
    at: datetime
    duration_ms: float
    status: int | None
    error: str | None
    answer: str | None
