"""Snapshots are judged: suspected, confirmed by later ones, and told once; over both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from domain import alerts, budgets, jobs, sites, snapshots, verdicts
from domain.access import SYSTEM
from domain.alerts import AlertKind, AlertSeverity
from domain.audits import Audit, AuditState, Run, conditions_of
from domain.ids import new_id
from domain.paging import Window
from domain.snapshots import Commit
from domain.verdicts import Judgement, Reason, VerdictRow
from domain.work import EventKind, StoredEvent
from tests.databases import everybodys
from tests.domain.budgets.benches import METRIC
from tests.domain.schedules.benches import Bench, bench

__all__ = ["bench"]

NOISE = (0.0, 4.0, -6.0, 9.0, -3.0)
AFTER = timedelta(minutes=5)
ALL = {"kinds": list(AlertKind), "severities": list(AlertSeverity)}

Values = Mapping[str, float]


async def measure(
    bench: Bench, values: Values | Sequence[Values], *, engine_version: str = "13.0.0", commit: Commit | None = None
) -> UUID:
    """A snapshot of the site's pages, measured: page by page LCP and what else there is, with some noise."""
    async with bench.database.work(bench.actor) as work:
        id = (await snapshots.request(work, site_id=bench.site_id, runs=len(NOISE), commit=commit)).id
    await fulfil(bench, id, values, engine_version=engine_version)
    return id


async def fulfil(
    bench: Bench, id: UUID, values: Values | Sequence[Values], *, engine_version: str = "13.0.0", offset: float = 0
) -> None:
    """As workers would, but for what takes long."""
    bench.clock.now += timedelta(minutes=1)
    found = [audit for audit in await bench.audits() if audit.snapshot_id == id]
    each = values if isinstance(values, Sequence) else [values] * len(found)
    async with everybodys(bench.database) as connection:
        for audit, own in zip(found, each, strict=True):
            alike = {name: getattr(audit, name) for name in ("environment", "profile_version", "engine", "form_factor")}
            conditions = conditions_of(bench.workspace_id, **alike, engine_version=engine_version, runner_pool="default")
            ended = {"state": AuditState.FINISHED, "finished_at": bench.clock.now, "conditions_id": conditions.id}
            await connection.execute(update(Audit).where(Audit.id == audit.id).values(**ended))
            owner = {"workspace_id": bench.workspace_id, "site_id": bench.site_id, "audit_id": audit.id}
            for index, noise in enumerate(NOISE):
                noisy = {name: value + (noise if name.endswith("_ms") else 0) for name, value in own.items()}
                run = {"id": new_id(), **owner, "index": index, "measured_at": bench.clock.now, "warnings": [], **noisy}
                await connection.execute(insert(Run).values(**run))
    async with bench.database.work(SYSTEM) as work:
        await snapshots.close_ended(work)


async def work_all(bench: Bench) -> int:
    """Everything that is ready; how many jobs that was."""
    done = 0
    for kind in verdicts.KINDS:
        while (claim := await jobs.take_next(bench.database, kind)) is not None:
            await verdicts.perform(bench.database, claim, AFTER)
            done += 1
    return done


async def said_of(bench: Bench, snapshot: UUID) -> dict[str, VerdictRow]:
    """Of a snapshot of one page."""
    found = await verdicts.OF_SNAPSHOT.of(bench.database.reader, bench.actor.reach, snapshot, Window(size=100), judgement=None)
    return {row.metric: row for row in found.rows}


async def confirming(bench: Bench, snapshot: UUID) -> list[UUID]:
    table = snapshots.Snapshot
    async with everybodys(bench.database) as connection:
        rows = await connection.execute(select(table.id).where(table.confirms_id == snapshot).order_by(table.id))
        return list(rows.scalars())


async def confirm(bench: Bench, snapshot: UUID, *levels: float) -> int:
    """Let the confirmations come, as they are asked for, each measured at this LCP; how many there were."""
    for number, level in enumerate(levels):
        assert await work_all(bench) == 0  # it is too early
        bench.clock.now += AFTER
        if not await work_all(bench):
            return number
        await fulfil(bench, (await confirming(bench, snapshot))[-1], {"lcp_ms": level, "script_bytes": 50_000})
        await work_all(bench)
    return len(levels)


