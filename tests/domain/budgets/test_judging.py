"""Audits held against budgets, and breaches that begin and end once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from domain import audits, budgets
from domain.access import SYSTEM
from domain.budgets import Aggregation, BudgetReason, BudgetState, LimitKind, SubjectKind
from domain.ids import new_id
from domain.measuring import EngineName, FormFactor, ResourceType
from tests.databases import Counter
from tests.domain.budgets.benches import NOON, Bench, bench

__all__ = ["bench"]

PASSED, BREACHED, NOT_JUDGED = BudgetState.PASSED, BudgetState.BREACHED, BudgetState.NOT_JUDGED


def statements(bench: Bench) -> list[str]:
    """Those that units of work send from here on."""
    sent: list[str] = []
    event.listen(bench.database.writes.sync_engine, "before_cursor_execute", lambda _1, _2, text, *_: sent.append(text))
    return sent


async def test_the_true_median_of_the_runs_is_held_against_the_limit(bench: Bench) -> None:
    await bench.budget(limit_value=2500)
    within, beyond = await bench.audit(2400, 2600, 9000, 2400), await bench.audit(2500.1)
    first, second = await bench.outcome(within), await bench.outcome(beyond)
    assert (first.state, first.value, first.limit, first.over) == (PASSED, 2500, 2500, None)
    assert (second.state, second.value, round(second.over or 0, 3)) == (BREACHED, 2500.1, 0.1)


async def test_an_aggregation_chooses_among_the_runs(bench: Bench) -> None:
    for aggregation in Aggregation:
        await bench.budget(aggregation=aggregation, limit_value=9000)
    (found,) = await bench.results(await bench.audit(3000, 1000, 2000))
    assert {each.budget.aggregation: each.value for each in found} == {
        Aggregation.MEDIAN: 2000,
        Aggregation.OPTIMISTIC: 1000,
        Aggregation.PESSIMISTIC: 3000,
        Aggregation.MEDIAN_RUN: 3000,
    }


async def test_optimistic_is_the_most_for_a_minimum_and_the_least_for_a_maximum(bench: Bench) -> None:
    await bench.budget(subject="performance_score", limit_value=0.6, aggregation=Aggregation.OPTIMISTIC)
    runs = [{"performance_score": each} for each in (0.57, 0.69, 0.68)]
    assert (await bench.outcome(await bench.audit(runs=runs))).value == 0.69


async def test_the_median_run_of_a_category_is_the_representative_one_and_not_the_best(bench: Bench) -> None:
    """Lighthouse CI's bug 1064: of 0.57, 0.69 and 0.68 it takes 0.69."""
    settings: dict[str, Any] = {"subject_kind": SubjectKind.CATEGORY, "subject": "performance", "limit_value": 0.69}
    await bench.budget(**settings, aggregation=Aggregation.MEDIAN_RUN)
    runs = [{"performance_score": each} for each in (0.57, 0.69, 0.68)]
    outcome = await bench.outcome(await bench.audit(runs=runs, representative_run=2))
    assert (outcome.state, outcome.value) == (BREACHED, 0.68)


async def test_pessimistic_fails_where_a_run_lacks_the_value_and_the_others_do_not(bench: Bench) -> None:
    ids = [await bench.budget(aggregation=each) for each in (Aggregation.PESSIMISTIC, Aggregation.MEDIAN)]
    (found,) = await bench.results(await bench.audit(1000, None, 1000))
    by_id = {each.budget.id: each for each in found}
    assert (by_id[ids[0]].state, by_id[ids[0]].reason) == (BREACHED, BudgetReason.RUN_WITHOUT_VALUE)
    assert (by_id[ids[1]].state, by_id[ids[1]].reason) == (PASSED, None)


async def test_what_no_run_measured_is_not_judged(bench: Bench) -> None:
    for aggregation in Aggregation:
        await bench.budget(aggregation=aggregation)
    (found,) = await bench.results(await bench.audit(None, None))
    assert [(each.state, each.reason) for each in found] == [(NOT_JUDGED, BudgetReason.NOT_MEASURED)] * 4


