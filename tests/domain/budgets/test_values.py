"""What of an audit's runs is held against a limit, as the assertions of Lighthouse CI and budget.json say it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.budgets import Aggregation, BudgetRow, BudgetSource, BudgetState, SubjectKind, deciding
from domain.budgets.deciding import Sample, aggregated
from domain.measuring import EngineName, FormFactor
from tests.domain.budgets.test_ratchet import budget

PASSED, BREACHED = BudgetState.PASSED, BudgetState.BREACHED


@dataclass
class Audited:
    scores: list[dict[str, Any]] = field(default_factory=list)
    user_timings: list[dict[str, Any]] = field(default_factory=list)
    engine: EngineName = EngineName.LIGHTHOUSE
    engine_version: str | None = "13.4.1"
    form_factor: FormFactor = FormFactor.MOBILE
    representative_run: int | None = 0


@dataclass
class Run:
    index: int
    lcp_ms: float | None = None
    cls: float | None = None
    script_bytes: float | None = None
    request_count: float | None = None
    performance_score: float | None = None


def limit(kind: SubjectKind, subject: str, value: float, **settings: Any) -> BudgetRow:
    return budget(subject_kind=kind, subject=subject, limit_value=value, **settings)


def state(row: BudgetRow, findings: int = 0, timing: float | None = None, **numbers: float) -> BudgetState:
    """Of an audit of one run with these numbers, with so many pieces of evidence of each finding."""
    timings = [{"name": row.subject, "start_ms": timing, "duration_ms": None}] if timing is not None else []
    scores = [{"category": name, "score": value} for name, value in numbers.items() if name == "seo"]
    run = Run(0, **{name: value for name, value in numbers.items() if name in Run.__annotations__})
    return deciding.decide(row, Sample(Audited(scores, timings), [run], {row.subject: findings})).state


@pytest.mark.parametrize(
    ("row", "on", "beyond"),
    [
        (limit(SubjectKind.METRIC, "lcp_ms", 2500), {"lcp_ms": 2500.0}, {"lcp_ms": 2500.001}),
        (limit(SubjectKind.RESOURCE_SIZE, "script", 1024), {"script_bytes": 1024.0}, {"script_bytes": 1025.0}),
        (limit(SubjectKind.RESOURCE_COUNT, "total", 3), {"request_count": 3.0}, {"request_count": 4.0}),
        (limit(SubjectKind.CATEGORY, "performance", 0.9), {"performance_score": 0.9}, {"performance_score": 0.89}),
        (limit(SubjectKind.CATEGORY, "seo", 0.9), {"seo": 0.9}, {"seo": 0.89}),
        (limit(SubjectKind.METRIC_SCORE, "lcp_ms", 0.5), {"lcp_ms": 4000.0}, {"lcp_ms": 4100.0}),
        (limit(SubjectKind.FINDING, "image-alt", 2), {"findings": 2}, {"findings": 3}),
        (limit(SubjectKind.USER_TIMING, "hero", 300), {"timing": 300.0}, {"timing": 301.0}),
    ],
    ids=lambda given: given.subject_kind.value if isinstance(given, BudgetRow) else "",
)
def test_a_value_on_the_limit_is_within_it_be_it_a_maximum_or_a_minimum(
    row: BudgetRow, on: dict[str, Any], beyond: dict[str, Any]
) -> None:
    """minScore is >=, maxLength and maxNumericValue are <=."""
    assert (state(row, **on), state(row, **beyond)) == (PASSED, BREACHED)


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (limit(SubjectKind.METRIC, "cls", 0.15, tolerance=0.05), {"cls": 0.2}),
        (limit(SubjectKind.CATEGORY, "performance", 0.8, tolerance=0.1), {"performance_score": 0.7}),
    ],
    ids=["maximum", "minimum"],
)
def test_a_value_at_the_end_of_the_tolerance_is_within_it_although_binary_fractions_say_a_little_more(
    row: BudgetRow, value: dict[str, Any]
) -> None:
    """0.2 - 0.15 is 0.05000000000000002."""
    assert state(row, **value) is PASSED
    assert state(row._replace(tolerance=row.tolerance - 0.000001), **value) is BREACHED


@pytest.mark.parametrize(
    ("aggregation", "maximum", "minimum"),
    [
        (Aggregation.MEDIAN, 2.5, 2.5),
        (Aggregation.OPTIMISTIC, 1, 9),
        (Aggregation.PESSIMISTIC, 9, 1),
        (Aggregation.MEDIAN_RUN, 3, 3),
    ],
)
def test_pessimistic_is_the_reverse_of_optimistic_and_the_median_of_an_even_number_is_the_mean_of_the_middle_two(
    aggregation: Aggregation, maximum: float, minimum: float
) -> None:
    values = [9.0, 3.0, 1.0, 2.0]
    assert aggregated(values, 1, aggregation, lower=True) == (maximum, True)
    assert aggregated(values, 1, aggregation, lower=False) == (minimum, True)


def test_only_pessimistic_minds_that_a_run_lacks_the_value() -> None:
    """The others take those that have one; of one run that stands for all nothing else is looked at."""
    for aggregation, value in ((Aggregation.MEDIAN, 3.0), (Aggregation.OPTIMISTIC, 2.0), (Aggregation.MEDIAN_RUN, 4.0)):
        assert aggregated([None, 4.0, 2.0], 1, aggregation, lower=True).value == value
    assert aggregated([None, 4.0, 2.0], 0, Aggregation.MEDIAN_RUN, lower=True).value is None
    row = limit(SubjectKind.METRIC, "lcp_ms", 9000)
    sample = Sample(Audited(), [Run(0, 1000.0), Run(1)])
    states = {each: deciding.decide(row._replace(aggregation=each), sample).state for each in Aggregation}
    assert {each for each, found in states.items() if found is BREACHED} == {Aggregation.PESSIMISTIC}


def test_of_two_timings_of_one_name_the_first_counts_and_of_a_measure_its_duration() -> None:
    timings = [
        {"name": "heroImage", "start_ms": 5.0, "duration_ms": 0.0},
        {"name": "hero-image", "start_ms": 6.0, "duration_ms": 900.0},
    ]
    row = limit(SubjectKind.USER_TIMING, "hero-image", 1)
    assert deciding.decide(row, Sample(Audited(user_timings=timings), [Run(0)])).value == 0


def test_an_assertion_of_lighthouse_ci_whose_audit_is_missing_is_not_judged_where_it_has_a_number() -> None:
    """There `auditRan` fails; here what was not measured neither begins a breach nor ends one (docs/budgets.md)."""
    row = limit(SubjectKind.METRIC, "lcp_ms", 2500)._replace(source=BudgetSource.LHCI)
    assert deciding.decide(row, Sample(Audited(), [Run(0)])).state is BudgetState.NOT_JUDGED
