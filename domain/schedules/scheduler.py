"""What the scheduler does, of which one acts at a time: it fires the schedules that are due."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from .. import leases
from ..access import SYSTEM, Actor, Role
from ..base import Query, query
from ..errors import DatabaseAway, LimitReached
from ..leases import Lease
from ..ports import Database
from ..work import Work
from ..workspaces import Workspace
from . import firing, rules
from .model import Schedule, ScheduleRow

LIMIT = 50
"""At most so many schedules in one transaction."""

_DELETED = select(Workspace.id).where(Workspace.deleted_at.is_not(None))
_DUE = Query(
    ScheduleRow,
    query(ScheduleRow, Schedule)
    .where(Schedule.next_at <= bindparam("now"), Schedule.workspace_id.not_in(_DELETED))
    .statement.order_by(Schedule.next_at, Schedule.id)
    .limit(bindparam("limit"))
    .with_for_update(key_share=True, skip_locked=True),
).beyond_reach("The scheduler fires what is due in all workspaces.")
_ONE = Query(
    ScheduleRow,
    query(ScheduleRow, Schedule)
    .where(Schedule.id == bindparam("id"), Schedule.next_at <= bindparam("now"))
    .statement.with_for_update(key_share=True, skip_locked=True),
).beyond_reach("The scheduler puts off what it could not fire, whosever it is.")


class Broken(Exception):  # noqa: N818 - the schedule is, the others are not
    """This schedule cannot be fired; its cause is the exception's."""

    def __init__(self, schedule_id: UUID) -> None:
        super().__init__(f"schedule {schedule_id.hex}")
        self.schedule_id = schedule_id


class Fired(NamedTuple):
    """How many schedules were due and dealt with; 0: nothing is left to do for now. `broken`: one was put off instead."""

    schedules: int
    broken: Broken | None = None


async def fire_due(database: Database, lease: Lease, limit: int = LIMIT) -> Fired:
    """Fire what is due, in a transaction of its own; call it again until nothing was due. Raises LeaseLost.

    A schedule that fails takes the others of its transaction along; it is put off, and they are due still.
    """
    try:
        async with database.work(SYSTEM) as work:
            return Fired(await due(work, lease, limit))
    except Broken as broken:
        async with database.work(SYSTEM) as work:
            await leases.prove(work, lease)
            row = await work.db.first(_ONE, id=broken.schedule_id, now=work.now)
            if row is not None:
                await firing.put_off(work, row)
        return Fired(1, broken)


async def due(work: Work, lease: Lease, limit: int = LIMIT) -> int:
    """Fire up to `limit` schedules that are due, the longest waiting first. Raises LeaseLost, or Broken for one of them.

    About firing.PIECE audits are asked for in all; what is left over, of a large site or of many, is due still.
    """
    await leases.prove(work, lease)
    left, taken = firing.PIECE, 0
    for row in await work.db.all(_DUE, now=work.now, limit=limit):
        if left <= 0:
            break
        taken += 1
        try:
            left -= await _fire(work, row, left)
        except DatabaseAway:
            raise
        except Exception as error:
            raise Broken(row.id) from error
    return taken


async def _fire(work: Work, row: ScheduleRow, most: int) -> int:
    acting = replace(work, actor=Actor(roles={row.workspace_id: Role.MEMBER}))
    try:
        asked = await firing.ask(acting, row, most)
    except LimitReached:
        await firing.end(work, row, reason=rules.Reason.QUEUE_FULL)
        return 0
    await firing.advance(work, row, asked)
    return asked.audits + asked.skipped