async def test_a_metric_of_which_more_is_better_has_a_minimum(bench: Bench) -> None:
    await bench.budget(subject="certificate_days", limit_value=30, tolerance=2)
    found = [await bench.outcome(await bench.audit(runs=[{"certificate_days": days}])) for days in (28.0, 27.9)]
    assert [each.state for each in found] == [PASSED, BREACHED]
    assert round(found[1].over or 0, 3) == 2.1


async def test_the_score_of_a_metric_is_the_one_that_lighthouse_gives_its_value(bench: Bench) -> None:
    await bench.budget(subject_kind=SubjectKind.METRIC_SCORE, limit_value=0.9)
    found = [await bench.outcome(await bench.audit(each)) for each in (2500, 4000)]
    assert [(each.state, each.value) for each in found] == [(PASSED, 0.9), (BREACHED, 0.5)]


async def test_a_tolerance_is_beyond_the_limit_and_the_excess_is_counted_from_the_limit(bench: Bench) -> None:
    await bench.budget(limit_value=2000, tolerance=100)
    found = [await bench.outcome(await bench.audit(each)) for each in (2100, 2101)]
    assert [(each.state, each.over) for each in found] == [(PASSED, None), (BREACHED, 101)]


async def test_a_finding_must_not_be_there_or_have_so_many_pieces_at_most(bench: Bench) -> None:
    finding: dict[str, Any] = {"subject_kind": SubjectKind.FINDING, "subject": "render-blocking"}
    await bench.budget(**finding, limit_value=2)
    given = [{}, {"render-blocking": 2}, {"render-blocking": 3}, {"another": 9}]
    found = [await bench.outcome(await bench.audit(findings=each)) for each in given]
    assert [(each.state, each.value) for each in found] == [(PASSED, 0), (PASSED, 2), (BREACHED, 3), (PASSED, 0)]


async def test_a_finding_without_evidence_is_there_all_the_same(bench: Bench) -> None:
    """Lighthouse CI's maxLength is 0 there, and 0 is within it (docs/budgets.md)."""
    await bench.budget(subject_kind=SubjectKind.FINDING, subject="is-on-https", limit_value=0)
    assert (await bench.outcome(await bench.audit(findings={"is-on-https": 0}))).state is BREACHED


async def test_requests_of_a_type_are_counted_and_none_is_zero_where_requests_are_known(bench: Bench) -> None:
    await bench.budget(subject_kind=SubjectKind.RESOURCE_COUNT, subject="font", limit_value=1)
    two, none = (
        await bench.audit(1, 1, requests=[ResourceType.FONT] * 2),
        await bench.audit(1, requests=[ResourceType.IMAGE]),
    )
    unknown = await bench.audit(1)
    found = [await bench.outcome(each) for each in (two, none, unknown)]
    assert [(each.state, each.value) for each in found] == [(BREACHED, 2), (PASSED, 0), (NOT_JUDGED, None)]


async def test_sizes_and_the_counts_of_all_and_of_third_parties_are_the_metrics(bench: Bench) -> None:
    size, count = SubjectKind.RESOURCE_SIZE, SubjectKind.RESOURCE_COUNT
    for kind, subject in ((size, "script"), (size, "total"), (size, "third-party"), (count, "total"), (count, "third-party")):
        await bench.budget(name=f"{kind} {subject}", subject_kind=kind, subject=subject, limit_value=0)
    run = {"script_bytes": 1.0, "transfer_bytes": 2.0, "third_party_bytes": 3.0, "request_count": 4.0, "third_party_count": 5.0}
    (found,) = await bench.results(await bench.audit(runs=[run]))
    assert {each.budget.name: each.value for each in found} == {
        "RESOURCE_SIZE script": 1,
        "RESOURCE_SIZE total": 2,
        "RESOURCE_SIZE third-party": 3,
        "RESOURCE_COUNT total": 4,
        "RESOURCE_COUNT third-party": 5,
    }


