"""When a schedule fires: cron expressions, minutes, clocks that change, jitter; and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Fault
from domain.schedules import next_after, rules, upcoming

ID = UUID("01929c5e-0000-7000-8000-000000000001")
MADE = datetime(2026, 1, 1, 12, 34, 56, 789, tzinfo=UTC)


class Timing(NamedTuple):
    """All that a schedule's times depend on."""

    cron: str | None = None
    every_minutes: int | None = None
    time_zone: str = "UTC"
    jitter_seconds: int = 0
    id: UUID = ID
    created_at: datetime = MADE


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def local(timing: Timing, after: str, number: int) -> list[str]:
    """The next times after a moment, on the clocks of the schedule's zone."""
    zone = ZoneInfo(timing.time_zone)
    return [moment.astimezone(zone).isoformat(timespec="minutes") for moment in upcoming(timing, number, at(after))]


def checked(**given: object) -> tuple[rules.Settings, list[Fault]]:
    faults: list[Fault] = []
    settings = rules.Settings("name", None, "production", None, None, None, "UTC", 0)._replace(**given)  # type: ignore[arg-type]
    return rules.check_timing(settings, MADE, faults), faults


@pytest.mark.parametrize(
    ("cron", "times"),
    [
        ("* * * * *", ["2026-05-13T10:01", "2026-05-13T10:02", "2026-05-13T10:03"]),
        ("*/20 * * * *", ["2026-05-13T10:20", "2026-05-13T10:40", "2026-05-13T11:00"]),
        ("0 6 * * MON-FRI", ["2026-05-14T06:00", "2026-05-15T06:00", "2026-05-18T06:00"]),
        ("0 6 * * mon-fri", ["2026-05-14T06:00", "2026-05-15T06:00", "2026-05-18T06:00"]),
        ("30 8,18 * * *", ["2026-05-13T18:30", "2026-05-14T08:30", "2026-05-14T18:30"]),
        ("0 0 * JAN-MAR SUN", ["2027-01-03T00:00", "2027-01-10T00:00", "2027-01-17T00:00"]),
        ("0 0 * * 7", ["2026-05-17T00:00", "2026-05-24T00:00", "2026-05-31T00:00"]),
        ("0 0 1 * MON", ["2026-05-18T00:00", "2026-05-25T00:00", "2026-06-01T00:00"]),
        ("0 0 31 * *", ["2026-05-31T00:00", "2026-07-31T00:00", "2026-08-31T00:00"]),
        ("0 0 L * *", ["2026-05-31T00:00", "2026-06-30T00:00", "2026-07-31T00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
        ("@hourly", ["2026-05-13T11:00", "2026-05-13T12:00", "2026-05-13T13:00"]),
        ("@daily", ["2026-05-14T00:00", "2026-05-15T00:00", "2026-05-16T00:00"]),
        ("@midnight", ["2026-05-14T00:00", "2026-05-15T00:00", "2026-05-16T00:00"]),
        ("@weekly", ["2026-05-17T00:00", "2026-05-24T00:00", "2026-05-31T00:00"]),
        ("@monthly", ["2026-06-01T00:00", "2026-07-01T00:00", "2026-08-01T00:00"]),
        ("@yearly", ["2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"]),
        ("@annually", ["2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"]),
    ],
)
def test_a_cron_expression_fires_as_cron_does(cron: str, times: list[str]) -> None:
    assert checked(cron=cron)[1] == []
    assert local(Timing(cron), "2026-05-13T10:00:00Z", 3) == [f"{time}+00:00" for time in times]


@pytest.mark.parametrize(
    ("given", "kept"), [("  0  6\t* * *\n", "0 6 * * *"), ("@Daily", "@daily"), ("0 6 * * Mon", "0 6 * * Mon")]
)
def test_spaces_are_put_in_order(given: str, kept: str) -> None:
    settings, faults = checked(cron=given)
    assert (settings.cron, faults) == (kept, [])


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "A cron expression has five fields, minute, hour, day of the month, month and day of the week"),
        ("0 6 * *", "A cron expression has five fields"),
        ("0 0 6 * * *", "A cron expression has five fields"),
        ("60 * * * *", "The minute of this cron expression cannot be read: a minute is 0 to 59; "),
        ("*/0 * * * *", "The minute of"),
        ("5-1 * * * *", "The minute of"),
        ("-1 * * * *", "The minute of"),
        ("٣ * * * *", "The minute of"),
        ("0 24 * * *", "The hour of this cron expression cannot be read: an hour is 0 to 23; "),
        ("0 6 0 * *", "The day-of-month of this cron expression cannot be read: a day of the month is 1 to 31, or L for"),
        ("0 6 32 * *", "The day-of-month of"),
        ("0 6 * 13 *", "The month of this cron expression cannot be read: a month is 1 to 12 or JAN to DEC; "),
        ("0 6 * JANUARY *", "The month of"),
        ("0 6 * * 8", "The day-of-week of this cron expression cannot be read: a day of the week is 0 to 7 or SUN to SAT; "),
        ("0 6 * * MO", "The day-of-week of"),
        ("H H * * *", "The minute of"),
        ("@reboot", "The words that stand for a cron expression are @hourly, @daily, "),
        ("@every 5m", "The words that stand for a cron expression are "),
        ("0 0 30 2 *", "There is no day on which this cron expression fires; "),
        ("0 0 31 4,6,9,11 *", "There is no day on which this cron expression fires; "),
        ("0 0 */5 2 MON#5", "There is no day on which this cron expression fires; "),
        ("*" * 201, "A cron expression has at most 200 characters."),
    ],
)
def test_what_is_no_cron_expression_is_refused_with_an_example(cron: str, said: str) -> None:
    (fault,) = checked(cron=cron)[1]
    assert fault.path == ("cron",)
    assert fault.message.startswith(said)
    assert '"0 6 * * MON-FRI" is 6:00 on working days' in fault.message or "@" in cron or len(cron) > 200


