"""Snapshots: asked for together, told how far they are, ended when the last of their audits has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from domain import schedules, sites, snapshots
from domain.access import SYSTEM, Actor, Role
from domain.audits import Audit, AuditState
from domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from domain.ids import new_id
from domain.paging import Window
from domain.schedules import firing
from domain.snapshots import Cause, Commit, Progress, SnapshotState, rules
from domain.work import EventKind, StoredEvent, StoredJob
from tests.databases import everybodys
from tests.domain.schedules.benches import Bench, bench, new_bench

__all__ = ["bench"]

COMMIT = Commit("C0FFEE0123", "main", "c0ffee0122", "Some\nauthor", "Mend the header", None)


async def ask(bench: Bench, **given: Any) -> UUID:
    async with bench.database.work(bench.actor) as work:
        return (await snapshots.request(work, **{"site_id": bench.site_id, **given})).id


async def read(bench: Bench, id: UUID) -> snapshots.SnapshotRow:
    return (await snapshots.by_ids(bench.database.reader, bench.actor.reach, [id]))[id]


async def progress(bench: Bench, id: UUID) -> Progress:
    return (await snapshots.progress_by_ids(bench.database.reader, bench.actor.reach, [id]))[id]


async def close(bench: Bench) -> list[UUID]:
    async with bench.database.work(SYSTEM) as work:
        return [row.id for row in await snapshots.close_ended(work)]


async def end(bench: Bench, states: Sequence[AuditState], snapshot: UUID) -> None:
    """Its first audits stand so."""
    found = [audit for audit in await bench.audits() if audit.snapshot_id == snapshot]
    async with everybodys(bench.database) as connection:
        for audit, state in zip(found, states, strict=False):
            await connection.execute(update(Audit).where(Audit.id == audit.id).values(state=state))


async def all_of_them(bench: Bench) -> list[snapshots.SnapshotRow]:
    nothing = dict.fromkeys(("cause", "environment", "branch", "commit"))
    found = await snapshots.OF_SITE.of(bench.database.reader, bench.actor.reach, bench.site_id, Window(), **nothing)
    return list(found.rows)


async def said(bench: Bench) -> list[EventKind]:
    kinds = select(StoredEvent.kind).where(StoredEvent.kind.startswith("SNAPSHOT_")).order_by(StoredEvent.id)
    async with everybodys(bench.database) as connection:
        return list((await connection.execute(kinds)).scalars())


async def two_profiles(bench: Bench) -> list[UUID]:
    chosen = [await bench.profile("Lighthouse mobile"), await bench.profile("Lighthouse desktop")]
    async with bench.database.work(bench.actor) as work:
        await sites.update(work, site_id=bench.site_id, profile_ids=chosen)
    return sorted(chosen)


async def test_all_pages_are_measured_under_all_profiles_page_by_page(bench: Bench) -> None:
    pages, profiles = await bench.add_pages(2), await two_profiles(bench)
    id = await ask(bench, environment="ci", base_url="https://pr-7.example", runs=3)
    found = await bench.audits()
    assert [(audit.page_id, audit.profile_id) for audit in found] == [(page, each) for page in pages for each in profiles]
    assert {(audit.snapshot_id, audit.environment, audit.runs, audit.requested_url[:20]) for audit in found} == {
        (id, "ci", 3, "https://pr-7.example")
    }
    assert await progress(bench, id) == Progress(total=4, queued=4)
    side_by_side = await snapshots.audits_by_pages(bench.database.reader, bench.actor.reach, [(id, page) for page in pages])
    assert [[audit.profile_id for audit in side_by_side[id, page]] for page in pages] == [profiles, profiles]
    listed = await snapshots.PAGES.of(bench.database.reader, bench.actor.reach, id, Window(size=1))
    assert ([row.page_id for row in listed.rows], listed.has_next) == (pages[:1], True)


async def test_some_pages_and_profiles_may_be_named(bench: Bench) -> None:
    _, page = await bench.add_pages(2)
    profile = await bench.profile("Lighthouse desktop")
    await ask(bench, page_ids=[page, page], profile_ids=[profile])
    assert [(audit.page_id, audit.profile_id) for audit in await bench.audits()] == [(page, profile)]


async def test_what_git_knows_is_kept_in_lines_and_in_lower_case(bench: Bench) -> None:
    await bench.add_pages(1)
    row = await read(bench, await ask(bench, cause=Cause.BUILD, commit=COMMIT, build_url="https://ci.example/7", name=" A  "))
    assert (row.commit_hash, row.branch, row.ancestor_hash) == ("c0ffee0123", "main", "c0ffee0122")
    assert (row.author, row.message, row.build_url, row.name) == ("Some author", "Mend the header", "https://ci.example/7", "A")


async def test_the_same_commit_may_be_measured_again_and_is_kept_apart(bench: Bench) -> None:
    await bench.add_pages(1)
    first, second = await ask(bench, commit=COMMIT), await ask(bench, commit=COMMIT)
    assert {row.id for row in await all_of_them(bench)} == {first, second}
    assert (await progress(bench, first)).total == (await progress(bench, second)).total == 1


async def test_the_same_idempotency_key_gives_the_same_snapshot(bench: Bench) -> None:
    await bench.add_pages(1)
    assert await ask(bench, idempotency_key="k") == await ask(bench, idempotency_key="k")
    assert len(await bench.audits()) == 1


async def test_everything_that_is_wrong_is_told_at_once(bench: Bench) -> None:
    with pytest.raises(InvalidInput) as refused:
        await ask(
            bench,
            environment="No such thing",
            runs=0,
            page_ids=[],
            cause=Cause.SCHEDULE,
            name="n" * 201,
            commit=Commit("zzz", " ", "not hex"),
            build_url="javascript:alert(1)",
        )
    assert [".".join(fault.path) for fault in refused.value.faults] == [
        "environment",
        "runs",
        "name",
        "buildUrl",
        "commit.hash",
        "commit.ancestor",
        "commit.branch",
        "cause",
        "pages",
    ]


async def test_a_site_without_pages_has_nothing_to_measure(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="no pages yet"):
        await ask(bench)


async def test_more_audits_than_one_transaction_bears_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.add_pages(3)
    monkeypatch.setattr(rules, "MAX_AUDITS", 2)
    with pytest.raises(LimitReached, match="at most 2 audits, and this one has more"):
        await ask(bench)
    assert await all_of_them(bench) == []


async def test_pages_and_profiles_of_others_are_not_there(bench: Bench) -> None:
    await bench.add_pages(1)
    other = await new_bench(bench.database, bench.clock, "other")
    (foreign,) = await other.add_pages(1)
    for given in ({"page_ids": [foreign]}, {"profile_ids": [new_id()]}, {"site_id": other.site_id}):
        with pytest.raises(NotFound):
            await ask(bench, **given)


async def test_a_viewer_asks_for_none(bench: Bench) -> None:
    await bench.add_pages(1)
    bench.actor = Actor(roles={bench.workspace_id: Role.VIEWER})
    with pytest.raises(NotAllowed):
        await ask(bench)


async def test_it_has_ended_when_the_last_of_its_audits_has_whatever_became_of_them(bench: Bench) -> None:
    await bench.add_pages(3)
    id, other = await ask(bench), await ask(bench)
    await end(bench, [AuditState.FINISHED, AuditState.FAILED], id)
    assert await close(bench) == []
    await end(bench, [AuditState.FINISHED, AuditState.FAILED, AuditState.CANCELLED], id)
    assert await close(bench) == [id]
    row = await read(bench, id)
    assert (row.state, row.finished_at) == (SnapshotState.FINISHED, bench.clock.now)
    assert await progress(bench, id) == Progress(total=3, finished=1, failed=1, cancelled=1)
    assert (await read(bench, other)).state is SnapshotState.RUNNING
    assert await said(bench) == ["SNAPSHOT_REQUESTED", "SNAPSHOT_REQUESTED", "SNAPSHOT_FINISHED"]
    assert await close(bench) == []


async def test_stopping_it_stops_what_waits_and_keeps_what_is_measured(bench: Bench) -> None:
    await bench.add_pages(2)
    id, other = await ask(bench), await ask(bench)
    await end(bench, [AuditState.FINISHED], id)
    async with bench.database.work(bench.actor) as work:
        await snapshots.cancel(work, snapshot_id=id)
    assert await progress(bench, id) == Progress(total=2, finished=1, cancelled=1)
    assert await progress(bench, other) == Progress(total=2, queued=2)
    assert (await read(bench, id)).state is SnapshotState.CANCELLED
    async with everybodys(bench.database) as connection:
        jobs = (await connection.execute(select(func.count()).select_from(StoredJob))).scalar_one()
    assert jobs == 3  # the finished one's stands still, since it was only said to be finished
    with pytest.raises(Conflict, match="cancelled already"):
        async with bench.database.work(bench.actor) as work:
            await snapshots.cancel(work, snapshot_id=id)


async def test_a_schedule_makes_one_snapshot_however_many_pieces_it_takes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "PIECE", 2)
    await bench.add_pages(3)
    await bench.create()
    bench.clock.to("13:00:00")
    lease = await bench.lead()
    await schedules.fire_due(bench.database, lease)
    (begun,) = await all_of_them(bench)
    assert (begun.cause, begun.name, begun.filled_at) == (Cause.SCHEDULE, "daily", None)
    await end(bench, [AuditState.FINISHED] * 2, begun.id)
    assert await close(bench) == []  # more of its audits are still to come
    await bench.fire(lease)
    assert {audit.snapshot_id for audit in await bench.audits()} == {begun.id}
    await end(bench, [AuditState.FINISHED] * 3, begun.id)
    assert await close(bench) == [begun.id]


async def test_a_schedule_that_asks_for_nothing_makes_no_snapshot(bench: Bench) -> None:
    await bench.create()
    bench.clock.to("13:00:00")
    await bench.fire()
    assert await all_of_them(bench) == []


async def test_each_firing_has_a_snapshot_of_its_own(bench: Bench) -> None:
    await bench.add_pages(1)
    await bench.create()
    for day in ("2026-05-13T13:00", "2026-05-14T13:00"):
        bench.clock.to(day)
        await bench.fire()
        (newest, *_) = await all_of_them(bench)
        await end(bench, [AuditState.FINISHED], newest.id)
    assert len(await all_of_them(bench)) == 2