async def test_a_user_timing_is_its_duration_or_the_moment_of_a_mark_by_its_first_match(bench: Bench) -> None:
    await bench.budget(subject_kind=SubjectKind.USER_TIMING, subject="hero-image", limit_value=0)
    await bench.budget(subject_kind=SubjectKind.USER_TIMING, subject="ready", limit_value=0)
    timings: list[dict[str, Any]] = [
        {"name": "heroImage", "start_ms": 5.0, "duration_ms": 70.0},
        {"name": "hero image", "start_ms": 6.0, "duration_ms": 80.0},
        {"name": "ready", "start_ms": 300.0, "duration_ms": None},
    ]
    (found,) = await bench.results(await bench.audit(1, user_timings=timings))
    assert {each.budget.subject: each.value for each in found} == {"hero-image": 70, "ready": 300}


async def test_a_category_other_than_performance_has_the_representative_runs_score_alone(bench: Bench) -> None:
    await bench.budget(subject_kind=SubjectKind.CATEGORY, subject="seo", limit_value=0.9)
    scores = [{"category": "seo", "title": "SEO", "score": 0.85}]
    found = [await bench.outcome(await bench.audit(1, scores=each)) for each in (scores, [])]
    assert [(each.state, each.value) for each in found] == [(BREACHED, 0.85), (NOT_JUDGED, None)]


async def test_a_relative_limit_is_percent_worse_than_the_median_of_the_last_five(bench: Bench) -> None:
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10)
    ids = [await bench.audit(each) for each in (1, 1000, 1010, 990, 5000, 1020, 1111.1)]
    outcome = await bench.outcome(ids[-1])
    assert (outcome.state, outcome.baseline) == (BREACHED, 1010)
    assert round(outcome.limit or 0, 3) == 1111
    found = await bench.results(*ids)
    assert [each[0].reason for each in found[:4]] == [BudgetReason.TOO_FEW_BEFORE] * 3 + [None]


async def test_a_baseline_of_zero_has_no_percentage_but_a_tolerance(bench: Bench) -> None:
    await bench.budget(subject="cls", limit_kind=LimitKind.RELATIVE, limit_value=50, tolerance=0.05)
    for _ in range(3):
        await bench.audit(runs=[{"cls": 0.0}])
    found = [await bench.outcome(await bench.audit(runs=[{"cls": each}])) for each in (0.05, 0.06)]
    assert [(each.state, each.limit) for each in found] == [(PASSED, 0), (BREACHED, 0)]


async def test_only_audits_under_equal_conditions_are_a_baseline(bench: Bench) -> None:
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10)
    others: list[dict[str, Any]] = [
        {"environment": "ci"},
        {"profile_version": 2},
        {"engine": EngineName.PAGESPEED},
        {"form_factor": FormFactor.DESKTOP},
        {"engine_version": "12.9.9"},
        {"runner_pool": "eu"},
        {"runner_pool": None},
        {"rtt_ms": 40.0},
    ]
    for other in others * 3:
        await bench.audit(1000, **other)
    id = await bench.audit(9000)
    assert (await bench.outcome(id)).reason is BudgetReason.TOO_FEW_BEFORE


async def test_the_engines_minor_version_makes_no_other_conditions(bench: Bench) -> None:
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10)
    for version in ("13.0.0", "13.4.1", "13"):
        await bench.audit(1000, engine_version=version)
    assert (await bench.outcome(await bench.audit(9000))).baseline == 1000


async def test_a_breach_begins_once_and_ends_once(bench: Bench) -> None:
    budget = await bench.budget(limit_value=2000)
    ids = [await bench.audit(each) for each in (1000, 3000, 3100, 1000, 900, 4000)]
    snapshot = new_id()
    assert await bench.judge(*reversed(ids), snapshot_id=snapshot) == [(True, ids[1]), (False, ids[3]), (True, ids[5])]
    first, second = await bench.breaches()
    assert (first.budget_id, first.audit_id, first.value, first.limit_value, first.over) == (budget, ids[1], 3000, 2000, 1000)
    assert (first.snapshot_id, first.severity, first.baseline) == (snapshot, "ERROR", None)
    assert (first.began_at, first.ended_at) == (NOON + timedelta(hours=2), NOON + timedelta(hours=4))
    assert (second.audit_id, second.ended_at) == (ids[5], None)


