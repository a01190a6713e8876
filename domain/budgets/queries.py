"""Reads of budgets and breaches: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Text, bindparam, case, or_

from ..access import Reach
from ..base import one_of, query, within
from ..paging import of_sites
from ..ports import Reader
from . import evaluation
from .deciding import Outcome
from .model import Breach, Budget, Standing
from .ratchet import Ratchet, ratchet
from .rows import BreachRow, BudgetRow, StandingRow

_BUDGETS = query(BudgetRow, Budget)
# A budget of the whole workspace holds for each of its sites, and is shown to whoever has one of them.
_BY_ID = _BUDGETS.where(
    one_of(Budget.id, "ids"),
    one_of(Budget.workspace_id, "workspaces"),
    or_(Budget.site_id.is_(None), within(Budget.workspace_id, Budget.site_id)),
)

BUDGETS = of_sites("budgets", _BUDGETS, Budget.workspace_id, Budget.name, Budget.id)
OF_SITE = of_sites("siteBudgets", _BUDGETS, Budget.site_id, Budget.name, Budget.id)

_OPEN = bindparam("open", type_=Text())
_BREACHES = query(BreachRow, Breach)
_WANTED = _BREACHES.where(or_(_OPEN.is_(None), case((Breach.ended_at.is_(None), "open"), else_="ended") == _OPEN))
_BREACH_BY_ID = _BREACHES.where(one_of(Breach.id, "ids"), within(Breach.workspace_id, Breach.site_id))

BREACHES = of_sites("breaches", _WANTED, Breach.workspace_id, descending=True)
BREACHES_OF_PAGE = of_sites("pageBreaches", _WANTED, Breach.page_id, descending=True)
"""The newest first; both take `open`: "open", "ended" or None for all."""

STANDINGS = query(StandingRow, Standing).where(
    one_of(Standing.budget_id, "budgets"), within(Standing.workspace_id, Standing.site_id)
)

STANDINGS_OF_PAGES = STANDINGS.where(one_of(Standing.page_id, "pages"))


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, BudgetRow]:
    found = await reader.all(_BY_ID, ids=ids, workspaces=reach.workspaces, reach=reach.held)
    return {row.id: row for row in found}


async def breaches_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, BreachRow]:
    return {row.id: row for row in await reader.all(_BREACH_BY_ID, ids=ids, reach=reach.held)}


async def ratchets(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, Ratchet | None]:
    """To what each budget can be tightened; of one of the whole workspace nobody knows who does not see all of it."""
    budgets = {id: row for id, row in (await by_ids(reader, reach, ids)).items() if _is_whole(row, reach)}
    standings: dict[UUID, list[StandingRow]] = {}
    if budgets:
        for row in await reader.all(STANDINGS, budgets=budgets, reach=reach.held):
            standings.setdefault(row.budget_id, []).append(row)
    return {id: ratchet(row, standings.get(id, ())) for id, row in budgets.items()}


def _is_whole(row: BudgetRow, reach: Reach) -> bool:
    return row.site_id is not None or row.workspace_id in reach.held


async def results(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, Sequence[Outcome]]:
    """What came of holding each audit against the budgets that are for it."""
    return await evaluation.results(reader, reach, ids)
