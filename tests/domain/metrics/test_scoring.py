"""Scores and representative runs are Lighthouse's own; the table is made by make_lighthouse_cases.mjs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.measuring import FormFactor, MetricName
from domain.metrics import WEIGHTS, curve, metric_score, performance_score, representative_run

CASES: dict[str, Any] = json.loads(Path(__file__).with_name("lighthouse_cases.json").read_text())
MAJORS = range(6, 14)
FCP, TTI, TTFB, PAGE_LOAD = MetricName.FCP, MetricName.TTI, MetricName.TTFB, MetricName.PAGE_LOAD
SCORED = (*WEIGHTS[9], MetricName.MAX_POTENTIAL_FID)
VALUES = st.floats(min_value=0, max_value=1e6)
GOOD_VALUES = dict.fromkeys(WEIGHTS[9], 0.01)


def metrics_of(case: dict[str, float]) -> dict[MetricName, float]:
    return {MetricName(name): value for name, value in case.items()}


def test_the_table_has_two_hundred_scores_of_eight_versions_and_both_form_factors() -> None:
    assert len(CASES["scores"]) == 200
    assert {case["major"] for case in CASES["scores"]} == set(MAJORS)
    assert {case["formFactor"] for case in CASES["scores"]} == set(FormFactor)
    assert len(CASES["representative"]) == 100


@pytest.mark.parametrize("major", MAJORS)
def test_each_metric_scores_what_that_lighthouse_says(major: int) -> None:
    for case in (case for case in CASES["scores"] if case["major"] == major):
        form_factor = FormFactor(case["formFactor"])
        values = metrics_of(case["values"])
        scores = {metric: metric_score(metric, value, form_factor, major) for metric, value in values.items()}
        assert scores == metrics_of(case["scores"])


@pytest.mark.parametrize("major", MAJORS)
def test_the_performance_score_is_what_that_lighthouse_says(major: int) -> None:
    for case in (case for case in CASES["scores"] if case["major"] == major):
        score = performance_score(metrics_of(case["values"]), FormFactor(case["formFactor"]), major)
        assert score == case["performance"], case


def test_the_representative_run_is_the_one_that_lighthouse_takes() -> None:
    for case in CASES["representative"]:
        assert representative_run([metrics_of(run) for run in case["runs"]]) == case["index"], case


@pytest.mark.parametrize("major", MAJORS)
def test_the_weights_of_a_version_add_up_to_a_hundred(major: int) -> None:
    assert sum(WEIGHTS[major].values()) == 100


@pytest.mark.parametrize("major", MAJORS)
def test_a_missing_metric_that_has_weight_leaves_no_score(major: int) -> None:
    assert performance_score(GOOD_VALUES, FormFactor.MOBILE, major) == 1
    for metric in WEIGHTS[major]:
        without = {name: value for name, value in GOOD_VALUES.items() if name is not metric}
        assert performance_score(without, FormFactor.MOBILE, major) is None
        assert performance_score({**without, metric: float("nan")}, FormFactor.MOBILE, major) is None


def test_since_version_10_the_time_to_interactive_counts_for_nothing() -> None:
    values = {name: value for name, value in GOOD_VALUES.items() if name is not TTI}
    assert performance_score(values, FormFactor.MOBILE, 9) is None
    assert performance_score(values, FormFactor.MOBILE, 10) == 1


@pytest.mark.parametrize("major", [5, 14])
def test_a_version_whose_weights_are_unknown_has_no_score(major: int) -> None:
    assert performance_score(GOOD_VALUES, FormFactor.MOBILE, major) is None


def test_a_metric_without_a_curve_has_no_score() -> None:
    assert metric_score(MetricName.TTFB, 100, FormFactor.MOBILE) is None


@given(st.sampled_from(SCORED), st.sampled_from(FormFactor), st.sampled_from(MAJORS), VALUES, VALUES)
def test_a_lower_value_never_scores_less(
    metric: MetricName, form_factor: FormFactor, major: int, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    of_low, of_high = (metric_score(metric, value, form_factor, major) for value in (low, high))
    assert of_low is not None
    assert of_high is not None
    assert 0 <= of_high <= of_low <= 1


@given(st.sampled_from(SCORED), st.sampled_from(FormFactor), VALUES)
def test_a_score_passes_exactly_up_to_the_points_of_its_curve(
    metric: MetricName, form_factor: FormFactor, value: float
) -> None:
    points = curve(metric, form_factor)
    score = metric_score(metric, value, form_factor)
    assert points is not None
    assert score is not None
    assert (score >= 0.9) == (value <= points.p10)
    assert (score >= 0.5) == (value <= points.median)


@pytest.mark.parametrize("value", [-1.0, 0.0, 5e-324])
def test_the_least_values_score_one(value: float) -> None:
    assert metric_score(MetricName.CLS, value, FormFactor.MOBILE) == 1


MOMENTS = st.floats(min_value=1, max_value=60_000)
RUNS = st.lists(st.fixed_dictionaries({FCP: MOMENTS, TTI: MOMENTS}), min_size=1, max_size=8)


@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_the_runs_does_not_change_how_near_and_how_late_the_representative_is(
    runs: list[dict[MetricName, float]], shuffler: Any
) -> None:
    shuffled = runs.copy()
    shuffler.shuffle(shuffled)
    index, other = representative_run(runs), representative_run(shuffled)
    assert 0 <= index < len(runs)
    # Two runs equally near and equally late may differ in FCP; then, as in Lighthouse, the earlier one is taken.
    assert runs[index][TTI] == shuffled[other][TTI]


@given(RUNS)
def test_the_probe_is_judged_by_the_same_rule_over_its_own_moments(runs: list[dict[MetricName, float]]) -> None:
    probed = [{TTFB: run[FCP], PAGE_LOAD: run[TTI]} for run in runs]
    assert representative_run(probed) == representative_run(runs)


def test_a_tie_goes_to_the_smaller_time_to_interactive_then_to_the_earlier_run() -> None:
    assert representative_run([{FCP: 1000, TTI: 5000}, {FCP: 1000, TTI: 3000}]) == 1
    assert representative_run([{FCP: 3000, TTI: 5000}, {FCP: 1000, TTI: 5000}]) == 0


def test_an_even_number_of_runs_has_the_mean_of_the_middle_two_as_its_median() -> None:
    outliers: list[dict[MetricName, float]] = [{FCP: 2000, TTI: 9000}, {FCP: 3000, TTI: 1000}]
    # The medians are 2500 and 5100. With the lower of the middle two, the first pair of runs would be taken otherwise;
    # with the upper, the second.
    assert representative_run([{FCP: 1000, TTI: 5000}, {FCP: 3900, TTI: 5200}, *outliers]) == 1
    assert representative_run([{FCP: 1100, TTI: 5000}, {FCP: 4000, TTI: 5200}, *outliers]) == 0


def test_runs_that_lack_a_moment_are_no_candidates() -> None:
    runs = [{FCP: 1000.0}, {FCP: 0.0, TTI: 3000.0}, {FCP: 900.0, TTI: 9000.0}, {TTFB: 10.0, PAGE_LOAD: 20.0}]
    assert representative_run(runs) == 2


def test_without_any_candidate_the_first_run_stands_for_all() -> None:
    assert representative_run([{MetricName.REQUEST_COUNT: 3}, {FCP: 100}]) == 0
