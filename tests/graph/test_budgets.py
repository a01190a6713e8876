"""Budgets in GraphQL: made, imported, changed, tightened, read with what came of them and what broke them, refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain import audits, budgets
from domain.access import SYSTEM, Reach, Role
from domain.budgets import Turn
from domain.ids import Kind, decode
from tests.databases import Counter, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults, profiles, rows
from tests.graph.filled import Sizes, fill

__all__ = ["asking"]

BUDGET = """id name path urlPattern environment limit limitKind tolerance aggregation severity consecutive paused source
  subject { kind title name unit direction resource metric { name } } site { id } profile { name } ratchet { limit }"""
RESULTS = """query ($id: ID!) { node(id: $id) { ... on Audit { budgetResults {
  state value limit baseline over reason budget { name }
} } } }"""
BREACHES = """query ($page: ID!, $open: Boolean) {
  page(id: $page) { breaches(open: $open) { nodes {
    open value limit over severity budget { name } page { id } audit { id }
  } } }
  workspace(slug: "acme") { breaches(open: $open) { nodes { open } } budgets { nodes { name } } }
}"""


async def create(asking: Asking, subject: dict[str, Any], limit: float = 2500, **input: Any) -> Any:
    given = {"workspace": asking.workspace, "subject": subject, "limit": limit, **input}
    return await change(asking, "budgetCreate", f"budget {{ {BUDGET} }} replayed", **given)


async def test_a_budget_is_made_with_what_was_said_and_found_again(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=1, budgets=0))
    site, profile = there.readable(Kind.SITE)[0], (await profiles(asking))[0]
    answer = await create(
        asking,
        {"resourceSize": "THIRD_PARTY"},
        100_000,
        site=site,
        profile=profile["id"],
        path="/blog/*",
        urlPattern="^https",
        environment="ci",
        tolerance=5,
        aggregation="PESSIMISTIC",
        severity="WARN",
        consecutive=3,
    )
    budget = answer["budget"]
    assert answer["replayed"] is False
    assert {name: value for name, value in budget.items() if name not in ("id", "subject")} == {
        "name": "Size of third-party: at most 100.0 kB on /blog/*",
        "path": "/blog/*",
        "urlPattern": "^https",
        "environment": "ci",
        "limit": 100_000,
        "limitKind": "ABSOLUTE",
        "tolerance": 5,
        "aggregation": "PESSIMISTIC",
        "severity": "WARN",
        "consecutive": 3,
        "paused": False,
        "source": "MANUAL",
        "site": {"id": site},
        "profile": {"name": profile["name"]},
        "ratchet": None,
    }
    assert budget["subject"] == {
        "kind": "RESOURCE_SIZE",
        "title": "Size of third-party",
        "name": None,
        "unit": "BYTE",
        "direction": "LOWER_IS_BETTER",
        "resource": "THIRD_PARTY",
        "metric": None,
    }
    found = await asking.ask(f"query ($id: ID!) {{ node(id: $id) {{ ... on Budget {{ {BUDGET} }} }} }}", id=budget["id"])
    assert found["node"] == budget


async def test_each_subject_says_what_it_is_and_which_way_is_better(asking: Asking) -> None:
    wanted: list[tuple[dict[str, Any], float, tuple[Any, ...]]] = [
        ({"metric": "LCP"}, 1, ("METRIC", None, {"name": "LCP"}, "MILLISECOND", "LOWER_IS_BETTER")),
        ({"metric": "PERFORMANCE_SCORE"}, 1, ("METRIC", None, {"name": "PERFORMANCE_SCORE"}, "SCORE", "HIGHER_IS_BETTER")),
        ({"resourceCount": "FONT"}, 1, ("RESOURCE_COUNT", None, None, "COUNT", "LOWER_IS_BETTER")),
        ({"finding": "uses-http2"}, 0, ("FINDING", "uses-http2", None, "COUNT", "LOWER_IS_BETTER")),
        ({"category": "seo"}, 0.9, ("CATEGORY", "seo", None, "SCORE", "HIGHER_IS_BETTER")),
        ({"userTiming": "hero"}, 9, ("USER_TIMING", "hero", None, "MILLISECOND", "LOWER_IS_BETTER")),
    ]
    for subject, limit, expected in wanted:
        said = (await create(asking, subject, limit))["budget"]["subject"]
        assert tuple(said[name] for name in ("kind", "name", "metric", "unit", "direction")) == expected


async def test_everything_that_is_wrong_with_a_budget_is_said_at_once(asking: Asking) -> None:
    answer = await create(asking, {"finding": "a{b"}, 1, environment="No!", path="x", urlPattern="(", consecutive=0)
    assert faults(answer) == [
        (["environment"], "MALFORMED"),
        (["path"], "MALFORMED"),
        (["urlPattern"], "MALFORMED"),
        (["subject"], "MALFORMED"),
        (["consecutive"], "OUT_OF_RANGE"),
    ]
    assert faults(await create(asking, {"category": "seo"}, 90)) == [(["limit"], "OUT_OF_RANGE")]
    text = "mutation ($input: BudgetCreateInput!) { budgetCreate(input: $input) { __typename } }"
    for subject in ({}, {"metric": "LCP", "finding": "x"}):
        said = await asking.whole(text, input={"workspace": asking.workspace, "subject": subject, "limit": 1})
        assert "must specify exactly one key" in said["errors"][0]["message"]
    assert await rows(asking, "budgets") == [0]


async def test_the_same_key_makes_one_budget(asking: Asking) -> None:
    first, again = [await create(asking, {"metric": "LCP"}, idempotencyKey="k") for _ in range(2)]
    assert (again["replayed"], again["budget"]) == (True, first["budget"])
    other = await create(asking, {"metric": "CLS"}, idempotencyKey="k")
    assert (other["__typename"], other["code"]) == ("Conflict", "KEY_REUSED")


async def test_a_budget_is_changed_paused_and_forgotten(asking: Asking) -> None:
    made = (await create(asking, {"metric": "LCP"}, path="/a"))["budget"]
    changed = {"path": None, "limit": 10, "limitKind": "RELATIVE", "subject": {"metric": "TTFB"}, "name": "", "paused": True}
    answer = await change(asking, "budgetUpdate", f"budget {{ {BUDGET} }}", budget=made["id"], **changed)
    assert answer["budget"] == {
        **made,
        "name": "Time to First Byte: at most 10 % worse",
        "path": None,
        "limit": 10,
        "limitKind": "RELATIVE",
        "paused": True,
        "subject": {**made["subject"], "title": "Time to First Byte", "metric": {"name": "TTFB"}},
    }
    assert (await change(asking, "budgetDelete", "budgetId", budget=made["id"]))["budgetId"] == made["id"]
    assert (await change(asking, "budgetUpdate", "budget { id }", budget=made["id"]))["__typename"] == "NotFound"


async def test_a_file_is_imported_and_what_is_left_out_is_named(asking: Asking) -> None:
    text = '[{"timings": [{"metric": "interactive", "budget": 3000}, {"metric": "first-cpu-idle", "budget": 1}]}]'
    given = {"workspace": asking.workspace, "format": "BUDGET_JSON", "text": text}
    payload = "budgets { name source } skipped { place reason } replayed"
    dry = await change(asking, "budgetsImport", payload, **given, dryRun=True)
    assert await rows(asking, "budgets") == [0]
    made = await change(asking, "budgetsImport", payload, **given)
    assert dry == made
    assert made["budgets"] == [{"name": "Time to Interactive: at most 3,000 ms", "source": "BUDGET_JSON"}]
    assert [each["place"] for each in made["skipped"]] == ["[0].timings[1]"]
    wrong = await change(asking, "budgetsImport", payload, **(given | {"text": "[{}, 5]"}))
    assert (faults(wrong), wrong["message"]) == ([(["text"], "MALFORMED")], "[1]: An entry is an object {…}.")
    asserted = '{"assertions": {"categories:performance": ["warn", {"minScore": 0.8}]}}'
    made = await change(asking, "budgetsImport", payload, **(given | {"format": "LHCI", "text": asserted}))
    assert made["budgets"] == [{"name": "Score of performance: at least 80", "source": "LHCI"}]


async def test_results_and_breaches_are_read_where_they_are_looked_for(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(1, 1, 2, budgets=0))
    audit, _ = there.readable(Kind.AUDIT)
    await create(asking, {"metric": "PERFORMANCE_SCORE"}, 0.9)
    await create(asking, {"metric": "LCP"})
    await create(asking, {"metric": "TTFB"}, 1000)
    results = (await asking.ask(RESULTS, id=audit))["node"]["budgetResults"]
    assert [(each["budget"]["name"], each["state"], each["value"], each["reason"]) for each in results] == [
        ("Largest Contentful Paint: at most 2,500 ms", "NOT_JUDGED", None, "NOT_MEASURED"),
        ("Performance Score: at least 90", "BREACHED", 0.5, None),
        ("Time to First Byte: at most 1,000 ms", "PASSED", 0.5, None),
    ]
    assert (results[1]["limit"], results[1]["over"], results[1]["baseline"]) == (0.9, 0.4, None)
    async with asking.database.work(SYSTEM) as work:
        reach = Reach.whole(asking.workspace_id)
        begun = await budgets.judge(work, reach, (await audits.by_ids(work.db, reach, there.ids[Kind.AUDIT])).values())
    assert [each.audit.id for each in begun if each.turn is Turn.BEGAN] == [decode(Kind.AUDIT, audit)]
    page = there.readable(Kind.PAGE)[0]
    found = await asking.ask(BREACHES, page=page, open=True)
    assert found["page"]["breaches"]["nodes"] == [
        {
            "open": True,
            "value": 0.5,
            "limit": 0.9,
            "over": 0.4,
            "severity": "ERROR",
            "budget": {"name": "Performance Score: at least 90"},
            "page": {"id": page},
            "audit": {"id": audit},
        }
    ]
    assert found["workspace"]["breaches"]["nodes"] == [{"open": True}]
    assert (await asking.ask(BREACHES, page=page, open=False))["page"]["breaches"]["nodes"] == []
    assert len((await asking.ask(BREACHES, page=page))["page"]["breaches"]["nodes"]) == 1


async def test_an_audit_that_is_not_finished_has_no_results(asking: Asking) -> None:
    await create(asking, {"metric": "LCP"})
    made = await change(asking, "auditRequest", "audit { id }", target={"url": "https://example.com/"})
    assert (await asking.ask(RESULTS, id=made["audit"]["id"]))["node"]["budgetResults"] == []


async def test_the_results_of_a_hundred_audits_take_no_statement_each(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(2, 5, 10))
    for subject in ({"finding": "some-rule"}, {"resourceCount": "DOCUMENT"}):
        await create(asking, subject, 0)
    await create(asking, {"metric": "TTFB"}, 10, limitKind="RELATIVE")
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Audit { budgetResults { state budget { name } } } } }"
    for ids in (there.readable(Kind.AUDIT)[-1:], there.readable(Kind.AUDIT)[:100]):
        counter = Counter(asking.database)
        found = (await asking.ask(text, ids=ids))["nodes"]
        assert len(found) == len(ids)
        assert all(len(each["budgetResults"]) >= 3 for each in found)
        assert len(counter) <= 20


async def test_a_budget_is_tightened_or_stays_as_it_is(asking: Asking) -> None:
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(1, 1))
    (id,) = there.readable(Kind.BUDGET)
    read = "tightened budget { limit ratchet { limit worst audits since } }"
    shown = await asking.ask(f"query ($id: ID!) {{ node(id: $id) {{ ... on Budget {{ {BUDGET} }} }} }}", id=id)
    assert shown["node"]["ratchet"] == {"limit": 0}
    answer = await change(asking, "budgetTighten", read, budget=id)
    assert {name: answer[name] for name in ("tightened", "budget")} == {
        "tightened": True,
        "budget": {"limit": 0, "ratchet": None},
    }
    assert (await change(asking, "budgetTighten", read, budget=id))["tightened"] is False


async def test_a_viewer_sets_none_and_another_workspace_sees_none(asking: Asking) -> None:
    id = (await create(asking, {"metric": "LCP"}))["budget"]["id"]
    viewer = asking.as_(Role.VIEWER)
    answer = await create(viewer, {"metric": "LCP"})
    assert (answer["__typename"], answer["permission"]) == ("NotAllowed", "BUDGET_WRITE")
    for mutation in ("budgetUpdate", "budgetDelete", "budgetTighten"):
        assert (await change(viewer, mutation, budget=id))["permission"] == "BUDGET_WRITE"
    other, actor = await new_workspace(asking.database, "other")
    foreign = replace(asking, workspace_id=other, actor=actor)
    assert (await foreign.ask("query ($id: ID!) { node(id: $id) { id } }", id=id))["node"] is None
    assert (await change(foreign, "budgetDelete", budget=id))["__typename"] == "NotFound"