@given(st.text("0123456789*/,-L#W SUNMONJAN@\t", max_size=30) | st.text(max_size=20))
def test_no_text_breaks_the_reading_of_cron_expressions(text: str) -> None:
    settings, faults = checked(cron=text)
    if not faults:
        assert next_after(Timing(settings.cron), MADE) is not None


def test_everything_that_is_wrong_is_said_at_once() -> None:
    _, faults = checked(cron="x", every_minutes=0, time_zone="Mars", jitter_seconds=-1)
    assert [(fault.path, str(fault.code)) for fault in faults] == [
        (("everyMinutes",), "INVALID"),
        (("cron",), "MALFORMED"),
        (("everyMinutes",), "OUT_OF_RANGE"),
        (("jitterSeconds",), "OUT_OF_RANGE"),
        (("timeZone",), "MALFORMED"),
    ]
    (fault,) = checked()[1]
    assert (fault.path, str(fault.code)) == (("cron",), "REQUIRED")
    for fields, wrong in [
        ({"every_minutes": 1}, []),
        ({"every_minutes": 10_080, "jitter_seconds": 3_600}, []),
        ({"every_minutes": 10_081, "jitter_seconds": 3_601}, ["everyMinutes", "jitterSeconds"]),
        ({"every_minutes": -5}, ["everyMinutes"]),
    ]:
        assert [fault.path[0] for fault in checked(**fields)[1]] == wrong


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Calcutta"])
def test_a_name_of_the_iana_database_is_a_time_zone(zone: str) -> None:
    assert checked(every_minutes=5, time_zone=zone)[1] == []


@pytest.mark.parametrize(
    "zone",
    ["", "Mars", "europe/zurich", "+01:00", "localtime", "Factory", "right/UTC", "../UTC", "/etc/passwd", "UTC\0", "UTC "],
)
def test_another_name_is_none(zone: str) -> None:
    (fault,) = checked(every_minutes=5, time_zone=zone)[1]
    assert fault.message == "This is not the name of a time zone, such as UTC or Europe/Berlin."


ZURICH_LEAP, ZURICH_REPEAT = "2026-03-29T00:00+01:00", "2026-10-25T00:00+02:00"
NEW_YORK_LEAP, NEW_YORK_REPEAT = "2026-03-08T00:00-05:00", "2026-11-01T00:00-04:00"