async def judged(bench: Bench, snapshot: UUID) -> bool:
    return (await snapshots.by_ids(bench.database.reader, bench.actor.reach, [snapshot]))[snapshot].judged_at is not None


async def told(bench: Bench) -> list[tuple[UUID, int, int]]:
    """What was said of judged snapshots: regressed and improved."""
    asked = select(StoredEvent.subject, StoredEvent.payload).where(StoredEvent.kind == EventKind.SNAPSHOT_JUDGED)
    async with everybodys(bench.database) as connection:
        rows = list(await connection.execute(asked.order_by(StoredEvent.id)))
    return [(row.subject, row.payload["regressed"], row.payload["improved"]) for row in rows]


@pytest.fixture
async def steady(bench: Bench) -> Bench:
    """A page that took about a second, four times."""
    await bench.add_pages(1)
    for level in (1000, 1010, 995, 1004):
        await measure(bench, {"lcp_ms": level, "script_bytes": 50_000})
    await work_all(bench)
    return bench


async def test_the_first_snapshots_have_too_little_before_them(bench: Bench) -> None:
    await bench.add_pages(1)
    first, second = await measure(bench, {"lcp_ms": 1000}), await measure(bench, {"lcp_ms": 1500})
    assert await work_all(bench) == 2
    for snapshot, before in ((first, 0), (second, 1)):
        (row,) = (await said_of(bench, snapshot)).values()
        assert (row.judgement, row.reason, row.detectable) == (Judgement.NO_EVIDENCE, Reason.TOO_FEW, None)
        assert (row.snapshots_before, row.snapshots_after) == (before, 1)
        assert await judged(bench, snapshot)


async def test_what_differs_by_chance_is_no_evidence_and_says_what_would_have_been_seen(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1012, "script_bytes": 50_000})
    await work_all(steady)
    row = (await said_of(steady, id))["lcp_ms"]
    assert (row.judgement, row.reason) == (Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE)
    assert row.before is not None
    assert row.after is not None
    assert row.change_low is not None
    assert row.change_high is not None
    assert row.detectable is not None
    assert row.change_low < row.after - row.before < row.change_high
    assert 20 < row.detectable < 200
    assert "script_bytes" not in await said_of(steady, id)
    assert await told(steady) == [(row.snapshot_id, 0, 0)] or (await told(steady))[-1] == (id, 0, 0)


async def test_a_regression_is_suspected_measured_again_twice_and_then_told_once(bench: Bench) -> None:
    await bench.add_pages(1)
    for level in (1000, 1040, 970, 1010):
        await measure(bench, {"lcp_ms": level})
    await work_all(bench)
    id = await measure(bench, {"lcp_ms": 1155})
    before = await told(bench)
    await work_all(bench)
    assert (await said_of(bench, id))["lcp_ms"].reason is Reason.SUSPECTED
    assert (await confirming(bench, id), await judged(bench, id)) == ([], False)
    assert await told(bench) == before
    assert await confirm(bench, id, 1150, 1160) == 2
    row = (await said_of(bench, id))["lcp_ms"]
    assert (row.judgement, row.reason) == (Judgement.REGRESSED, Reason.CONFIRMED)
    assert (row.snapshots_before, row.snapshots_after) == (4, 3)
    assert row.change_low is not None
    assert row.change_low > 0
    assert await judged(bench, id)
    assert await told(bench) == [*before, (id, 1, 0)]
    assert await work_all(bench) == 0


async def test_what_is_beyond_doubt_needs_one_confirmation_only(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 2000, "script_bytes": 50_000})
    await work_all(steady)
    assert await confirm(steady, id, 2010, 2010) == 1
    assert (await said_of(steady, id))["lcp_ms"].reason is Reason.CONFIRMED


async def test_what_passes_by_itself_is_not_told_of(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1200, "script_bytes": 50_000})
    await work_all(steady)
    assert await confirm(steady, id, 1003, 1003) == 1  # a second one could not have proved it any more
    row = (await said_of(steady, id))["lcp_ms"]
    assert (row.judgement, row.reason) == (Judgement.NO_EVIDENCE, Reason.NOT_CONFIRMED)
    assert (await told(steady))[-1] == (id, 0, 0)


