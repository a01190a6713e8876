"""Taking turns: whoever changes what a workspace has of channels waits for whoever is at it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam, select

from ..access import Permission
from ..base import Query, query, within
from ..ids import Kind
from ..work import Work
from ..workspaces import Workspace
from .model import Channel, ChannelRow

_IN_TURN = Query(
    ChannelRow,
    query(ChannelRow, Channel)
    .where(Channel.id == bindparam("id"), within(Channel.workspace_id))
    .statement.with_for_update(key_share=True),
)


async def in_turn(work: Work, workspace_id: UUID) -> None:
    """Whoever adds to what the workspace has waits for whoever is at it: two at once must not make the same twice."""
    await work.db.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


async def channel_in_turn(work: Work, channel_id: UUID) -> ChannelRow:
    """The channel, in turn: whoever else changes it waits, and then sees what was changed."""
    row = await work.db.first(_IN_TURN, id=channel_id, reach=work.actor.reach.held)
    if row is None:
        raise work.actor.absent(Permission.CHANNEL_WRITE, Kind.CHANNEL, channel_id)
    return row
