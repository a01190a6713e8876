"""Which snapshots are those before one: of its branch, or from its commit's ancestor on, and how far they are looked for."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import snapshots
from domain.snapshots import Commit
from domain.verdicts import line_of, samples
from tests.databases import Counter
from tests.domain.schedules.benches import Bench, bench
from tests.domain.verdicts.test_jobs import measure

__all__ = ["bench"]


async def before(bench: Bench, snapshot: UUID) -> int:
    """How many snapshots it is compared with."""
    reader, reach = bench.database.reader, bench.actor.reach
    row = (await snapshots.by_ids(reader, reach, [snapshot]))[snapshot]
    (sample,) = await samples.read(reader, reach, row, await line_of(reader, reach, row), [])
    return len(sample.before)


async def test_they_are_looked_for_among_so_many_audits_or_from_the_ancestor_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch without a past would be looked for in all that its pages ever had."""
    monkeypatch.setattr(samples, "FARTHEST", 3)
    await bench.add_pages(1)
    for number in range(2):
        await measure(bench, {"lcp_ms": 1_000}, commit=Commit(f"a11ce{number:02}", "old"))
    bench.clock.now += timedelta(hours=2)
    for number in range(2):
        await measure(bench, {"lcp_ms": 1_000}, commit=Commit(f"ba5e5{number:02}", "main"))
    same = await measure(bench, {"lcp_ms": 1_000}, commit=Commit("a11ce02", "old"))
    assert await before(bench, same) == 1
    await measure(bench, {"lcp_ms": 1_000}, commit=Commit("ba5e502", "main"))
    bench.clock.now += timedelta(hours=2)
    assert await before(bench, await measure(bench, {"lcp_ms": 1_000}, commit=Commit("ba5e503", "new"))) == 0
    from_old = await measure(bench, {"lcp_ms": 1_000}, commit=Commit("ba5e504", "new", "a11ce01"))
    assert await before(bench, from_old) == 2


@pytest.mark.parametrize(
    ("kept", "given", "expected"),
    [
        (["c0ffee1aa0"], "c0ffee1", 0),
        (["c0ffee1"], "c0ffee1aa0", 0),
        (["c0ffee1", "c0ffee1aa0", "c0ffee1f00"], "c0ffee1aa0", 1),
        (["c0ffee1", "c0ffee1aa0", "c0ffee1f00"], "c0ffee1", 0),
        (["c0ffee1aa0", "c0ffee1f00"], "c0ffee1", 1),
        (["c0ffee2", "c0ffee1bb0", "c0ffee0"], "c0ffee1aa0", None),
    ],
    ids=["given short", "kept short", "the same first", "the same first, short", "the newest of several", "none"],
)
async def test_a_commit_is_found_by_its_hash_whole_or_short(
    bench: Bench, kept: list[str], given: str, expected: int | None
) -> None:
    await bench.add_pages(1)
    async with bench.database.work(bench.actor) as work:
        found = [(await snapshots.request(work, site_id=bench.site_id, commit=Commit(each, each))).id for each in kept]
        own = (await snapshots.request(work, site_id=bench.site_id, commit=Commit("abcdef0", "new", given))).id
    reader, reach = bench.database.reader, bench.actor.reach
    counter = Counter(bench.database)
    line = await line_of(reader, reach, (await snapshots.by_ids(reader, reach, [own]))[own])
    assert line[:2] == (("new", own) if expected is None else (kept[expected], found[expected]))
    assert len(counter) == 2
    if not bench.database.is_sqlite:
        return
    read = counter.statements[-1]
    plan = await bench.database.reads.fetch(f"EXPLAIN QUERY PLAN {read}", ["[]"] * read.count("?"))
    index = "ix_snapshots_site_id_environment_commit_hash"
    assert plan[0][-1].endswith(f"USING INDEX {index} (site_id=? AND environment=? AND commit_hash>? AND commit_hash<?)")