async def test_a_fact_is_told_at_once_and_says_which_way(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1002, "script_bytes": 90_000})
    await work_all(steady)
    row = (await said_of(steady, id))["script_bytes"]
    assert (row.judgement, row.reason, row.before, row.after) == (Judgement.REGRESSED, Reason.DIFFERENT, 50_000, 90_000)
    assert (await told(steady))[-1] == (id, 1, 0)


async def test_a_fact_that_varies_by_itself_is_told_when_a_later_snapshot_shows_it_too(bench: Bench) -> None:
    """As the weight of a page with advertisements does."""
    await bench.add_pages(1)
    for weight in (50_000, 54_000, 47_000, 51_000):
        await measure(bench, {"lcp_ms": 1000, "script_bytes": weight})
    await work_all(bench)
    for later, said in ((52_000, Reason.NOT_CONFIRMED), (61_000, Reason.CONFIRMED)):
        id = await measure(bench, {"lcp_ms": 1000, "script_bytes": 60_000})
        await work_all(bench)
        assert (await said_of(bench, id))["script_bytes"].reason is Reason.SUSPECTED
        bench.clock.now += AFTER
        await work_all(bench)
        await fulfil(bench, (await confirming(bench, id))[-1], {"lcp_ms": 1000, "script_bytes": later})
        await work_all(bench)
        assert (await said_of(bench, id))["script_bytes"].reason is said
        assert await judged(bench, id)
        async with everybodys(bench.database) as connection:  # else it is what was seen before
            await connection.execute(delete(Audit).where(Audit.snapshot_id == id)) if said is Reason.NOT_CONFIRMED else None
    assert [title for _, title, _, _ in await alerted(bench)] == ["It got worse: Transfer Size of Scripts"]


async def test_what_is_said_again_keeps_its_id(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1200, "script_bytes": 50_000})
    await work_all(steady)
    suspected = (await said_of(steady, id))["lcp_ms"]
    await confirm(steady, id, 1205, 1205)
    confirmed = (await said_of(steady, id))["lcp_ms"]
    assert (suspected.id, suspected.reason, confirmed.reason) == (confirmed.id, Reason.SUSPECTED, Reason.CONFIRMED)


async def test_nobody_waits_for_a_judgement_that_is_given_up(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1000, "script_bytes": 50_000})
    for _ in range(jobs.MAX_DELIVERIES):
        assert await jobs.take_next(steady.database, snapshots.JUDGE) is not None  # and its worker disappears
        assert not await judged(steady, id)
        steady.clock.now += timedelta(hours=2)
        async with steady.database.work(SYSTEM) as work:
            await verdicts.sweep(work)
        steady.clock.now += timedelta(hours=2)
    assert await judged(steady, id)
    assert (await told(steady))[-1] == (id, 0, 0)


async def test_old_snapshots_go_with_their_verdicts_when_their_audits_are_gone(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1000, "script_bytes": 50_000})
    await work_all(steady)
    steady.clock.now += timedelta(days=100)
    for deleted in (False, True):
        if deleted:
            async with everybodys(steady.database) as connection:
                await connection.execute(delete(Audit).where(Audit.snapshot_id == id))
        async with steady.database.work(SYSTEM) as work:
            assert await snapshots.forget(work, timedelta(days=101)) == 0
            assert await snapshots.forget(work, timedelta(days=90)) == deleted
    assert await said_of(steady, id) == {}


async def test_another_major_version_of_the_engine_is_incomparable(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1500, "script_bytes": 50_000}, engine_version="14.0.0")
    await work_all(steady)
    row = (await said_of(steady, id))["lcp_ms"]
    assert (row.judgement, row.reason) == (Judgement.INCOMPARABLE, Reason.CONDITIONS_CHANGED)


async def test_a_regression_is_not_blamed_on_the_site_when_the_machine_changed(bench: Bench) -> None:
    await bench.add_pages(1)
    for level in (1000, 1010, 995, 1004):
        await measure(bench, {"lcp_ms": level, "benchmark_index": 2000})
    id = await measure(bench, {"lcp_ms": 1400, "benchmark_index": 1200})
    await work_all(bench)
    row = (await said_of(bench, id))["lcp_ms"]
    assert (row.judgement, row.reason) == (Judgement.INCOMPARABLE, Reason.MACHINE_CHANGED)
    assert await confirming(bench, id) == []


