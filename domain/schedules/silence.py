"""A schedule that brings nothing any more is an alert, until it brings something.

Nobody walks the history of audits for that: each schedule has the moment at which it would be silent, which an index finds,
and when it brought something last is the end of its part of another one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update

from .. import alerts, audits
from ..alerts import AlertKind, AlertSeverity, Condition, Resolution
from ..base import Query, query
from ..work import Work
from ..workspaces import Workspace
from . import rules
from .model import Schedule, ScheduleRow

LIMIT = 200
"""At most so many schedules are looked at in one transaction."""

AGAIN = timedelta(minutes=1)
"""A silent one is looked at so often."""


class _LastRow(NamedTuple):
    finished_at: datetime


_DELETED = select(Workspace.id).where(Workspace.deleted_at.is_not(None))
_DUE = Query(
    ScheduleRow,
    query(ScheduleRow, Schedule)
    .where(Schedule.quiet_at <= bindparam("now"), Schedule.workspace_id.not_in(_DELETED))
    .statement.order_by(Schedule.quiet_at, Schedule.id)
    .limit(LIMIT)
    .with_for_update(key_share=True, skip_locked=True),
).beyond_reach("The scheduler looks after the schedules of all workspaces.")
_LAST = Query(
    _LastRow,
    query(_LastRow, audits.Audit)
    .where(
        audits.Audit.workspace_id == bindparam("workspace_id"),
        audits.Audit.schedule_id == bindparam("schedule_id"),
        audits.Audit.state == audits.AuditState.FINISHED,
        audits.Audit.finished_at.is_not(None),
    )
    .statement.order_by(audits.Audit.finished_at.desc())
    .limit(1),
)


def key(schedule_id: UUID) -> str:
    return f"schedule:{schedule_id.hex}:silence"


async def watch(work: Work) -> int:
    """Look at the schedules that may have become silent, and at those that are. How many there were."""
    rows = await work.db.all(_DUE, now=work.now)
    for row in rows:
        brought = await work.db.first(_LAST, workspace_id=row.workspace_id, schedule_id=row.id)
        last = brought.finished_at if brought is not None else None
        dismissed = await alerts.dismissed_at(work, row.workspace_id, key(row.id))
        quiet_at = rules.silent_from(row, max(each for each in (row.created_at, last, dismissed) if each is not None))
        if quiet_at is not None and quiet_at <= work.now:
            await alerts.hold(work, _condition(row, last))
            quiet_at = work.now + AGAIN
        else:
            await end(work, row, Resolution.RECOVERED)
        await work.db.execute(update(Schedule).where(Schedule.id == row.id).values(quiet_at=quiet_at))
    return len(rows)


async def end(work: Work, row: ScheduleRow, resolution: Resolution = Resolution.DISABLED) -> None:
    await alerts.end(work, row.workspace_id, key(row.id), resolution)


def _condition(row: ScheduleRow, last: datetime | None) -> Condition:
    return Condition(
        workspace_id=row.workspace_id,
        site_id=row.site_id,
        key=key(row.id),
        kind=AlertKind.SILENCE,
        severity=AlertSeverity.ERROR,
        title=f"The schedule {row.name} brings nothing any more",
        details={
            "schedule": row.name,
            "last audit finished": f"{last:%Y-%m-%d %H:%M} UTC" if last is not None else "never",
        },
        page_id=row.page_id,
        profile_id=row.profile_id,
        environment=row.environment,
    )
