"""Metrics over time in GraphQL: which audits count, what stands for an interval, and how much is too much."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import audits
from domain.access import SYSTEM, Reach
from domain.audits import ration
from domain.ids import Kind
from graph.operations import Asked
from tests import conditions
from tests.databases import everybodys
from tests.graph.asking import Asking, asking
from tests.graph.filled import START, Filled, Sizes, fill

__all__ = ["asking"]

SERIES = """query (
  $page: ID!, $profile: ID!, $metrics: [MetricName!]!, $environment: String! = "production", $from: DateTime, $to: DateTime,
  $interval: Interval! = AUTO, $statistic: Statistic! = P50, $zone: TimeZone! = "UTC"
) {
  page(id: $page) { timeSeries(
    profile: $profile, metrics: $metrics, environment: $environment, from: $from, to: $to,
    interval: $interval, statistic: $statistic, timeZone: $zone
  ) { metric { name } interval points { at value low high samples audit { id } } } }
}"""


async def history(asking: Asking, hours: int) -> Filled:
    """A page with an audit an hour from the first of January on, whose TTFB is the hour of the day."""
    return await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(1, 1, hours, 0, 0, 0))


async def whole(asking: Asking, there: Filled, **given: Any) -> Any:
    page, profile = there.readable(Kind.PAGE)[0], there.readable(Kind.PROFILE)[0]
    return await asking.whole(SERIES, **{"page": page, "profile": profile, "metrics": ["TTFB"], **given})


async def series(asking: Asking, there: Filled, **given: Any) -> Any:
    said = await whole(asking, there, **given)
    assert "errors" not in said, said
    return said["data"]["page"]["timeSeries"]


async def points(asking: Asking, there: Filled, **given: Any) -> list[Any]:
    (only,) = await series(asking, there, **given)
    found: list[Any] = only["points"]
    return found


async def change(asking: Asking, there: Filled, hour: int, **values: Any) -> None:
    async with everybodys(asking.database) as connection:
        await connection.execute(update(audits.Audit).where(audits.Audit.id == there.ids[Kind.AUDIT][hour]).values(**values))


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_a_short_series_has_a_point_an_audit(asking: Asking) -> None:
    there = await history(asking, 3)
    ended = [START + timedelta(hours=hour, minutes=1) for hour in range(3)]
    assert await series(asking, there) == [
        {
            "metric": {"name": "TTFB"},
            "interval": "NONE",
            "points": [
                {"at": written(ended[hour]), "value": hour, "low": hour, "high": hour, "samples": 1, "audit": {"id": audit}}
                for hour, audit in enumerate(there.readable(Kind.AUDIT))
            ],
        }
    ]


async def test_metrics_come_once_each_in_the_order_asked_for(asking: Asking) -> None:
    there = await history(asking, 1)
    asked = ["LCP", "REQUEST_COUNT", "TTFB", "LCP"]
    found = await series(asking, there, metrics=asked)
    assert [(each["metric"]["name"], len(each["points"])) for each in found] == [("LCP", 0), ("REQUEST_COUNT", 1), ("TTFB", 1)]
    assert await series(asking, there, metrics=[]) == []


async def test_only_finished_audits_of_one_profile_and_environment_count(asking: Asking) -> None:
    there = await history(asking, 5)
    changes: list[tuple[int, dict[str, Any]]] = [
        (0, {"state": audits.AuditState.FAILED}),
        (1, {"environment": "ci"}),
        (2, {"profile_id": there.ids[Kind.PROFILE][1]}),
        (3, {"ttfb_ms": None}),
    ]
    for hour, values in changes:
        await change(asking, there, hour, **values)
    assert [point["value"] for point in await points(asking, there)] == [4]
    assert [point["value"] for point in await points(asking, there, environment="ci")] == [1]
    assert [point["value"] for point in await points(asking, there, profile=there.readable(Kind.PROFILE)[1])] == [2]
    assert await points(asking, there, environment="nowhere") == []


async def test_time_is_from_and_including_and_to_and_excluding(asking: Asking) -> None:
    there = await history(asking, 5)
    times = {"from": "2026-01-01T01:01:00Z", "to": "2026-01-01T03:01:00Z"}
    assert [point["value"] for point in await points(asking, there, **times)] == [1, 2]
    other_zone = {"from": "2026-01-01T10:01:00+09:00", "to": "2026-01-01T02:01:00-01:00"}
    assert [point["value"] for point in await points(asking, there, **other_zone)] == [1, 2]
    early = {"from": "0500-01-01T00:00:00Z"}
    assert len(await points(asking, there, **early)) == 5
    refused = await whole(asking, there, **{"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"})
    assert [(error["message"], error["extensions"]["code"]) for error in refused["errors"]] == [
        ("`to` must be later than `from`.", "OUT_OF_RANGE")
    ]


async def test_an_intervals_point_is_the_statistic_that_was_asked_for(asking: Asking) -> None:
    there = await history(asking, 24)
    last = {"id": there.readable(Kind.AUDIT)[-1]}
    for statistic, value in [("P50", 11.5), ("P75", 17), ("P95", 22), ("MEAN", 11.5), ("MIN", 0), ("MAX", 23)]:
        assert await points(asking, there, interval="DAY", statistic=statistic) == [
            {"at": "2026-01-01T00:00:00.000Z", "value": value, "low": 0, "high": 23, "samples": 24, "audit": last}
        ]


async def test_days_and_weeks_are_those_of_the_zone(asking: Asking) -> None:
    there = await history(asking, 24)
    days = await points(asking, there, interval="DAY", zone="Asia/Kolkata")
    assert [(day["at"], day["samples"]) for day in days] == [
        ("2025-12-31T18:30:00.000Z", 19),
        ("2026-01-01T18:30:00.000Z", 5),
    ]
    (week,) = await points(asking, there, interval="WEEK", zone="Europe/Berlin")
    assert week["at"] == "2025-12-28T23:00:00.000Z"
    (month,) = await points(asking, there, interval="MONTH", zone="America/New_York", to="2026-01-01T05:00:00Z")
    assert month["at"] == "2025-12-01T05:00:00.000Z"


async def test_auto_takes_the_shortest_interval_of_at_most_four_hundred_points(asking: Asking) -> None:
    there = await history(asking, 401)
    (auto,) = await series(asking, there)
    assert (auto["interval"], len(auto["points"])) == ("DAY", 17)
    (auto,) = await series(asking, there, **{"from": "2026-01-01T01:00:00Z"})
    assert (auto["interval"], len(auto["points"])) == ("NONE", 400)


async def test_too_many_points_are_refused_with_what_to_do(asking: Asking) -> None:
    there = await history(asking, 2001)
    said = await whole(asking, there, interval="NONE")
    assert said["errors"][0]["extensions"]["code"] == "TOO_MANY"
    assert said["errors"][0]["message"].endswith("Take a longer interval or less time.")
    assert len(await points(asking, there, interval="NONE", **{"from": "2026-01-01T01:00:00Z"})) == 2000


async def test_what_others_ask_for_at_the_same_time_counts_for_nobody_else(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(1, 2, 3, 0, 0, 0))
    monkeypatch.setattr(ration, "MAX_SAMPLES", 4)
    found = await asyncio.gather(*(points(asking, there, page=page) for page in there.readable(Kind.PAGE)))
    assert [len(each) for each in found] == [3, 3]


async def test_what_an_operation_looks_at_is_counted_for_all_of_its_charts_and_paid(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page and its two charts are three things, with a point each of twenty audits that are looked at twice."""
    there = await history(asking, 20)
    text = """query ($page: ID!, $profile: ID!) { page(id: $page) {
      day: timeSeries(profile: $profile, metrics: [TTFB], interval: DAY) { points { value } }
      week: timeSeries(profile: $profile, metrics: [TTFB], interval: WEEK) { points { value } }
    } }"""
    given = {"page": there.readable(Kind.PAGE)[0], "profile": there.readable(Kind.PROFILE)[0]}
    prepared = await asking.operations.prepare(Asked(text, variables=given), asking.caller)
    cost = (await asking.operations.result(prepared)).body()["extensions"]["cost"]
    assert prepared.context.ration.share == cost["requestedQueryCost"] / 50_000
    assert cost["requestedQueryCost"] == 1 + 2 * (50 + 1 + 100)
    assert cost["actualQueryCost"] == 3 + 2 + 2 * 20 / 10
    monkeypatch.setattr(ration, "MAX_SAMPLES", 39)
    (error, *_) = (await asking.whole(text, **given))["errors"]
    assert error["extensions"]["code"] == "TOO_MANY"
    assert error["message"].startswith("One operation looks at 39 audits at most")


