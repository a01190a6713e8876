"""The catalogue is complete, judges as its sources do, and speaks to people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.measuring import EngineName, FormFactor, MetricName
from domain.metrics import CATALOGUE, Direction, Rating, Thresholds, Unit, format_change, format_share, format_value, rating

MOBILE, DESKTOP = FormFactor.MOBILE, FormFactor.DESKTOP
PROBE, LIGHTHOUSE, PAGESPEED = EngineName.PROBE, EngineName.LIGHTHOUSE, EngineName.PAGESPEED
UNIT_OF_SUFFIX = {
    "_ms": Unit.MILLISECOND,
    "_bytes": Unit.BYTE,
    "_count": Unit.COUNT,
    "_size": Unit.COUNT,
    "_days": Unit.DAY,
    "_score": Unit.SCORE,
    "cls": Unit.UNITLESS,
}


def test_every_metric_has_its_entry_in_the_order_of_the_enum() -> None:
    assert list(CATALOGUE) == list(MetricName)
    assert [entry.name for entry in CATALOGUE.values()] == list(MetricName)


@pytest.mark.parametrize("metric", MetricName)
def test_every_entry_is_described_in_a_sentence_and_linked(metric: MetricName) -> None:
    entry = CATALOGUE[metric]
    assert entry.title
    assert entry.description.endswith(".")
    assert entry.link.startswith("https://")


def test_no_two_metrics_share_a_title() -> None:
    assert len({entry.title for entry in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("metric", MetricName)
def test_the_unit_is_the_one_that_the_column_says(metric: MetricName) -> None:
    units = [unit for suffix, unit in UNIT_OF_SUFFIX.items() if metric.value.endswith(suffix)]
    assert units == [CATALOGUE[metric].unit]


def test_only_the_score_and_the_certificate_are_better_when_higher() -> None:
    higher = {name for name, entry in CATALOGUE.items() if entry.direction is Direction.HIGHER_IS_BETTER}
    assert higher == {MetricName.PERFORMANCE_SCORE, MetricName.CERTIFICATE_DAYS}


@pytest.mark.parametrize(
    ("metric", "good", "poor"),
    [
        (MetricName.LCP, 2500, 4000),
        (MetricName.CLS, 0.1, 0.25),
        (MetricName.FCP, 1800, 3000),
        (MetricName.TTFB, 800, 1800),
    ],
)
@pytest.mark.parametrize("engine", [LIGHTHOUSE, PAGESPEED])
def test_on_mobile_the_web_vitals_have_the_thresholds_of_the_web_vitals_library(
    metric: MetricName, good: float, poor: float, engine: EngineName
) -> None:
    assert CATALOGUE[metric].thresholds(engine, MOBILE) == Thresholds(good, poor)


@pytest.mark.parametrize(
    ("metric", "form_factor", "good", "poor"),
    [
        (MetricName.PERFORMANCE_SCORE, MOBILE, 0.9, 0.5),
        (MetricName.PERFORMANCE_SCORE, DESKTOP, 0.9, 0.5),
        (MetricName.LCP, DESKTOP, 1200, 2400),
        (MetricName.FCP, DESKTOP, 934, 1600),
        (MetricName.CLS, DESKTOP, 0.1, 0.25),
        (MetricName.TBT, MOBILE, 200, 600),
        (MetricName.TBT, DESKTOP, 150, 350),
        (MetricName.SPEED_INDEX, MOBILE, 3387, 5800),
        (MetricName.SPEED_INDEX, DESKTOP, 1311, 2300),
        (MetricName.TTI, MOBILE, 3785, 7300),
        (MetricName.TTI, DESKTOP, 2468, 4500),
        (MetricName.MAX_POTENTIAL_FID, MOBILE, 130, 250),
        (MetricName.MAX_POTENTIAL_FID, DESKTOP, 130, 250),
    ],
)
def test_other_lab_metrics_have_the_control_points_of_lighthouse(
    metric: MetricName, form_factor: FormFactor, good: float, poor: float
) -> None:
    assert CATALOGUE[metric].thresholds(LIGHTHOUSE, form_factor) == Thresholds(good, poor)


def test_the_probe_is_judged_only_on_what_it_can_see() -> None:
    judged = {name: entry.thresholds(PROBE, DESKTOP) for name, entry in CATALOGUE.items()}
    assert {name: found for name, found in judged.items() if found} == {
        MetricName.TTFB: Thresholds(800, 1800),
        MetricName.TRANSFER_BYTES: Thresholds(2_731_008, 4_096_000),
        MetricName.DOM_SIZE: Thresholds(800, 1400),
        MetricName.CERTIFICATE_DAYS: Thresholds(30, 7),
    }


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        (MetricName.LCP, 2500, Rating.GOOD),
        (MetricName.LCP, 2500.1, Rating.NEEDS_IMPROVEMENT),
        (MetricName.LCP, 4000, Rating.NEEDS_IMPROVEMENT),
        (MetricName.LCP, 4000.1, Rating.POOR),
        (MetricName.PERFORMANCE_SCORE, 0.9, Rating.GOOD),
        (MetricName.PERFORMANCE_SCORE, 0.89, Rating.NEEDS_IMPROVEMENT),
        (MetricName.PERFORMANCE_SCORE, 0.5, Rating.NEEDS_IMPROVEMENT),
        (MetricName.PERFORMANCE_SCORE, 0.49, Rating.POOR),
        (MetricName.CERTIFICATE_DAYS, 30, Rating.GOOD),
        (MetricName.CERTIFICATE_DAYS, 7, Rating.NEEDS_IMPROVEMENT),
        (MetricName.CERTIFICATE_DAYS, 6.9, Rating.POOR),
        (MetricName.CERTIFICATE_DAYS, -1, Rating.POOR),
        (MetricName.DNS, 5000, None),
        (MetricName.REQUEST_COUNT, 5000, None),
    ],
)
def test_a_value_on_a_threshold_still_has_the_better_rating(metric: MetricName, value: float, expected: Rating | None) -> None:
    assert rating(metric, value, LIGHTHOUSE, MOBILE) is expected


RANK = {Rating.GOOD: 0, Rating.NEEDS_IMPROVEMENT: 1, Rating.POOR: 2}
VALUES = st.floats(min_value=-1e9, max_value=1e9)


@given(st.sampled_from(MetricName), st.sampled_from(EngineName), st.sampled_from(FormFactor), VALUES, VALUES)
def test_a_better_value_never_has_a_worse_rating(
    metric: MetricName, engine: EngineName, form_factor: FormFactor, one: float, other: float
) -> None:
    better, worse = sorted((one, other), reverse=CATALOGUE[metric].direction is Direction.HIGHER_IS_BETTER)
    of_better, of_worse = rating(metric, better, engine, form_factor), rating(metric, worse, engine, form_factor)
    assert (of_better is None) == (of_worse is None) == (CATALOGUE[metric].thresholds(engine, form_factor) is None)
    if of_better and of_worse:
        assert RANK[of_better] <= RANK[of_worse]


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (MetricName.TBT, 0, "0 ms"),
        (MetricName.DNS, 0.43, "0.4 ms"),
        (MetricName.DNS, 9.96, "10 ms"),
        (MetricName.TTFB, 87.6, "88 ms"),
        (MetricName.LCP, 1234.4, "1,234 ms"),
        (MetricName.LCP, 9999.4, "9,999 ms"),
        (MetricName.LCP, 9999.6, "10.0 s"),
        (MetricName.LCP, 12_345, "12.3 s"),
        (MetricName.TRANSFER_BYTES, 0, "0 B"),
        (MetricName.TRANSFER_BYTES, 999.4, "999 B"),
        (MetricName.TRANSFER_BYTES, 999.6, "1.0 kB"),
        (MetricName.TRANSFER_BYTES, 45_600, "45.6 kB"),
        (MetricName.TRANSFER_BYTES, 999_949, "999.9 kB"),
        (MetricName.TRANSFER_BYTES, 999_960, "1.0 MB"),
        (MetricName.TRANSFER_BYTES, 2_731_008, "2.7 MB"),
        (MetricName.PERFORMANCE_SCORE, 0.92, "92"),
        (MetricName.PERFORMANCE_SCORE, 0.29, "29"),
        (MetricName.PERFORMANCE_SCORE, 0.985, "99"),
        (MetricName.PERFORMANCE_SCORE, 1, "100"),
        (MetricName.CLS, 0.1234, "0.123"),
        (MetricName.CLS, 0, "0.000"),
        (MetricName.REQUEST_COUNT, 1234, "1,234"),
        (MetricName.REQUEST_COUNT, 12.5, "12.5"),
        (MetricName.CERTIFICATE_DAYS, 6.9, "6 days"),
        (MetricName.CERTIFICATE_DAYS, 1.5, "1 day"),
        (MetricName.CERTIFICATE_DAYS, -0.5, "-1 day"),
    ],
)
def test_values_are_shown_as_people_write_them(metric: MetricName, value: float, text: str) -> None:
    assert format_value(metric, value) == text


@pytest.mark.parametrize(
    ("metric", "change", "text"),
    [
        (MetricName.TTFB, 200, "+200 ms"),
        (MetricName.TRANSFER_BYTES, -1_500, "−1.5 kB"),
        (MetricName.CLS, -0.05, "−0.050"),
        (MetricName.REQUEST_COUNT, 0, "±0"),
    ],
)
def test_a_change_says_which_way_it_goes(metric: MetricName, change: float, text: str) -> None:
    assert format_change(metric, change) == text


@pytest.mark.parametrize(("change", "text"), [(0.8, "+80 %"), (-0.054, "−5 %"), (12, "+1,200 %"), (0, "±0 %")])
def test_a_relative_change_says_which_way_it_goes(change: float, text: str) -> None:
    assert format_share(change) == text
