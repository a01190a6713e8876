"""Medians, ranges, and which numbers an audit calls its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.measuring import EngineName, MetricName
from domain.metrics import Spread, audit_metrics, median, spread

LCP, TTFB, TBT = MetricName.LCP, MetricName.TTFB, MetricName.TBT
VALUES = st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1, max_size=9)


@pytest.mark.parametrize(("values", "middle"), [([7], 7), ([3, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([1, 1, 9], 1)])
def test_the_median_is_the_middle_value_or_the_mean_of_the_two(values: list[float], middle: float) -> None:
    assert median(values) == middle


def test_a_spread_has_the_median_the_range_and_the_number_of_samples() -> None:
    assert spread([900, 1000, 1400, 1100]) == Spread(value=1050, low=900, high=1400, samples=4)
    assert spread(iter([42])) == Spread(value=42, low=42, high=42, samples=1)


def test_nothing_has_neither_median_nor_spread() -> None:
    with pytest.raises(ValueError, match="no median"):
        median([])
    with pytest.raises(ValueError, match="no median"):
        spread([])


@given(VALUES)
def test_the_median_lies_in_the_range_with_half_of_the_values_on_either_side(values: list[float]) -> None:
    found = spread(values)
    assert found.low <= found.value <= found.high
    assert 2 * sum(value < found.value for value in values) <= len(values)
    assert 2 * sum(value > found.value for value in values) <= len(values)


RUNS = [
    {TTFB: 300.0, LCP: 2000.0, TBT: 10.0},
    {TTFB: 100.0, LCP: 3000.0},
    {TTFB: 200.0, LCP: 1000.0, TBT: 40.0},
]


@pytest.mark.parametrize("engine", [EngineName.LIGHTHOUSE, EngineName.PAGESPEED])
def test_a_browsers_audit_has_the_numbers_of_its_representative_run_and_no_others(engine: EngineName) -> None:
    assert audit_metrics(engine, RUNS, 1) == {LCP: 3000.0, TTFB: 100.0}


def test_a_probes_audit_has_the_medians_of_the_runs_that_measured_each() -> None:
    assert audit_metrics(EngineName.PROBE, RUNS, 1) == {LCP: 2000.0, TBT: 25.0, TTFB: 200.0}


@pytest.mark.parametrize("engine", EngineName)
def test_an_audits_numbers_come_in_the_order_of_the_catalogue(engine: EngineName) -> None:
    assert list(audit_metrics(engine, RUNS, 0)) == [LCP, TBT, TTFB]
