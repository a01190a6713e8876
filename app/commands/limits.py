"""What `pacemark budgets` shows, as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from rich.text import Text

from app.auditing.plain import plain
from app.commands.tables import console, table
from domain import budgets
from domain.audits import AuditRow
from domain.budgets import BudgetReason, BudgetSeverity, BudgetState, Imported, LimitKind
from domain.ids import Kind, encode
from domain.sites import PageRow


class Checked(NamedTuple):
    """The newest audit of a page under a profile, held against one budget."""

    page: PageRow
    profile: str
    audit: AuditRow
    outcome: budgets.Outcome

    @property
    def fails(self) -> bool:
        return self.outcome.state is BudgetState.BREACHED and self.outcome.budget.severity is BudgetSeverity.ERROR


_STYLES = {BudgetState.PASSED: "green", BudgetState.BREACHED: "bold red", BudgetState.NOT_JUDGED: "dim"}
_WORDS = {BudgetState.PASSED: "passed", BudgetState.BREACHED: "BREACHED", BudgetState.NOT_JUDGED: "not judged"}
_REASONS = {
    BudgetReason.NOT_MEASURED: "not measured",
    BudgetReason.RUN_WITHOUT_VALUE: "a run has no value",
    BudgetReason.TOO_FEW_BEFORE: "fewer than three audits before",
    BudgetReason.OTHER_ENGINE: "the probe does not know this audit of Lighthouse's",
}


def show_budgets(rows: Sequence[budgets.BudgetRow]) -> None:
    if not rows:
        console().print("There is no budget in this workspace. Import some: pacemark budgets import FILE")
        return
    shown = table("Budget", "Severity", "Environment")
    for row in rows:
        name = Text(plain(row.name, 200)).append(f"\n{encode(Kind.BUDGET, row.id)}", "dim")
        if row.paused_at is not None:
            name.append("  paused", "dim")
        shown.add_row(name, str(row.severity), Text(plain(row.environment)))
    console().print(shown)


def budgets_as_json(rows: Sequence[budgets.BudgetRow]) -> str:
    return json.dumps([_budget(row) for row in rows], indent=2)


def show_imported(imported: Imported, *, dry: bool) -> None:
    shown = table("", "What")
    for row in imported.budgets:
        shown.add_row("would be made" if dry else "made", Text(plain(row.name, 200)))
    for each in imported.skipped:
        what = Text(plain(each.place, 200)).append(f"\n{plain(each.reason, 1_000)}", "dim")
        shown.add_row(Text("skipped", "bold yellow"), what)
    if shown.row_count:
        console().print(shown)
    number = len(imported.budgets)
    made = "would be made" if dry else "made"
    console().print(f"{number:,} {'budget' if number == 1 else 'budgets'} {made}, {len(imported.skipped):,} skipped.")


def show_checked(checked: Sequence[Checked]) -> None:
    if not checked:
        console().print("No page has a finished audit that a budget is for.")
        return
    shown = table("Page", "Profile", "Budget")
    shown.add_column("Value", justify="right")
    shown.add_column("Limit", justify="right")
    shown.add_column("")
    for each in checked:
        outcome = each.outcome
        state = Text(_WORDS[outcome.state], _STYLES[outcome.state])
        if outcome.state is BudgetState.BREACHED and outcome.budget.severity is BudgetSeverity.WARN:
            state = Text("breached (warn)", "yellow")
        if outcome.reason is not None:
            state.append(f"\n{_REASONS[outcome.reason]}", "dim")
        page = Text(plain(each.page.origin + each.page.path, 200))
        name = Text(plain(outcome.budget.name, 200))
        value, limit = _number(outcome, outcome.value), _number(outcome, outcome.limit)
        shown.add_row(page, Text(plain(each.profile)), name, value, limit, state)
    console().print(shown)
    broken = sum(each.outcome.state is BudgetState.BREACHED for each in checked)
    console().print(f"{len(checked):,} checked, {broken:,} breached." if broken else f"All green: {len(checked):,} checked.")


def checked_as_json(checked: Sequence[Checked]) -> str:
    return json.dumps([_checked(each) for each in checked], indent=2)


def _number(outcome: budgets.Outcome, value: float | None) -> str:
    return budgets.shown(outcome.budget, value) if value is not None else "–"


def _budget(row: budgets.BudgetRow) -> dict[str, Any]:
    relative = row.limit_kind is LimitKind.RELATIVE
    return {
        "id": encode(Kind.BUDGET, row.id),
        "name": row.name,
        "site": encode(Kind.SITE, row.site_id) if row.site_id is not None else None,
        "path": row.path,
        "urlPattern": row.url_pattern,
        "environment": row.environment,
        "subject": {"kind": row.subject_kind.value, "name": row.subject},
        "limit": row.limit_value,
        "unit": "PERCENT" if relative else budgets.unit(row).value,
        "tolerance": row.tolerance,
        "aggregation": row.aggregation.value,
        "severity": row.severity.value,
        "consecutive": row.consecutive,
        "paused": row.paused_at is not None,
        "source": row.source.value,
    }


def _checked(each: Checked) -> dict[str, Any]:
    outcome = each.outcome
    return {
        "page": each.page.origin + each.page.path,
        "profile": each.profile,
        "audit": encode(Kind.AUDIT, each.audit.id),
        "budget": encode(Kind.BUDGET, outcome.budget.id),
        "name": outcome.budget.name,
        "severity": outcome.budget.severity.value,
        "state": outcome.state.value,
        "value": outcome.value,
        "limit": outcome.limit,
        "baseline": outcome.baseline,
        "over": outcome.over,
        "reason": outcome.reason.value if outcome.reason is not None else None,
    }