async def test_a_machine_that_others_use_too_is_no_other_machine_whenever_it_is_slow(bench: Bench) -> None:
    await bench.add_pages(1)
    for level, index in ((1000, 2400), (1010, 1100), (995, 1700), (1004, 2100)):
        await measure(bench, {"lcp_ms": level, "benchmark_index": index})
    id = await measure(bench, {"lcp_ms": 1003, "benchmark_index": 800})
    await work_all(bench)
    assert (await said_of(bench, id))["lcp_ms"].reason is Reason.WITHIN_NOISE


async def test_what_was_told_once_is_the_measure_of_what_comes(steady: Bench) -> None:
    """A regression that stays is not told again with each snapshot."""
    id = await measure(steady, {"lcp_ms": 1200, "script_bytes": 50_000})
    await work_all(steady)
    await confirm(steady, id, 1195, 1195)
    assert (await said_of(steady, id))["lcp_ms"].judgement is Judgement.REGRESSED
    following = await measure(steady, {"lcp_ms": 1204, "script_bytes": 50_000})
    await work_all(steady)
    row = (await said_of(steady, following))["lcp_ms"]
    assert (row.judgement, row.reason, row.snapshots_before) == (Judgement.NO_EVIDENCE, Reason.WITHIN_NOISE, 1)


async def test_confirmations_are_no_part_of_what_comes_before(steady: Bench) -> None:
    """Three within a quarter of an hour have one mood."""
    suspected = await measure(steady, {"lcp_ms": 1200, "script_bytes": 50_000})
    await work_all(steady)
    await confirm(steady, suspected, 1003, 1003)
    assert len(await confirming(steady, suspected)) == 1
    following = await measure(steady, {"lcp_ms": 1004, "script_bytes": 50_000})
    await work_all(steady)
    row = (await said_of(steady, following))["lcp_ms"]
    assert row.before == pytest.approx((1010 + 995 + 1004 + 1200) / 4, abs=2)


async def test_what_is_mended_at_once_is_seen_at_once(steady: Bench) -> None:
    """There is one snapshot of the page as it was made worse; how far its snapshots lie apart is known from before."""
    worse = await measure(steady, {"lcp_ms": 1500, "script_bytes": 50_000})
    await work_all(steady)
    await confirm(steady, worse, 1505, 1505)
    mended = await measure(steady, {"lcp_ms": 1001, "script_bytes": 50_000})
    await work_all(steady)
    await confirm(steady, mended, 1003, 1003)
    row = (await said_of(steady, mended))["lcp_ms"]
    assert (row.judgement, row.snapshots_before) == (Judgement.IMPROVED, 1)


async def test_a_confirmation_that_measures_nothing_is_tried_again_but_not_for_ever(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1200, "script_bytes": 50_000})
    await work_all(steady)
    for _ in range(4):
        assert not await judged(steady, id)
        steady.clock.now += AFTER
        await work_all(steady)
        async with steady.database.work(steady.actor) as work:
            await snapshots.cancel(work, snapshot_id=(await confirming(steady, id))[-1])
        await work_all(steady)
    assert (await said_of(steady, id))["lcp_ms"].reason is Reason.NOT_CONFIRMED
    assert await judged(steady, id)


async def test_a_snapshot_that_is_gone_is_no_work(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1000})
    async with everybodys(steady.database) as connection:
        await connection.execute(delete(snapshots.Snapshot).where(snapshots.Snapshot.id == id))
    assert await work_all(steady) == 1
    assert await work_all(steady) == 0


async def alerted(bench: Bench) -> list[tuple[str, str, dict[str, Any], bool]]:
    """Kind, title, details, and whether it is open."""
    table = alerts.Alert
    asked = select(table.kind, table.title, table.details, table.resolved_at).order_by(table.id)
    async with everybodys(bench.database) as connection:
        rows = await connection.execute(asked)
        return [(row.kind, row.title, row.details, row.resolved_at is None) for row in rows]


