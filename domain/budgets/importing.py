"""Budgets from files that teams have already: as a whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete as remove
from sqlalchemy import select

from ..access import Permission
from ..base import one_of, query
from ..errors import Fault, LimitReached
from ..idempotency import promise
from ..ids import new_id
from ..work import Work
from . import actions, alerting, budget_json, drafts, lhci, rules, scope
from .drafts import Draft, Drafts, Skipped
from .model import Budget
from .rows import BudgetRow
from .rules import Settings
from .words import BudgetFormat, BudgetSource, LimitKind

_OF_GROUP = query(BudgetRow, Budget).where(one_of(Budget.group_id, "groups"), one_of(Budget.workspace_id, "workspaces"))


class Target(NamedTuple):
    """For what a file's budgets are to be."""

    workspace_id: UUID
    site_id: UUID | None
    profile_id: UUID | None
    environment: str


class Imported(NamedTuple):
    """What was made, or in a dry run would be; and what no budget was made of."""

    budgets: Sequence[BudgetRow]
    skipped: Sequence[Skipped]
    replayed: bool


async def import_file(
    work: Work,
    *,
    target: Target,
    format: BudgetFormat,
    text: str,
    replace: bool = False,
    dry_run: bool = False,
    idempotency_key: str | None = None,
) -> Imported:
    """Make budgets of a file. `replace` forgets what such files made before for the same. Raises InvalidInput."""
    await scope.require(work, target.workspace_id, target.site_id, target.profile_id)
    work.actor.require(Permission.BUDGET_WRITE, target.workspace_id, target.site_id)
    read = budget_json.read(text) if format is BudgetFormat.BUDGET_JSON else lhci.read(text)
    if len(read.budgets) > rules.MAX_IMPORTED:
        raise LimitReached(f"A file makes at most {rules.MAX_IMPORTED} budgets.", rules.MAX_IMPORTED)
    settings = [_checked(draft, target) for draft in read.budgets]
    if dry_run:
        return Imported(_rows(work, new_id(), target, format, read, settings), read.skipped, replayed=False)
    given = {**target._asdict(), "format": format, "text": text, "replace": replace}
    promised = await promise(work, idempotency_key, "budgetsImport", given)
    if promised.replayed:
        found = await work.db.all(_OF_GROUP, groups=[promised.id], workspaces=[target.workspace_id])
        return Imported(sorted(found, key=lambda row: row.id), read.skipped, replayed=True)
    if replace:
        replaced = (
            Budget.workspace_id == target.workspace_id,
            Budget.site_id.is_not_distinct_from(target.site_id),
            Budget.profile_id.is_not_distinct_from(target.profile_id),
            Budget.environment == target.environment,
            Budget.source == BudgetSource(format),
        )
        ids = (await work.db.execute(select(Budget.id).where(*replaced))).scalars().all()
        await alerting.end_alerts(work, target.workspace_id, ids)
        await work.db.execute(remove(Budget).where(*replaced))
    await scope.make_room(work, target.workspace_id, len(settings))
    await scope.require_few_patterns(work, target.workspace_id, (each.url_pattern for each in settings))
    rows = _rows(work, promised.id, target, format, read, settings)
    for row in rows:
        actions.add(work, row)
    await work.db.flush()
    return Imported(rows, read.skipped, replayed=False)


def _checked(draft: Draft, target: Target) -> Settings:
    settings = Settings(
        name="",
        profile_id=target.profile_id,
        path=draft.path,
        url_pattern=draft.url_pattern,
        environment=target.environment,
        subject_kind=draft.subject_kind,
        subject=draft.subject,
        limit_kind=LimitKind.ABSOLUTE,
        limit_value=draft.limit_value,
        tolerance=draft.tolerance,
        aggregation=draft.aggregation,
        severity=draft.severity,
        consecutive=1,
    )
    faults: list[Fault] = []
    rules.check(settings, faults)
    if faults:
        raise drafts.wrong(draft.at, faults[0].message)
    return actions.checked(settings)


def _rows(
    work: Work, group: UUID, target: Target, format: BudgetFormat, read: Drafts, settings: Sequence[Settings]
) -> list[BudgetRow]:
    last_wins = format is BudgetFormat.BUDGET_JSON
    return [
        actions.as_row(work, new_id(), target.workspace_id, target.site_id, each)._replace(
            source=BudgetSource(format),
            group_id=group,
            position=draft.position,
            except_paths=[path or "*" for position, path in read.silent if last_wins and position > draft.position],
        )
        for draft, each in zip(read.budgets, settings, strict=True)
    ]
