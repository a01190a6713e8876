"""Alerts open and end by themselves: in the transaction of whoever finds out, and once, however often it is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from .. import notifications
from ..base import Query, one_of, query
from ..ids import new_id
from ..notifications import AlertKind, AlertSeverity, Moment
from ..work import EventKind, Work
from ..workspaces import Workspace
from . import rules, saying
from .model import OPEN_ONES, Alert, AlertRow
from .rules import AlertState, Resolution

TRIES = 5
MOST_REMINDED = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """What is wrong. `key` names it among all that can be wrong in the workspace; `title` is a short sentence for people.

    `details` are plain values by names for people: limit, value, since. `added`: names of those that are wrong besides what
    was before.
    """

    workspace_id: UUID
    site_id: UUID
    key: str
    kind: AlertKind
    severity: AlertSeverity
    title: str
    details: Mapping[str, Any] = field(default_factory=dict)
    added: Collection[str] = ()
    page_id: UUID | None = None
    profile_id: UUID | None = None
    environment: str | None = None
    snapshot_id: UUID | None = None
    audit_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The alert that is open now, and whether it was opened by this."""

    alert_id: UUID
    opened: bool


def _in_turn(found: Query[AlertRow]) -> Query[AlertRow]:
    """Locked in one order. On SQLite, where whoever writes is alone, the order would be looked for among all that ever was."""
    locked = found.statement.order_by(Alert.id).with_for_update(key_share=True)
    return Query(AlertRow, locked, sqlite=found.statement)


_OPEN_IN_TURN = _in_turn(
    query(AlertRow, Alert).where(
        Alert.workspace_id == bindparam("workspace_id"),
        one_of(Alert.subject, "subjects"),
        Alert.resolved_at.is_(None),
    )
)
_OPEN_OF_PAGES = _in_turn(
    query(AlertRow, Alert).where(
        Alert.workspace_id == bindparam("workspace_id"),
        one_of(Alert.page_id, "pages"),
        Alert.kind == bindparam("kind"),
        Alert.resolved_at.is_(None),
    )
)


async def open_of_pages(work: Work, workspace_id: UUID, kind: AlertKind, pages: Collection[UUID]) -> Sequence[AlertRow]:
    """Those of the kind that are open for these pages; they stay as they are until this work is done."""
    return await work.db.all(_OPEN_OF_PAGES, workspace_id=workspace_id, kind=kind, pages=pages)


async def hold(work: Work, condition: Condition) -> Held:
    """It is so: opens an alert, and lets people be told, unless one is open for it; that one was seen once more.

    Of two at once, one opens it. Its title and details follow what is so; its severity only rises. When it does, or something
    is added, people are told again, also those who knew of it as it was.
    """
    (held,) = await hold_all(work, [condition])
    return held


async def hold_all(work: Work, conditions: Sequence[Condition]) -> Sequence[Held]:
    """The same for many of one workspace, no two with the same key: a handful of statements, however many."""
    found: dict[str, Held] = {}
    left = {condition.key: condition for condition in conditions}
    for _ in range(TRIES):
        if not left:
            return [found[condition.key] for condition in conditions]
        workspace_id = next(iter(left.values())).workspace_id
        rows = await work.db.all(_OPEN_IN_TURN, workspace_id=workspace_id, subjects=list(left))
        await _see(work, [(row, left.pop(row.subject)) for row in rows])
        found |= {row.subject: Held(row.id, opened=False) for row in rows}
        # Those that are left were opened by somebody at this moment, who may have ended them again.
        opened = await _open(work, list(left.values()))
        await saying.tell(work, opened, Moment.OPENED)
        for row in opened:
            saying.say(work, EventKind.ALERT_OPENED, row)
            found[row.subject] = Held(row.id, opened=True)
            del left[row.subject]
    raise RuntimeError("an alert is opened and ended all the time")


async def end(work: Work, workspace_id: UUID, key: str, resolution: Resolution = Resolution.RECOVERED) -> UUID | None:
    """It is so no more: ends the alert that is open for it, and lets people be told. None where none was."""
    return next(iter(await end_all(work, workspace_id, [key], resolution)), None)


async def end_all(
    work: Work, workspace_id: UUID, keys: Collection[str], resolution: Resolution = Resolution.RECOVERED
) -> Sequence[UUID]:
    """The same for many of one workspace: a handful of statements, however many."""
    rows = await work.db.all(_OPEN_IN_TURN, workspace_id=workspace_id, subjects=keys) if keys else ()
    if not rows:
        return ()
    values = resolved(work, resolution)
    await work.db.execute(update(Alert), [{"id": row.id, **values} for row in rows])
    rows = [row._replace(**values) for row in rows]
    await saying.tell(work, rows, Moment.RESOLVED)
    for row in rows:
        saying.say(work, EventKind.ALERT_RESOLVED, row)
    return [row.id for row in rows]