async def test_who_is_alerted_of_a_regression_is_told_once_and_again_when_it_is_over(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 2000, "script_bytes": 50_000})
    await work_all(steady)
    assert await alerted(steady) == []  # nobody, before it is confirmed
    await confirm(steady, id, 2000, 2000)
    title, details = "It got worse: Largest Contentful Paint", {"Largest Contentful Paint": "1,003 ms → 2,000 ms"}
    assert await alerted(steady) == [("VERDICT", title, details, True)]
    for _ in range(2):
        await measure(steady, {"lcp_ms": 2001, "script_bytes": 50_000})
        await work_all(steady)
    mended = await measure(steady, {"lcp_ms": 1000, "script_bytes": 50_000})
    await work_all(steady)
    await confirm(steady, mended, 1000, 1000)
    assert (await said_of(steady, mended))["lcp_ms"].judgement is Judgement.IMPROVED
    assert await alerted(steady) == [("VERDICT", title, details, False)]


async def test_what_gets_worse_besides_is_told_of_under_its_own_name(steady: Bench) -> None:
    for images in (10_000, 10_000, 20_000, 20_000):
        await measure(steady, {"lcp_ms": 1002, "script_bytes": 60_000, "image_bytes": images})
        await work_all(steady)
    [(_, title, details, _)] = await alerted(steady)
    assert (title, len(details)) == ("It got worse: Transfer Size of Scripts, Transfer Size of Images", 2)
    said = select(StoredEvent.kind).where(StoredEvent.kind.in_([EventKind.ALERT_OPENED, EventKind.ALERT_WORSENED]))
    async with everybodys(steady.database) as connection:
        kinds = list((await connection.execute(said.order_by(StoredEvent.id))).scalars())
    assert kinds == [EventKind.ALERT_OPENED, EventKind.ALERT_WORSENED]


async def test_a_fact_that_grew_a_little_alerts_nobody(steady: Bench) -> None:
    await measure(steady, {"lcp_ms": 1002, "script_bytes": 52_000})
    await work_all(steady)
    assert await alerted(steady) == []
    await measure(steady, {"lcp_ms": 1002, "script_bytes": 102_400})
    await work_all(steady)
    ((kind, title, details, open),) = await alerted(steady)
    assert (kind, title, open) == ("VERDICT", "It got worse: Transfer Size of Scripts", True), details


async def test_a_broken_budget_is_an_alert_until_it_holds_again(steady: Bench) -> None:
    async with steady.database.work(steady.actor) as work:
        settings = METRIC._replace(name="Paint in time", subject="lcp_ms", limit_value=1100, environment="production")
        await budgets.create(work, workspace_id=steady.workspace_id, settings=settings)
    for level, open in ((1050, None), (1150, True), (1160, True), (1040, False)):
        await measure(steady, {"lcp_ms": level, "script_bytes": 50_000})
        await work_all(steady)
        assert [each[3] for each in await alerted(steady) if each[0] == "BREACH"] == ([] if open is None else [open])


async def test_an_alert_ends_when_its_budget_is_paused_or_deleted(steady: Bench) -> None:
    settings = METRIC._replace(name="Paint in time", subject="lcp_ms", limit_value=1100)
    for act in (budgets.delete, partial(budgets.update, changes={"paused": True})):
        async with steady.database.work(steady.actor) as work:
            id = (await budgets.create(work, workspace_id=steady.workspace_id, settings=settings)).id
        await measure(steady, {"lcp_ms": 1150, "script_bytes": 50_000})
        await work_all(steady)
        assert (await alerted(steady))[-1][3] is True
        async with steady.database.work(steady.actor) as work:
            await act(work, budget_id=id)
        assert {open for *_, open in await alerted(steady)} == {False}


async def test_a_page_that_lost_weight_again_the_same_day_is_told_so(steady: Bench) -> None:
    """What the four snapshots before were is no measure any more, once it changed."""
    for weight in (100_000, 50_000):
        await measure(steady, {"lcp_ms": 1002, "script_bytes": weight})
        await work_all(steady)
    assert [open for *_, open in await alerted(steady)] == [False]


