"""What is done to budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import delete as remove
from sqlalchemy import update as change

from .. import audits, sites
from ..access import Permission
from ..base import Query, query, within
from ..errors import Fault, InvalidInput
from ..idempotency import Promise, promise
from ..ids import Kind
from ..work import Work
from . import alerting, queries, rules, scope
from .model import Breach, Budget, Standing
from .ratchet import ratchet
from .rows import BudgetRow
from .rules import Settings
from .words import BudgetSource

_IN_TURN = Query(
    BudgetRow,
    query(BudgetRow, Budget)
    .where(Budget.id == bindparam("id"), within(Budget.workspace_id, Budget.site_id))
    .statement.with_for_update(key_share=True),
)


async def create(
    work: Work, *, workspace_id: UUID, settings: Settings, site_id: UUID | None = None, idempotency_key: str | None = None
) -> Promise:
    """Limit something on a workspace's pages, or on those of one site. An empty name is made up from what is limited."""
    await scope.require(work, workspace_id, site_id, settings.profile_id)
    work.actor.require(Permission.BUDGET_WRITE, workspace_id, site_id)
    settings = checked(settings)
    given = {"workspace": workspace_id, "site": site_id, **settings._asdict()}
    promised = await promise(work, idempotency_key, "budgetCreate", given)
    if promised.replayed:
        return promised
    await scope.make_room(work, workspace_id, 1)
    await scope.require_few_patterns(work, workspace_id, [settings.url_pattern])
    row = as_row(work, promised.id, workspace_id, site_id, settings)
    add(work, row)
    await work.db.flush()
    return promised


async def update(work: Work, *, budget_id: UUID, changes: Mapping[str, Any]) -> UUID:
    """`changes` are fields of Settings, and `paused`.

    What changes more than what it is called and how grave it is makes it begin anew: its breaches end, and it counts from one.
    """
    row = await _budget(work, budget_id)
    work.actor.require(Permission.BUDGET_WRITE, row.workspace_id, row.site_id)
    await scope.require_profile(work, row.workspace_id, changes.get("profile_id"))
    before = settings_of(row)
    made_up = {"name": ""} if row.name == rules.name_of(before) else {}
    changed = {name: value for name, value in changes.items() if name != "paused"}
    settings = checked(before._replace(**{**made_up, **changed}))
    await scope.require_few_patterns(work, row.workspace_id, [settings.url_pattern])
    values: dict[str, Any] = settings._asdict()
    paused = changes.get("paused", row.paused_at is not None)
    if paused is not (row.paused_at is not None):
        values["paused_at"] = work.now if paused else None
    await work.db.execute(change(Budget).where(Budget.id == budget_id).values(**values))
    anew = any(getattr(settings, name) != getattr(before, name) for name in set(Settings._fields) - rules.HARMLESS)
    if anew or "paused_at" in values:
        await _begin_anew(work, row)
    return budget_id


async def delete(work: Work, *, budget_id: UUID) -> UUID:
    """Forget a budget and its breaches."""
    row = await _budget(work, budget_id)
    work.actor.require(Permission.BUDGET_WRITE, row.workspace_id, row.site_id)
    await alerting.end_alerts(work, row.workspace_id, [budget_id])
    await work.db.execute(remove(Budget).where(Budget.id == budget_id))
    return budget_id


async def tighten(work: Work, *, budget_id: UUID) -> bool:
    """Set the limit to what its ratchet says. False: there was nothing to tighten, and it stays as it is."""
    row = await _budget(work, budget_id)
    work.actor.require(Permission.BUDGET_WRITE, row.workspace_id, row.site_id)
    standings = await work.db.all(queries.STANDINGS, budgets=[budget_id], reach=work.actor.reach.held)
    tighter = ratchet(row, standings)
    if tighter is None:
        return False
    settings = settings_of(row)._replace(limit_value=tighter.limit)
    values: dict[str, Any] = {"limit_value": tighter.limit}
    if row.name == rules.name_of(settings_of(row)):
        values["name"] = rules.name_of(settings)
    await work.db.execute(change(Budget).where(Budget.id == budget_id).values(**values))
    await _begin_anew(work, row)
    return True


def settings_of(row: BudgetRow) -> Settings:
    return Settings(*(getattr(row, name) for name in Settings._fields))


def checked(settings: Settings) -> Settings:
    """The settings, normalised. Raises InvalidInput with everything that is wrong."""
    faults: list[Fault] = []
    audits.check_request(settings.environment, None, faults)
    rules.check(settings, faults)
    if not faults and not settings.name.strip():
        settings = settings._replace(name=rules.name_of(settings))
    elif settings.name.strip():
        settings = settings._replace(name=sites.check_name(settings.name, faults))
    if faults:
        raise InvalidInput(faults)
    return settings


def as_row(work: Work, id: UUID, workspace_id: UUID, site_id: UUID | None, settings: Settings) -> BudgetRow:
    return BudgetRow(
        id=id,
        workspace_id=workspace_id,
        site_id=site_id,
        **settings._asdict(),
        paused_at=None,
        source=BudgetSource.MANUAL,
        group_id=None,
        position=0,
        except_paths=[],
        created_at=work.now,
    )


def add(work: Work, row: BudgetRow) -> None:
    work.db.add(Budget(**row._asdict(), created_by=work.actor.name))


async def _begin_anew(work: Work, row: BudgetRow) -> None:
    await alerting.end_alerts(work, row.workspace_id, [row.id])
    await work.db.execute(change(Breach).where(Breach.budget_id == row.id, Breach.ended_at.is_(None)).values(ended_at=work.now))
    await work.db.execute(remove(Standing).where(Standing.budget_id == row.id))


async def _budget(work: Work, budget_id: UUID) -> BudgetRow:
    """The budget, in turn: whoever else changes it waits, and then sees what was changed."""
    row = await work.db.first(_IN_TURN, id=budget_id, reach=work.actor.reach.held)
    if row is None:
        raise work.actor.absent(Permission.BUDGET_WRITE, Kind.BUDGET, budget_id)
    return row
