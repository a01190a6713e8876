"""Making, changing, pausing, running and forgetting schedules, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain import schedules, sites
from domain.access import NOBODY, Actor, Permission, Reach, Role
from domain.audits import rules as audit_rules
from domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode, Refused
from domain.ids import Kind, new_id
from domain.paging import Window
from domain.schedules import firing, rules
from domain.work import EventKind
from tests.domain.schedules.benches import NOON, Bench, bench, new_bench

__all__ = ["bench"]

ACTIONS = [schedules.pause, schedules.resume, schedules.delete, schedules.run_now]


async def change(bench: Bench, id: Any, **changes: Any) -> schedules.ScheduleRow:
    bench.clock.now += timedelta(minutes=1)
    await bench.do(schedules.update, id, changes=changes)
    return await bench.read(id)


async def refused(awaitable: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await awaitable
    return caught.value


def faults(refusal: Refused) -> list[tuple[str, str]]:
    assert isinstance(refusal, InvalidInput)
    return [(".".join(fault.path), fault.code.value) for fault in refusal.faults]


async def test_a_schedule_needs_a_site_a_name_and_a_timing(bench: Bench) -> None:
    row = await bench.read(await bench.create("  every day "))
    assert (row.name, row.cron, row.every_minutes, row.time_zone, row.jitter_seconds) == (
        "every day",
        "0 13 * * *",
        None,
        "UTC",
        0,
    )
    assert (row.environment, row.runs, row.page_id, row.profile_id) == ("production", None, None, None)
    assert (row.created_at, row.next_at, row.last_at, row.paused_at) == (NOON, NOON + timedelta(hours=1), None, None)
    row = await bench.read(await bench.create("each hour", every_minutes=60, time_zone="Europe/Zurich", jitter_seconds=0))
    assert (row.cron, row.every_minutes, row.next_at) == (None, 60, NOON + timedelta(hours=1))
    row = await bench.read(await bench.create("there", cron="0 13 * * *", time_zone="America/New_York"))
    assert row.next_at == NOON + timedelta(hours=5)


async def test_everything_that_is_wrong_with_a_schedule_is_said_at_once(bench: Bench) -> None:
    given = {"environment": "No!", "runs": 21, "cron": "x", "time_zone": "Mars", "jitter_seconds": 3_601}
    assert faults(await refused(bench.create(" ", **given))) == [
        ("name", "REQUIRED"),
        ("environment", "MALFORMED"),
        ("runs", "OUT_OF_RANGE"),
        ("cron", "MALFORMED"),
        ("jitterSeconds", "OUT_OF_RANGE"),
        ("timeZone", "MALFORMED"),
    ]
    id = await bench.create()
    assert faults(await refused(change(bench, id, name="", runs=0, every_minutes=0, jitter_seconds=-1))) == [
        ("name", "REQUIRED"),
        ("runs", "OUT_OF_RANGE"),
        ("everyMinutes", "OUT_OF_RANGE"),
        ("jitterSeconds", "OUT_OF_RANGE"),
    ]
    assert faults(await refused(bench.create(cron=None))) == [("cron", "REQUIRED")]
    assert faults(await refused(bench.create(cron="@daily", every_minutes=5))) == [("everyMinutes", "INVALID")]


async def test_pages_profiles_and_sites_have_to_be_there(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    (theirs,) = await other.add_pages(1)
    async with bench.database.work(bench.actor) as work:
        second = await sites.create(work, workspace_id=bench.workspace_id, origin="https://second.example")
        elsewhere = await sites.create_page(work, site_id=second.id, path="/")
    for given in (
        {"site_id": other.site_id},
        {"site_id": new_id()},
        {"page_id": theirs},
        {"page_id": elsewhere.id},
        {"page_id": new_id()},
        {"profile_id": await other.profile("Probe")},
        {"profile_id": new_id()},
    ):
        assert isinstance(await refused(bench.create(**given)), NotFound), given
    id = await bench.create()
    assert isinstance(await refused(change(bench, id, profile_id=await other.profile("Probe"))), NotFound)


async def test_two_schedules_of_a_site_have_different_names(bench: Bench) -> None:
    id = await bench.create("daily")
    refusal = await refused(bench.create(" daily "))
    assert isinstance(refusal, Conflict)
    assert (refusal.code, refusal.existing) == (ProblemCode.ALREADY_EXISTS, (Kind.SCHEDULE, id))
    other = await bench.create("weekly")
    refusal = await refused(change(bench, other, name="daily"))
    assert isinstance(refusal, Conflict)
    assert refusal.existing == (Kind.SCHEDULE, id)
    await change(bench, id, name="daily")
    async with bench.database.work(bench.actor) as work:
        second = await sites.create(work, workspace_id=bench.workspace_id, origin="https://second.example")
    await bench.create("daily", site_id=second.id)


async def test_two_at_once_of_one_name_are_one(bench: Bench) -> None:
    made = await asyncio.gather(*(bench.create("same") for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in made].count(Conflict) == 4


async def test_the_same_key_makes_one_schedule(bench: Bench) -> None:
    id = await bench.create(idempotency_key="k")
    bench.clock.to("12:30:00")
    async with bench.database.work(bench.actor) as work:
        again = await schedules.create(work, site_id=bench.site_id, name="daily", cron=" 0 13 * * * ", idempotency_key="k")
    assert again == (id, True)
    refusal = await refused(bench.create("other", idempotency_key="k"))
    assert (type(refusal), refusal.code) == (Conflict, ProblemCode.KEY_REUSED)


async def test_a_workspace_has_so_many_schedules(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_SCHEDULES", 2)
    made = await asyncio.gather(*(bench.create(f"{number}") for number in range(4)), return_exceptions=True)
    limits = [each for each in made if isinstance(each, LimitReached)]
    assert [refusal.limit for refusal in limits] == [2, 2]
    await (await new_bench(bench.database, bench.clock, "other")).create()


async def test_what_is_not_given_stays(bench: Bench) -> None:
    profile = await bench.profile("Lighthouse mobile")
    id = await bench.create(profile_id=profile, runs=3, environment="staging", jitter_seconds=0)
    before = await bench.read(id)
    assert await change(bench, id) == before
    assert await change(bench, id, name="new") == before._replace(name="new")
    row = await change(bench, id, profile_id=None, runs=None, environment="ci", name="daily")
    assert row == before._replace(profile_id=None, runs=None, environment="ci")


async def test_another_timing_counts_from_now_on(bench: Bench) -> None:
    id = await bench.create()
    row = await change(bench, id, cron="30 12 * * *")
    assert row.next_at == NOON + timedelta(minutes=30)
    row = await change(bench, id, every_minutes=45)
    assert (row.cron, row.every_minutes, row.next_at) == (None, 45, NOON + timedelta(minutes=45))
    row = await change(bench, id, cron="@daily", time_zone="Europe/Zurich")
    assert (row.cron, row.every_minutes, row.next_at) == ("@daily", None, NOON + timedelta(hours=10))
    assert faults(await refused(change(bench, id, cron="@daily", every_minutes=5))) == [("everyMinutes", "INVALID")]
    assert faults(await refused(change(bench, id, cron=None))) == [("cron", "REQUIRED")]
    await bench.do(schedules.pause, id)
    assert (await change(bench, id, every_minutes=5)).next_at is None
    await bench.do(schedules.resume, id)
    assert (await bench.read(id)).next_at == NOON + timedelta(minutes=10)


async def test_a_timing_changed_in_the_middle_of_a_firing_lets_it_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    pages = await bench.add_pages(25)
    id = await bench.create()
    bench.clock.to("13:00:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    await change(bench, id, cron="0 18 * * *")
    await bench.fire(lease)
    assert [audit.page_id for audit in await bench.audits()] == pages
    assert (await bench.read(id)).next_at == NOON + timedelta(hours=6)


async def test_a_schedule_runs_now_and_keeps_its_times(bench: Bench) -> None:
    await bench.add_pages(3)
    id = await bench.create()
    bench.clock.to("12:10:00")
    assert await bench.do(schedules.run_now, id, idempotency_key="k") == (id, False)
    assert await bench.do(schedules.run_now, id, idempotency_key="k") == (id, True)
    assert len(await bench.audits()) == 3
    due = "2026-05-13T12:10:00+00:00"
    assert await bench.said() == [(EventKind.SCHEDULE_FIRED, {"audits": 3, "skipped": 0, "due": due})]
    row = await bench.read(id)
    assert (row.last_at, row.next_at) == (bench.clock.now, NOON + timedelta(hours=1))
    await bench.do(schedules.run_now, id)
    assert await bench.said() == [
        (EventKind.SCHEDULE_FIRED, {"audits": 3, "skipped": 0, "due": due}),
        (EventKind.SCHEDULE_SKIPPED, {"reason": "STILL_WAITING", "due": due}),
    ]


async def test_the_scheduler_goes_on_with_a_large_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    pages = await bench.add_pages(25)
    id = await bench.create()
    await bench.do(schedules.pause, id)
    await bench.do(schedules.run_now, id)
    assert len(await bench.audits()) == 10
    refusal = await refused(bench.do(schedules.run_now, id))
    assert (type(refusal), refusal.code) == (Conflict, ProblemCode.STATE_CHANGED)
    await bench.fire()
    assert [audit.page_id for audit in await bench.audits()] == pages
    row = await bench.read(id)
    assert (row.next_at, row.paused_at, row.last_at) == (None, NOON, NOON), "it is paused still"


async def test_a_run_is_refused_where_the_queue_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rules, "MAX_QUEUED", 2)
    await bench.add_pages(3)
    id = await bench.create()
    before = await bench.read(id)
    assert isinstance(await refused(bench.do(schedules.run_now, id)), LimitReached)
    assert (await bench.read(id), await bench.audits(), await bench.said()) == (before, [], [])


async def test_a_forgotten_schedule_leaves_its_audits(bench: Bench) -> None:
    await bench.add_pages(1)
    id = await bench.create()
    await bench.do(schedules.run_now, id)
    assert await bench.do(schedules.delete, id) == id
    assert [audit.schedule_id for audit in await bench.audits()] == [id]
    assert isinstance(await refused(bench.do(schedules.delete, id)), NotFound)


async def test_a_profile_that_a_schedule_needs_stays(bench: Bench) -> None:
    profile = await bench.profile("Lighthouse mobile")
    id = await bench.create(profile_id=profile)
    async with bench.database.work(bench.actor) as work:
        with pytest.raises(Conflict):
            await sites.delete_profile(work, profile_id=profile)
    await bench.do(schedules.delete, id)
    async with bench.database.work(bench.actor) as work:
        await sites.delete_profile(work, profile_id=profile)


async def test_members_keep_schedules_and_viewers_do_not(bench: Bench) -> None:
    owner = bench.actor
    bench.actor = Actor(roles={bench.workspace_id: Role.MEMBER})
    id = await bench.create()
    for action in (schedules.pause, schedules.resume, schedules.run_now):
        await bench.do(action, id)
    bench.actor = Actor(roles={bench.workspace_id: Role.VIEWER})
    refusal = await refused(bench.create("other"))
    assert isinstance(refusal, NotAllowed)
    assert refusal.permission == Permission.SCHEDULE_WRITE
    for action in ACTIONS:
        assert isinstance(await refused(bench.do(action, id)), NotAllowed)
    assert isinstance(await refused(change(bench, id, name="x")), NotAllowed)
    bench.actor = NOBODY
    for action in ACTIONS:
        assert (await refused(bench.do(action, id))).code is ProblemCode.NOT_SIGNED_IN
    assert (await refused(bench.create("other"))).code is ProblemCode.NOT_SIGNED_IN
    other = await new_bench(bench.database, bench.clock, "other")
    for action in ACTIONS:
        assert isinstance(await refused(other.do(action, id)), NotFound)
    bench.actor = owner
    assert (await bench.read(id)).name == "daily"


async def test_schedules_are_listed_by_name_of_a_workspace_a_site_and_a_page(bench: Bench) -> None:
    first, second = await bench.add_pages(2)
    for name, page in (("c", first), ("a", None), ("b", first), ("d", second)):
        await bench.create(name, page_id=page)
    await (await new_bench(bench.database, bench.clock, "other")).create("e")
    reader, reach = bench.database.reader, bench.actor.reach
    for keyset, parent, names in (
        (schedules.SCHEDULES, bench.workspace_id, ["a", "b", "c", "d"]),
        (schedules.OF_SITE, bench.site_id, ["a", "b", "c", "d"]),
        (schedules.OF_PAGE, first, ["b", "c"]),
    ):
        found = await keyset.of(reader, reach, parent, Window())
        assert [row.name for row in found.rows] == names
        assert (await keyset.of(reader, Reach(), parent, Window())).rows == []