async def test_a_branch_is_compared_with_where_it_began_and_not_with_other_branches(bench: Bench) -> None:
    await bench.add_pages(1)
    for number, level in enumerate((1000, 1010, 995, 1004)):
        await measure(bench, {"lcp_ms": level}, commit=Commit(f"aaaaaa{number}", "main"))
    for number, level in enumerate((3000, 3010, 3005)):
        await measure(bench, {"lcp_ms": level}, commit=Commit(f"bbbbbb{number}", "other"))
    await measure(bench, {"lcp_ms": 1001}, commit=Commit("aaaaaa4", "main"))
    await work_all(bench)
    mine = await measure(bench, {"lcp_ms": 1003}, commit=Commit("cccccc0", "mine", "aaaaaa3"))
    await work_all(bench)
    row = (await said_of(bench, mine))["lcp_ms"]
    assert (row.reason, row.snapshots_before) == (Reason.WITHIN_NOISE, 4)
    again = await measure(bench, {"lcp_ms": 1003}, commit=Commit("cccccc1", "mine"))
    await work_all(bench)
    assert (await said_of(bench, again))["lcp_ms"].snapshots_before == 1  # its own branch, since nobody said where it began


async def test_a_weight_that_goes_up_and_down_is_told_of_once(steady: Bench) -> None:
    judgements = []
    for weight in (60_000, 50_000, 60_000, 50_000, 60_000):
        id = await measure(steady, {"lcp_ms": 1002, "script_bytes": weight})
        await work_all(steady)
        row = (await said_of(steady, id)).get("script_bytes")
        judgements.append(row.judgement if row is not None else None)
    assert judgements == [Judgement.REGRESSED, Judgement.IMPROVED, None, None, None]


async def test_a_confirmation_on_another_machine_confirms_nothing(bench: Bench) -> None:
    await bench.add_pages(1)
    for level in (1000, 1010, 995, 1004):
        await measure(bench, {"lcp_ms": level, "benchmark_index": 2000})
    id = await measure(bench, {"lcp_ms": 1300, "benchmark_index": 2000})
    await work_all(bench)
    for _ in range(4):
        assert (await said_of(bench, id))["lcp_ms"].reason is Reason.SUSPECTED
        bench.clock.now += AFTER
        await work_all(bench)
        await fulfil(bench, (await confirming(bench, id))[-1], {"lcp_ms": 1300, "benchmark_index": 1200})
        await work_all(bench)
    row = (await said_of(bench, id))["lcp_ms"]
    assert (row.judgement, row.reason, row.snapshots_after) == (Judgement.NO_EVIDENCE, Reason.NOT_CONFIRMED, 1)


async def test_what_two_changes_made_of_a_page_is_no_noise(steady: Bench) -> None:
    """A mend that is undone is found out again."""
    for level in (1300, 1000):
        id = await measure(steady, {"lcp_ms": level, "script_bytes": 50_000})
        await work_all(steady)
        await confirm(steady, id, level + 4, level - 3)
        assert (await said_of(steady, id))["lcp_ms"].reason is Reason.CONFIRMED
    again = await measure(steady, {"lcp_ms": 1300, "script_bytes": 50_000})
    await work_all(steady)
    await confirm(steady, again, 1304, 1297)
    assert (await said_of(steady, again))["lcp_ms"].judgement is Judgement.REGRESSED


async def test_a_suspect_that_is_deleted_meanwhile_leaves_nothing_open(steady: Bench) -> None:
    id = await measure(steady, {"lcp_ms": 1200, "script_bytes": 50_000})
    await work_all(steady)
    async with everybodys(steady.database) as connection:
        await connection.execute(delete(sites.Page))
    steady.clock.now += AFTER
    while await work_all(steady):
        pass
    assert await judged(steady, id)


