"""Finished audits are judged: breaches begin and end, once each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, or_, select, update

from .. import audits, sites
from ..access import Reach
from ..audits import AuditRow, AuditState
from ..ids import new_id
from ..work import Work
from . import deciding, evaluation, queries
from .deciding import Outcome
from .model import Breach, Budget, Standing
from .rows import BreachRow, BudgetRow, StandingRow

_Key = tuple[UUID, UUID, UUID, str]


class Change(NamedTuple):
    """A crossing: a breach that began with this audit, or ended with it."""

    began: bool
    breach_id: UUID
    budget: BudgetRow
    audit: AuditRow
    value: float | None
    limit: float | None


async def judge(work: Work, reach: Reach, audit_ids: Collection[UUID], snapshot_id: UUID | None = None) -> Sequence[Change]:
    """Hold finished audits of one site against their budgets, in the order in which they ended.

    What began and what ended is given back, crossings only. What was judged before changes nothing, nor does an audit that
    ended before another that was judged: time goes on.
    """
    rows = [row for row in (await audits.by_ids(work.db, reach, audit_ids)).values() if row.state is AuditState.FINISHED]
    if not rows:
        return ()
    await _in_turn(work, reach, {row.site_id for row in rows})
    outcomes = await evaluation.evaluate(work.db, reach, rows)
    judged = _Judging(work, snapshot_id, await _standings(work, reach, outcomes.values()))
    for row in sorted(rows, key=lambda each: (each.finished_at or each.requested_at, each.id)):
        for outcome in outcomes.get(row.id, ()):
            judged.take(row, outcome)
    await judged.write()
    return judged.changes


async def _in_turn(work: Work, reach: Reach, site_ids: Collection[UUID]) -> None:
    """One after the other: each goes on from where the one before left off. No budget is changed or goes meanwhile."""
    await work.db.execute(
        select(sites.Site.id)
        .where(sites.Site.id.in_(site_ids), sites.Site.workspace_id.in_(reach.workspaces))
        .order_by(sites.Site.id)
        .with_for_update(key_share=True)
    )
    await work.db.execute(
        select(Budget.id)
        .where(Budget.workspace_id.in_(reach.workspaces), or_(Budget.site_id.is_(None), Budget.site_id.in_(site_ids)))
        .order_by(Budget.id)
        .with_for_update(read=True)
    )


async def _standings(work: Work, reach: Reach, outcomes: Collection[Sequence[Outcome]]) -> dict[_Key, StandingRow]:
    budgets = {each.budget.id for some in outcomes for each in some}
    found = await work.db.all(queries.STANDINGS, budgets=budgets, reach=reach.held) if budgets else ()
    return {(row.budget_id, row.page_id, row.profile_id, row.environment): row for row in found}


class _Judging:
    def __init__(self, work: Work, snapshot_id: UUID | None, standings: dict[_Key, StandingRow]) -> None:
        self.work = work
        self.snapshot_id = snapshot_id
        self.standings = standings
        self.there = set(standings)
        self.changed: dict[_Key, StandingRow] = {}
        self.changes: list[Change] = []
        self.begun: dict[UUID, BreachRow] = {}
        self.ended: list[UUID] = []

    def take(self, audit: AuditRow, outcome: Outcome) -> None:
        assert audit.finished_at is not None
        key = (outcome.budget.id, audit.page_id, audit.profile_id, audit.environment)
        before = self.standings.get(key)
        step = deciding.step(before, outcome, audit.finished_at, audit.id)
        if step is None:
            return
        breach_id = before.breach_id if before is not None else None
        since = before.breached_since if before is not None else None
        if step.began:
            breach_id, since = self._begin(audit, outcome), audit.finished_at
        elif step.ended:
            assert breach_id is not None
            self._end(breach_id, audit, outcome)
            breach_id = since = None
        self.standings[key] = self.changed[key] = StandingRow(
            *key,
            workspace_id=audit.workspace_id,
            site_id=audit.site_id,
            consecutive=step.consecutive,
            breach_id=breach_id,
            breached_since=since,
            last_value=outcome.value,
            last_audit_id=audit.id,
            last_at=audit.finished_at,
            days=step.days,
        )

    def _begin(self, audit: AuditRow, outcome: Outcome) -> UUID:
        assert audit.finished_at is not None
        assert outcome.limit is not None
        breach = BreachRow(
            id=new_id(),
            workspace_id=audit.workspace_id,
            site_id=audit.site_id,
            budget_id=outcome.budget.id,
            page_id=audit.page_id,
            profile_id=audit.profile_id,
            environment=audit.environment,
            audit_id=audit.id,
            snapshot_id=self.snapshot_id,
            severity=outcome.budget.severity,
            value=outcome.value,
            limit_value=outcome.limit,
            baseline=outcome.baseline,
            over=outcome.over,
            began_at=audit.finished_at,
            ended_at=None,
        )
        self.begun[breach.id] = breach
        self.changes.append(Change(True, breach.id, outcome.budget, audit, outcome.value, outcome.limit))
        return breach.id

    def _end(self, breach_id: UUID, audit: AuditRow, outcome: Outcome) -> None:
        if breach_id in self.begun:
            self.begun[breach_id] = self.begun[breach_id]._replace(ended_at=audit.finished_at)
        else:
            self.ended.append(breach_id)
        self.changes.append(Change(False, breach_id, outcome.budget, audit, outcome.value, outcome.limit))

    async def write(self) -> None:
        db = self.work.db
        if self.begun:
            await db.execute(insert(Breach), [row._asdict() for row in self.begun.values()])
        at = {change.breach_id: change.audit.finished_at for change in self.changes if not change.began}
        for id in self.ended:
            await db.execute(update(Breach).where(Breach.id == id).values(ended_at=at[id]))
        new = [row._asdict() for key, row in self.changed.items() if key not in self.there]
        if new:
            await db.execute(insert(Standing), new)
        for key, row in self.changed.items():
            if key in self.there:
                budget_id, page_id, profile_id, environment = key
                own = (Standing.budget_id == budget_id, Standing.page_id == page_id, Standing.profile_id == profile_id)
                values = {name: value for name, value in row._asdict().items() if name in _CHANGING}
                statement = update(Standing).where(*own, Standing.environment == environment)
                await db.execute(statement.values(**values))


_CHANGING = ("consecutive", "breach_id", "breached_since", "last_value", "last_audit_id", "last_at", "days")
