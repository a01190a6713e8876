"""What is due fires once: by one leader, however late, in pieces, and whatever becomes of the others."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from domain import audits, leases, schedules, sites, snapshots
from domain.access import SYSTEM
from domain.audits import AuditState
from domain.audits import rules as audit_rules
from domain.paging import Window
from domain.schedules import firing
from domain.work import EventKind
from domain.workspaces import Workspace
from infra.db.database import SqlDatabase
from tests.databases import everybodys, owners
from tests.domain.schedules.benches import NOON, Bench, bench, new_bench

__all__ = ["bench"]

FIRED, SKIPPED = EventKind.SCHEDULE_FIRED, EventKind.SCHEDULE_SKIPPED
ONE_O_CLOCK = "2026-05-13T13:00:00+00:00"


async def test_a_schedule_fires_when_it_is_due_and_not_before(bench: Bench) -> None:
    pages = await bench.add_pages(3)
    id = await bench.create(runs=2, environment="staging")
    assert (await bench.read(id)).next_at == NOON + timedelta(hours=1)
    bench.clock.to("12:59:59")
    assert await bench.fire() == 0
    bench.clock.to("13:00:01")
    assert await bench.fire() == 1
    found = await bench.audits()
    assert [audit.page_id for audit in found] == pages
    assert {(audit.schedule_id, audit.state, audit.runs, audit.environment) for audit in found} == {
        (id, "QUEUED", 2, "staging")
    }
    row = await bench.read(id)
    assert (row.last_at, row.next_at) == (bench.clock.now, NOON + timedelta(hours=25))
    assert await bench.said() == [(FIRED, {"audits": 3, "skipped": 0, "due": ONE_O_CLOCK})]
    assert await bench.fire() == 0


async def test_a_schedule_of_one_page_audits_that_page_alone(bench: Bench) -> None:
    _, page, _ = await bench.add_pages(3)
    profile = await bench.profile("Lighthouse mobile")
    await bench.create(page_id=page, profile_id=profile)
    bench.clock.to("13:00:00")
    await bench.fire()
    assert [(audit.page_id, audit.profile_id) for audit in await bench.audits()] == [(page, profile)]


async def test_without_a_profile_each_of_the_sites_is_meant(bench: Bench) -> None:
    await bench.add_pages(2)
    profiles = {await bench.profile("Probe"), await bench.profile("Lighthouse desktop")}
    async with bench.database.work(bench.actor) as work:
        await sites.update(work, site_id=bench.site_id, profile_ids=list(profiles))
    await bench.create()
    bench.clock.to("13:00:00")
    await bench.fire()
    found = await bench.audits()
    assert len(found) == 4
    assert {audit.profile_id for audit in found} == profiles
    assert [said[1]["audits"] for said in await bench.said()] == [4]


async def test_what_was_missed_fires_once(bench: Bench) -> None:
    await bench.add_pages(1)
    id = await bench.create(cron="*/10 * * * *")
    bench.clock.to("2026-05-16T07:23:00")
    assert await bench.fire() == 1
    assert len(await bench.audits()) == 1
    assert await bench.said() == [(FIRED, {"audits": 1, "skipped": 0, "due": "2026-05-13T12:10:00+00:00"})]
    assert (await bench.read(id)).next_at == bench.clock.now + timedelta(minutes=7)


async def test_a_page_that_waits_still_is_left_alone(bench: Bench) -> None:
    pages = await bench.add_pages(2)
    id = await bench.create(every_minutes=60)
    for hour in ("13:00:00", "14:00:00"):
        bench.clock.to(hour)
        await bench.fire()
    assert len(await bench.audits()) == 2
    last = (await bench.read(id)).last_at
    assert last == NOON + timedelta(hours=1), "a firing that asked for nothing is none"
    async with everybodys(bench.database) as connection:
        ended = update(audits.Audit).where(audits.Audit.page_id == pages[0])
        await connection.execute(ended.values(state=AuditState.FINISHED))
    bench.clock.to("15:00:00")
    await bench.fire()
    assert [audit.page_id for audit in await bench.audits()] == [*pages, pages[0]]
    assert await bench.said() == [
        (FIRED, {"audits": 2, "skipped": 0, "due": ONE_O_CLOCK}),
        (SKIPPED, {"reason": "STILL_WAITING", "due": "2026-05-13T14:00:00+00:00"}),
        (FIRED, {"audits": 1, "skipped": 1, "due": "2026-05-13T15:00:00+00:00"}),
    ]


async def test_a_site_without_pages_is_skipped(bench: Bench) -> None:
    id = await bench.create()
    bench.clock.to("13:00:00")
    await bench.fire()
    assert await bench.said() == [(SKIPPED, {"reason": "NO_PAGES", "due": ONE_O_CLOCK})]
    row = await bench.read(id)
    assert (row.last_at, row.next_at) == (None, NOON + timedelta(hours=25))


async def test_a_schedule_goes_with_its_page_and_with_its_site(bench: Bench) -> None:
    page, _ = await bench.add_pages(2)
    await bench.create("page", page_id=page)
    await bench.create("site")
    async with bench.database.work(bench.actor) as work:
        await sites.delete_page(work, page_id=page)
    found = await schedules.SCHEDULES.of(bench.database.reader, bench.actor.reach, bench.workspace_id, Window())
    assert [row.name for row in found.rows] == ["site"]
    async with bench.database.work(bench.actor) as work:
        await sites.delete(work, site_id=bench.site_id)
    bench.clock.to("13:00:00")
    assert await bench.fire() == 0
    assert await bench.said() == []


async def test_a_paused_schedule_fires_when_it_is_resumed_and_due_again(bench: Bench) -> None:
    await bench.add_pages(1)
    id = await bench.create()
    bench.clock.to("12:30:00")
    await bench.do(schedules.pause, id)
    bench.clock.to("12:40:00")
    await bench.do(schedules.pause, id)
    row = await bench.read(id)
    assert (row.paused_at, row.next_at) == (NOON + timedelta(minutes=30), None)
    bench.clock.to("13:30:00")
    assert await bench.fire() == 0
    for _ in range(2):
        await bench.do(schedules.resume, id)
        row = await bench.read(id)
        assert (row.paused_at, row.next_at) == (None, NOON + timedelta(hours=25)), "what was missed stays missed"
    bench.clock.to("2026-05-14T13:00:00")
    assert await bench.fire() == 1
    assert len(await bench.audits()) == 1


async def test_nothing_of_a_deleted_workspace_fires_before_it_is_back(bench: Bench) -> None:
    await bench.add_pages(1)
    await bench.create()

    async def delete(at: datetime | None) -> None:
        async with everybodys(bench.database) as connection:
            await connection.execute(update(Workspace).where(Workspace.id == bench.workspace_id).values(deleted_at=at))

    await delete(NOON)
    bench.clock.to("13:30:00")
    assert await bench.fire() == 0
    await delete(None)
    assert await bench.fire() == 1


async def test_twenty_that_are_due_at_once_fire_once_each(bench: Bench) -> None:
    pages = await bench.add_pages(20)
    ids = [await bench.create(f"schedule {number}", page_id=page) for number, page in enumerate(pages)]
    bench.clock.to("13:00:00")
    assert await bench.fire(limit=7) == 3
    found = await bench.audits()
    assert sorted((audit.schedule_id, audit.page_id) for audit in found) == sorted(zip(ids, pages, strict=True))
    assert [said[0] for said in await bench.said()] == [FIRED] * 20
    assert await bench.fire(limit=7) == 0


async def test_a_leader_that_lost_its_lease_fires_nothing(bench: Bench) -> None:
    await bench.add_pages(1)
    id = await bench.create()
    stale = await bench.lead()
    assert await leases.acquire(bench.database, "scheduler", holder="there", lasts=timedelta(seconds=30)) is None
    bench.clock.to("13:00:00")
    fresh = await leases.acquire(bench.database, "scheduler", holder="there", lasts=timedelta(seconds=30))
    assert fresh is not None
    with pytest.raises(leases.LeaseLost):
        await schedules.fire_due(bench.database, stale)
    assert await bench.audits() == []
    assert (await bench.read(id)).next_at == bench.clock.now
    assert await bench.fire(fresh) == 1
    with pytest.raises(leases.LeaseLost):
        await schedules.fire_due(bench.database, stale)
    assert len(await bench.audits()) == 1


async def test_two_who_believe_that_they_lead_fire_each_schedule_once(bench: Bench) -> None:
    """However often the lease changes hands between them, at whatever moment."""
    pages = await bench.add_pages(20)
    for number, page in enumerate(pages):
        await bench.create(f"schedule {number}", page_id=page)
    bench.clock.to("13:00:00")
    lasts = timedelta(seconds=-1)  # it has run out as soon as it is given

    async def lead(name: str, database: SqlDatabase) -> None:
        lease: leases.Lease | None = None
        idle = 0
        while idle < 3:
            try:
                lease = lease or await leases.acquire(database, "scheduler", holder=name, lasts=lasts)
                fired = await schedules.fire_due(database, lease, 1) if lease else schedules.Fired(0)
                idle = 0 if fired.schedules else idle + 1
            except leases.LeaseLost:
                lease = None

    other = SqlDatabase(bench.database.url, clock=bench.clock)
    try:
        await asyncio.gather(lead("here", bench.database), lead("there", other))
    finally:
        await other.close()
    assert sorted(audit.page_id for audit in await bench.audits()) == sorted(pages)
    assert [said[0] for said in await bench.said()] == [FIRED] * 20


async def test_a_large_site_is_asked_for_in_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    pages = await bench.add_pages(25)
    id = await bench.create(cron="*/30 * * * *")
    bench.clock.to("12:30:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    row = await bench.read(id)
    assert (row.reached, row.asked, row.firing_at, row.next_at) == (pages[9], 10, NOON + timedelta(minutes=30), bench.clock.now)
    assert (row.last_at, await bench.said()) == (None, [])
    bench.clock.to("12:30:07")
    assert await bench.fire(lease) == 2
    assert [audit.page_id for audit in await bench.audits()] == pages
    assert await bench.said() == [(FIRED, {"audits": 25, "skipped": 0, "due": "2026-05-13T12:30:00+00:00"})]
    row = await bench.read(id)
    assert (row.reached, row.asked, row.skipped, row.firing_at) == (None, 0, 0, None)
    assert (row.last_at, row.next_at) == (bench.clock.now, NOON + timedelta(hours=1))


async def test_a_snapshot_that_is_stopped_while_its_schedule_fires_is_not_filled_any_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    await bench.add_pages(25)
    id = await bench.create(cron="*/30 * * * *")
    bench.clock.to("12:30:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    snapshot_id = (await bench.read(id)).snapshot_id
    assert snapshot_id is not None
    async with bench.database.work(bench.actor) as work:
        await snapshots.cancel(work, snapshot_id=snapshot_id)
    await bench.fire(lease)
    assert {audit.state for audit in await bench.audits()} == {AuditState.CANCELLED}
    assert [(kind, payload["audits"]) for kind, payload in await bench.said()] == [(FIRED, 10)]


async def test_a_schedule_that_is_changed_while_it_fires_goes_on_as_it_began(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    await bench.add_pages(15)
    id = await bench.create(cron="*/30 * * * *")
    bench.clock.to("12:30:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    async with bench.database.work(bench.actor) as work:
        await schedules.update(work, schedule_id=id, changes={"environment": "staging"})
    await bench.fire(lease)
    assert {audit.environment for audit in await bench.audits()} == {"production"}


async def test_a_site_whose_profiles_change_while_it_is_measured_is_measured_with_those_with_which_it_began(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    await bench.add_pages(15)
    id = await bench.create(cron="*/30 * * * *")
    bench.clock.to("12:30:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    other = await bench.profile("PageSpeed mobile")
    async with bench.database.work(bench.actor) as work:
        await sites.update(work, site_id=bench.site_id, profile_ids=[other])
    await bench.fire(lease)
    assert (
        len({audit.profile_id for audit in await bench.audits()} - {other})
        == len({audit.snapshot_id for audit in await bench.audits()})
        == 1
    )
    assert len(await bench.audits()) == 15
    assert (await bench.read(id)).profiles is None
    bench.clock.to("13:00:00")
    await bench.fire()
    assert other in {audit.profile_id for audit in await bench.audits()}


async def test_a_large_site_lets_the_small_ones_pass(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    pages = await bench.add_pages(30)
    await bench.create("large", cron="0 12 * * *")
    await bench.create("small", page_id=pages[0], environment="staging", cron="1 12 * * *")
    bench.clock.to("2026-05-14T12:01:00")
    lease = await bench.lead()
    for _ in range(2):
        await schedules.fire_due(bench.database, lease, 1)
    assert [said[1]["audits"] for said in await bench.said()] == [1]
    await bench.fire(lease)
    assert [said[1]["audits"] for said in await bench.said()] == [1, 30]


async def test_a_firing_ends_where_the_queue_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    monkeypatch.setattr(audit_rules, "MAX_QUEUED", 15)
    await bench.add_pages(25)
    id = await bench.create()
    await bench.create("later", cron="30 13 * * *", environment="staging")
    bench.clock.to("13:30:00")
    await bench.fire()
    assert len(await bench.audits()) == 10
    assert await bench.said() == [
        (FIRED, {"audits": 10, "skipped": 0, "reason": "QUEUE_FULL", "due": ONE_O_CLOCK}),
        (SKIPPED, {"reason": "QUEUE_FULL", "due": "2026-05-13T13:30:00+00:00"}),
    ]
    row = await bench.read(id)
    assert (row.reached, row.firing_at, row.next_at) == (None, None, NOON + timedelta(hours=25))


async def test_pausing_in_the_middle_ends_the_firing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "PIECE", 10)
    await bench.add_pages(25)
    id = await bench.create()
    bench.clock.to("13:00:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    await bench.do(schedules.pause, id)
    assert await bench.fire(lease) == 0
    assert await bench.said() == [(FIRED, {"audits": 10, "skipped": 0, "reason": "PAUSED", "due": ONE_O_CLOCK})]
    row = await bench.read(id)
    assert (row.reached, row.firing_at, row.next_at) == (None, None, None)
    await bench.do(schedules.resume, id)
    bench.clock.to("2026-05-14T13:00:00")
    await bench.fire()
    assert len(await bench.audits()) == 25, "the ten wait still"


async def ruin(bench: Bench) -> str:
    """No audit can be stored for the environment `broken` any more; what undoes it."""
    if bench.database.is_sqlite:
        raising = "BEGIN SELECT RAISE(ABORT, 'no'); END"
        do = f"CREATE TRIGGER ruined BEFORE INSERT ON audits WHEN NEW.environment = 'broken' {raising}"
        undo = "DROP TRIGGER ruined"
    else:
        do = "ALTER TABLE audits ADD CONSTRAINT ruined CHECK (environment <> 'broken')"
        undo = "ALTER TABLE audits DROP CONSTRAINT ruined"
    async with owners(bench.database.url) as connection:
        await connection.execute(text(do))
    return undo


async def test_a_schedule_that_cannot_be_fired_is_put_off_and_does_not_stop_the_others(bench: Bench) -> None:
    await bench.add_pages(2)
    broken = await bench.create("broken", environment="broken", cron="0 12 * * *")
    for number in range(3):
        await bench.create(f"fine {number}", environment=f"fine-{number}")
    bench.clock.to("2026-05-14T13:00:00")
    undo = await ruin(bench)
    lease = await bench.lead()
    fired = await schedules.fire_due(bench.database, lease)
    assert fired.broken is not None
    assert (fired.schedules, fired.broken.schedule_id) == (1, broken)
    assert isinstance(fired.broken.__cause__, IntegrityError)
    assert await bench.audits() == []
    row = await bench.read(broken)
    assert (row.next_at, row.failures) == (bench.clock.now + timedelta(minutes=2), 1)
    assert await schedules.fire_due(bench.database, lease) == (3, None)
    assert {audit.environment for audit in await bench.audits()} == {"fine-0", "fine-1", "fine-2"}
    for failures, minutes in ((2, 4), (3, 8)):
        now = (await bench.read(broken)).next_at
        assert now is not None
        bench.clock.now = now
        lease = await bench.lead()
        assert (await schedules.fire_due(bench.database, lease)).broken
        row = await bench.read(broken)
        assert (row.next_at, row.failures) == (now + timedelta(minutes=minutes), failures)
        await leases.release(bench.database, lease)
    async with owners(bench.database.url) as connection:
        await connection.execute(text(undo))
    bench.clock.now += timedelta(minutes=8)
    await bench.fire()
    due = "2026-05-14T12:00:00+00:00"
    told = [said for said in await bench.said() if said[1]["due"] == due]
    assert told == [(SKIPPED, {"reason": "FAILED", "due": due})] * 3 + [(FIRED, {"audits": 2, "skipped": 0, "due": due})]
    row = await bench.read(broken)
    assert (row.failures, row.next_at, row.last_at) == (0, NOON + timedelta(days=2), bench.clock.now)


async def test_a_schedule_whose_timing_nobody_can_read_any_more_fires_a_last_time(bench: Bench) -> None:
    await bench.add_pages(1)
    id = await bench.create()
    async with everybodys(bench.database) as connection:
        await connection.execute(update(schedules.Schedule).values(time_zone="Mars/Olympus"))
    bench.clock.to("13:00:00")
    assert await bench.fire() == 1
    assert (await bench.read(id)).next_at is None


async def test_jitter_puts_schedules_of_one_time_apart(bench: Bench) -> None:
    pages = await bench.add_pages(20)
    ids = [await bench.create(f"{number}", page_id=page, jitter_seconds=600) for number, page in enumerate(pages)]
    times = [(await bench.read(id)).next_at for id in ids]
    assert len(set(times)) > 10
    assert all(time is not None and timedelta(hours=1) <= time - NOON <= timedelta(minutes=70) for time in times)
    bench.clock.to("13:05:00")
    await bench.fire()
    early = [id for id, time in zip(ids, times, strict=True) if time is not None and time <= bench.clock.now]
    assert 0 < len(early) < 20
    assert {audit.schedule_id for audit in await bench.audits()} == set(early)


async def test_schedules_of_several_workspaces_ask_each_for_their_own(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    for each in (bench, other):
        await each.add_pages(2)
        await each.create()
    bench.clock.to("13:00:00")
    assert await bench.fire() == 1
    found = await bench.audits()
    assert sorted((audit.workspace_id, audit.site_id) for audit in found) == sorted(
        [(bench.workspace_id, bench.site_id), (other.workspace_id, other.site_id)] * 2
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("deleted", ["site", "page"])
async def test_what_is_being_deleted_is_not_waited_for(bench: Bench, deleted: str) -> None:
    """Who deletes has locked the site or page and waits for its schedule: waiting the other way round would never end."""
    (page,) = await bench.add_pages(1)
    await bench.create(page_id=page)
    bench.clock.to("13:00:00")
    lease = await bench.lead()
    async with bench.database.work(SYSTEM) as work:
        await work.db.execute(select(schedules.Schedule.id).with_for_update(key_share=True))
        deleting = asyncio.create_task(delete(bench, page if deleted == "page" else None))
        await wait_for_lock(bench)
        assert await schedules.due(work, lease) == 1
    await deleting
    assert await bench.audits() == []
    assert await bench.said() == [(SKIPPED, {"reason": "NO_PAGES", "due": ONE_O_CLOCK})]
    assert await bench.fire(lease) == 0


async def delete(bench: Bench, page: UUID | None) -> None:
    async with bench.database.work(bench.actor) as work:
        if page is None:
            await sites.delete(work, site_id=bench.site_id)
        else:
            await sites.delete_page(work, page_id=page)


async def wait_for_lock(bench: Bench) -> None:
    """Until somebody waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    while True:
        async with everybodys(bench.database) as connection:
            if (await connection.execute(waiting)).scalar_one():
                return