async def test_what_changed_elsewhere_changed_nothing_here(steady: Bench) -> None:
    """A regression of a preview leaves production's baseline as it was."""
    async with steady.database.work(steady.actor) as work:
        other = (await snapshots.request(work, site_id=steady.site_id, environment="preview")).id
    (audit,) = [audit for audit in await steady.audits() if audit.snapshot_id == other]
    async with steady.database.work(steady.actor) as work:
        place = {"workspace_id": steady.workspace_id, "site_id": steady.site_id, "snapshot_id": other}
        what = {"page_id": audit.page_id, "profile_id": audit.profile_id, "audit_id": audit.id, "metric": "lcp_ms"}
        said = {"judgement": Judgement.REGRESSED, "reason": Reason.CONFIRMED, "snapshots_before": 4, "snapshots_after": 3}
        work.db.add(verdicts.Verdict(id=new_id(), **place, **what, **said, judged_at=work.now))
        await work.db.flush()
    id = await measure(steady, {"lcp_ms": 1003, "script_bytes": 50_000})
    await work_all(steady)
    assert (await said_of(steady, id))["lcp_ms"].snapshots_before == 4


async def failing(bench: Bench) -> None:
    """A snapshot of which nothing could be measured, and which nobody has looked at yet."""
    bench.clock.now += timedelta(minutes=1)
    async with bench.database.work(bench.actor) as work:
        id = (await snapshots.request(work, site_id=bench.site_id)).id
    failure = {"failure_kind": "PAGE", "failure_code": "HTTP_ERROR", "failure_message": "It answered 500."}
    async with everybodys(bench.database) as connection:
        ended = {"state": AuditState.FAILED, "finished_at": bench.clock.now, **failure}
        await connection.execute(update(Audit).where(Audit.snapshot_id == id).values(**ended))
    async with bench.database.work(SYSTEM) as work:
        await snapshots.close_ended(work)


async def test_a_page_that_cannot_be_measured_is_an_alert_until_it_is(steady: Bench) -> None:
    await failing(steady)
    await work_all(steady)
    assert [(kind, open) for kind, _, _, open in await alerted(steady)] == [("FAILURE", True)]
    await measure(steady, {"lcp_ms": 1000, "script_bytes": 50_000})
    await work_all(steady)
    assert [(kind, open) for kind, _, _, open in await alerted(steady)] == [("FAILURE", False)]


async def test_a_failure_that_is_looked_at_late_is_over_where_the_page_was_measured_since(steady: Bench) -> None:
    await failing(steady)
    late = await jobs.take_next(steady.database, snapshots.JUDGE)
    assert late is not None
    await measure(steady, {"lcp_ms": 1000, "script_bytes": 50_000})
    await work_all(steady)
    await verdicts.perform(steady.database, late, AFTER)
    assert await alerted(steady) == []


async def test_a_page_that_was_measured_before_it_failed_is_failing_still(steady: Bench) -> None:
    await measure(steady, {"lcp_ms": 1000, "script_bytes": 50_000})
    late = await jobs.take_next(steady.database, snapshots.JUDGE)
    assert late is not None
    await failing(steady)
    await work_all(steady)
    await verdicts.perform(steady.database, late, AFTER)
    assert [(kind, open) for kind, _, _, open in await alerted(steady)] == [("FAILURE", True)]


async def test_a_broken_budget_whose_alert_somebody_ended_is_told_again_while_it_goes_on(steady: Bench) -> None:
    async with steady.database.work(steady.actor) as work:
        settings = METRIC._replace(name="Paint in time", subject="lcp_ms", limit_value=1100)
        await budgets.create(work, workspace_id=steady.workspace_id, settings=settings)
    for _ in range(2):
        await measure(steady, {"lcp_ms": 1150, "script_bytes": 50_000})
        await work_all(steady)
    [(_, title, details, open)] = [each for each in await alerted(steady) if each[0] == "BREACH"]
    assert (title, open) == ("A budget is broken: Paint in time", True)
    assert details == {"budget": "Paint in time", "limit": "1,100 ms", "value": "1,150 ms"}
    found = (
        await alerts.ALERTS[False].of(steady.database.reader, steady.actor.reach, steady.workspace_id, Window(), **ALL)
    ).rows
    [row] = [row for row in found if row.kind is AlertKind.BREACH]
    assert row.occurrences == 2
    async with steady.database.work(steady.actor) as work:
        await alerts.resolve(work, alert_id=row.id)
    await measure(steady, {"lcp_ms": 1150, "script_bytes": 50_000})
    await work_all(steady)
    assert [open for kind, *_, open in await alerted(steady) if kind == "BREACH"] == [False, True]
