"""The geometry of a verdict's chart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.report.chart import BOTTOM, LEFT, RIGHT, TOP
from app.report.slots import Interval, Side, Slot, draw

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def show(value: float) -> str:
    return f"{value:g}"


def slots(*sides: Side, value: float = 100) -> list[Slot]:
    return [Slot(NOON + timedelta(hours=place), (value, value + 10), side) for place, side in enumerate(sides)]


FOUR = slots(Side.OTHER, Side.BEFORE, Side.BEFORE, Side.SINCE)


def test_snapshots_stand_in_slots_of_one_width_whenever_they_were_taken() -> None:
    late = [*FOUR[:3], Slot(NOON + timedelta(days=30), (100, 110), Side.SINCE)]
    assert [each.bar for each in draw(late, show).drawn] == [each.bar for each in draw(FOUR, show).drawn]
    middles = [each.bar.x + each.bar.width / 2 for each in draw(FOUR, show).drawn]
    assert middles == pytest.approx([LEFT + (place + 0.5) * (RIGHT - LEFT) / 4 for place in range(4)], abs=0.1)


def test_the_sides_are_told_apart_and_what_was_not_compared_is_on_none() -> None:
    (before, box), (since, last) = draw(FOUR, show).sides
    assert (before, box.label, since, last.label) == (Side.BEFORE, "before", Side.SINCE, "since")
    assert (box.x, box.width, last.x + last.width) == (LEFT + 85.5, 171, RIGHT)


def test_a_snapshot_has_its_runs_as_dots_and_what_stands_for_it_as_a_bar() -> None:
    (drawn,) = draw([Slot(NOON, (100, 110, 120, 300, 310), Side.SINCE)], show).drawn
    assert drawn.label == "3 Nov 2026, 12:00 UTC: 205, runs 100, 110, 120, 300, 310"
    *_, middle, high, highest = (dot.y for dot in drawn.runs)
    assert middle > drawn.bar.y > high > highest


def test_the_interval_lies_over_those_since_and_the_level_before_reaches_there() -> None:
    chart = draw(FOUR, show, interval=Interval(105, 110, 150))
    assert chart.interval is not None
    assert chart.level is not None
    assert chart.interval.x == chart.sides[1][1].x
    assert (chart.level.x, chart.level.x + chart.level.width) == (chart.sides[0][1].x, RIGHT)
    assert chart.interval.y < chart.interval.y + chart.interval.height < chart.level.y


def test_time_and_size_are_never_below_nothing() -> None:
    chart = draw(slots(Side.BEFORE, Side.SINCE, value=5), show, interval=Interval(5, -30, 40))
    assert chart.rows[0].label == "0"
    assert chart.interval is not None
    assert chart.interval.y + chart.interval.height == BOTTOM


def test_a_small_change_is_seen_but_no_mountain() -> None:
    rows = [float(row.label) for row in draw([*FOUR, *slots(Side.SINCE, value=101)], show).rows]
    assert 0 < rows[0] < 100
    assert rows[-1] - rows[0] >= 0.2 * 111


def test_a_mark_stands_between_the_snapshots_around_it_beside_others_of_that_time() -> None:
    between = NOON + timedelta(minutes=90)
    flags = draw(FOUR, show, marks=[(1, NOON), (2, between), (3, between + timedelta(minutes=1))]).flags
    width = (RIGHT - LEFT) / 4
    assert [flag.number for flag in flags] == [1, 2, 3]
    assert flags[0].x == pytest.approx(LEFT + width, abs=0.1)
    assert (flags[1].x + flags[2].x) / 2 == pytest.approx(LEFT + 2 * width, abs=0.1)
    assert flags[2].x - flags[1].x == 13


def test_nothing_leaves_the_picture() -> None:
    many = [Slot(NOON, tuple(range(20)), Side.SINCE)] * 16
    chart = draw(many, show, marks=[(number, NOON) for number in range(9)])
    assert all(LEFT <= dot.x <= RIGHT and TOP <= dot.y <= BOTTOM for each in chart.drawn for dot in each.runs)
    assert all(LEFT <= flag.x <= RIGHT for flag in chart.flags)


@pytest.mark.parametrize("value", [0, 1e-6, 0.1, 5_000_000])
def test_any_number_has_an_axis(value: float) -> None:
    chart = draw([Slot(NOON, (value,), Side.SINCE)], show)
    assert len(chart.rows) >= 2
    assert TOP <= chart.drawn[0].runs[0].y <= BOTTOM
