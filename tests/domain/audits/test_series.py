"""History as points: which interval an audit falls into, and which number stands for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from domain import audits, sites
from domain.audits import Audit, Interval, Series, SeriesKey, Statistic, ration
from domain.audits.series import edges, floor
from domain.errors import InvalidInput, LimitReached, ProblemCode
from domain.ids import new_id
from domain.measuring import MetricName
from infra.db.database import SqlDatabase
from tests.databases import Counter, everybodys
from tests.domain.audits.lines import Line, line

BERLIN = "Europe/Berlin"
START = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("UTC", BERLIN, "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana", "Asia/Beirut", "Pacific/Apia")
INTERVALS = [Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH]


@pytest.fixture
async def acme(database: SqlDatabase) -> Line:
    return await line(database)


def times(start: datetime, step: timedelta, number: int) -> list[tuple[datetime, float]]:
    """The first with the value 0, the second with 1, and so on."""
    return [(start + step * place, float(place)) for place in range(number)]


def key(acme: Line, interval: Interval = Interval.AUTO, **given: Any) -> SeriesKey:
    return SeriesKey(acme.page.id, acme.profile, audits.PRODUCTION, (MetricName.TTFB,), interval=interval, **given)


async def answer(acme: Line, asked: SeriesKey) -> Any:
    return (await audits.histories(acme.database.reader, acme.actor.reach, [asked]))[asked]


async def one(acme: Line, interval: Interval = Interval.AUTO, **given: Any) -> Series:
    (series,) = await answer(acme, key(acme, interval, **given))
    assert isinstance(series, Series)
    return series


async def counted(acme: Line, interval: Interval, zone: str = "UTC") -> list[tuple[str, int]]:
    return [(point.at.isoformat(), point.samples) for point in (await one(acme, interval, time_zone=zone)).points]


async def test_the_day_on_which_clocks_go_forward_has_23_hours(acme: Line) -> None:
    await acme.add(*times(datetime(2026, 3, 27, 23, tzinfo=UTC), timedelta(hours=1), 24 + 23 + 24))
    assert await counted(acme, Interval.DAY, BERLIN) == [
        ("2026-03-27T23:00:00+00:00", 24),
        ("2026-03-28T23:00:00+00:00", 23),
        ("2026-03-29T22:00:00+00:00", 24),
    ]


async def test_the_day_on_which_clocks_go_back_has_25_hours(acme: Line) -> None:
    await acme.add(*times(datetime(2026, 10, 23, 22, tzinfo=UTC), timedelta(hours=1), 24 + 25 + 24))
    assert await counted(acme, Interval.DAY, BERLIN) == [
        ("2026-10-23T22:00:00+00:00", 24),
        ("2026-10-24T22:00:00+00:00", 25),
        ("2026-10-25T23:00:00+00:00", 24),
    ]


async def test_the_hour_that_comes_twice_is_two_hours(acme: Line) -> None:
    await acme.add(*times(datetime(2026, 10, 24, 23, 30, tzinfo=UTC), timedelta(minutes=15), 12))
    assert await counted(acme, Interval.HOUR, BERLIN) == [
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
async def test_a_day_whose_midnight_comes_twice_begins_once(acme: Line, zone: str, start: datetime) -> None:
    await acme.add(*times(start, timedelta(minutes=30), 4 * 48))
    days = await counted(acme, Interval.DAY, zone)
    assert len({at for at, _ in days}) == len(days) <= 5
    assert 50 in [number for _, number in days]


async def test_a_day_that_has_no_midnight_is_one_day(acme: Line) -> None:
    """In Beirut clocks go from 0:00 to 1:00."""
    await acme.add(*times(datetime(2026, 3, 27, 22, tzinfo=UTC), timedelta(hours=1), 24 + 23))
    assert [number for _, number in await counted(acme, Interval.DAY, "Asia/Beirut")] == [24, 23]


async def test_an_hour_of_a_zone_between_the_hours_begins_at_its_own_full_hour(acme: Line) -> None:
    await acme.add(*times(START, timedelta(minutes=15), 4))
    assert await counted(acme, Interval.HOUR, "Asia/Kolkata") == [
        ("2025-12-31T23:30:00+00:00", 2),
        ("2026-01-01T00:30:00+00:00", 2),
    ]


async def test_a_week_begins_on_monday_also_when_clocks_change(acme: Line) -> None:
    await acme.add(*times(datetime(2026, 3, 22, 12, tzinfo=UTC), timedelta(days=1), 9))  # from a Sunday on
    assert await counted(acme, Interval.WEEK, BERLIN) == [
        ("2026-03-15T23:00:00+00:00", 1),
        ("2026-03-22T23:00:00+00:00", 7),
        ("2026-03-29T22:00:00+00:00", 1),
    ]


async def test_a_month_begins_on_its_first_by_the_zones_clock(acme: Line) -> None:
    await acme.add((datetime(2026, 3, 31, 22, 30, tzinfo=UTC), 1.0))
    assert await counted(acme, Interval.MONTH, BERLIN) == [("2026-03-31T22:00:00+00:00", 1)]
    assert await counted(acme, Interval.MONTH) == [("2026-03-01T00:00:00+00:00", 1)]


async def test_an_interval_begins_with_its_first_moment_and_ends_before_the_next(acme: Line) -> None:
    midnight, moment = START + timedelta(days=1), timedelta(microseconds=1)
    await acme.add((midnight - moment, 1.0), (midnight, 2.0), (midnight + moment, 3.0))
    assert await counted(acme, Interval.DAY) == [("2026-01-01T00:00:00+00:00", 1), ("2026-01-02T00:00:00+00:00", 2)]


async def test_every_audit_is_counted_once_whatever_the_interval(acme: Line) -> None:
    await acme.add(*times(datetime(2025, 12, 30, tzinfo=UTC), timedelta(hours=1, minutes=23), 1_300))
    for interval in INTERVALS:
        for zone in ("UTC", BERLIN, "Australia/Lord_Howe", "Pacific/Apia"):
            series = await one(acme, interval, statistic=Statistic.MEAN, time_zone=zone)
            assert sum(point.samples for point in series.points) == 1_300
            assert [point.at for point in series.points] == sorted({point.at for point in series.points})
            assert all(point.audit_id is None for point in series.points)


moments = st.timedeltas(timedelta(0), timedelta(days=10_000)).map(lambda since: datetime(2012, 1, 1, tzinfo=UTC) + since)


@given(moments, st.timedeltas(timedelta(0), timedelta(days=70)), st.sampled_from(INTERVALS), st.sampled_from(ZONES))
def test_the_edges_are_the_beginnings_that_the_zones_clock_has(
    first: datetime, length: timedelta, interval: Interval, zone: str
) -> None:
    found = edges(interval, zone, first, first + length)
    assert list(found) == sorted(set(found))
    step = timedelta(minutes=15)
    clock = {floor(first + step * place, interval, ZoneInfo(zone)) for place in range(length // step + 1)}
    assert set(found) - {floor(first + length, interval, ZoneInfo(zone))} <= clock <= set(found)


async def test_without_an_interval_a_point_is_an_audit(acme: Line) -> None:
    ids = await acme.add(*times(START, timedelta(seconds=1), 3))
    series = await one(acme, Interval.NONE, statistic=Statistic.MAX)
    assert [tuple(point) for point in series.points] == [
        (START + timedelta(seconds=place), place, place, place, 1, id, None) for place, id in enumerate(ids)
    ]
    assert (series.metric, series.interval) == (MetricName.TTFB, Interval.NONE)


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
async def test_auto_takes_the_shortest_interval_that_a_chart_can_show(
    acme: Line, step: timedelta, number: int, chosen: tuple[Interval, int]
) -> None:
    await acme.add(*times(datetime(2020, 1, 1, tzinfo=UTC), step, number))
    series = await one(acme)
    assert (series.interval, len(series.points)) == chosen


async def test_auto_counts_the_hours_in_which_nothing_happened(acme: Line) -> None:
    """Three every other hour."""
    for hour in range(200):
        await acme.add(*times(START + timedelta(hours=2 * hour), timedelta(minutes=20), 3))
    series = await one(acme)
    assert (series.interval, [point.samples for point in series.points]) == (Interval.HOUR, [3, 0] * 199 + [3])
    await acme.add((START + timedelta(hours=400), 1.0))
    series = await one(acme)
    assert (series.interval, len(series.points)) == (Interval.DAY, 17)


async def test_an_interval_in_which_nothing_was_measured_is_a_gap_between_the_first_and_the_last(acme: Line) -> None:
    await acme.add((START, None), (START + timedelta(days=1), 1.0), (START + timedelta(days=3), None), dns_ms=2.0)
    await acme.add((START + timedelta(days=4), 5.0), (START + timedelta(days=5), None))
    ttfb, dns = await answer(acme, key(acme, Interval.DAY)._replace(metrics=(MetricName.TTFB, MetricName.DNS)))
    assert [(point.at.day, *point[1:5]) for point in ttfb.points] == [
        (2, 1.0, 1.0, 1.0, 1),
        (3, None, None, None, 0),
        (4, None, None, None, 0),
        (5, 5.0, 5.0, 5.0, 1),
    ]
    assert [point[5:] for point in ttfb.points[1:3]] == [(None, None)] * 2
    assert [point.value for point in dns.points] == [2, 2, None, 2]


async def test_an_intervals_last_audit_is_the_last_that_has_the_metric(acme: Line) -> None:
    hours = [START + timedelta(hours=hour) for hour in range(4)]
    ids = await acme.add((hours[2], 1.0), (hours[0], 2.0), (hours[3], None), (hours[1], 3.0))
    (point,) = (await one(acme, Interval.DAY)).points
    assert point.last is not None
    found = await audits.at_ends(acme.database.reader, acme.actor.reach, [point.last])
    assert [row.id for row in found.values()] == [ids[0]]
    other = await line(acme.database, "other")
    assert await audits.at_ends(acme.database.reader, other.actor.reach, [point.last]) == {}


async def test_moments_are_looked_for_in_the_history_that_they_are_of(acme: Line) -> None:
    """Two profiles measured at the same two moments, of which one is asked for of each."""
    later = START + timedelta(hours=1)
    other = (await sites.profiles_by_workspace(acme.database.reader, acme.actor.reach, [acme.page.workspace_id])).popitem()[1]
    with_another = next(row.id for row in other if row.id != acme.profile)
    ids = [*await acme.add((START, 1.0), (later, 2.0)), *await acme.add((START, 3.0), (later, 4.0), profile_id=with_another)]
    points = [(await one(acme, Interval.HOUR)).points[0]]
    (second,) = await answer(acme, key(acme, Interval.HOUR)._replace(profile_id=with_another))
    wanted = [point.last for point in (*points, second.points[1]) if point.last is not None]
    reader, reach = acme.database.reader, acme.actor.reach
    assert [row.id for row in (await audits.at_ends(reader, reach, wanted)).values()] == [ids[0], ids[3]]
    assert await audits.ids_at_ends(reader, reach, wanted) == dict(zip(wanted, (ids[0], ids[3]), strict=True))


async def test_other_conditions_are_another_series(acme: Line) -> None:
    """Another Lighthouse, and then a changed profile, which was changed back."""
    day = timedelta(days=1)
    await acme.add((START, 1.0), (START + day, 2.0), engine_version="12.8.2")
    await acme.add((START + 2 * day, 3.0), engine_version="13.0.0")
    await acme.add((START + 3 * day, 4.0), engine_version="13.1.0", profile_version=2)
    await acme.add((START + 4 * day, 5.0), engine_version="13.4.0")
    for interval, values in ((Interval.NONE, [[1, 2], [3, 5], [4]]), (Interval.DAY, [[1, 2], [3, None, 5], [4]])):
        found = await answer(acme, key(acme, interval))
        assert [[point.value for point in each.points] for each in found] == values
        ids = [each.conditions_id for each in found]
        made = await audits.conditions_by_ids(acme.database.reader, acme.actor.reach, ids)
        assert [(made[id].engine_major, made[id].profile_version) for id in ids] == [(12, 1), (13, 1), (13, 2)]


async def test_all_series_of_a_metric_have_one_interval_and_their_points_are_counted_together(acme: Line) -> None:
    await acme.add(*times(START, timedelta(hours=1), 300))
    await acme.add(*times(START, timedelta(hours=1), 101), runner_pool="berlin")
    found = await answer(acme, key(acme))
    assert [(each.interval, len(each.points)) for each in found] == [(Interval.DAY, 5), (Interval.DAY, 13)]


async def test_each_metric_has_the_interval_that_fits_it(acme: Line) -> None:
    await acme.add(*times(START, timedelta(hours=1), 500))
    await acme.add(*[(at, None) for at, _ in times(START, timedelta(hours=1), 2)], dns_ms=5.0)
    asked = key(acme)._replace(metrics=(MetricName.DNS, MetricName.TTFB, MetricName.LCP))
    dns, ttfb, lcp = await answer(acme, asked)
    assert (dns.metric, dns.interval, [point.value for point in dns.points]) == (MetricName.DNS, Interval.NONE, [5.0, 5.0])
    assert (ttfb.metric, ttfb.interval, len(ttfb.points)) == (MetricName.TTFB, Interval.DAY, 21)
    assert (lcp.metric, lcp.interval, lcp.points) == (MetricName.LCP, Interval.NONE, ())


async def test_several_metrics_come_from_the_statements_of_one(acme: Line) -> None:
    await acme.add(*times(START, timedelta(hours=1), 30), dns_ms=7.0, lcp_ms=9.0)
    counter = Counter(acme.database)
    await one(acme, Interval.DAY)
    alone = len(counter)
    many = await answer(acme, key(acme, Interval.DAY)._replace(metrics=(MetricName.LCP, MetricName.TTFB, MetricName.DNS)))
    assert (alone, len(counter) - alone) == (2, 2)
    assert [[point.value for point in series.points] for series in many] == [[9, 9], [11.5, 26.5], [7, 7]]


async def test_many_pages_come_from_the_statements_of_one(acme: Line) -> None:
    await acme.add(*times(START, timedelta(hours=1), 3))
    counter = Counter(acme.database)
    keys = [key(acme), *(key(acme)._replace(page_id=new_id()) for _ in range(20))]
    found = await audits.histories(acme.database.reader, acme.actor.reach, keys)
    assert len(counter) == 2
    assert [len(found[each][0].points) for each in keys] == [3] + [0] * 20  # type: ignore[index]


async def test_a_series_has_at_most_2000_points(acme: Line) -> None:
    await acme.add(*times(datetime(2020, 1, 1, tzinfo=UTC), timedelta(minutes=30), 4_000))
    assert len((await one(acme, Interval.HOUR)).points) == 2_000
    await acme.add((datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=2_000), 1.0))
    for interval, number in ((Interval.HOUR, "2,001"), (Interval.NONE, "4,001")):
        refused = await answer(acme, key(acme, interval))
        assert isinstance(refused, LimitReached)
        assert str(refused).startswith(f"A chart has at most 2,000 points; this one has {number}.")
        assert (refused.limit, refused.code) == (2_000, ProblemCode.TOO_MANY)
    assert len((await one(acme, Interval.DAY)).points) == 84


async def test_more_audits_than_are_looked_at_are_refused(acme: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    await acme.add(*times(START, timedelta(hours=1), 3))
    monkeypatch.setattr(ration, "MAX_SAMPLES", 2)
    refused = await answer(acme, key(acme))
    assert isinstance(refused, LimitReached)
    assert str(refused).startswith(
        "One operation looks at 2 audits at most, and this spans more. Take less time, or fewer pages"
    )
    assert len((await one(acme, since=START + timedelta(hours=1))).points) == 2


async def test_audits_that_are_looked_at_are_counted_over_all_that_one_operation_asks_for(
    acme: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As other intervals, from other moments on, and by comparing."""
    await acme.add(*times(START, timedelta(hours=1), 3))
    monkeypatch.setattr(ration, "MAX_SAMPLES", 8)
    reader, reach, ours = acme.database.reader, acme.actor.reach, audits.Ration()
    keys = [key(acme), key(acme, Interval.DAY), key(acme, since=START + timedelta(hours=1))]
    found = await audits.histories(reader, reach, keys, ours)
    assert [isinstance(found[each], LimitReached) for each in keys] == [False, False, False]
    assert (ours.looked_at, ours.left) == (8, 0)
    compared = audits.Comparison(acme.page.workspace_id, MetricName.TTFB, (acme.page.id,))
    assert isinstance((await audits.comparisons(reader, reach, [compared], ours))[compared], LimitReached)
    assert not isinstance((await audits.comparisons(reader, reach, [compared]))[compared], LimitReached)


