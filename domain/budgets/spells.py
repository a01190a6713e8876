"""What a page was before audits in a row breached a relative budget: as long as they do, that is what it is held against."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, select
from sqlalchemy.orm import aliased

from ..access import Reach
from ..audits import AuditRow
from ..base import Query, UtcDateTime, one_of, query, rows_of, rows_of_json, within
from ..ports import Reader
from .model import Breach, Standing
from .rows import BudgetRow

_Key = tuple[UUID, UUID, UUID, str]


class _GoesOnRow(NamedTuple):
    budget_id: UUID
    page_id: UUID
    profile_id: UUID
    environment: str
    since: datetime
    baseline: float
    conditions_id: UUID | None


class _EndedRow(NamedTuple):
    budget_id: UUID
    page_id: UUID
    profile_id: UUID
    environment: str
    since: datetime
    baseline: float
    conditions_id: UUID | None
    ended_at: datetime


_GOES_ON = query(_GoesOnRow, Standing).where(
    one_of(Standing.budget_id, "budgets"),
    one_of(Standing.page_id, "pages"),
    Standing.since.is_not(None),
    Standing.baseline.is_not(None),
    within(Standing.workspace_id, Standing.site_id),
)
_MOMENT: Mapping[str, Any] = {
    "budget": Uuid(),
    "page": Uuid(),
    "profile": Uuid(),
    "environment": Text(),
    "at": UtcDateTime(),
}


def _first_ended(wanted: Any) -> Select[Any]:
    """Of each moment the first that ended then or later: they do not overlap, so that no other can have it in it."""
    return (
        select(*(getattr(Breach, name) for name in _EndedRow._fields))
        .where(
            Breach.budget_id == wanted.c.budget,
            Breach.page_id == wanted.c.page,
            Breach.profile_id == wanted.c.profile,
            Breach.environment == wanted.c.environment,
            Breach.ended_at >= wanted.c.at,
            Breach.baseline.is_not(None),
            within(Breach.workspace_id, Breach.site_id),
        )
        .order_by(Breach.ended_at)
        .limit(1)
        .correlate(wanted)
    )


def _ended() -> Query[_EndedRow]:
    """Moment by moment through the index."""
    wanted, on_sqlite, there = rows_of(**_MOMENT), rows_of_json("moments", **_MOMENT), aliased(Breach)
    first = _first_ended(wanted).lateral("first")
    id = _first_ended(on_sqlite).with_only_columns(Breach.id).scalar_subquery()
    return Query(
        _EndedRow,
        select(*first.c).select_from(wanted.join(first, first.c.since <= wanted.c.at)),
        sqlite=select(*(getattr(there, name) for name in _EndedRow._fields))
        .select_from(on_sqlite)
        .join(there, there.id == id)
        .where(there.since <= on_sqlite.c.at, within(there.workspace_id, there.site_id)),
    )


_ENDED = _ended()


class Spells:
    """Those of some budgets and pages, for whoever looks back at audits."""

    def __init__(self, rows: Sequence[_GoesOnRow | _EndedRow] = ()) -> None:
        self._by_key: dict[_Key, list[_GoesOnRow | _EndedRow]] = {}
        for row in rows:
            self._by_key.setdefault(row[:4], []).append(row)

    def stood(self, budget_id: UUID, audit: AuditRow) -> float | None:
        """What the page was before the spell that the audit is part of; None where it is part of none."""
        for row in self._by_key.get((budget_id, audit.page_id, audit.profile_id, audit.environment), ()):
            began = audit.finished_at is not None and row.since <= audit.finished_at
            over = began and isinstance(row, _EndedRow) and audit.finished_at > row.ended_at  # type: ignore[operator]
            if began and not over and row.conditions_id == audit.conditions_id:
                return row.baseline
        return None


async def read(reader: Reader, reach: Reach, related: Collection[tuple[BudgetRow, AuditRow]]) -> Spells:
    """Of each audit and its budgets what can matter for it, however many breaches there were."""
    if not related:
        return Spells()
    budgets, pages = {budget.id for budget, _ in related}, {audit.page_id for _, audit in related}
    goes_on = await reader.all(_GOES_ON, budgets=budgets, pages=pages, reach=reach.held)
    moments = [
        (budget.id, audit.page_id, audit.profile_id, audit.environment, audit.finished_at)
        for budget, audit in related
        if audit.finished_at is not None
    ]
    columns = dict(zip(_MOMENT, zip(*moments, strict=True), strict=True)) if moments else dict.fromkeys(_MOMENT, ())
    ended = await reader.all(_ENDED, reach=reach.held, moments=moments, **columns)
    return Spells([*goes_on, *set(ended)])
