"""An alert's moment becomes deliveries, in the transaction that it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, exists

from .. import jobs
from ..base import Query, query
from ..ids import new_id
from ..work import Job, Work
from ..workspaces import Workspace
from . import messages, rules
from .model import Channel, ChannelRow, Delivery, Route, RouteRow
from .rules import About, DeliveryState, Moment

KIND = "notifications.deliver"
"""The kind of its jobs."""


class Notice(NamedTuple):
    """`data` is what receivers get, as it stands now: plain values."""

    workspace_id: UUID
    alert_id: UUID
    moment: Moment
    about: About
    data: Mapping[str, Any]


# Its owners may bring the workspace back; nobody is told of it meanwhile.
_OF_DELETED = exists().where(Workspace.id == bindparam("workspace_id"), Workspace.deleted_at.is_not(None))
_OPEN = Query(
    ChannelRow,
    query(ChannelRow, Channel)
    .where(Channel.workspace_id == bindparam("workspace_id"), Channel.paused_at.is_(None), ~_OF_DELETED)
    .statement.order_by(Channel.id),
)
_ROUTES = query(RouteRow, Route).where(Route.workspace_id == bindparam("workspace_id"))


async def tell(work: Work, notices: Sequence[Notice]) -> None:
    """Whoever is to know of these, all of one workspace, is told after the commit, at least once and under one id each."""
    if not notices:
        return
    workspace_id = notices[0].workspace_id
    channels = await work.db.all(_OPEN, workspace_id=workspace_id)
    if not channels:
        return
    routes = await work.db.all(_ROUTES, workspace_id=workspace_id)
    for notice in notices:
        message = messages.message(notice.moment, work.now, notice.data)
        for channel_id in rules.told(channels, routes, notice.about):
            file(work, workspace_id, channel_id, notice.moment, message, alert_id=notice.alert_id)


def file(
    work: Work,
    workspace_id: UUID,
    channel_id: UUID,
    moment: Moment,
    message: dict[str, Any],
    *,
    alert_id: UUID | None = None,
) -> UUID:
    """One delivery, and the job that carries it out."""
    id = new_id()
    work.db.add(
        Delivery(
            id=id,
            workspace_id=workspace_id,
            channel_id=channel_id,
            alert_id=alert_id,
            moment=moment,
            state=DeliveryState.WAITING,
            message=message,
            reached=[],
            refused={},
            created_at=work.now,
            next_at=work.now,
            tries=0,
            before=0,
        )
    )
    work.enqueue(Job(KIND, workspace_id, id, jobs.PERSON_WAITS))
    return id
