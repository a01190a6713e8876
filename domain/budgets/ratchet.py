"""The ratchet: when a budget can be made tighter, and to what. Decisions only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ..metrics import Unit
from . import subjects
from .rows import BudgetRow, StandingRow
from .words import LimitKind

AUDITS = 10
DAYS = 7
WINDOW = 28
LEAST_GAIN = 0.05
MARGIN = 0.1
_STEPS = {
    Unit.MILLISECOND: 10.0,
    Unit.BYTE: 1024.0,
    Unit.SCORE: 0.01,
    Unit.UNITLESS: 0.01,
}
_FACTS = (Unit.BYTE, Unit.COUNT)


class Ratchet(NamedTuple):
    """It can be tightened to `limit`; `worst` is the worst value of so many audits since that day."""

    limit: float
    worst: float
    audits: int
    since: date


def ratchet(budget: BudgetRow, standings: Sequence[StandingRow]) -> Ratchet | None:
    """Of an absolute limit that held: at least ten audits, on days at least seven days apart, none beyond the limit, all in
    the last four weeks. Their worst value, with a tenth of it to spare where it was measured and not counted, has to be at
    least a twentieth of the limit better than the limit.
    """
    days = [(date.fromisoformat(str(each[0])), int(each[1]), float(each[2])) for row in standings for each in row.days]
    if budget.limit_kind is not LimitKind.ABSOLUTE or not days or any(row.consecutive for row in standings):
        return None
    newest = max(day for day, _, _ in days)
    within = [each for each in days if (newest - each[0]).days <= WINDOW]
    oldest, audits = min(day for day, _, _ in within), sum(number for _, number, _ in within)
    if audits < AUDITS or (newest - oldest).days < DAYS:
        return None
    lower = subjects.lower_is_better(budget)
    worst = (max if lower else min)(value for _, _, value in within)
    limit = _spared(budget, worst, lower=lower)
    gain = budget.limit_value - limit if lower else limit - budget.limit_value
    if gain <= 0 or gain < LEAST_GAIN * budget.limit_value:
        return None
    return Ratchet(limit, worst, audits, oldest)


def _spared(budget: BudgetRow, worst: float, *, lower: bool) -> float:
    """Rounded to the looser side, so that it reads well and the worst value is within."""
    unit = subjects.unit(budget)
    spared = worst if unit in _FACTS else worst * (1 + MARGIN if lower else 1 - MARGIN)
    size = _STEPS.get(unit, 1.0)
    steps = round(spared / size, 9)
    return round((math.ceil(steps) if lower else math.floor(steps)) * size, 6)