async def test_an_audit_judged_twice_changes_nothing(bench: Bench) -> None:
    await bench.budget(limit_value=2000, consecutive=2)
    ids = [await bench.audit(each) for each in (3000, 3000)]
    assert await bench.judge(ids[0]) == []
    assert await bench.judge(ids[0]) == []
    assert await bench.judge(*ids) == [(True, ids[1])]
    assert await bench.judge(*ids) == []
    assert len(await bench.breaches()) == 1


async def test_two_who_judge_at_once_begin_one_breach(bench: Bench) -> None:
    await bench.budget(limit_value=2000)
    id = await bench.audit(3000)
    assert sorted(await asyncio.gather(bench.judge(id), bench.judge(id))) == [[], [(True, id)]]
    assert len(await bench.breaches()) == 1


async def test_an_audit_that_ended_before_one_that_was_judged_comes_too_late(bench: Bench) -> None:
    await bench.budget(limit_value=2000)
    early, late = await bench.audit(3000), await bench.audit(1000)
    assert await bench.judge(late) == []
    assert await bench.judge(early) == []
    assert await bench.breaches() == []


async def test_a_breach_counts_from_the_nth_in_a_row(bench: Bench) -> None:
    await bench.budget(limit_value=2000, consecutive=3)
    ids = [await bench.audit(each) for each in (3000, 3000, 1000, 3000, 3000, 3000, 3000)]
    begun = [await bench.judge(each) for each in ids]
    assert begun == [[], [], [], [], [], [(True, ids[5])], []]


async def test_what_is_not_judged_neither_breaks_nor_mends(bench: Bench) -> None:
    await bench.budget(limit_value=2000, consecutive=2)
    ids = [await bench.audit(each) for each in (3000, None, 3000, None)]
    assert await bench.judge(*ids) == [(True, ids[2])]


async def test_a_budget_that_is_changed_begins_anew_and_one_that_is_renamed_does_not(bench: Bench) -> None:
    budget = await bench.budget(limit_value=2000)
    ids = [await bench.audit(3000)]
    await bench.judge(*ids)
    for changes, open in (({"name": "other"}, True), ({"limit_value": 2500.0}, False)):
        async with bench.database.work(bench.actor) as work:
            await budgets.update(work, budget_id=budget, changes=changes)
        assert [each.ended_at is None for each in await bench.breaches()] == [open]
    ids.append(await bench.audit(3000))
    assert await bench.judge(ids[1]) == [(True, ids[1])]


async def test_a_paused_budget_says_nothing_and_its_breach_is_over(bench: Bench) -> None:
    budget = await bench.budget(limit_value=2000)
    id = await bench.audit(3000)
    await bench.judge(id)
    async with bench.database.work(bench.actor) as work:
        await budgets.update(work, budget_id=budget, changes={"paused": True})
    assert await bench.results(id) == [[]]
    assert [each.ended_at is None for each in await bench.breaches()] == [False]


async def test_what_is_not_in_scope_is_not_judged(bench: Bench) -> None:
    await bench.budget(path="/blog/*")
    await bench.budget(profile_id=bench.profile_id, environment="ci")
    await bench.budget(everywhere=True, name="everywhere", url_pattern=r"^https://acme\.example/$")
    page = await bench.page("/blog/?page=2")
    here, there = await bench.audit(1), await bench.audit(1, page_id=page, final_url="https://acme.example/blog/?page=2")
    found = await bench.results(here, there, await bench.audit(1, environment="ci"))
    assert [[each.budget.path or each.budget.name for each in some] for some in found] == [
        ["everywhere"],
        ["/blog/*"],
        ["Largest Contentful Paint: at most 2,500 ms"],
    ]


async def test_a_hundred_audits_take_no_more_statements_than_one(bench: Bench) -> None:
    finding: dict[str, Any] = {"subject_kind": SubjectKind.FINDING, "subject": "a", "limit_value": 0}
    await bench.budget(**finding)
    await bench.budget(subject_kind=SubjectKind.RESOURCE_COUNT, subject="font", limit_value=0)
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=1)
    ids = [await bench.audit(1, requests=[ResourceType.FONT]) for _ in range(6)]
    counter = Counter(bench.database)
    await bench.results(ids[-1])
    one = len(counter)
    await bench.results(*ids)
    assert (one, len(counter) - one) == (10, 9)


