"""History as points: which interval a sample falls into, and which number stands for it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audits import Interval, Sample, Series, Statistic, thin
from domain.errors import LimitReached, ProblemCode
from domain.ids import new_id
from domain.measuring import MetricName

BERLIN = "Europe/Berlin"


def samples(start: datetime, step: timedelta, number: int) -> list[Sample]:
    return [Sample(start + step * place, new_id(), float(place)) for place in range(number)]


def points(
    given: list[Sample], interval: Interval, statistic: Statistic = Statistic.P50, zone: str = "UTC"
) -> list[tuple[str, int]]:
    series = thin(given, MetricName.TTFB, interval, statistic, zone)
    return [(point.at.isoformat(), point.samples) for point in series.points]


def value(values: list[float], statistic: Statistic) -> float:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    series = thin([Sample(at, new_id(), each) for each in values], MetricName.TTFB, Interval.DAY, statistic, "UTC")
    assert len(series.points) == 1
    return series.points[0].value


def test_the_day_on_which_clocks_go_forward_has_23_hours() -> None:
    hours = samples(datetime(2026, 3, 27, 23, tzinfo=UTC), timedelta(hours=1), 24 + 23 + 24)
    assert points(hours, Interval.DAY, zone=BERLIN) == [
        ("2026-03-27T23:00:00+00:00", 24),
        ("2026-03-28T23:00:00+00:00", 23),
        ("2026-03-29T22:00:00+00:00", 24),
    ]


def test_the_day_on_which_clocks_go_back_has_25_hours() -> None:
    hours = samples(datetime(2026, 10, 23, 22, tzinfo=UTC), timedelta(hours=1), 24 + 25 + 24)
    assert points(hours, Interval.DAY, zone=BERLIN) == [
        ("2026-10-23T22:00:00+00:00", 24),
        ("2026-10-24T22:00:00+00:00", 25),
        ("2026-10-25T23:00:00+00:00", 24),
    ]


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    quarters = samples(datetime(2026, 10, 24, 23, 30, tzinfo=UTC), timedelta(minutes=15), 12)
    assert points(quarters, Interval.HOUR, zone=BERLIN) == [
        ("2026-10-24T23:00:00+00:00", 2),
        ("2026-10-25T00:00:00+00:00", 4),
        ("2026-10-25T01:00:00+00:00", 4),
        ("2026-10-25T02:00:00+00:00", 2),
    ]


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Atlantic/Azores", datetime(2026, 10, 24, 23, tzinfo=UTC)),
        ("America/Havana", datetime(2026, 10, 31, 3, tzinfo=UTC)),
    ],
)
def test_a_day_whose_midnight_comes_twice_begins_once(zone: str, start: datetime) -> None:
    days = points(samples(start, timedelta(minutes=30), 4 * 48), Interval.DAY, zone=zone)
    assert len({at for at, _ in days}) == len(days) <= 5
    assert 50 in [number for _, number in days]


def test_a_day_that_has_no_midnight_is_one_day() -> None:
    """In Beirut clocks go from 0:00 to 1:00."""
    days = points(samples(datetime(2026, 3, 27, 22, tzinfo=UTC), timedelta(hours=1), 24 + 23), Interval.DAY, zone="Asia/Beirut")
    assert [number for _, number in days] == [24, 23]


def test_an_hour_of_a_zone_between_the_hours_begins_at_its_own_full_hour() -> None:
    half = samples(datetime(2026, 1, 1, 0, 0, tzinfo=UTC), timedelta(minutes=15), 4)
    assert points(half, Interval.HOUR, zone="Asia/Kolkata") == [
        ("2025-12-31T23:30:00+00:00", 2),
        ("2026-01-01T00:30:00+00:00", 2),
    ]


def test_a_week_begins_on_monday_also_when_clocks_change() -> None:
    days = samples(datetime(2026, 3, 22, 12, tzinfo=UTC), timedelta(days=1), 9)  # from a Sunday on
    assert points(days, Interval.WEEK, zone=BERLIN) == [
        ("2026-03-15T23:00:00+00:00", 1),
        ("2026-03-22T23:00:00+00:00", 7),
        ("2026-03-29T22:00:00+00:00", 1),
    ]


def test_a_month_begins_on_its_first_by_the_zones_clock() -> None:
    late = [Sample(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), new_id(), 1.0)]
    assert points(late, Interval.MONTH, zone=BERLIN) == [("2026-03-31T22:00:00+00:00", 1)]
    assert points(late, Interval.MONTH) == [("2026-03-01T00:00:00+00:00", 1)]


def test_every_sample_is_counted_once_whatever_the_interval() -> None:
    many = samples(datetime(2025, 12, 30, tzinfo=UTC), timedelta(hours=7, minutes=13), 1_300)
    for interval in (Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH):
        for zone in ("UTC", BERLIN, "Australia/Lord_Howe", "Pacific/Apia"):
            series = thin(many, MetricName.TTFB, interval, Statistic.MEAN, zone)
            assert sum(point.samples for point in series.points) == 1_300
            assert [point.at for point in series.points] == sorted({point.at for point in series.points})
            assert all(point.audit_id is None for point in series.points)


def test_without_an_interval_a_point_is_an_audit() -> None:
    three = samples(datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=1), 3)
    series = thin(three, MetricName.LCP, Interval.NONE, Statistic.MAX, "UTC")
    assert [(point.audit_id, point.value, point.low, point.high, point.samples) for point in series.points] == [
        (sample.audit_id, sample.value, sample.value, sample.value, 1) for sample in three
    ]
    assert (series.metric, series.interval) == (MetricName.LCP, Interval.NONE)


def auto(step: timedelta, number: int) -> tuple[Interval, int]:
    series: Series = thin(
        samples(datetime(2020, 1, 1, tzinfo=UTC), step, number), MetricName.TTFB, Interval.AUTO, Statistic.P50, "UTC"
    )
    return series.interval, len(series.points)


@pytest.mark.parametrize(
    ("step", "number", "chosen"),
    [
        (timedelta(seconds=1), 0, (Interval.NONE, 0)),
        (timedelta(seconds=1), 400, (Interval.NONE, 400)),
        (timedelta(minutes=15), 401, (Interval.HOUR, 101)),
        (timedelta(hours=1), 401, (Interval.DAY, 17)),
        (timedelta(days=1), 401, (Interval.WEEK, 58)),
        (timedelta(days=7), 401, (Interval.MONTH, 93)),
    ],
)
def test_auto_takes_the_shortest_interval_that_a_chart_can_show(
    step: timedelta, number: int, chosen: tuple[Interval, int]
) -> None:
    assert auto(step, number) == chosen


def test_a_series_has_at_most_2000_points() -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    assert len(points(samples(start, timedelta(hours=1), 2_000), Interval.HOUR)) == 2_000
    with pytest.raises(LimitReached, match="at most 2,000 points; this one has 2,001") as refused:
        points(samples(start, timedelta(hours=1), 2_001), Interval.HOUR)
    assert (refused.value.limit, refused.value.code) == (2_000, ProblemCode.TOO_MANY)


@pytest.mark.parametrize(
    ("values", "statistic", "expected"),
    [
        ([4, 1, 3, 2], Statistic.P50, 2.5),
        ([3, 1, 2], Statistic.P50, 2),
        ([4, 1, 3, 2], Statistic.P75, 3),
        ([*range(1, 21)], Statistic.P95, 19),
        ([*range(1, 22)], Statistic.P95, 20),
        ([7], Statistic.P95, 7),
        ([1, 2, 6], Statistic.MEAN, 3),
        ([5, 1, 9], Statistic.MIN, 1),
        ([5, 1, 9], Statistic.MAX, 9),
    ],
)
def test_the_number_that_stands_for_an_interval(values: list[float], statistic: Statistic, expected: float) -> None:
    assert value(values, statistic) == expected


@given(st.integers(1, 3_000), st.sampled_from([(Statistic.P75, 75), (Statistic.P95, 95)]))
def test_a_percentile_is_the_nearest_rank_of_exact_arithmetic(number: int, wanted: tuple[Statistic, int]) -> None:
    statistic, percent = wanted
    assert value([float(each) for each in range(1, number + 1)], statistic) == ceil(Fraction(percent * number, 100))


def test_low_and_high_are_those_of_the_interval() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    given = [Sample(at, new_id(), each) for each in (5.0, 1.0, 9.0)]
    (point,) = thin(given, MetricName.TTFB, Interval.DAY, Statistic.MEAN, "UTC").points
    assert (point.low, point.value, point.high, point.samples) == (1.0, 5.0, 9.0, 3)
    assert Counter(type(each) for each in (point.low, point.high)) == {float: 2}
