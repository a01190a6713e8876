"""How documents are used: counted in a process, and added up in the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domain import documents
from domain.access import SYSTEM
from domain.documents import UsageRow, Used, rules, usage
from domain.ids import new_id
from tests.domain.documents.benches import NOON, Bench, bench, new_bench

__all__ = ["bench"]

HERE, DOCUMENT, CLIENT = new_id(), new_id(), new_id()


def told(rows: list[UsageRow]) -> list[tuple[UUID | None, str, int, int]]:
    return [(row.client_id, row.version, row.calls, row.errors) for row in rows]


def test_what_was_recorded_is_given_once() -> None:
    counted = documents.Usage()
    assert counted.drain() == []
    for seconds, failed in [(0.0005, False), (0.01, True), (0.01, False), (120.0, True)]:
        counted.record(HERE, DOCUMENT, CLIENT, "1.0", seconds, failed)
    counted.record(HERE, DOCUMENT, None, "1.0", 0.01, failed=False)
    one, other = counted.drain()
    assert one[:5] == (HERE, DOCUMENT, CLIENT, "1.0", 2)
    assert (one.calls, one.durations[0], one.durations[rules.bucket(0.01)], one.durations[-1]) == (4, 1, 2, 1)
    assert (other.client_id, other.calls, other.errors) == (None, 1, 0)
    assert counted.drain() == []


def test_what_could_not_be_written_is_given_again() -> None:
    counted = documents.Usage()
    counted.record(HERE, DOCUMENT, CLIENT, "1.0", 0.01, failed=True)
    drained = counted.drain()
    counted.record(HERE, DOCUMENT, CLIENT, "1.0", 20.0, failed=True)
    counted.restore(drained)
    (again,) = counted.drain()
    assert (again.calls, again.errors) == (2, 2)
    assert sum(number for number in again.durations) == 2
    assert drained[0].calls == 1, "what was given is not written to"


def test_what_is_no_version_counts_as_none() -> None:
    counted = documents.Usage()
    for version in ("", "no version", "x" * 51, "\x00", "1"):
        counted.record(HERE, DOCUMENT, CLIENT, version, 0.01, failed=False)
    assert [(each.version, each.calls) for each in counted.drain()] == [("", 4), ("1", 1)]


def test_no_flood_of_versions_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST", 10)
    counted = documents.Usage()
    for number in range(1_000):
        counted.record(HERE, DOCUMENT, CLIENT, str(number), 0.01, failed=False)
    drained = counted.drain()
    assert len(drained) == 11
    assert {each.version: each.calls for each in drained} == {**{str(number): 1 for number in range(10)}, "": 990}


async def test_counts_are_added_up_by_client_and_version(bench: Bench) -> None:
    web = await bench.client()
    await bench.push(web, ("A", "{ a }"), version="1.0")
    await bench.push(web, ("A", "{ a }"), version="2.0")
    await bench.use("{ a }", web, "1.0", seconds=0.01)
    bench.clock.now += timedelta(minutes=1)
    await bench.use("{ a }", web, "1.0", seconds=0.5)
    await bench.use("{ a }", None)
    bench.clock.now += timedelta(minutes=1)
    await bench.use("{ a }", web, "2.0")
    rows = await bench.usage("{ a }")
    assert told(rows) == [(web, "2.0", 1, 0), (None, "", 1, 0), (web, "1.0", 2, 0)], "those seen last first"
    assert [row.last_at for row in rows] == [NOON + timedelta(minutes=after) for after in (2, 1, 1)]
    assert {place: number for place, number in enumerate(rows[2].durations) if number} == {
        rules.bucket(0.01): 1,
        rules.bucket(0.5): 1,
    }
    assert documents.p95(rows[2].durations) == pytest.approx(0.5, rel=rules.ERROR)


async def test_a_version_that_was_never_pushed_for_the_client_counts_as_none(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(web, ("A", "{ a }"), version="web-1")
    await bench.push(ios, ("A", "{ a }"), version="ios-1")
    await bench.push(None, ("A", "{ a }"), version="all-1")
    for client in (web, None):
        for version in ("web-1", "ios-1", "all-1", "made-up"):
            await bench.use("{ a }", client, version)
    assert sorted(told(await bench.usage("{ a }")), key=str) == sorted(
        [(web, "web-1", 1, 0), (web, "all-1", 1, 0), (web, "", 2, 0), (None, "all-1", 1, 0), (None, "", 3, 0)], key=str
    )


async def test_a_push_in_which_nothing_was_new_makes_its_version_known(bench: Bench) -> None:
    web = await bench.client()
    for version in ("1", "2", "3"):
        await bench.push(web, ("A", "{ a }"), version=version)
    await bench.push(web, ("A", "{ other }"), version="refused")
    for version in ("1", "2", "3", "refused"):
        await bench.use("{ a }", web, version)
    assert {row.version for row in await bench.usage("{ a }")} == {"1", "2", "3", ""}


async def test_what_is_gone_in_the_meantime_is_not_counted(bench: Bench) -> None:
    web, ios = await bench.client("web"), await bench.client("ios")
    await bench.push(web, ("A", "{ a }"), ("B", "{ b }"))
    other = await new_bench(bench.database, bench.clock, "other")
    a, b = await bench.document("{ a }"), await bench.document("{ b }")
    counted = documents.Usage()
    for workspace, document, client in [
        (bench.workspace_id, a.id, web),
        (bench.workspace_id, a.id, ios),
        (bench.workspace_id, b.id, web),
        (bench.workspace_id, new_id(), web),
        (new_id(), new_id(), None),
        (other.workspace_id, b.id, None),
    ]:
        counted.record(workspace, document, client, "", 0.01, failed=False)
    await bench.do(documents.delete_client, client_id=ios)
    await bench.do(documents.count, counted.drain())
    assert told(await bench.usage("{ a }")) == [(web, "", 1, 0)]
    assert told(await bench.usage("{ b }")) == [(web, "", 1, 0)]
    await bench.do(documents.count, [])


async def test_processes_that_count_at_once_lose_nothing(bench: Bench) -> None:
    web = await bench.client()
    await bench.push(web, *((f"{number}", f"{{ a{number} }}") for number in range(5)))
    ids = [row.id for row in await bench.all()]

    async def process(order: list[UUID]) -> None:
        counted = documents.Usage()
        for id in order:
            counted.record(bench.workspace_id, id, web, "1.0", 0.01, failed=True)
            counted.record(bench.workspace_id, id, None, "", 0.01, failed=False)
        await bench.do(documents.count, counted.drain())

    await asyncio.gather(*(process(ids if turn % 2 else ids[::-1]) for turn in range(8)))
    for number in range(5):
        rows = await bench.usage(f"{{ a{number} }}")
        assert sorted(told(rows), key=str) == sorted([(web, "1.0", 8, 8), (None, "", 8, 0)], key=str)


async def test_many_workspaces_are_counted_in_one_piece_of_work(bench: Bench) -> None:
    other = await new_bench(bench.database, bench.clock, "other")
    counted = documents.Usage()
    for each in (bench, other):
        await each.push(None, ("A", "{ a }"))
        counted.record(each.workspace_id, (await each.document("{ a }")).id, None, "1.0", 0.01, failed=False)
    async with bench.database.work(SYSTEM) as work:
        await documents.count(work, counted.drain())
    assert [told(await each.usage("{ a }")) for each in (bench, other)] == [[(None, "1.0", 1, 0)]] * 2


async def test_a_document_that_was_unused_a_hundred_times_over_tells_of_a_hundred(bench: Bench) -> None:
    web = await bench.client()
    versions = [f"1.{number}" for number in range(105)]
    for version in versions:
        await bench.push(web, ("A", "{ a }"), version=version)
    document = await bench.document("{ a }")
    used = [Used(bench.workspace_id, document.id, web, version, 0, [1] + [0] * 61) for version in versions]
    await bench.do(documents.count, used)
    assert len(await bench.usage("{ a }")) == 100
