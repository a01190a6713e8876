"""Two snapshots that somebody chose are compared: honestly, where one a side is little; over both databases."""

from __future__ import annotations

import subprocess
import sys
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from domain import verdicts
from domain.access import Reach
from domain.alerts import Alert
from domain.audits import Audit, Pair, Two, finding_differences, pairs, request_differences
from domain.errors import InvalidInput, LimitReached
from domain.ids import new_id
from domain.snapshots import Commit, Snapshot
from domain.verdicts import Asked, Comparison, Judgement, Reason, Said, comparing
from domain.work import StoredEvent
from tests.databases import everybodys
from tests.domain.schedules.benches import Bench, bench, new_bench
from tests.domain.verdicts.test_jobs import confirm, measure, said_of, work_all

__all__ = ["bench"]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is reckoned is the same, wherever it was read."""


async def compared(bench: Bench, before: UUID, after: UUID, *, pooled: bool = False) -> Comparison:
    found = await comparing.compare(bench.database.reader, bench.actor.reach, Asked(before, after, pooled))
    assert found is not None
    return found


async def lcp(bench: Bench, before: UUID, after: UUID, *, pooled: bool = False) -> Said:
    """Of snapshots of one page."""
    ((page,), *_) = [(await compared(bench, before, after, pooled=pooled)).pages]
    (found,) = [each for each in page.profiles[0].metrics if each.metric.value == "lcp_ms"]
    return found


async def measured(bench: Bench, *levels: float) -> list[UUID]:
    return [await measure(bench, {"lcp_ms": level, "script_bytes": 50_000}) for level in levels]


@on_sqlite
async def test_one_snapshot_a_side_without_any_other_is_too_few_and_still_shows_what_was_measured(bench: Bench) -> None:
    await bench.add_pages(1)
    before, after = await measured(bench, 1_000, 2_000)
    found = await lcp(bench, before, after)
    assert (found.judgement, found.reason) == (Judgement.NO_EVIDENCE, Reason.TOO_FEW)
    assert found.before == pytest.approx(1_000, abs=5)
    assert found.after == pytest.approx(2_000, abs=5)
    assert (found.p, found.change_low, found.detectable) == (None, None, None)


async def test_what_was_before_tells_how_far_one_snapshot_lies_from_the_next(bench: Bench) -> None:
    await bench.add_pages(1)
    *_, before, alike, after = await measured(bench, 1_000, 1_040, 970, 1_010, 1_005, 1_030, 1_600)
    same = await lcp(bench, before, alike)
    assert (same.judgement, same.reason, same.snapshots_before) == (Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE, 1)
    assert same.detectable is not None
    assert 20 < same.detectable < 400
    found = await lcp(bench, before, after)
    assert (found.judgement, found.reason, found.snapshots_after) == (Judgement.REGRESSED, Reason.UNCONFIRMED, 1)
    assert found.change_low is not None
    assert found.change_low > 0
    back = await lcp(bench, after, before)
    assert (back.judgement, back.reason) == (Judgement.IMPROVED, Reason.UNCONFIRMED)


@on_sqlite
async def test_of_a_sites_first_snapshots_those_in_between_tell_of_the_noise(bench: Bench) -> None:
    await bench.add_pages(1)
    first, *_, last = await measured(bench, 1_000, 1_040, 970, 1_010, 1_005, 1_030, 1_600)
    found = await lcp(bench, first, last)
    assert (found.judgement, found.reason) == (Judgement.REGRESSED, Reason.UNCONFIRMED)


@on_sqlite
async def test_what_one_snapshot_suspects_and_the_correction_does_not_pass_is_no_evidence(bench: Bench) -> None:
    await bench.add_pages(1)
    *_, before, after = await measured(bench, 1_000, 1_030, 970, 1_010, 1_005, 1_120)
    found = await lcp(bench, before, after)
    assert (found.judgement, found.reason) == (Judgement.NO_EVIDENCE, Reason.SUSPECTED)


@on_sqlite
async def test_without_a_confirmation_it_takes_four_snapshots_before_to_say_that_something_changed(bench: Bench) -> None:
    """With two, and pages that are quieter beside it, a third of all comparisons without a change would be said to have one."""
    await bench.add_pages(1)
    ids = await measured(bench, 1_000, 1_010, 995, 1_004, 1_001, 3_000)
    assert (await lcp(bench, ids[4], ids[5])).reason is Reason.UNCONFIRMED
    early = [audit.id for audit in await bench.audits()][:2]
    async with everybodys(bench.database) as connection:
        await connection.execute(delete(Audit).where(Audit.id.in_(early)))
    few = await lcp(bench, ids[4], ids[5])
    assert (few.judgement, few.reason) == (Judgement.NO_EVIDENCE, Reason.TOO_FEW)


@on_sqlite
async def test_the_pooled_baseline_ends_at_the_chosen_snapshot_and_takes_four(bench: Bench) -> None:
    await bench.add_pages(1)
    ids = await measured(bench, 900, 1_000, 1_040, 970, 1_010, 1_005, 1_600)
    pooled = await lcp(bench, ids[4], ids[6], pooled=True)
    alone = await lcp(bench, ids[4], ids[6])
    assert (pooled.snapshots_before, alone.snapshots_before) == (4, 1)
    assert pooled.before == pytest.approx((1_000 + 1_040 + 970 + 1_010) / 4, abs=5)
    assert alone.before == pytest.approx(1_010, abs=5)
    assert pooled.detectable is not None
    assert alone.detectable is not None
    assert pooled.detectable < alone.detectable


@on_sqlite
async def test_what_later_snapshots_confirmed_is_confirmed_here_too(bench: Bench) -> None:
    await bench.add_pages(1)
    *_, before, after = await measured(bench, 1_000, 1_040, 970, 1_010, 2_000)
    await work_all(bench)
    await confirm(bench, after, 2_010, 2_005)
    assert (await said_of(bench, after))["lcp_ms"].judgement is Judgement.REGRESSED
    found = await lcp(bench, before, after, pooled=True)
    assert (found.judgement, found.reason) == (Judgement.REGRESSED, Reason.CONFIRMED)
    assert found.snapshots_after > 1


@on_sqlite
async def test_facts_are_compared_directly_and_told_where_they_changed(bench: Bench) -> None:
    await bench.add_pages(1)
    before = await measure(bench, {"lcp_ms": 1_000, "script_bytes": 50_000, "image_bytes": 100})
    after = await measure(bench, {"lcp_ms": 1_000, "script_bytes": 49_000, "image_bytes": 100})
    found = await compared(bench, before, after)
    by_name = {each.metric.value: each for each in found.pages[0].profiles[0].metrics}
    assert set(by_name) == {"lcp_ms", "script_bytes"}
    fact = by_name["script_bytes"]
    assert (fact.judgement, fact.reason, fact.before, fact.after) == (Judgement.IMPROVED, Reason.DIFFERENT, 50_000, 49_000)
    assert found.judgements == (0, 1, 1, 0)


@on_sqlite
async def test_what_a_page_was_before_it_changed_is_no_noise_of_what_it_is(bench: Bench) -> None:
    await bench.add_pages(1)
    await measured(bench, 1_000, 1_005, 996, 1_002)
    changed = await measure(bench, {"lcp_ms": 1_400, "script_bytes": 50_000})
    await work_all(bench)
    await confirm(bench, changed, 1_402, 1_397)
    assert (await said_of(bench, changed))["lcp_ms"].judgement is Judgement.REGRESSED
    *_, after = await measured(bench, 1_401, 1_396, 1_403, 1_600)
    found = await lcp(bench, changed, after)
    assert (found.judgement, found.reason) == (Judgement.REGRESSED, Reason.UNCONFIRMED)
    assert found.change_low is not None
    assert found.change_low > 150


@on_sqlite
async def test_another_major_version_of_the_engine_cannot_be_compared(bench: Bench) -> None:
    await bench.add_pages(1)
    (before,) = await measured(bench, 1_000)
    after = await measure(bench, {"lcp_ms": 1_500, "script_bytes": 90_000}, engine_version="14.0.0")
    found = (await compared(bench, before, after)).pages[0].profiles[0].metrics
    assert [(each.metric.value, each.judgement, each.reason) for each in found] == [
        ("lcp_ms", Judgement.INCOMPARABLE, Reason.CONDITIONS_CHANGED)
    ]
    assert found[0].before == pytest.approx(1_000, abs=5)
    assert found[0].after == pytest.approx(1_500, abs=5)


@on_sqlite
async def test_a_slower_machine_is_not_taken_for_a_slower_page(bench: Bench) -> None:
    await bench.add_pages(1)
    for level in (1_000, 1_010, 995):
        await measure(bench, {"lcp_ms": level, "benchmark_index": 2_000})
    before = await measure(bench, {"lcp_ms": 1_004, "benchmark_index": 2_000})
    after = await measure(bench, {"lcp_ms": 1_400, "benchmark_index": 1_200})
    found = await lcp(bench, before, after)
    assert (found.judgement, found.reason) == (Judgement.INCOMPARABLE, Reason.MACHINE_CHANGED)


@on_sqlite
async def test_a_page_that_only_one_of_them_has_is_there_without_a_word(bench: Bench) -> None:
    await bench.add_pages(1)
    (before,) = await measured(bench, 1_000)
    await bench.add_pages(1)
    after = await measure(bench, {"lcp_ms": 1_000})
    old, new = (await compared(bench, before, after)).pages
    assert (len(old.profiles[0].metrics), new.profiles[0].metrics, new.profiles[0].before_id) == (1, [], None)
    assert new.profiles[0].after_id is not None


@on_sqlite
async def test_nothing_is_kept_of_a_comparison_and_nobody_is_told(bench: Bench) -> None:
    await bench.add_pages(1)
    *_, before, after = await measured(bench, 1_000, 1_040, 970, 1_010, 1_005, 1_600)
    tables = (verdicts.Verdict.id, Alert.id, StoredEvent.id)
    async with everybodys(bench.database) as connection:
        there = [list(await connection.execute(select(table))) for table in tables]
    assert (await compared(bench, before, after)).judgements.regressed == 1
    async with everybodys(bench.database) as connection:
        assert [list(await connection.execute(select(table))) for table in tables] == there


async def test_who_may_compare_what(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = await bench.add_pages(2)
    before, after = await measure(bench, {"lcp_ms": 1_000}), await measure(bench, {"lcp_ms": 1_000})
    other = await new_bench(bench.database, bench.clock, "other")
    await other.add_pages(1)
    foreign = await measure(other, {"lcp_ms": 1_000})
    reader, reach = bench.database.reader, bench.actor.reach
    for asked in (Asked(foreign, after), Asked(before, foreign), Asked(new_id(), after)):
        assert await comparing.compare(reader, reach, asked) is None
    both = Reach.whole(bench.workspace_id, other.workspace_id)
    async with everybodys(bench.database) as connection:
        await connection.execute(update(Snapshot).where(Snapshot.id == after).values(confirms_id=before))
    with pytest.raises(InvalidInput, match="they are part of it"):
        await compared(bench, before, after)
    async with everybodys(bench.database) as connection:
        await connection.execute(update(Snapshot).where(Snapshot.id == after).values(confirms_id=None))
    with pytest.raises(InvalidInput, match="of one site"):
        await comparing.compare(reader, both, Asked(foreign, after))
    monkeypatch.setattr(comparing, "MAX_AUDITS", 1)
    with pytest.raises(LimitReached, match="At most 1 audits are compared, and snapshot_"):
        await comparing.compare(reader, reach, Asked(before, after))
    monkeypatch.setattr(comparing, "MAX_PAGES", 1)
    one = await comparing.compare(reader, reach, Asked(before, after, pages=frozenset(pages[:1])))
    assert one is not None
    assert [page.page_id for page in one.pages] == pages[:1]
    with pytest.raises(LimitReached, match="At most 1 pages are compared; 2 are named"):
        await comparing.compare(reader, reach, Asked(before, after, pages=frozenset(pages)))


async def test_a_verdict_names_the_newest_audit_that_it_is_compared_with_and_that_of_its_own_line(bench: Bench) -> None:
    await bench.add_pages(1)
    main = [await measure(bench, {"lcp_ms": 1_000}, commit=Commit(f"aaaaaa{number}", "main")) for number in range(2)]
    await measure(bench, {"lcp_ms": 1_000}, commit=Commit("bbbbbb0", "other"))
    mine = await measure(bench, {"lcp_ms": 1_000}, commit=Commit("cccccc0", "mine", "aaaaaa1"))
    await work_all(bench)
    audits = {audit.snapshot_id: audit.id for audit in await bench.audits()}
    assert (await said_of(bench, main[0]))["lcp_ms"].before_audit_id is None
    row = (await said_of(bench, mine))["lcp_ms"]
    assert (row.before_audit_id, row.audit_id) == (audits[main[1]], audits[mine])


async def test_only_finished_audits_of_one_page_and_one_major_version_are_a_pair(bench: Bench) -> None:
    await bench.add_pages(1)
    first, second = await measured(bench, 1_000, 1_000)
    (other,) = await measured(bench, 1_000)
    await bench.add_pages(1)
    both = await measure(bench, {"lcp_ms": 1_000})
    ids = {(audit.snapshot_id, place): audit.id for place, audit in enumerate(await bench.audits())}
    a, b, c, d, e = (ids[key] for key in ((first, 0), (second, 1), (other, 2), (both, 3), (both, 4)))
    async with everybodys(bench.database) as connection:
        await connection.execute(update(Audit).where(Audit.id == c).values(engine_version="14.0.0"))
    reader, reach = bench.database.reader, bench.actor.reach
    wanted = [Two(a, b), Two(a, c), Two(d, e), Two(a, new_id()), Two(a, d)]
    found = await pairs(reader, reach, wanted)
    assert set(found) == {Two(a, b), Two(a, d)}
    assert found[Two(a, b)][:2] == (a, b)
    assert await pairs(reader, Reach.whole(new_id()), wanted) == {}
    for read in (finding_differences, request_differences):
        (none,) = (await read(reader, reach, [Pair(a, b)])).values()
        assert not none.kept


def test_who_does_not_compare_does_not_wait_for_scipy() -> None:
    asked = "import sys, graph.schema; print(sorted({'numpy', 'scipy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
