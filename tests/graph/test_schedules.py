"""Schedules in GraphQL: made, read, changed, paused, run, forgotten, refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import leases, schedules
from domain.access import Role
from domain.ids import Kind, decode, encode, new_id
from domain.schedules import firing, rules
from tests.databases import Counter, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults, profiles, rows

__all__ = ["asking"]

SCHEDULE = """id name environment runs cron everyMinutes timeZone jitterSeconds paused pausedAt nextAt lastAt createdAt
  upcoming site { id } page { path } profile { name }"""


async def new_site(asking: Asking, origin: str = "https://example.com", pages: int = 1) -> tuple[str, list[str]]:
    """The ids of a site and of its pages."""
    made = await change(asking, "siteCreate", "site { id }", workspace=asking.workspace, origin=origin)
    site = made["site"]["id"]
    found = [await change(asking, "pageCreate", "page { id }", site=site, path=f"/{number}") for number in range(pages)]
    return site, [page["page"]["id"] for page in found]


async def create(asking: Asking, site: str, name: str = "daily", **input: Any) -> Any:
    input = input if "everyMinutes" in input else {"cron": "0 6 * * *", **input}
    return await change(asking, "scheduleCreate", f"schedule {{ {SCHEDULE} }} replayed", site=site, name=name, **input)


async def read(asking: Asking, id: str, fields: str = SCHEDULE) -> Any:
    text = f"query ($id: ID!) {{ node(id: $id) {{ ... on Schedule {{ {fields} }} }} }}"
    return (await asking.ask(text, id=id))["node"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_schedule_is_made_and_found_again(asking: Asking) -> None:
    site, (page,) = await new_site(asking)
    profile = (await profiles(asking))[1]
    answer = await create(
        asking,
        site,
        page=page,
        profile=profile["id"],
        environment="staging",
        runs=2,
        cron="  0 6  * * MON-FRI",
        timeZone="Europe/Zurich",
        jitterSeconds=0,
    )
    assert answer["replayed"] is False
    schedule = answer["schedule"]
    expected = {
        "name": "daily",
        "environment": "staging",
        "runs": 2,
        "cron": "0 6 * * MON-FRI",
        "everyMinutes": None,
        "timeZone": "Europe/Zurich",
        "jitterSeconds": 0,
        "paused": False,
        "pausedAt": None,
        "lastAt": None,
        "site": {"id": site},
        "page": {"path": "/0"},
        "profile": {"name": profile["name"]},
    }
    assert {name: schedule[name] for name in expected} == expected
    assert len(schedule["upcoming"]) == 5
    assert schedule["upcoming"] == sorted(schedule["upcoming"])
    assert schedule["upcoming"][0] == schedule["nextAt"]
    assert all(moment(each).weekday() < 5 for each in schedule["upcoming"])
    assert await read(asking, schedule["id"]) == schedule


async def test_the_next_times_are_as_many_as_asked_for(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking, site, everyMinutes=90, jitterSeconds=300))["schedule"]["id"]
    schedule = await read(asking, id, "createdAt everyMinutes upcoming(first: 50)")
    made = moment(schedule["createdAt"]).replace(second=0, microsecond=0)
    assert len(schedule["upcoming"]) == 50
    for number, each in enumerate(schedule["upcoming"], start=1):
        assert timedelta() <= moment(each) - made - number * timedelta(minutes=90) <= timedelta(minutes=5)
    for first in (0, -1, 51):
        text = f"query ($id: ID!) {{ node(id: $id) {{ ... on Schedule {{ upcoming(first: {first}) }} }} }}"
        said = await asking.whole(text, id=id)
        assert [error["extensions"]["code"] for error in said["errors"]] == ["OUT_OF_RANGE"]


async def test_everything_that_is_wrong_with_a_schedule_is_said_at_once(asking: Asking) -> None:
    site, _ = await new_site(asking)
    answer = await create(asking, site, " ", environment="No!", runs=0, cron="61 * * * *", jitterSeconds=3_601)
    assert faults(answer) == [
        (["name"], "REQUIRED"),
        (["environment"], "MALFORMED"),
        (["runs"], "OUT_OF_RANGE"),
        (["cron"], "MALFORMED"),
        (["jitterSeconds"], "OUT_OF_RANGE"),
    ]
    assert answer["fields"][3]["message"] == (
        'The minute of this cron expression cannot be read: a minute is 0 to 59; "0 6 * * MON-FRI" is 6:00 on working days.'
    )
    assert faults(await create(asking, site, cron="@daily", everyMinutes=5)) == [(["everyMinutes"], "INVALID")]
    assert faults(await create(asking, site, cron=None)) == [(["cron"], "REQUIRED")]
    assert faults(await create(asking, site, everyMinutes=10_081)) == [(["everyMinutes"], "OUT_OF_RANGE")]
    assert faults(await create(asking, "site_0")) == [(["site"], "ID_MALFORMED")]
    assert faults(await create(asking, site, page=site)) == [(["page"], "ID_WRONG_KIND")]
    assert faults(await create(asking, site, profile=site)) == [(["profile"], "ID_WRONG_KIND")]
    assert faults(await change(asking, "scheduleRun", schedule=site)) == [(["schedule"], "ID_WRONG_KIND")]
    assert await rows(asking, "schedules") == [0]


async def test_a_time_zone_has_to_be_one(asking: Asking) -> None:
    site, _ = await new_site(asking)
    input = '{site: $site, name: "n", everyMinutes: 5, timeZone: $zone}'
    text = f"mutation ($site: ID!, $zone: TimeZone!) {{ scheduleCreate(input: {input}) {{ ... on Problem {{ code }} }} }}"
    for zone in ("Mars/Olympus", "right/UTC", "../UTC"):
        said = await asking.whole(text, site=site, zone=zone)
        assert "errors" in said or said["data"]["scheduleCreate"] == {"code": "MALFORMED"}, zone
    assert await rows(asking, "schedules") == [0]


async def test_the_same_key_makes_one_schedule_and_the_same_name_is_a_conflict(asking: Asking) -> None:
    site, _ = await new_site(asking)
    first = await create(asking, site, idempotencyKey="k")
    again = await create(asking, site, idempotencyKey="k")
    assert (first["replayed"], again["replayed"], again["schedule"]["id"]) == (False, True, first["schedule"]["id"])
    other = await create(asking, site, runs=3, idempotencyKey="k")
    assert (other["__typename"], other["code"]) == ("Conflict", "KEY_REUSED")
    same = await create(asking, site)
    assert (same["code"], same["existing"]) == ("ALREADY_EXISTS", {"__typename": "Schedule", "id": first["schedule"]["id"]})
    assert await rows(asking, "schedules") == [1]


async def test_a_workspace_has_so_many_schedules(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_SCHEDULES", 1)
    site, _ = await new_site(asking)
    await create(asking, site)
    answer = await create(asking, site, "another")
    assert (answer["__typename"], answer["code"], answer["limit"]) == ("LimitReached", "TOO_MANY", 1)


async def test_what_is_left_out_stays_and_null_is_a_value_where_there_is_none(asking: Asking) -> None:
    site, _ = await new_site(asking)
    profile = (await profiles(asking))[1]["id"]
    before = (await create(asking, site, profile=profile, runs=2))["schedule"]
    read_it = f"schedule {{ {SCHEDULE} }}"
    assert (await change(asking, "scheduleUpdate", read_it, schedule=before["id"]))["schedule"] == before
    nothing = dict.fromkeys(("name", "environment", "cron", "everyMinutes", "timeZone", "jitterSeconds"))
    assert (await change(asking, "scheduleUpdate", read_it, schedule=before["id"], **nothing))["schedule"] == before
    after = (await change(asking, "scheduleUpdate", read_it, schedule=before["id"], profile=None, runs=None))["schedule"]
    assert after == {**before, "profile": None, "runs": None}
    after = (await change(asking, "scheduleUpdate", read_it, schedule=before["id"], everyMinutes=5, name="often"))["schedule"]
    assert (after["cron"], after["everyMinutes"], after["name"]) == (None, 5, "often")
    assert moment(after["nextAt"]) - datetime.now(UTC) <= timedelta(minutes=5)
    await create(asking, site, "taken")
    answer = await change(asking, "scheduleUpdate", schedule=before["id"], name="taken")
    assert (answer["__typename"], answer["code"]) == ("Conflict", "ALREADY_EXISTS")
    assert faults(await change(asking, "scheduleUpdate", schedule=before["id"], cron="x", runs=99)) == [
        (["runs"], "OUT_OF_RANGE"),
        (["cron"], "MALFORMED"),
    ]


async def test_a_schedule_rests_and_goes_on(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking, site))["schedule"]["id"]
    fields = "paused pausedAt nextAt upcoming"
    paused = (await change(asking, "schedulePause", f"schedule {{ {fields} }}", schedule=id))["schedule"]
    assert (paused["paused"], paused["nextAt"], paused["upcoming"]) == (True, None, [])
    assert paused["pausedAt"] is not None
    resumed = (await change(asking, "scheduleResume", f"schedule {{ {fields} }}", schedule=id))["schedule"]
    assert (resumed["paused"], resumed["pausedAt"]) == (False, None)
    assert resumed["upcoming"][0] == resumed["nextAt"]


async def test_a_schedule_runs_now(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    site, pages = await new_site(asking, pages=3)
    id = (await create(asking, site))["schedule"]["id"]
    for replayed in (False, True):
        answer = await change(asking, "scheduleRun", "schedule { lastAt } replayed", schedule=id, idempotencyKey="k")
        assert (answer["replayed"], answer["schedule"]["lastAt"] is None) == (replayed, False)
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Page { audits { nodes { state } } } } }"
    found = (await asking.ask(text, ids=pages))["nodes"]
    assert [page["audits"]["nodes"] for page in found] == [[{"state": "QUEUED"}]] * 3
    monkeypatch.setattr(firing, "PIECE", 2)
    other = (await create(asking, site, "other", environment="staging"))["schedule"]["id"]
    assert (await change(asking, "scheduleRun", schedule=other))["__typename"] == "ScheduleRunPayload"
    answer = await change(asking, "scheduleRun", schedule=other)
    assert (answer["__typename"], answer["code"], answer["existing"]["id"]) == ("Conflict", "STATE_CHANGED", other)
    lease = await leases.acquire(asking.database, "scheduler", holder="here", lasts=timedelta(seconds=30))
    assert lease is not None
    assert await schedules.fire_due(asking.database, lease) == (1, None)
    assert await rows(asking, "audits") == [6]


async def test_a_forgotten_schedule_is_gone(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking, site, idempotencyKey="k"))["schedule"]["id"]
    assert await change(asking, "scheduleDelete", "scheduleId", schedule=id) == {
        "__typename": "ScheduleDeletePayload",
        "scheduleId": id,
    }
    assert await read(asking, id) is None
    gone = await create(asking, site, idempotencyKey="k")
    assert (gone["__typename"], gone["id"]) == ("NotFound", id)
    for mutation in ("scheduleUpdate", "schedulePause", "scheduleResume", "scheduleDelete", "scheduleRun"):
        answer = await change(asking, mutation, schedule=id)
        assert (answer["__typename"], answer["id"]) == ("NotFound", id), mutation


async def test_viewers_and_nobody_keep_no_schedules(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking, site))["schedule"]["id"]
    mutations = ("scheduleUpdate", "schedulePause", "scheduleResume", "scheduleDelete", "scheduleRun")
    for role, code in ((Role.VIEWER, "PERMISSION_MISSING"), (None, "NOT_SIGNED_IN")):
        answers = [await change(asking.as_(role), mutation, schedule=id) for mutation in mutations]
        answers.append(await create(asking.as_(role), site, "mine"))
        assert {(answer["__typename"], answer["code"]) for answer in answers} == {("NotAllowed", code)}
        run = answers[4]["permission"]
        assert (answers[0]["permission"], run) == ("SCHEDULE_WRITE", "AUDIT_REQUEST")
    assert (await create(asking.as_(Role.MEMBER), site, "mine"))["__typename"] == "ScheduleCreatePayload"
    assert await read(asking.as_(Role.VIEWER), id, "name") == {"name": "daily"}


async def test_pages_of_another_site_and_workspace_are_not_there(asking: Asking) -> None:
    site, _ = await new_site(asking)
    _, (elsewhere,) = await new_site(asking, "https://other.example")
    for page in (elsewhere, encode(Kind.PAGE, new_id())):
        answer = await create(asking, site, page=page)
        assert (answer["__typename"], answer["id"]) == ("NotFound", page)
    foreign, actor = await new_workspace(asking.database, "other")
    theirs = replace(asking, workspace_id=foreign, actor=actor)
    assert (await create(theirs, site))["__typename"] == "NotFound"


LISTS = """{ workspace(slug: "acme") {
  schedules { nodes { name site { origin } page { path } profile { name } } }
  sites { nodes { schedules { nodes { name } } pages { nodes { path schedules { nodes { name } } } } } }
} }"""


@pytest.mark.parametrize("number", [1, 6])
async def test_schedules_are_listed_where_they_belong_in_as_many_statements_as_lists(asking: Asking, number: int) -> None:
    profile = (await profiles(asking))[1]["id"]
    for place in range(number):
        site, (page, _) = await new_site(asking, f"https://{place}.example", pages=2)
        await create(asking, site, f"site {place}")
        await create(asking, site, f"page {place}", page=page, profile=profile)
    workspace = (await asking.ask(LISTS))["workspace"]
    names = sorted(f"{kind} {place}" for kind in ("site", "page") for place in range(number))
    assert [node["name"] for node in workspace["schedules"]["nodes"]] == names
    for place, site in enumerate(workspace["sites"]["nodes"]):
        assert [node["name"] for node in site["schedules"]["nodes"]] == [f"page {place}", f"site {place}"]
        of_pages = {page["path"]: [node["name"] for node in page["schedules"]["nodes"]] for page in site["pages"]["nodes"]}
        assert of_pages == {"/0": [f"page {place}"], "/1": []}
    counter = Counter(asking.database)
    await asking.ask(LISTS)
    ours = [statement for statement in counter.statements if "jobs" not in statement and "history" not in statement]
    assert len([statement for statement in ours if "events" not in statement]) == 9


async def test_a_schedule_is_known_by_its_id(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking, site))["schedule"]["id"]
    assert id.startswith("schedule_")
    assert (await schedules.by_ids(asking.database.reader, asking.actor.reach, [decode(Kind.SCHEDULE, id)])) != {}
