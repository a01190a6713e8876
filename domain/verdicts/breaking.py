"""Who is alerted of broken budgets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from .. import alerts, budgets
from ..alerts import AlertKind, AlertSeverity, Condition
from ..budgets import Turn
from ..work import Work


async def tell_breaches(work: Work, changes: Sequence[budgets.Change], snapshot_id: UUID | None = None) -> None:
    """One alert for each breach. While it goes on it is only counted; where somebody ended its alert, there is another one."""
    going: dict[UUID, budgets.Change] = {}
    ended: dict[UUID, list[str]] = {}
    for change in changes:
        if change.turn is not Turn.ENDED:
            going[change.breach_id] = change
        else:
            going.pop(change.breach_id, None)
            ended.setdefault(change.audit.workspace_id, []).append(budgets.breach_key(change.breach_id))
    for workspace_id, keys in ended.items():
        await alerts.end_all(work, workspace_id, keys)
    await alerts.hold_all(work, [_broken(each, snapshot_id) for each in going.values()])


def _broken(change: budgets.Change, snapshot_id: UUID | None) -> Condition:
    budget, audit = change.budget, change.audit
    grave = budget.severity is budgets.BudgetSeverity.ERROR
    numbers = {"value": change.value, "limit": change.limit, "before": change.baseline}
    shown = {name: budgets.shown(budget, number) for name, number in numbers.items() if number is not None}
    return Condition(
        workspace_id=audit.workspace_id,
        site_id=audit.site_id,
        key=budgets.breach_key(change.breach_id),
        kind=AlertKind.BREACH,
        severity=AlertSeverity.ERROR if grave else AlertSeverity.WARNING,
        title=f"A budget is broken: {budget.name}",
        details={"budget": budget.name, **shown},
        page_id=audit.page_id,
        profile_id=audit.profile_id,
        environment=audit.environment,
        snapshot_id=snapshot_id,
        audit_id=audit.id,
    )
