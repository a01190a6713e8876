"""Finished audits are judged: breaches begin and end, once each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from .. import sites
from ..access import Reach
from ..audits import AuditRow
from ..ids import new_id
from ..work import Work
from . import deciding, evaluation, queries
from .deciding import Outcome, Sample
from .evaluation import Prepared
from .model import Breach, Budget, Standing
from .rows import BreachRow, BudgetRow, StandingRow

_Key = tuple[UUID, UUID, UUID, str]


class Turn(StrEnum):
    """What an audit does to a breach."""

    BEGAN = "BEGAN"
    GOES_ON = "GOES_ON"
    ENDED = "ENDED"


class Change(NamedTuple):
    """A breach that began with this audit, goes on in it, or ended with it."""

    turn: Turn
    breach_id: UUID
    budget: BudgetRow
    audit: AuditRow
    value: float | None
    limit: float | None
    baseline: float | None


async def judge(
    work: Work, reach: Reach, rows: Collection[AuditRow], snapshot_id: UUID | None = None, prepared: Prepared | None = None
) -> Sequence[Change]:
    """Hold finished audits of one site against their budgets, in the order in which they ended.

    What becomes of breaches is given back. What was judged before changes nothing, nor does an audit that ended before
    another that was judged: time goes on. `prepared`: what was read for it before this transaction began, so that others
    write meanwhile; where budgets have changed since, it is read anew.
    """
    if not rows or (prepared is not None and not prepared.held):
        return ()
    await _in_turn(work, reach, {row.site_id for row in rows})
    if prepared is None or await evaluation.there(work.db, reach, rows) != prepared.budgets:
        prepared = await evaluation.prepare(work.db, reach, rows)
    judged = _Judging(work, snapshot_id, await _standings(work, reach, prepared))
    for held in sorted(prepared.held, key=lambda each: (each.audit.finished_at or each.audit.requested_at, each.audit.id)):
        for budget in held.budgets:
            judged.take(held.audit, budget, held.sample, held.before)
    await judged.write()
    return judged.changes


async def _in_turn(work: Work, reach: Reach, site_ids: Collection[UUID]) -> None:
    """One after the other: each goes on from where the one before left off. No budget is changed or goes meanwhile."""
    await sites.in_turn(work, reach, site_ids)
    await work.db.execute(
        select(Budget.id)
        .where(Budget.workspace_id.in_(reach.workspaces), or_(Budget.site_id.is_(None), Budget.site_id.in_(site_ids)))
        .order_by(Budget.id)
        .with_for_update(read=True)
    )


async def _standings(work: Work, reach: Reach, prepared: Prepared) -> dict[_Key, StandingRow]:
    given = {
        "budgets": {budget.id for held in prepared.held for budget in held.budgets},
        "pages": {held.audit.page_id for held in prepared.held},
    }
    found = await work.db.all(queries.STANDINGS_OF_PAGES, **given, reach=reach.held) if given["budgets"] else ()
    return {(row.budget_id, row.page_id, row.profile_id, row.environment): row for row in found}


class _Judging:
    def __init__(self, work: Work, snapshot_id: UUID | None, standings: dict[_Key, StandingRow]) -> None:
        self.work = work
        self.snapshot_id = snapshot_id
        self.standings = standings
        self.changed: dict[_Key, StandingRow] = {}
        self.changes: list[Change] = []
        self.begun: dict[UUID, BreachRow] = {}
        self.ended: dict[UUID, AuditRow] = {}

    def take(self, audit: AuditRow, budget: BudgetRow, sample: Sample, earlier: Sequence[Sample]) -> None:
        assert audit.finished_at is not None
        key = (budget.id, audit.page_id, audit.profile_id, audit.environment)
        before = self.standings.get(key)
        # Under other conditions nobody knows what the page was.
        stood = before.baseline if before is not None and before.conditions_id == audit.conditions_id else None
        outcome = deciding.decide(budget, sample, earlier, stood)
        step = deciding.step(before, outcome, audit.finished_at, audit.id)
        if step is None:
            return
        breach_id = before.breach_id if before is not None else None
        since = (before.since if before is not None else None) or audit.finished_at
        if step.began:
            breach_id = self._begin(audit, outcome, since)
        elif step.ended:
            assert breach_id is not None
            self._end(breach_id, audit, outcome)
            breach_id = None
        elif breach_id is not None:
            self._say(Turn.GOES_ON, breach_id, audit, outcome)
        self.standings[key] = self.changed[key] = StandingRow(
            *key,
            workspace_id=audit.workspace_id,
            site_id=audit.site_id,
            consecutive=step.consecutive,
            breach_id=breach_id,
            since=since if step.consecutive else None,
            baseline=outcome.baseline if step.consecutive else None,
            conditions_id=audit.conditions_id if step.consecutive else None,
            last_value=outcome.value,
            last_audit_id=audit.id,
            last_at=audit.finished_at,
            days=step.days,
        )

    def _begin(self, audit: AuditRow, outcome: Outcome, since: datetime) -> UUID:
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
            conditions_id=audit.conditions_id,
            since=since,
            began_at=audit.finished_at,
            ended_at=None,
        )
        self.begun[breach.id] = breach
        self._say(Turn.BEGAN, breach.id, audit, outcome)
        return breach.id

    def _end(self, breach_id: UUID, audit: AuditRow, outcome: Outcome) -> None:
        if breach_id in self.begun:
            self.begun[breach_id] = self.begun[breach_id]._replace(ended_at=audit.finished_at)
        else:
            self.ended[breach_id] = audit
        self._say(Turn.ENDED, breach_id, audit, outcome)

    def _say(self, turn: Turn, breach_id: UUID, audit: AuditRow, outcome: Outcome) -> None:
        self.changes.append(Change(turn, breach_id, outcome.budget, audit, outcome.value, outcome.limit, outcome.baseline))

    async def write(self) -> None:
        """One statement for all that begins, one for all that ends, one for how all stands."""
        db = self.work.db
        if self.begun:
            await db.execute(insert(Breach), [row._asdict() for row in self.begun.values()])
        if self.ended:
            ended = [{"id": id, "ended_at": audit.finished_at} for id, audit in self.ended.items()]
            await db.execute(update(Breach), ended)
        if self.changed:
            standing = upsert(Standing)
            new = {name: standing.excluded[name] for name in _CHANGING}
            standing = standing.on_conflict_do_update(index_elements=_KEY, set_=new)
            await db.execute(standing, [row._asdict() for row in self.changed.values()])


_KEY = ("budget_id", "page_id", "profile_id", "environment")
_CHANGING = [name for name in StandingRow._fields if name not in _KEY]