async def test_a_relative_breach_goes_on_as_long_as_the_page_is_worse_than_it_was_before_it(bench: Bench) -> None:
    """Those that breach it do not become what the page usually is: with four in a row it would never begin."""
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10, consecutive=4)
    ids = [await bench.audit(each) for each in (1000, 1000, 1000, *[1200] * 8, 1050)]
    assert await bench.judge(*ids) == [(True, ids[6]), (False, ids[11])]
    [breach] = await bench.breaches()
    assert (breach.baseline, breach.since) == (1000, NOON + timedelta(hours=4))
    # Whoever looks back sees what was judged.
    states = [each[0].state for each in await bench.results(*ids)]
    assert states == [NOT_JUDGED] * 3 + [BREACHED] * 8 + [PASSED]


async def test_of_the_breaches_that_ended_only_that_is_read_which_an_audit_may_be_part_of(bench: Bench) -> None:
    """A budget may have been breached a thousand times."""
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10)
    levels = (*[1000] * 5, 1200, *[1000] * 5, 1200, *[1000] * 5, 1200, 1000)
    ids = [await bench.audit(each) for each in levels]
    await bench.judge(*ids)
    read: list[int] = []
    fetch = bench.database.reads.fetch

    async def counted(text: str, *given: Any) -> Any:
        rows = await fetch(text, *given)
        if "breaches" in text:
            read.append(len(rows))
        return rows

    bench.database.reads.fetch = counted  # type: ignore[method-assign]
    ((outcome,),) = await bench.results(ids[11])
    assert (outcome.state, outcome.baseline, read) == (BREACHED, 1000, [1])
    states = [each[0].state for each in await bench.results(*ids)]
    assert states == [NOT_JUDGED if place < 3 else BREACHED if level == 1200 else PASSED for place, level in enumerate(levels)]
    assert read == [1, 6]  # by what breached it, and by what ended that


async def test_under_other_conditions_nobody_knows_what_the_page_was_before_a_breach(bench: Bench) -> None:
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10)
    ids = [await bench.audit(each) for each in (1000, 1000, 1000, 1200)]
    other = {"engine_version": "14.0.0", "conditions_id": new_id()}
    ids += [await bench.audit(1200, **other) for _ in range(4)]
    assert await bench.judge(*ids) == [(True, ids[3]), (False, ids[7])]


async def test_a_confirmation_is_no_part_of_what_a_page_was(bench: Bench) -> None:
    await bench.budget(limit_kind=LimitKind.RELATIVE, limit_value=10)
    for level, confirms in ((1000, False), (1000, False), (1000, False), (9000, True), (9000, True), (9000, True)):
        await bench.audit(level, confirms=confirms)
    assert (await bench.outcome(await bench.audit(1200))).baseline == 1000


async def test_what_was_read_before_the_transaction_is_read_anew_where_a_budget_was_changed_since(bench: Bench) -> None:
    budget, id = await bench.budget(limit_value=2000), await bench.audit(3000)
    rows = (await audits.by_ids(bench.database.reader, bench.reach, [id])).values()
    prepared = await budgets.prepare(bench.database.reader, bench.reach, rows)
    said = statements(bench)
    async with bench.database.work(SYSTEM) as work:
        assert [each.limit for each in await budgets.judge(work, bench.reach, rows, prepared=prepared)] == [2000]
    assert not any("FROM runs" in each or "FROM pages" in each for each in said)
    async with bench.database.work(bench.actor) as work:
        await budgets.update(work, budget_id=budget, changes={"limit_value": 2500.0})
    async with bench.database.work(SYSTEM) as work:
        assert [each.limit for each in await budgets.judge(work, bench.reach, rows, prepared=prepared)] == [2500]


async def test_a_hundred_pages_are_written_in_as_many_statements_as_one(bench: Bench) -> None:
    await bench.budget(limit_value=2000)
    pages = [await bench.page(f"/{number}") for number in range(4)]
    written = []
    for level in (3000, 3000, 1000):
        ids = [await bench.audit(level, page_id=page) for page in pages]
        said = statements(bench)
        await bench.judge(*ids)
        written.append(sum(each.startswith(("INSERT", "UPDATE")) for each in said))
    assert written == [2, 1, 2]
