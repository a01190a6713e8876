"""Deploys and annotations: told, measured where that is asked for, and kept beside what was measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import marks, snapshots
from domain.access import Actor, Role
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from domain.paging import Window
from domain.snapshots import Cause, Commit
from tests.domain.schedules.benches import NOON, Bench, bench, new_bench

__all__ = ["bench"]


async def record(bench: Bench, **given: Any) -> marks.DeployRow:
    async with bench.database.work(bench.actor) as work:
        id = (await marks.record(work, **{"site_id": bench.site_id, "version": "v1", **given})).id
    return (await marks.deploys_by_ids(bench.database.reader, bench.actor.reach, [id]))[id]


async def annotate(bench: Bench, **given: Any) -> UUID:
    async with bench.database.work(bench.actor) as work:
        return (await marks.annotate(work, **{"site_id": bench.site_id, "text": "It begins", **given})).id


async def listed(bench: Bench, list: Any, **given: Any) -> list[Any]:
    values = {"since": None, "until": None, **({"environment": None} if list is marks.DEPLOYS else {}), **given}
    return [*(await list.of(bench.database.reader, bench.actor.reach, bench.site_id, Window(), **values)).rows]


async def test_a_deploy_is_told_with_its_commit(bench: Bench) -> None:
    commit = Commit("C0FFEE0", "main", None, "Somebody", "Mend it")
    row = await record(bench, version=" v1.4.2\n", commit=commit, url="https://ci.example/7", environment="staging")
    assert (row.version, row.commit_hash, row.branch, row.author, row.message) == (
        "v1.4.2",
        "c0ffee0",
        "main",
        "Somebody",
        "Mend it",
    )
    assert (row.url, row.environment, row.at, row.snapshot_id) == ("https://ci.example/7", "staging", NOON, None)


async def test_a_deploy_may_be_measured_and_its_snapshot_says_of_what(bench: Bench) -> None:
    await bench.add_pages(2)
    row = await record(bench, measured=marks.Measured(runs=3), commit=Commit("c0ffee0"))
    assert row.snapshot_id is not None
    taken = (await snapshots.by_ids(bench.database.reader, bench.actor.reach, [row.snapshot_id]))[row.snapshot_id]
    assert (taken.cause, taken.name, taken.commit_hash, taken.runs) == (Cause.DEPLOY, "v1", "c0ffee0", 3)
    assert len(await bench.audits()) == 2


async def test_the_same_idempotency_key_gives_the_same_deploy_and_other_input_a_conflict(bench: Bench) -> None:
    assert (await record(bench, idempotency_key="k")).id == (await record(bench, idempotency_key="k")).id
    with pytest.raises(Conflict):
        await record(bench, idempotency_key="k", version="v2")


async def test_marks_are_found_by_their_time_the_newest_first(bench: Bench) -> None:
    for day in (3, 1, 2):
        await record(bench, version=f"v{day}", at=NOON - timedelta(days=day))
        await annotate(bench, text=f"{day} ago", at=NOON - timedelta(days=day))
    assert [row.version for row in await listed(bench, marks.DEPLOYS)] == ["v1", "v2", "v3"]
    some = {"since": NOON - timedelta(days=2), "until": NOON - timedelta(days=1)}
    assert [row.version for row in await listed(bench, marks.DEPLOYS, **some)] == ["v2"]
    assert [row.text for row in await listed(bench, marks.ANNOTATIONS, **some)] == ["2 ago"]
    assert await listed(bench, marks.DEPLOYS, environment="staging") == []


async def test_an_annotation_is_changed_and_deleted(bench: Bench) -> None:
    (page,) = await bench.add_pages(1)
    id = await annotate(bench, page_id=page)
    async with bench.database.work(bench.actor) as work:
        await marks.update_annotation(work, annotation_id=id, changes={"text": "It ends"})
    (row,) = await listed(bench, marks.ANNOTATIONS)
    assert (row.text, row.at, row.page_id) == ("It ends", NOON, page)
    async with bench.database.work(bench.actor) as work:
        await marks.delete_annotation(work, annotation_id=id)
    assert await listed(bench, marks.ANNOTATIONS) == []


async def test_what_is_wrong_is_told_at_once(bench: Bench) -> None:
    with pytest.raises(InvalidInput) as refused:
        await record(bench, version=" ", at=NOON + timedelta(days=2), url="ftp://x", environment="A B")
    assert [".".join(fault.path) for fault in refused.value.faults] == ["environment", "version", "at", "url"]
    with pytest.raises(InvalidInput, match="1 to 1,000"):
        await annotate(bench, text="x" * 1_001)


async def test_others_sites_and_pages_are_not_there_and_viewers_write_nothing(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    (foreign,) = await other.add_pages(1)
    with pytest.raises(NotFound):
        await record(bench, site_id=other.site_id)
    with pytest.raises(NotFound):
        await annotate(bench, page_id=foreign)
    kept = await annotate(bench)
    bench.actor = Actor(roles={bench.workspace_id: Role.VIEWER})
    for act in (record(bench), annotate(bench)):
        with pytest.raises(NotAllowed):
            await act
    with pytest.raises(NotAllowed):
        async with bench.database.work(bench.actor) as work:
            await marks.delete_annotation(work, annotation_id=kept)
