"""What a page was before audits in a row breached a relative budget: as long as they do, that is what it is held against."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ..access import Reach
from ..audits import AuditRow
from ..base import one_of, query, within
from ..ports import Reader
from .model import Breach, Standing

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
_ENDED = query(_EndedRow, Breach).where(
    one_of(Breach.budget_id, "budgets"),
    one_of(Breach.page_id, "pages"),
    Breach.ended_at.is_not(None),
    Breach.baseline.is_not(None),
    within(Breach.workspace_id, Breach.site_id),
)


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


async def read(reader: Reader, reach: Reach, budgets: Collection[UUID], pages: Collection[UUID]) -> Spells:
    if not budgets:
        return Spells()
    given = {"budgets": budgets, "pages": pages, "reach": reach.held}
    return Spells([*await reader.all(_GOES_ON, **given), *await reader.all(_ENDED, **given)])
