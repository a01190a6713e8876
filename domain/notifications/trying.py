"""What a person does about deliveries: a test of a channel, and another try."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import update as change

from .. import jobs, workspaces
from ..access import Permission, Reach
from ..base import Query, count, query, within
from ..errors import Conflict, ProblemCode
from ..ids import Kind, encode
from ..work import Call, Job, StoredJob, Work
from . import messages, telling
from .model import Delivery, DeliveryRow
from .rules import DeliveryState, Moment
from .turns import channel_in_turn

_TESTS = count(
    Delivery,
    Delivery.workspace_id == bindparam("workspace_id"),
    Delivery.channel_id == bindparam("channel_id"),
    Delivery.moment == Moment.TEST,
    Delivery.state == DeliveryState.WAITING,
)
_DELIVERY_IN_TURN = Query(
    DeliveryRow,
    query(DeliveryRow, Delivery)
    .where(Delivery.id == bindparam("id"), within(Delivery.workspace_id))
    .statement.with_for_update(key_share=True),
)


async def test(work: Work, *, channel_id: UUID) -> UUID:
    """Tell it something, paused or not, once: the id of the delivery, in which is seen what came of it."""
    row = await channel_in_turn(work, channel_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    waiting = await work.db.first(_TESTS, workspace_id=row.workspace_id, channel_id=channel_id)
    if waiting is not None and waiting.number:
        raise Conflict("A test of this channel is on its way.", ProblemCode.STATE_CHANGED, (Kind.CHANNEL, channel_id))
    workspace = (await workspaces.by_ids(work.db, Reach.whole(row.workspace_id), [row.workspace_id]))[row.workspace_id]
    named = {"id": encode(Kind.WORKSPACE, workspace.id), "slug": workspace.slug, "name": workspace.name}
    data = {"workspace": named, "channel": {"id": encode(Kind.CHANNEL, channel_id), "name": row.name}}
    id = telling.file(work, row.workspace_id, channel_id, Moment.TEST, messages.message(Moment.TEST, work.now, data))
    await work.db.flush()
    return id


async def retry(work: Work, *, delivery_id: UUID) -> UUID:
    """Try at once what waits or was given up, and as often as if it were new."""
    row = await work.db.first(_DELIVERY_IN_TURN, id=delivery_id, reach=work.actor.reach.held)
    if row is None:
        raise work.actor.absent(Permission.CHANNEL_WRITE, Kind.DELIVERY, delivery_id)
    work.actor.require(Permission.CHANNEL_WRITE, row.workspace_id)
    here = (Kind.DELIVERY, delivery_id)
    if row.state is DeliveryState.SENT:
        raise Conflict("This was sent already.", ProblemCode.STATE_CHANGED, here)
    channel = await channel_in_turn(work, row.channel_id)
    if channel.paused_at is not None and row.moment is not Moment.TEST:
        raise Conflict("The channel is paused: resume it first.", ProblemCode.STATE_CHANGED, (Kind.CHANNEL, channel.id))
    again = (
        change(StoredJob)
        .where(StoredJob.kind == telling.KIND, StoredJob.subject == delivery_id, StoredJob.claim.is_(None))
        .values(dead_at=None, error=None, deliveries=0, ready_at=work.now, sent_at=None)
        .returning(StoredJob.id, StoredJob.trace)
    )
    waiting = (await work.db.execute(again)).all()
    work.calls += [Call(telling.KIND, id, trace) for id, trace in waiting]
    if not waiting and row.state is DeliveryState.FAILED:
        work.enqueue(Job(telling.KIND, row.workspace_id, delivery_id, jobs.PERSON_WAITS))
    anew = {"state": DeliveryState.WAITING, "before": row.tries, "next_at": work.now, "ended_at": None, "refused": {}}
    await work.db.execute(change(Delivery).where(Delivery.id == delivery_id).values(**anew))
    return delivery_id
