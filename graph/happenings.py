"""What a workspace's events say, each kind with a type of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo

from domain import audits, following
from domain.access import Permission
from domain.alerts import AlertKind, AlertSeverity, AlertState
from domain.following import Happened
from domain.measuring import Phase
from domain.notifications import PauseReason
from domain.snapshots import Cause
from domain.work import EventKind

from .alerts import Alert
from .audits import Audit
from .channels import Channel
from .context import Info
from .marking import Deploy
from .node import of
from .paging import Connection
from .scalars import Cursor
from .schedules import Schedule
from .snapshots import Snapshot


@strawberry.interface(
    description="What a subscription to a workspace says. Keep the last cursor: given as `after`, it goes on behind it."
)
class WorkspaceEvent:
    cursor: Cursor = strawberry.field(description="The place in the workspace's history up to which this tells.")

    @strawberry.field(description="When it happened; for what is said of the subscription itself, when it is said.")
    @staticmethod
    def at(row: strawberry.Parent[Any]) -> datetime:
        return row.event.at if isinstance(row, Happened) else datetime.now(UTC)


@strawberry.type(
    description="Everything up to its cursor was said. It comes first (after HistoryLost alone), at the end of a replay, and "
    "in silence every 30 s."
)
class Checkpoint(WorkspaceEvent):
    is_type_of = of(following.Checkpoint)

    live: bool = strawberry.field(description="Whether all that was missed has been replayed: what follows happens now.")


@strawberry.type(
    description="The subscriber was too slow, and events were dropped. Read the state anew, or subscribe anew after `since`."
)
class Lagged(WorkspaceEvent):
    is_type_of = of(following.Lagged)

    missed: int = strawberry.field(description="How many of the workspace's events were dropped, of whatever kind and site.")
    since: Cursor = strawberry.field(description="The place behind which they were dropped.")


@strawberry.type(
    description="Not all that lies behind `after` is there any more: read the state anew. What happens from now on follows."
)
class HistoryLost(WorkspaceEvent):
    is_type_of = of(following.HistoryLost)

    oldest: Cursor = strawberry.field(description="The first place from which everything is there.")


def _of_kinds(prefix: str) -> Any:
    def is_type_of(_cls: type, value: object, _info: GraphQLResolveInfo[Any]) -> bool:
        return isinstance(value, Happened) and value.event.kind.startswith(prefix)

    return classmethod(is_type_of)


def _kind(description: str) -> Any:
    """A field of its own for each type that has it."""

    def kind(row: strawberry.Parent[Happened]) -> EventKind:
        return row.event.kind

    return strawberry.field(resolver=kind, description=description)


@strawberry.type(description="Something happened to an audit; how it stood right after that, whatever has come since.")
class AuditEvent(WorkspaceEvent):
    is_type_of = _of_kinds("AUDIT_")

    kind: EventKind = _kind("What happened.")

    @strawberry.field(description="The audit as it stands now; null once it is deleted.")
    @staticmethod
    async def audit(row: strawberry.Parent[Happened], info: Info) -> Audit | None:
        return await info.context.loaders.audit.load(row.event.subject)

    @strawberry.field(description="The audit's state then.")
    @staticmethod
    def state(row: strawberry.Parent[Happened]) -> audits.AuditState:
        return audits.AuditState(row.event.payload["state"])

    @strawberry.field(description="How far it had come.")
    @staticmethod
    def phase(row: strawberry.Parent[Happened]) -> Phase:
        return Phase(row.event.payload["phase"])

    @strawberry.field(description="The run being measured then, from 1; null between runs.")
    @staticmethod
    def run(row: strawberry.Parent[Happened]) -> int | None:
        run: int | None = row.event.payload["run"]
        return run + 1 if run is not None else None


@strawberry.type(description="A schedule was due.")
class ScheduleEvent(WorkspaceEvent):
    is_type_of = _of_kinds("SCHEDULE_")

    kind: EventKind = _kind("Whether it asked for audits.")

    @strawberry.field(description="The schedule as it is now; null once it is deleted.")
    @staticmethod
    async def schedule(row: strawberry.Parent[Happened], info: Info) -> Schedule | None:
        return await info.context.loaders.schedule.load(row.event.subject)

    @strawberry.field(description="When it was due; it may have been late.")
    @staticmethod
    def due_at(row: strawberry.Parent[Happened]) -> datetime:
        return datetime.fromisoformat(row.event.payload["due"])

    @strawberry.field(description="How many audits it asked for; null when it asked for none.")
    @staticmethod
    def audits(row: strawberry.Parent[Happened]) -> int | None:
        return row.event.payload.get("audits")

    @strawberry.field(description="How many it did not ask for, since the same still waited; null when it asked for none.")
    @staticmethod
    def skipped(row: strawberry.Parent[Happened]) -> int | None:
        return row.event.payload.get("skipped")

    @strawberry.field(description="Why it asked for none, or for less than it should, for programs; new ones may come.")
    @staticmethod
    def reason(row: strawberry.Parent[Happened]) -> str | None:
        return row.event.payload.get("reason")


@strawberry.type(description="Another version of a site went live.")
class DeployEvent(WorkspaceEvent):
    is_type_of = _of_kinds("DEPLOY_")

    kind: EventKind = _kind("What happened.")

    @strawberry.field(description="The deploy; null once its site is deleted.")
    @staticmethod
    async def deploy(row: strawberry.Parent[Happened], info: Info) -> Deploy | None:
        return await info.context.loaders.deploy.load(row.event.subject)


@strawberry.type(description="A snapshot was asked for, has ended, or is judged.")
class SnapshotEvent(WorkspaceEvent):
    is_type_of = _of_kinds("SNAPSHOT_")

    kind: EventKind = _kind("What happened.")

    @strawberry.field(description="The snapshot as it stands now; null once it is deleted.")
    @staticmethod
    async def snapshot(row: strawberry.Parent[Happened], info: Info) -> Snapshot | None:
        return await info.context.loaders.snapshot.load(row.event.subject)

    @strawberry.field(description="Who or what started it.")
    @staticmethod
    def cause(row: strawberry.Parent[Happened]) -> Cause:
        return Cause(row.event.payload["cause"])

    @strawberry.field(description="How many metrics of its pages became worse; null before it is judged.")
    @staticmethod
    def regressed(row: strawberry.Parent[Happened]) -> int | None:
        return row.event.payload.get("regressed")

    @strawberry.field(description="How many became better; null before it is judged.")
    @staticmethod
    def improved(row: strawberry.Parent[Happened]) -> int | None:
        return row.event.payload.get("improved")


@strawberry.type(description="Something began or ceased to be wrong, or somebody dealt with that.")
class AlertEvent(WorkspaceEvent):
    is_type_of = _of_kinds("ALERT_")

    kind: EventKind = _kind("What happened.")

    @strawberry.field(description="The alert as it stands now; null once it is deleted.")
    @staticmethod
    async def alert(row: strawberry.Parent[Happened], info: Info) -> Alert | None:
        return await info.context.loaders.alert.load(row.event.subject)

    @strawberry.field(description="How it stood right after that.")
    @staticmethod
    def state(row: strawberry.Parent[Happened]) -> AlertState:
        return AlertState(row.event.payload["state"])

    @strawberry.field(description="What it is about.")
    @staticmethod
    def alert_kind(row: strawberry.Parent[Happened]) -> AlertKind:
        return AlertKind(row.event.payload["alertKind"])

    @strawberry.field(description="How grave it is.")
    @staticmethod
    def severity(row: strawberry.Parent[Happened]) -> AlertSeverity:
        return AlertSeverity(row.event.payload["severity"])

    @strawberry.field(description="What is wrong, as a short sentence.")
    @staticmethod
    def title(row: strawberry.Parent[Happened]) -> str:
        return str(row.event.payload["title"])


@strawberry.type(description="Nothing is sent to a channel any more.")
class ChannelEvent(WorkspaceEvent):
    is_type_of = _of_kinds("CHANNEL_")

    kind: EventKind = _kind("What happened.")

    @strawberry.field(description="The channel as it is now; null once it is deleted, and for whoever may not see it.")
    @staticmethod
    async def channel(row: strawberry.Parent[Happened], info: Info) -> Channel | None:
        if not info.context.actor.may(Permission.CHANNEL_WRITE, row.event.workspace_id):
            return None
        return await info.context.loaders.channel.load(row.event.subject)

    @strawberry.field(description="Why.")
    @staticmethod
    def reason(row: strawberry.Parent[Happened]) -> PauseReason:
        return PauseReason(row.event.payload["reason"])


@strawberry.type(description="A page of a workspace's events, oldest first.")
class EventConnection(Connection[WorkspaceEvent]):
    pass


TYPES = (Checkpoint, Lagged, HistoryLost, AuditEvent, SnapshotEvent, DeployEvent, ScheduleEvent, AlertEvent, ChannelEvent)
"""What a workspace's event can be; nothing else names them."""
