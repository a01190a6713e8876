"""Pruning: what nobody pushed nor used for long goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import documents
from domain.documents import actions
from domain.errors import NotFound
from domain.ids import new_id
from tests.domain.documents.benches import NOON, Bench, bench, new_bench, refused

__all__ = ["bench"]

DAY = timedelta(days=1)


async def test_what_was_neither_pushed_nor_used_since_goes(bench: Bench) -> None:
    web = await bench.client()
    await bench.push(web, ("Old", "{ old }"), ("Used", "{ used }"), ("Pushed", "{ pushed }"))
    await bench.push(None, ("Common", "{ common }"))
    bench.clock.now += 10 * DAY
    await bench.use("{ used }")
    await bench.push(web, ("Pushed", "{ pushed }"), ("New", "{ new }"))
    assert await bench.prune(NOON) == []
    since = bench.clock.now
    assert await bench.prune(since, dry=True) == ["{ old }", "{ common }"]
    assert len(await bench.all()) == 5
    assert await bench.prune(since) == ["{ old }", "{ common }"]
    assert [row.text for row in await bench.all()] == ["{ new }", "{ pushed }", "{ used }"]
    assert await bench.resolve(web, "Old") is None
    assert await bench.resolve(web, "Used") == "{ used }"
    assert await bench.prune(since) == []
    assert await bench.prune(since + DAY) == ["{ used }", "{ pushed }", "{ new }"]


async def test_what_went_may_come_again(bench: Bench) -> None:
    await bench.push(None, ("A", "{ a }"))
    await bench.use("{ a }", version="1.0")
    assert await bench.prune(NOON + DAY) == ["{ a }"]
    assert await bench.push(None, ("A", "{ other }")) == (["A"], [], [])
    assert await bench.usage("{ other }") == []


async def test_of_a_client_its_own_ids_go_and_what_nobody_else_registered(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(web, ("A", "{ a }"), ("B", "{ b }"), ("B2", "{ b }"), ("C", "{ c }"))
    await bench.push(ios, ("B", "{ b }"), ("D", "{ d }"))
    bench.clock.now += 10 * DAY
    await bench.push(ios, ("B", "{ b }"))
    await bench.use("{ c }", ios)
    since = bench.clock.now
    assert await bench.prune(since, web, dry=True) == ["{ a }", "{ b }"]
    assert await bench.prune(since, web) == ["{ a }", "{ b }"]
    assert [row.text for row in await bench.all()] == ["{ d }", "{ c }", "{ b }"]
    assert await bench.of_client(web) == ["{ c }"]
    assert [(row.client_id, row.alias) for row in await bench.aliases("{ b }")] == [(ios, "B")]
    assert await bench.prune(since, web) == []


async def test_what_a_client_pushes_under_a_second_id_stays_under_both(bench: Bench) -> None:
    web = await bench.client()
    await bench.push(web, ("Old", "{ a }"))
    bench.clock.now += DAY
    await bench.push(web, ("New", "{ a }"))
    assert await bench.prune(bench.clock.now, web) == []
    assert await bench.prune(bench.clock.now) == []
    assert await bench.resolve(web, "Old") == "{ a }"


async def test_what_a_deleted_client_left_goes(bench: Bench) -> None:
    web = await bench.client()
    await bench.push(web, ("A", "{ a }"))
    await bench.do(documents.delete_client, client_id=web)
    assert await bench.prune(NOON) == []
    assert await bench.prune(NOON + DAY) == ["{ a }"]


async def test_so_many_go_at_once_the_oldest_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "PIECE", 3)
    await bench.push(None, *((f"{number}", f"{{ a{number} }}") for number in range(7)))
    texts = [f"{{ a{number} }}" for number in range(7)]
    listed: list[str] = []
    after = None
    while some := await bench.prune(NOON + DAY, dry=True, after=after):
        listed += some
        after = (await bench.document(some[-1])).id
    assert listed == texts
    assert [await bench.prune(NOON + DAY) for _ in range(4)] == [texts[:3], texts[3:6], texts[6:], []]


async def test_another_workspaces_documents_stay(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    theirs = await other.client()
    await other.push(theirs, ("A", "{ a }"))
    assert await bench.prune(NOON + DAY) == []
    for client in (theirs, new_id()):
        refusal = await refused(bench.prune(NOON + DAY, client))
        assert (type(refusal), refusal.message) == (NotFound, "There is no such client in this workspace.")
    assert len(await other.all()) == 1