@pytest.mark.parametrize(
    ("zone", "cron", "after", "times"),
    [
        # From 2:00 the clocks leap to 3:00.
        ("Europe/Zurich", "30 2 * * *", ZURICH_LEAP, ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("Europe/Zurich", "0 1,2,3 * * *", ZURICH_LEAP, ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]),
        ("Europe/Zurich", "*/30 2 * * *", ZURICH_LEAP, ["2026-03-30T02:00+02:00", "2026-03-30T02:30+02:00"]),
        ("Europe/Zurich", "30 * * * *", "2026-03-29T01:00+01:00", ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"]),
        ("Europe/Zurich", "@daily", ZURICH_LEAP, ["2026-03-30T00:00+02:00", "2026-03-31T00:00+02:00"]),
        ("America/New_York", "30 2 * * *", NEW_YORK_LEAP, ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"]),
        ("America/New_York", "15 */2 * * *", NEW_YORK_LEAP, ["2026-03-08T00:15-05:00", "2026-03-08T04:15-04:00"]),
        # At 3:00, or 2:00, they go back by an hour.
        ("Europe/Zurich", "30 2 * * *", ZURICH_REPEAT, ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        ("Europe/Zurich", "30 2 * * *", "2026-10-25T02:15+01:00", ["2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00"]),
        ("Europe/Zurich", "30 2,3 * * *", ZURICH_REPEAT, ["2026-10-25T02:30+02:00", "2026-10-25T03:30+01:00"]),
        ("Europe/Zurich", "30 * * * *", "2026-10-25T02:00+02:00", ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"]),
        ("America/New_York", "30 1 * * *", NEW_YORK_REPEAT, ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]),
        ("America/New_York", "*/30 1 * * *", "2026-11-01T01:15-04:00", ["2026-11-01T01:30-04:00", "2026-11-01T01:00-05:00"]),
        ("America/New_York", "0 6 * * *", NEW_YORK_REPEAT, ["2026-11-01T06:00-05:00", "2026-11-02T06:00-05:00"]),
    ],
)
def test_where_the_clocks_change_it_fires_as_debians_cron_does(zone: str, cron: str, after: str, times: list[str]) -> None:
    assert local(Timing(cron, time_zone=zone), after, 2) == times


def test_minutes_are_counted_from_the_making_on_whatever_the_clocks_do() -> None:
    timing = Timing(every_minutes=90, time_zone="Europe/Zurich")
    assert next_after(timing, MADE) == at("2026-01-01T14:04:00Z")
    assert next_after(timing, at("2026-01-01T14:04:00Z")) == at("2026-01-01T15:34:00Z")
    assert next_after(timing, at("2025-12-01T00:00:00Z")) == at("2026-01-01T14:04:00Z"), "never before it was made"
    assert local(timing, "2026-03-29T01:00+01:00", 3) == [
        "2026-03-29T01:34+01:00",
        "2026-03-29T04:04+02:00",
        "2026-03-29T05:34+02:00",
    ]
    assert next_after(Timing(every_minutes=1), MADE) == at("2026-01-01T12:35:00Z")


@pytest.mark.parametrize("timing", [Timing(cron="*/15 * * * *"), Timing(every_minutes=15), Timing(every_minutes=1)])
@pytest.mark.parametrize("jitter", [60, 300, 3_600])
def test_jitter_is_the_same_in_every_process_and_within_its_bounds(timing: Timing, jitter: int) -> None:
    plain = upcoming(timing, 400, at("2026-05-13T10:00:00Z"))
    late = timing._replace(jitter_seconds=jitter)
    times = upcoming(late, 300, at("2026-05-13T10:00:00Z"))
    assert times == upcoming(late, 300, at("2026-05-13T10:00:00Z"))
    assert all(before < after for before, after in pairwise(times))
    due = [moment - timedelta(seconds=jitter) for moment in times]
    assert all(any(early <= moment <= late_ for moment in plain) for early, late_ in list(zip(due, times, strict=True))[-60:])
    assert len({moment.second for moment in times}) > 20, "it does not fire on the full minute"
    other = late._replace(id=UUID("01929c5e-0000-7000-8000-000000000002"))
    assert upcoming(other, 300, at("2026-05-13T10:00:00Z")) != times


def test_a_jitter_never_changes() -> None:
    """Replicas of two releases work side by side: these very times are part of the promise."""
    timing = Timing(cron="0 * * * *", jitter_seconds=600)
    assert [moment.isoformat() for moment in upcoming(timing, 3, at("2026-05-13T10:30:00Z"))] == [
        "2026-05-13T11:04:04+00:00",
        "2026-05-13T12:03:00+00:00",
        "2026-05-13T13:05:02+00:00",
    ]


ZONES = ["Europe/Zurich", "America/New_York", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]


@given(
    cron=st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 0 * * *", "0 0,1,2,3 * * *", "*/30 0-3 * * *", "5 */2 * * SUN"]),
    zone=st.sampled_from(ZONES),
    jitter=st.sampled_from([0, 90, 3_600]),
    minutes=st.floats(0, 2 * 365 * 24 * 60),
    part=st.floats(0, 0.999),
)
def test_whenever_it_is_asked_the_answer_is_the_same_until_it_fires(
    cron: str, zone: str, jitter: int, minutes: float, part: float
) -> None:
    timing = Timing(cron, time_zone=zone, jitter_seconds=jitter)
    moment = MADE + timedelta(minutes=minutes)
    following = next_after(timing, moment)
    assert following is not None
    assert following > moment
    between = moment + (following - moment) * part
    assert between == following or next_after(timing, between) == following


def test_what_nobody_can_read_any_more_never_fires() -> None:
    assert next_after(Timing("nonsense"), MADE) is None
    assert next_after(Timing("0 6 * * *", time_zone="Mars/Olympus"), MADE) is None
    assert upcoming(Timing("0 0 */5 2 MON#5"), 5, MADE) == []


def test_one_that_fails_rests_longer_each_time() -> None:
    assert [rules.rest(failures).seconds // 60 for failures in (1, 2, 3, 4, 5, 6, 7, 1_000_000)] == [
        2,
        4,
        8,
        16,
        32,
        60,
        60,
        60,
    ]
