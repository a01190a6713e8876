"""Channels: where people are told, of what, and what came of it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import notifications
from domain.notifications import AlertKind, AlertSeverity, ChannelKind, DeliveryState, Moment, PauseReason

from ..alerts.types import Alert
from ..batched import by_key, paged
from ..loaders import Loaders
from ..node import Node, of
from ..paging import Connection
from ..rows import reads
from ..sites.types import Site


@strawberry.type(description="Where alerts are told: a webhook, a Slack-compatible incoming webhook, or e-mail addresses.")
class Channel(Node):
    is_type_of = of(notifications.ChannelRow)

    kind: ChannelKind = strawberry.field(description="By what it is told.")
    name: str = strawberry.field(description="Its name in the workspace.")
    everything: bool = strawberry.field(description="Whether it gets every alert; else it gets what its routes say.")
    created_at: datetime = strawberry.field(description="When it was made.")
    former_until: datetime | None = strawberry.field(
        description="Until when the secret before this one signs too; null where none was replaced."
    )
    paused_at: datetime | None = strawberry.field(description="Since when nothing is sent to it; null where it is not paused.")
    paused_reason: PauseReason | None = strawberry.field(description="Why it is paused; null where it is not.")
    failing_since: datetime | None = strawberry.field(
        description="Since when it took nothing; null where it took what it was sent last."
    )

    routes: list[Route] = by_key(Loaders.routes_of_channel, "id", "Which alerts it gets, where it does not get everything.")
    deliveries: Connection[Delivery] = paged(
        Loaders.deliveries_of_channel, "What it was told, and what came of it, newest first; kept for 30 days."
    )

    @strawberry.field(
        description="Where it leads, as far as it may be shown: the host of a URL, and of addresses enough to know them by.",
        metadata=reads("shown"),
    )
    @staticmethod
    def target(row: strawberry.Parent[notifications.ChannelRow]) -> str:
        return row.shown

    @strawberry.field(description="Whether nothing is sent to it.", metadata=reads("paused_at"))
    @staticmethod
    def paused(row: strawberry.Parent[notifications.ChannelRow]) -> bool:
        return row.paused_at is not None


@strawberry.type(description="Which alerts a channel gets: those of which all is so that the route names.")
class Route(Node):
    is_type_of = of(notifications.RouteRow)

    kinds: list[AlertKind] | None = strawberry.field(description="About one of these; null for whatever it is about.")
    severity: AlertSeverity = strawberry.field(description="As grave as this, or graver.")
    tags: list[str] = strawberry.field(description="Of sites that have all of these tags.")
    environment: str | None = strawberry.field(description="In this environment; null for whichever.")
    created_at: datetime = strawberry.field(description="When it was made.")

    site: Site | None = by_key(Loaders.site, "site_id", "Of this site; null for all sites.")
    channel: Channel = by_key(Loaders.channel, "channel_id", "The channel that gets them.")


@strawberry.type(description="One moment of an alert, told to one channel.")
class Delivery(Node):
    is_type_of = of(notifications.DeliveryRow)

    moment: Moment = strawberry.field(description="What is told.")
    state: DeliveryState = strawberry.field(description="How it stands.")
    tries: int = strawberry.field(description="How often it was tried.")
    created_at: datetime = strawberry.field(description="When there was something to tell.")
    next_at: datetime | None = strawberry.field(description="When it is tried next; null once it has ended.")
    ended_at: datetime | None = strawberry.field(description="When it was sent or given up; null while it waits.")

    channel: Channel = by_key(Loaders.channel, "channel_id", "Whom it is told.")
    alert: Alert | None = by_key(
        Loaders.alert, "alert_id", "What it is about, as it stands now; null for a test, or once deleted."
    )
    attempts: list[DeliveryAttempt] = by_key(Loaders.attempts_of_delivery, "id", "Each try, in order.")

    @strawberry.field(
        description="Its id as webhooks get it in `webhook-id`: the same each time that it is tried.", metadata=reads("id")
    )
    @staticmethod
    def message_id(row: strawberry.Parent[notifications.DeliveryRow]) -> str:
        return f"msg_{row.id.hex}"


@strawberry.type(description="One try of a delivery, and what came of it.")
class DeliveryAttempt:
    number: int = strawberry.field(description="The first is 1.")
    at: datetime = strawberry.field(description="When it was tried.")
    duration_ms: float = strawberry.field(description="How long it took, in milliseconds.")
    status: int | None = strawberry.field(description="The HTTP status of the answer; null where there was none.")
    error: str | None = strawberry.field(description="Why it was not taken; null where it was.")
    answer: str | None = strawberry.field(description="The beginning of the answer, at most 500 characters; null for none.")
