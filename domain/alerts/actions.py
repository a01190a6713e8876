"""What people do with alerts: they take note of them, put them off, end them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update

from ..access import Permission
from ..base import Query, query, within
from ..errors import Conflict, ProblemCode
from ..ids import Kind
from ..notifications import Moment
from ..work import EventKind, Work
from . import holding, rules, saying
from .model import Alert, AlertRow
from .rules import AlertState, Resolution

_IN_TURN = Query(
    AlertRow,
    query(AlertRow, Alert)
    .where(Alert.id == bindparam("id"), within(Alert.workspace_id, Alert.site_id))
    .statement.with_for_update(key_share=True),
)


async def acknowledge(work: Work, *, alert_id: UUID) -> UUID:
    """Somebody knows of it: nothing is told of it any more but its end."""
    row = await _alert(work, alert_id)
    work.actor.require(Permission.ALERT_WRITE, row.workspace_id, row.site_id)
    _refuse_resolved(row)
    if row.state is not AlertState.ACKNOWLEDGED:
        known = {"acknowledged_at": work.now, "acknowledged_by_id": None if work.actor.key_id else work.actor.user_id}
        await _change(work, row, EventKind.ALERT_ACKNOWLEDGED, state=AlertState.ACKNOWLEDGED, snoozed_until=None, **known)
    return alert_id


async def snooze(work: Work, *, alert_id: UUID, until: datetime | None) -> UUID:
    """Nothing is told of it but its end until then; if it is so still, it is told again. None: it is put off no longer."""
    row = await _alert(work, alert_id)
    work.actor.require(Permission.ALERT_WRITE, row.workspace_id, row.site_id)
    _refuse_resolved(row)
    if until is not None:
        until = rules.check_snooze(until, work.now)
    elif row.state is not AlertState.SNOOZED:
        return alert_id
    state = AlertState.SNOOZED if until is not None else AlertState.OPEN
    unknown = {"acknowledged_at": None, "acknowledged_by_id": None}
    await _change(work, row, EventKind.ALERT_SNOOZED, state=state, snoozed_until=until, **unknown)
    return alert_id


async def resolve(work: Work, *, alert_id: UUID) -> UUID:
    """End it by hand; where it is so still, the next time that it is seen opens another one."""
    row = await _alert(work, alert_id)
    work.actor.require(Permission.ALERT_WRITE, row.workspace_id, row.site_id)
    _refuse_resolved(row)
    row = await _change(work, row, EventKind.ALERT_RESOLVED, **holding.resolved(work, Resolution.BY_PERSON))
    await saying.tell(work, [row], Moment.RESOLVED)
    return alert_id


async def _alert(work: Work, alert_id: UUID) -> AlertRow:
    """The alert, in turn: whoever else changes it waits, and then sees what was changed."""
    row = await work.db.first(_IN_TURN, id=alert_id, reach=work.actor.reach.held)
    if row is None:
        raise work.actor.absent(Permission.ALERT_WRITE, Kind.ALERT, alert_id)
    return row


def _refuse_resolved(row: AlertRow) -> None:
    if row.state is AlertState.RESOLVED:
        raise Conflict("This alert is resolved already.", ProblemCode.STATE_CHANGED, (Kind.ALERT, row.id))


async def _change(work: Work, row: AlertRow, kind: EventKind, **values: Any) -> AlertRow:
    """As it is now."""
    await work.db.execute(update(Alert).where(Alert.id == row.id).values(**values))
    row = row._replace(**values)
    saying.say(work, kind, row)
    return row