async def test_a_lighthouse_major_is_a_break(asking: Asking) -> None:
    there = await history(asking, 3)
    page, profile = there.readable(Kind.PAGE)[0], there.readable(Kind.PROFILE)[0]
    async with asking.database.work(SYSTEM) as work:
        row = (await audits.by_ids(work.db, Reach.whole(asking.workspace_id), [there.ids[Kind.AUDIT][2]])).popitem()[1]
        other = conditions.named({**row._asdict(), "engine_version": "2.0"})
        await work.db.execute(conditions.insertion([other]))
    await change(asking, there, 2, engine_version="2.0", conditions_id=other["id"])
    query = """query ($page: ID!, $profile: ID!) { page(id: $page) { timeSeries(profile: $profile, metrics: [TTFB, LCP]) {
      metric { name } points { value audit { engineVersion } }
      conditions { environment profileVersion engine engineMajor formFactor runnerPool throttling { rttMs } }
    } } }"""
    series = (await asking.ask(query, page=page, profile=profile))["page"]["timeSeries"]
    same = {"environment": "production", "profileVersion": 1, "engine": "PROBE", "formFactor": "DESKTOP"}
    same |= {"runnerPool": "default", "throttling": None}
    assert [(each["metric"]["name"], each["conditions"]) for each in series] == [
        ("TTFB", {**same, "engineMajor": 1}),
        ("TTFB", {**same, "engineMajor": 2}),
        ("LCP", None),
    ]
    assert [[(point["value"], point["audit"]["engineVersion"]) for point in each["points"]] for each in series] == [
        [(0, "1.0"), (1, "1.0")],
        [(2, "2.0")],
        [],
    ]