class _DismissedRow(NamedTuple):
    resolved_at: datetime


_DISMISSED = Query(
    _DismissedRow,
    query(_DismissedRow, Alert)
    .where(
        Alert.workspace_id == bindparam("workspace_id"),
        Alert.subject == bindparam("subject"),
        Alert.resolution == Resolution.BY_PERSON,
        Alert.resolved_at.is_not(None),
    )
    .statement.order_by(Alert.resolved_at.desc())
    .limit(1),
)


async def dismissed_at(work: Work, workspace_id: UUID, key: str) -> datetime | None:
    """When somebody ended such an alert by hand last: for those who would find it so again a moment later."""
    row = await work.db.first(_DISMISSED, workspace_id=workspace_id, subject=key)
    return row.resolved_at if row is not None else None


def resolved(work: Work, resolution: Resolution) -> dict[str, Any]:
    return {"state": AlertState.RESOLVED, "resolved_at": work.now, "resolution": resolution, "snoozed_until": None}


async def _see(work: Work, seen: Sequence[tuple[AlertRow, Condition]]) -> None:
    quiet, worse, changed = [], [], []
    for row, condition in seen:
        now: dict[str, Any] = {
            "last_seen_at": work.now,
            "occurrences": row.occurrences + 1,
            "title": condition.title[: rules.MAX_TITLE],
            "details": dict(condition.details),
        }
        rises = notifications.graver(condition.severity, row.severity)
        if not (rises or condition.added):
            quiet.append({"id": row.id, **now})
            continue
        now |= {"state": AlertState.OPEN, "acknowledged_at": None, "acknowledged_by_id": None, "snoozed_until": None}
        now["severity"] = condition.severity if rises else row.severity
        worse.append(row._replace(**now))
        changed.append({"id": row.id, **now})
    for values in filter(None, (quiet, changed)):
        await work.db.execute(update(Alert), values)
    await saying.tell(work, worse, Moment.WORSENED)
    for row in worse:
        saying.say(work, EventKind.ALERT_WORSENED, row)


async def _open(work: Work, conditions: Sequence[Condition]) -> Sequence[AlertRow]:
    """Those that could be opened, since none was."""
    if not conditions:
        return ()
    rows = {condition.key: _opened(work, condition) for condition in sorted(conditions, key=lambda each: each.key)}
    made = insert(Alert).on_conflict_do_nothing(index_elements=["workspace_id", "subject"], index_where=OPEN_ONES)
    values = [row._asdict() for row in rows.values()]
    opened = set((await work.db.execute(made.returning(Alert.subject), values)).scalars())
    return [row for key, row in rows.items() if key in opened]


def _opened(work: Work, condition: Condition) -> AlertRow:
    return AlertRow(
        id=new_id(),
        workspace_id=condition.workspace_id,
        site_id=condition.site_id,
        page_id=condition.page_id,
        profile_id=condition.profile_id,
        snapshot_id=condition.snapshot_id,
        audit_id=condition.audit_id,
        environment=condition.environment,
        kind=condition.kind,
        severity=condition.severity,
        subject=condition.key,
        title=condition.title[: rules.MAX_TITLE],
        details=dict(condition.details),
        state=AlertState.OPEN,
        opened_at=work.now,
        last_seen_at=work.now,
        occurrences=1,
        acknowledged_at=None,
        acknowledged_by_id=None,
        snoozed_until=None,
        resolved_at=None,
        resolution=None,
    )


_DELETED = select(Workspace.id).where(Workspace.deleted_at.is_not(None))
_AWAKE = Query(
    AlertRow,
    query(AlertRow, Alert)
    .where(Alert.snoozed_until <= bindparam("now"), Alert.workspace_id.not_in(_DELETED))
    .statement.order_by(Alert.snoozed_until)
    .limit(MOST_REMINDED)
    .with_for_update(key_share=True, skip_locked=True),
).beyond_reach("The scheduler tells again of what was put off, whosever it is.")


async def remind(work: Work) -> int:
    """Alerts that were put off until now, and are open still, are open again, and told once more. How many there were."""
    rows = await work.db.all(_AWAKE, now=work.now)
    for row in rows:
        await work.db.execute(update(Alert).where(Alert.id == row.id).values(state=AlertState.OPEN, snoozed_until=None))
        row = row._replace(state=AlertState.OPEN, snoozed_until=None)
        await saying.tell(work, [row], Moment.REMINDER)
        saying.say(work, EventKind.ALERT_SNOOZED, row)
    return len(rows)
