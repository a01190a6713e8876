"""Files become budgets as a whole or not at all, and hold where several entries match as their format says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain import budgets
from domain.access import Actor, Role
from domain.budgets import BudgetFormat, BudgetState, Imported, SubjectKind, rules
from domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, Refused
from domain.ids import new_id
from tests.domain.budgets.benches import METRIC, Bench, bench
from tests.domain.budgets.test_files import EXAMPLE

__all__ = ["bench"]

LCP = [{"metric": "largest-contentful-paint", "budget": 2500}]


async def take(
    bench: Bench, given: Any, format: BudgetFormat = BudgetFormat.BUDGET_JSON, site: bool = True, **options: Any
) -> Imported:
    text = given if isinstance(given, str) else json.dumps(given)
    target = budgets.Target(bench.workspace_id, bench.site_id if site else None, None, "production")
    async with bench.database.work(bench.actor) as work:
        return await budgets.import_file(work, target=target, format=format, text=text, **options)


async def number(bench: Bench) -> int:
    from domain.paging import MAX_FIRST, Window

    found = await budgets.BUDGETS.of(bench.database.reader, bench.reach, bench.workspace_id, Window(MAX_FIRST))
    return len(found.rows)


async def subjects(bench: Bench, *paths: str) -> list[set[str]]:
    """What is limited on each page."""
    ids = [await bench.audit(1, page_id=await bench.page(path)) for path in paths]
    return [{each.budget.subject for each in found} for found in await bench.results(*ids)]


async def test_of_one_budget_json_the_last_entry_that_matches_counts_as_a_whole_and_no_other(bench: Bench) -> None:
    await take(bench, EXAMPLE)
    general = {"script", "third-party", "total", "tti_ms"}
    assert await subjects(bench, "/x", "/blog/1", "/admin/x") == [general, {"lcp_ms", "cls"}, set()]


async def test_a_later_entry_for_all_pages_wins_over_an_earlier_one_for_some(bench: Bench) -> None:
    await take(bench, [{"path": "/blog", "timings": LCP}, {"timings": [{"metric": "speed-index", "budget": 1}]}])
    assert await subjects(bench, "/blog/1") == [{"speed_index_ms"}]


async def test_an_entry_that_limits_nothing_or_nothing_that_is_measured_is_the_last_all_the_same(bench: Bench) -> None:
    """And it yields to a later one as any other does."""
    gone = [{"metric": "first-meaningful-paint", "budget": 1000}]
    await take(bench, [{"path": "/a"}, {"timings": LCP}, {"path": "/b"}, {"path": "/c", "timings": gone}])
    assert await subjects(bench, "/a", "/b", "/c", "/d") == [{"lcp_ms"}, set(), set(), {"lcp_ms"}]


async def test_a_path_is_held_against_the_pages_own_also_where_it_redirects(bench: Bench) -> None:
    """Lighthouse looked where it ended, and so does the urlPattern of an assertion."""
    await take(bench, [{"path": "/old", "timings": LCP}, {"path": "/new", "timings": []}])
    page = await bench.page("/old")
    assert len((await bench.results(await bench.audit(1, page_id=page, final_url="https://acme.example/new")))[0]) == 1


async def test_two_budget_jsons_both_count(bench: Bench) -> None:
    await take(bench, [{"timings": LCP}])
    await take(bench, [{"timings": [{"metric": "speed-index", "budget": 1}]}])
    assert await subjects(bench, "/x") == [{"lcp_ms", "speed_index_ms"}]


async def test_a_paused_limit_lets_its_entry_be_the_last_all_the_same(bench: Bench) -> None:
    made = await take(bench, [{"timings": LCP}, {"path": "/blog", "timings": LCP}])
    async with bench.database.work(bench.actor) as work:
        await budgets.update(work, budget_id=made.budgets[1].id, changes={"paused": True})
    assert await subjects(bench, "/blog/1", "/x") == [set(), {"lcp_ms"}]


async def test_of_assertions_all_that_match_apply(bench: Bench) -> None:
    most = [{"speed-index": ["error", {"maxNumericValue": number}]} for number in (1, 2, 3)]
    patterns = ["/$", "acme", "nowhere"]
    matrix = [{"matchingUrlPattern": each, "assertions": it} for each, it in zip(patterns, most, strict=True)]
    await take(bench, {"assertMatrix": matrix}, BudgetFormat.LHCI)
    (found,) = await bench.results(await bench.audit(1, final_url="https://acme.example/"))
    assert [each.budget.limit_value for each in found] == [1, 2]


async def test_a_matching_url_pattern_is_searched_for_anywhere_in_the_final_address_and_not_in_the_one_asked_for(
    bench: Bench,
) -> None:
    patterns = ["/shop", "^https://acme", "SHOP", "/start$"]
    most = [{"speed-index": ["error", {"maxNumericValue": number}]} for number in range(len(patterns))]
    matrix = [{"matchingUrlPattern": each, "assertions": it} for each, it in zip(patterns, most, strict=True)]
    await take(bench, {"assertMatrix": matrix}, BudgetFormat.LHCI)
    moved: dict[str, Any] = {"requested_url": "https://acme.example/start", "final_url": "https://www.acme.example/en/shop?a=1"}
    stayed: dict[str, Any] = {"requested_url": "https://acme.example/start", "final_url": None}
    found = await bench.results(await bench.audit(1, **moved), await bench.audit(1, **stayed))
    assert [[patterns[int(each.budget.limit_value)] for each in some] for some in found] == [
        ["/shop"],
        ["^https://acme", "/start$"],
    ]


async def test_of_budgets_made_by_hand_all_that_match_apply(bench: Bench) -> None:
    for limit in (1.0, 2.0):
        await bench.budget(limit_value=limit)
    (found,) = await bench.results(await bench.audit(1))
    assert len(found) == 2


async def test_an_audit_of_lighthouse_is_not_looked_for_where_the_probe_measured(bench: Bench) -> None:
    await take(bench, {"assertions": {"uses-text-compression": "error"}}, BudgetFormat.LHCI)
    probed = await bench.outcome(await bench.audit(1, engine="PROBE"))
    assert (probed.state, probed.reason) == (BudgetState.NOT_JUDGED, budgets.BudgetReason.OTHER_ENGINE)
    assert (await bench.outcome(await bench.audit(1))).state is BudgetState.PASSED


async def test_a_bad_file_makes_nothing_and_forgets_nothing(bench: Bench) -> None:
    await take(bench, [{"timings": LCP}])
    with pytest.raises(InvalidInput):
        await take(bench, [{"timings": LCP}, {"timings": [{"metric": "none", "budget": 1}]}], replace=True)
    with pytest.raises(InvalidInput) as refused:
        await take(bench, {"assertions": {"categories:a{b": ["error", {"minScore": 1}]}}, BudgetFormat.LHCI)
    assert refused.value.message.startswith("assertions.categories:a{b: A finding's rule, a category or a timing is ")
    assert await number(bench) == 1


async def test_a_dry_run_says_what_would_be_and_makes_nothing(bench: Bench) -> None:
    made = await take(bench, EXAMPLE, dry_run=True)
    assert (len(made.budgets), len(made.skipped), await number(bench)) == (6, 2, 0)
    assert made.budgets[0].name == "Size of script: at most 128.0 kB on /*"


async def test_to_replace_forgets_what_the_same_format_made_for_the_same_and_nothing_else(bench: Bench) -> None:
    hand = await bench.budget(name="by hand")
    general = (await take(bench, [{"timings": LCP}], site=False)).budgets[0].id
    asserted = (await take(bench, {"assertions": {"categories:seo": "warn"}}, BudgetFormat.LHCI)).budgets[0].id
    old = (await take(bench, [{"timings": LCP}])).budgets[0].id
    new = (await take(bench, [{"timings": LCP}], replace=True)).budgets[0].id
    there = await budgets.by_ids(bench.database.reader, bench.reach, [hand, general, asserted, old, new])
    assert set(there) == {hand, general, asserted, new}


async def test_the_same_key_gives_the_same_budgets(bench: Bench) -> None:
    first = await take(bench, EXAMPLE, idempotency_key="k")
    again = await take(bench, EXAMPLE, idempotency_key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert [each.id for each in again.budgets] == [each.id for each in first.budgets]
    assert again.skipped == first.skipped
    with pytest.raises(Conflict):
        await take(bench, [], idempotency_key="k")


async def test_there_are_so_many_budgets_and_no_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (rules.MAX_BUDGETS, rules.MAX_IMPORTED) == (1_000, 200)
    monkeypatch.setattr(rules, "MAX_IMPORTED", 5)
    with pytest.raises(LimitReached, match="A file makes at most 5 budgets"):
        await take(bench, EXAMPLE)
    monkeypatch.setattr(rules, "MAX_IMPORTED", 6)
    monkeypatch.setattr(rules, "MAX_BUDGETS", 6)
    await take(bench, EXAMPLE)
    with pytest.raises(LimitReached, match="A workspace has at most 6 budgets"):
        await bench.budget()
    assert await number(bench) == 6


async def test_there_are_so_many_different_regular_expressions_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rules.MAX_PATTERNS == 50
    monkeypatch.setattr(rules, "MAX_PATTERNS", 2)
    matrix = [{"matchingUrlPattern": each, "assertions": {"categories:seo": "warn"}} for each in ("a", "b", "c")]
    with pytest.raises(LimitReached, match="at most 2 different regular expressions"):
        await take(bench, {"assertMatrix": matrix}, BudgetFormat.LHCI)
    made = await take(bench, {"assertMatrix": matrix[:2]}, BudgetFormat.LHCI)
    await bench.budget(url_pattern="a")
    with pytest.raises(LimitReached):
        await bench.budget(url_pattern="c")
    with pytest.raises(LimitReached):
        async with bench.database.work(bench.actor) as work:
            await budgets.update(work, budget_id=made.budgets[0].id, changes={"url_pattern": "c"})
    assert await number(bench) == 3


async def test_everything_that_is_wrong_with_a_budget_is_said_at_once(bench: Bench) -> None:
    with pytest.raises(InvalidInput) as refused:
        await bench.budget(
            name="x" * 201,
            path="blog",
            url_pattern="(",
            environment="No!",
            subject_kind=SubjectKind.CATEGORY,
            subject="seo",
            limit_value=1.5,
            tolerance=-1.0,
            consecutive=11,
        )
    assert [".".join(fault.path) for fault in refused.value.faults] == [
        "environment",
        "path",
        "urlPattern",
        "limit",
        "tolerance",
        "consecutive",
        "name",
    ]


async def test_what_is_not_ones_own_is_not_limited(bench: Bench) -> None:
    async def refusal(actor: Actor, **given: Any) -> Refused:
        given = {"workspace_id": bench.workspace_id, "site_id": bench.site_id, "settings": METRIC, **given}
        with pytest.raises(Refused) as caught:
            async with bench.database.work(actor) as work:
                await budgets.create(work, **given)
        return caught.value

    viewer = Actor(roles={bench.workspace_id: Role.VIEWER})
    of_site = Actor(roles={bench.workspace_id: Role.MEMBER}, sites={bench.workspace_id: frozenset({bench.site_id})})
    assert isinstance(await refusal(viewer), NotAllowed)
    assert isinstance(await refusal(of_site, site_id=None), NotAllowed)
    assert isinstance(await refusal(Actor(roles={new_id(): Role.OWNER})), NotFound)
    assert isinstance(await refusal(bench.actor, site_id=new_id()), NotFound)
    assert isinstance(await refusal(bench.actor, settings=METRIC._replace(profile_id=new_id())), NotFound)
    assert await number(bench) == 0


async def test_whoever_has_single_sites_sees_what_holds_for_all_of_the_workspace(bench: Bench) -> None:
    general = await bench.budget(everywhere=True)
    id = await bench.audit(1)
    reach = Actor(roles={bench.workspace_id: Role.VIEWER}, sites={bench.workspace_id: frozenset({bench.site_id})}).reach
    assert list(await budgets.by_ids(bench.database.reader, reach, [general])) == [general]
    assert [each.budget.id for each in (await budgets.results(bench.database.reader, reach, [id]))[id]] == [general]
    nobody = Actor(roles={new_id(): Role.OWNER}).reach
    assert await budgets.by_ids(bench.database.reader, nobody, [general]) == {}
    assert (await budgets.results(bench.database.reader, nobody, [id]))[id] == ()


async def test_a_budget_is_tightened_to_what_its_ratchet_says(bench: Bench) -> None:
    budget = await bench.budget(limit_value=4000)
    await bench.judge(*[await bench.audit(2000, requested_url=f"https://acme.example/{day}") for day in range(4)])

    async def tighten() -> tuple[bool, budgets.BudgetRow]:
        async with bench.database.work(bench.actor) as work:
            done = await budgets.tighten(work, budget_id=budget)
        return done, (await budgets.by_ids(bench.database.reader, bench.reach, [budget]))[budget]

    assert (await tighten())[0] is False
    for _ in range(10):
        bench.at = bench.at.replace(day=bench.at.day + 1)
        await bench.judge(await bench.audit(2000))
    found = (await budgets.ratchets(bench.database.reader, bench.reach, [budget]))[budget]
    assert found is not None
    assert (found.limit, found.worst, found.audits) == (2200, 2000, 14)
    done, row = await tighten()
    assert (done, row.limit_value, row.name) == (True, 2200, "Largest Contentful Paint: at most 2,200 ms")
    assert (await tighten())[0] is False
