"""The geometry of the drawings, number by number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.report.chart import BOTTOM, LEFT, RIGHT, TOP, Band, Dot, Flag, Point, Scale, Tick, draw, scale
from domain.metrics import Rating, Thresholds

START = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
MIDDLE = (LEFT + RIGHT) / 2


def points(*values: float | None, conditions: str = "one") -> list[Point]:
    """A day apart."""
    return [Point(START + timedelta(days=day), value, conditions) for day, value in enumerate(values)]


def show(value: float) -> str:
    return f"{value:g}"


def test_a_line_goes_through_its_points() -> None:
    chart = draw(points(0, 50, 100), show, most=100)
    assert chart is not None
    assert chart.lines == (f"M58 172L{MIDDLE:g} 91L400 10",)
    assert chart.dots[1] == Dot(MIDDLE, 91, "4 Nov 2026, 14:05 UTC: 50", current=False, alike=True)
    assert chart.rows[0] == Tick(BOTTOM, "0")
    assert chart.rows[-1] == Tick(TOP, "100")
    assert [row.label for row in chart.rows] == ["0", "20", "40", "60", "80", "100"]
    assert chart.columns == (Tick(LEFT, "3 Nov 2026", "start"), Tick(RIGHT, "5 Nov 2026", "end"))


def test_time_is_to_scale() -> None:
    chart = draw([*points(1, 1), Point(START + timedelta(days=10), 1, "one")], show)
    assert chart is not None
    assert [dot.x for dot in chart.dots] == [58, 92.2, 400]


def test_what_happened_stands_at_its_time() -> None:
    chart = draw(points(1, 1, 1), show, happened=[(START + timedelta(days=1), "Deploy 1.2")])
    assert chart is not None
    assert chart.flags == (Flag(MIDDLE, "4 Nov 2026, 14:05 UTC: Deploy 1.2"),)


def test_a_single_point_stands_in_the_middle_and_has_no_line() -> None:
    chart = draw(points(70), show)
    assert chart is not None
    assert chart.lines == ()
    assert [(dot.x, dot.y) for dot in chart.dots] == [(MIDDLE, 30.2)]
    assert chart.columns == (Tick(MIDDLE, "3 Nov, 14:05"),)
    assert [row.label for row in chart.rows] == ["0", "20", "40", "60", "80"]


def test_equal_values_make_a_level_line() -> None:
    chart = draw(points(40, 40, 40), show)
    assert chart is not None
    assert chart.lines == (f"M58 42.4L{MIDDLE:g} 42.4L400 42.4",)


def test_nothing_but_zeros_lies_on_the_axis() -> None:
    chart = draw(points(0, 0), show)
    assert chart is not None
    assert chart.lines == ("M58 172L400 172",)
    assert chart.rows[-1] == Tick(TOP, "1")


def test_a_gap_breaks_the_line() -> None:
    chart = draw(points(10, 10, None, 10, 10), show, most=20)
    assert chart is not None
    assert chart.lines == ("M58 91L143.5 91", "M314.5 91L400 91")
    assert len(chart.dots) == 4


def test_other_conditions_break_the_line_and_are_told_apart() -> None:
    old = points(10, 10)
    new = [Point(START + timedelta(days=day), 10, "two", current=day == 3) for day in (2, 3)]
    chart = draw([*old, *new], show, most=20)
    assert chart is not None
    assert chart.lines == ("M58 91L172 91", "M286 91L400 91")
    assert [(dot.alike, dot.current) for dot in chart.dots] == [(False, False), (False, False), (True, False), (True, True)]


def test_nothing_measured_is_no_chart() -> None:
    assert draw(points(None, None), show) is None


def test_bands_reach_only_as_far_as_the_axis() -> None:
    chart = draw(points(50), show, most=100, thresholds=Thresholds(80, 200))
    assert chart is not None
    assert chart.bands == (Band(Rating.GOOD, 42.4, 129.6), Band(Rating.NEEDS_IMPROVEMENT, 10, 32.4))


def test_where_more_is_better_the_good_band_is_on_top() -> None:
    chart = draw(points(0.5), show, most=1, thresholds=Thresholds(0.9, 0.5))
    assert chart is not None
    assert chart.bands == (
        Band(Rating.POOR, 91, 81),
        Band(Rating.NEEDS_IMPROVEMENT, 26.2, 64.8),
        Band(Rating.GOOD, 10, 16.2),
    )


def test_a_scale_places_value_and_spread_among_the_thresholds() -> None:
    assert scale(150, 120, 180, Thresholds(100, 200)) == Scale(
        (
            Band(Rating.GOOD, 0, 41.7),
            Band(Rating.NEEDS_IMPROVEMENT, 41.7, 41.6),
            Band(Rating.POOR, 83.3, 16.7),
        ),
        62.5,
        50,
        75,
    )


def test_a_value_below_zero_stands_at_the_begin_of_its_scale() -> None:
    assert scale(-4, -4, -4, Thresholds(30, 7)).value == 0
