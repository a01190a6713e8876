"""When a budget can be made tighter, and to what."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.budgets import BudgetRow, LimitKind, Ratchet, SubjectKind
from domain.budgets.ratchet import ratchet
from domain.budgets.rows import StandingRow
from domain.ids import new_id
from tests.domain.budgets.benches import METRIC, NOON

FIRST = date(2026, 5, 1)


def budget(**settings: Any) -> BudgetRow:
    blank: dict[str, Any] = dict.fromkeys(BudgetRow._fields)
    return BudgetRow(**(blank | METRIC._replace(**settings)._asdict()))


def standing(*days: tuple[int, int, float], consecutive: int = 0) -> StandingRow:
    """Each: days after the first, number of audits, worst value."""
    rows: list[list[str | int | float]] = [[(FIRST + timedelta(days=day)).isoformat(), *rest] for day, *rest in days]
    at = datetime.combine(FIRST, NOON.time(), NOON.tzinfo)
    return StandingRow(
        budget_id=new_id(),
        page_id=new_id(),
        profile_id=new_id(),
        environment="production",
        workspace_id=new_id(),
        site_id=new_id(),
        consecutive=consecutive,
        breach_id=None,
        since=None,
        baseline=None,
        conditions_id=None,
        last_value=None,
        last_audit_id=new_id(),
        last_at=at,
        days=rows,
    )


def test_it_is_the_worst_value_of_ten_audits_over_seven_days_with_a_tenth_to_spare() -> None:
    held = [standing((0, 5, 1500.0), (7, 4, 1401.0)), standing((3, 1, 1000.0))]
    assert ratchet(budget(limit_value=2500.0), held) == Ratchet(1650.0, 1500.0, 10, FIRST)


@pytest.mark.parametrize(
    "held",
    [
        [],
        [standing((0, 5, 1500.0), (7, 4, 1500.0))],
        [standing((0, 50, 1500.0), (6, 50, 1500.0))],
        [standing((0, 5, 1500.0), (7, 5, 2300.0))],
        [standing((0, 5, 1500.0), (7, 5, 1500.0)), standing(consecutive=1)],
        [standing((0, 9, 1500.0), (29, 9, 1500.0))],
    ],
    ids=["nothing", "nine audits", "six days", "little to gain", "a breach goes on", "not within four weeks"],
)
def test_it_is_null_where_there_is_not_enough_to_say_so(held: list[StandingRow]) -> None:
    assert ratchet(budget(limit_value=2500.0), held) is None


def test_a_relative_limit_has_none() -> None:
    held = [standing((0, 5, 1500.0), (7, 5, 1500.0))]
    assert ratchet(budget(limit_kind=LimitKind.RELATIVE, limit_value=2500.0), held) is None


@pytest.mark.parametrize(
    ("settings", "worst", "limit"),
    [
        ({"subject": "script_bytes", "limit_value": 500_000.0}, 100_000.0, 100_352.0),
        ({"subject": "request_count", "limit_value": 90.0}, 41.0, 41.0),
        ({"subject": "cls", "limit_value": 0.25}, 0.031, 0.04),
        ({"subject": "performance_score", "limit_value": 0.5}, 0.92, 0.82),
        ({"subject_kind": SubjectKind.FINDING, "subject": "x", "limit_value": 3.0}, 0.0, 0.0),
    ],
    ids=["bytes", "requests", "cls", "score", "finding"],
)
def test_what_is_counted_gets_nothing_to_spare_and_a_minimum_goes_up(
    settings: dict[str, Any], worst: float, limit: float
) -> None:
    found = ratchet(budget(**settings), [standing((0, 9, worst), (8, 9, worst))])
    assert found is not None
    assert (found.limit, found.worst) == (limit, worst)
