"""Channels, which alerts they are told of, and what became of it."""

from .actions import Created, Rotated, create, delete, resume, rotate_secret, update
from .jobs import FORGOTTEN, Outcome, forget, perform, sweep, take
from .model import SEALED, AttemptRow, Channel, ChannelRow, Delivery, DeliveryRow, Route, RouteRow
from .poster import Answer, Means, Poster, Unreached
from .queries import (
    DELIVERIES,
    attempts_by_deliveries,
    channels_by_ids,
    channels_by_workspaces,
    deliveries_by_ids,
    routes_by_channels,
    routes_by_ids,
)
from .routing import Conditions, create_route, delete_route, update_route
from .rules import About, AlertKind, AlertSeverity, ChannelKind, DeliveryState, Moment, PauseReason, graver
from .telling import KIND, Notice, tell
from .trying import retry, test

__all__ = [
    "DELIVERIES",
    "FORGOTTEN",
    "KIND",
    "SEALED",
    "About",
    "AlertKind",
    "AlertSeverity",
    "Answer",
    "AttemptRow",
    "Channel",
    "ChannelKind",
    "ChannelRow",
    "Conditions",
    "Created",
    "Delivery",
    "DeliveryRow",
    "DeliveryState",
    "Means",
    "Moment",
    "Notice",
    "Outcome",
    "PauseReason",
    "Poster",
    "Rotated",
    "Route",
    "RouteRow",
    "Unreached",
    "attempts_by_deliveries",
    "channels_by_ids",
    "channels_by_workspaces",
    "create",
    "create_route",
    "delete",
    "delete_route",
    "deliveries_by_ids",
    "forget",
    "graver",
    "perform",
    "resume",
    "retry",
    "rotate_secret",
    "routes_by_channels",
    "routes_by_ids",
    "sweep",
    "take",
    "tell",
    "test",
    "update",
    "update_route",
]