async def test_what_is_no_zone_or_no_profile_is_refused(asking: Asking) -> None:
    there = await history(asking, 1)
    for zone in ("", "Mars/Olympus", "../../etc/passwd", "Europe", "a\x01", "x" * 5000):
        said = await whole(asking, there, zone=zone)
        assert "This is not the name of a time zone" in said["errors"][0]["message"]
    for profile, code in [("x", "ID_MALFORMED"), (asking.workspace, "ID_WRONG_KIND")]:
        said = await whole(asking, there, profile=profile)
        assert said["errors"][0]["extensions"]["code"] == code
        assert said["errors"][0]["extensions"]["fields"][0]["path"] == ["profile"]


async def test_the_same_page_asked_for_twice_over_is_answered_for_each(asking: Asking) -> None:
    there = await history(asking, 3)
    page, profile = there.readable(Kind.PAGE)[0], there.readable(Kind.PROFILE)[0]
    query = """query ($page: ID!, $profile: ID!) { page(id: $page) {
      day: timeSeries(profile: $profile, metrics: [TTFB], interval: DAY) { points { value } }
      all: timeSeries(profile: $profile, metrics: [TTFB, LCP]) { points { value } }
      ci: timeSeries(profile: $profile, metrics: [TTFB], environment: "ci") { points { value } }
      latestAudit { id } other: latestAudit(environment: "ci") { id } with: latestAudit(profile: $profile) { id }
    } }"""
    latest = {"id": there.readable(Kind.AUDIT)[-1]}
    assert (await asking.ask(query, page=page, profile=profile))["page"] == {
        "day": [{"points": [{"value": 1}]}],
        "all": [{"points": [{"value": 0}, {"value": 1}, {"value": 2}]}, {"points": []}],
        "ci": [{"points": []}],
        "latestAudit": latest,
        "other": None,
        "with": latest,
    }
