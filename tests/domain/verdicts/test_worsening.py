"""An alert of verdicts names what is worse, as long as it is; over both databases."""

from __future__ import annotations

from sqlalchemy import select

from domain.snapshots import Commit
from domain.work import EventKind, StoredEvent
from tests.databases import everybodys
from tests.domain.schedules.benches import Bench, bench
from tests.domain.verdicts.test_jobs import alerted, confirm, measure, steady, work_all

__all__ = ["bench", "steady"]


async def weigh(bench: Bench, *weights: int, commit: Commit | None = None) -> None:
    for weight in weights:
        await measure(bench, {"lcp_ms": 1002, "script_bytes": weight}, commit=commit)
        await work_all(bench)


async def happened(bench: Bench) -> list[EventKind]:
    asked = select(StoredEvent.kind).where(StoredEvent.kind.in_((EventKind.ALERT_OPENED, EventKind.ALERT_WORSENED)))
    async with everybodys(bench.database) as connection:
        return list((await connection.execute(asked.order_by(StoredEvent.id))).scalars())


async def test_a_little_better_is_not_over(steady: Bench) -> None:
    await weigh(steady, 80_000, 80_000, 78_000)
    assert [open for *_, open in await alerted(steady)] == [True]
    await weigh(steady, 55_000)
    assert [open for *_, open in await alerted(steady)] == [False]


async def test_what_gets_worse_once_more_is_told_once_more_with_what_it_was_at_first(steady: Bench) -> None:
    for level in (1300, 2000):
        id = await measure(steady, {"lcp_ms": level, "script_bytes": 50_000})
        await work_all(steady)
        await confirm(steady, id, level + 4, level - 3)
    ((_, _, details, open),) = await alerted(steady)
    assert (details, open) == ({"Largest Contentful Paint": "1,003 ms → 2,002 ms"}, True)
    assert await happened(steady) == [EventKind.ALERT_OPENED, EventKind.ALERT_WORSENED]


async def test_what_a_branch_made_worse_is_over_when_it_is_as_where_the_branch_began(bench: Bench) -> None:
    await bench.add_pages(1)
    for number in range(4):
        await weigh(bench, 50_000, commit=Commit(f"aaaaaa{number}", "main"))
    await weigh(bench, 80_000, commit=Commit("bbbbbb0", "feature", "aaaaaa3"))
    await weigh(bench, 80_000, commit=Commit("bbbbbb1", "feature", "aaaaaa3"))
    assert [open for *_, open in await alerted(bench)] == [True]
    await weigh(bench, 50_000, commit=Commit("bbbbbb2", "feature", "aaaaaa3"))
    assert [open for *_, open in await alerted(bench)] == [False]


async def test_what_a_build_made_worse_is_over_when_a_schedule_finds_it_better(bench: Bench) -> None:
    await bench.add_pages(1)
    await weigh(bench, 50_000, 50_000, commit=Commit("aaaaaa1", "main"))
    await weigh(bench, 80_000, commit=Commit("aaaaaa2", "main", "aaaaaa1"))
    assert [open for *_, open in await alerted(bench)] == [True]
    await weigh(bench, 50_000)
    assert [open for *_, open in await alerted(bench)] == [False]
