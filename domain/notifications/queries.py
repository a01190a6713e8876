"""Reads of channels, routes and deliveries: for those alone who have all of the workspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from ..access import Reach
from ..base import Query, one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from .model import Attempt, AttemptRow, Channel, ChannelRow, Delivery, DeliveryRow, Route, RouteRow

_CHANNELS = query(ChannelRow, Channel).where(within(Channel.workspace_id))
_CHANNEL_BY_ID = _CHANNELS.where(one_of(Channel.id, "ids"))
_BY_WORKSPACE = Query(
    ChannelRow,
    _CHANNELS.where(one_of(Channel.workspace_id, "workspaces")).statement.order_by(Channel.name, Channel.id),
)

_ROUTES = query(RouteRow, Route).where(within(Route.workspace_id))
_ROUTE_BY_ID = _ROUTES.where(one_of(Route.id, "ids"))
_ROUTES_BY_CHANNEL = Query(RouteRow, _ROUTES.where(one_of(Route.channel_id, "channels")).statement.order_by(Route.id))

_DELIVERIES = query(DeliveryRow, Delivery)
_DELIVERY_BY_ID = _DELIVERIES.where(one_of(Delivery.id, "ids"), within(Delivery.workspace_id))
_ATTEMPTS = Query(
    AttemptRow,
    query(AttemptRow, Attempt)
    .where(one_of(Attempt.delivery_id, "deliveries"), within(Attempt.workspace_id))
    .statement.order_by(Attempt.number),
)

DELIVERIES = Keyset(
    "deliveries",
    _DELIVERIES,
    parent=Delivery.channel_id,
    tenant=Delivery.workspace_id,
    keys=(Delivery.id,),
    descending=True,
)
"""A channel's, the newest first."""


async def channels_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ChannelRow]:
    return {row.id: row for row in await reader.all(_CHANNEL_BY_ID, ids=ids, reach=reach.held)}


async def channels_by_workspaces(
    reader: Reader, reach: Reach, workspaces: Collection[UUID]
) -> Mapping[UUID, Sequence[ChannelRow]]:
    """Each workspace's, by name."""
    found: dict[UUID, list[ChannelRow]] = {workspace: [] for workspace in workspaces}
    for row in await reader.all(_BY_WORKSPACE, workspaces=workspaces, reach=reach.held):
        found[row.workspace_id].append(row)
    return found


async def routes_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, RouteRow]:
    return {row.id: row for row in await reader.all(_ROUTE_BY_ID, ids=ids, reach=reach.held)}


async def routes_by_channels(reader: Reader, reach: Reach, channels: Collection[UUID]) -> Mapping[UUID, Sequence[RouteRow]]:
    """Each channel's, oldest first."""
    found: dict[UUID, list[RouteRow]] = {channel: [] for channel in channels}
    for row in await reader.all(_ROUTES_BY_CHANNEL, channels=channels, reach=reach.held):
        found[row.channel_id].append(row)
    return found


async def deliveries_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, DeliveryRow]:
    return {row.id: row for row in await reader.all(_DELIVERY_BY_ID, ids=ids, reach=reach.held)}


async def attempts_by_deliveries(
    reader: Reader, reach: Reach, deliveries: Collection[UUID]
) -> Mapping[UUID, Sequence[AttemptRow]]:
    """Each delivery's, in order."""
    found: dict[UUID, list[AttemptRow]] = {delivery: [] for delivery in deliveries}
    for row in await reader.all(_ATTEMPTS, deliveries=deliveries, reach=reach.held):
        found[row.delivery_id].append(row)
    return found