async def test_points_are_counted_over_all_that_one_operation_asks_for_and_gaps_are_points(
    acme: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two audits with eight hours between them have ten points."""
    await acme.add((START, 1.0), (START + timedelta(hours=9), 2.0), dns_ms=1.0)
    monkeypatch.setattr(ration, "MAX_GIVEN", 35)
    reader, reach, ours = acme.database.reader, acme.actor.reach, audits.Ration()
    both = key(acme, Interval.HOUR)._replace(metrics=(MetricName.DNS, MetricName.TTFB))
    assert [len(each.points) for each in (await audits.histories(reader, reach, [both], ours))[both]] == [10, 10]  # type: ignore[union-attr]
    compared = audits.Comparison(acme.page.workspace_id, MetricName.TTFB, (acme.page.id,), interval=Interval.HOUR)
    (only,) = await audits.compare(reader, reach, compared, ours)
    assert (len(only.series.points), ours.given) == (10, 30)
    refused = (await audits.histories(reader, reach, [both], ours))[both]
    assert isinstance(refused, LimitReached)
    assert str(refused).startswith("One operation gets 35 points at most, and with this it would be 40. Take a longer interval")
    assert (refused.limit, refused.code) == (35, ProblemCode.TOO_MANY)


def test_points_of_which_much_is_asked_for_are_fewer() -> None:
    """Charts of what costs a fifth of what an operation may have five times the points that they were taken to have."""
    ours = audits.Ration()
    ours.share = 0.2
    ours.draw(2)
    ours.give(1_000)
    with pytest.raises(LimitReached, match="so much of each point gets 1,000 points at most, and with this it would be 1,001"):
        ours.give(1)
    ours.draw(1)
    ours.give(500)
    for share, most in ((1.0, 400), (0.001, 20_000)):
        other = audits.Ration()
        other.share = share
        other.draw(1)
        other.give(most)


async def test_hours_are_told_apart_over_ten_years(acme: Line) -> None:
    await acme.add((START - timedelta(days=3_661), 1.0), *times(START, timedelta(seconds=1), 500))
    refused = await answer(acme, key(acme, Interval.HOUR))
    assert isinstance(refused, LimitReached)
    assert (await one(acme)).interval is Interval.MONTH


@pytest.mark.parametrize(
    ("values", "statistic", "expected"),
    [
        ([4, 1, 3, 2], Statistic.P50, 2.5),
        ([3, 1, 2], Statistic.P50, 2),
        ([2, 1, 2, 2], Statistic.P50, 2),
        ([4, 1, 3, 2], Statistic.P75, 3),
        ([*range(1, 21)], Statistic.P95, 19),
        ([*range(1, 22)], Statistic.P95, 20),
        ([7], Statistic.P95, 7),
        ([1, 2, 6], Statistic.MEAN, 3),
        ([5, 1, 9], Statistic.MIN, 1),
        ([5, 1, 9], Statistic.MAX, 9),
    ],
)
async def test_the_number_that_stands_for_an_interval(
    acme: Line, values: list[float], statistic: Statistic, expected: float
) -> None:
    await acme.add(*((START, value) for value in values))
    (point,) = (await one(acme, Interval.DAY, statistic=statistic)).points
    assert (point.low, point.value, point.high, point.samples) == (min(values), expected, max(values), len(values))
    assert {type(each) for each in (point.low, point.value, point.high)} == {float}


async def test_a_percentile_is_the_nearest_rank_of_exact_arithmetic(acme: Line) -> None:
    """A day with one audit, a day with two, and so on."""
    sizes = [*range(1, 62), 80, 100, 120]
    await acme.add(*((START + timedelta(days=day), float(rank + 1)) for day, n in enumerate(sizes) for rank in range(n)))
    for statistic, percent in ((Statistic.P75, 75), (Statistic.P95, 95)):
        series = await one(acme, Interval.DAY, statistic=statistic)
        assert [point.value for point in series.points] == [ceil(Fraction(percent * number, 100)) for number in sizes]
    medians = await one(acme, Interval.DAY)
    assert [point.value for point in medians.points] == [(number + 1) / 2 for number in sizes]


async def test_a_history_is_half_open_and_leaves_out_what_was_not_measured(acme: Line) -> None:
    await acme.add((START, 100.0), (START + timedelta(minutes=10), 200.0), (START + timedelta(minutes=20), 300.0))
    await acme.add((START + timedelta(minutes=5), None))
    second = START + timedelta(minutes=10)
    assert [point.value for point in (await one(acme)).points] == [100, 200, 300]
    assert [point.value for point in (await one(acme, since=second)).points] == [200, 300]
    assert [point.value for point in (await one(acme, until=second)).points] == [100]
    assert [point.value for point in (await one(acme, Interval.DAY, since=second)).points] == [250]
    refused = await answer(acme, key(acme, since=second, until=second))
    assert isinstance(refused, InvalidInput)


async def test_another_tenants_history_is_empty(acme: Line) -> None:
    await acme.add(*times(START, timedelta(hours=1), 3))
    other = await line(acme.database, "other")
    for interval in (Interval.AUTO, Interval.DAY):
        found = await audits.histories(acme.database.reader, other.actor.reach, [key(acme, interval)])
        assert [series.points for series in found[key(acme, interval)]] == [()]  # type: ignore[union-attr]
    assert await audits.histories(acme.database.reader, acme.actor.reach, []) == {}
    async with everybodys(acme.database) as connection:
        assert len((await connection.execute(select(Audit.id))).all()) == 3
