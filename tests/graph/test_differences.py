"""What changed, over the API: of a verdict, and between two snapshots; and verdicts by what they say and of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import snapshots, verdicts
from domain.audits import Audit
from domain.ids import Kind, encode, new_id
from domain.measuring import MetricName
from domain.verdicts import Judgement, Verdict
from tests.databases import everybodys, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.bounds import boundless
from tests.graph.filled import START, Filled, Sizes, fill
from tests.graph.test_statements import statements

__all__ = ["asking", "boundless"]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SMALL = Sizes(sites=1, pages=2, audits=2, findings=2, requests=3, verdicts=2, snapshots=2, earlier=1)

DIFFERENCES = """query ($kind: DifferenceKind, $first: Int! = 20) {
  workspace(slug: "acme") { verdicts(first: 20) { nodes {
    auditBefore { id } audit { id }
    differences {
      before { id } after { id }
      findings { counts { added removed grown shrunk changed } nodes(kind: $kind, first: $first) {
        kind rule title severity before { id } after { rule evidence { subject } }
        evidenceAdded { subject } evidenceRemoved { subject }
      } }
      requests { counts { added removed grown shrunk changed } nodes(kind: $kind, first: $first) {
        kind url resourceType thirdParty requestsBefore requestsAfter bytesBefore bytesAfter changeBytes
      } }
    }
  } } }
}"""

COMPARISON = """query ($before: ID!, $after: ID!, $pooled: Boolean! = false, $pages: [ID!]) {
  snapshot(id: $after) { comparison(before: $before, pooled: $pooled, pages: $pages) {
    before { id } after { id }
    judgements { regressed improved noEvidence incomparable }
    pages { page { path } profiles {
      profile { name } before { id } after { id }
      metrics {
        metric { name } judgement reason before after change relativeChange p detectable snapshotsBefore snapshotsAfter
      }
      differences { findings { counts { added } } requests { counts { added } } }
    } }
  } }
}"""


async def filled(asking: Asking, sizes: Sizes = SMALL, mark: str = "some") -> Filled:
    """Of each page the first audit is the first snapshot's, and the second audit the second one's."""
    there = await fill(asking.database, asking.workspace_id, asking.runner_id, sizes, mark)
    if len(there.ids[Kind.SNAPSHOT]) > 1:
        later = Audit.requested_at == START + timedelta(hours=1)
        async with everybodys(asking.database) as connection:
            chosen = update(Audit).where(Audit.workspace_id == asking.workspace_id, later, Audit.snapshot_id.is_not(None))
            await connection.execute(chosen.values(snapshot_id=there.ids[Kind.SNAPSHOT][1]))
    return there


async def test_a_verdict_tells_which_findings_and_requests_changed(asking: Asking) -> None:
    await filled(asking)
    nodes = (await asking.ask(DIFFERENCES))["workspace"]["verdicts"]["nodes"]
    assert len(nodes) == 4
    for node in nodes:
        found = node["differences"]
        assert (found["before"], found["after"]) == (node["auditBefore"], node["audit"])
        assert found["findings"]["counts"] == {"added": 2, "removed": 0, "grown": 0, "shrunk": 0, "changed": 0}
        first, _ = found["findings"]["nodes"]
        assert (first["kind"], first["rule"], first["title"], first["severity"]) == ("ADDED", "some-rule", "some title", "LOW")
        assert (first["before"], first["after"]["evidence"]) == (None, [{"subject": "some"}])
        assert found["requests"]["counts"]["added"] == 3
        assert found["requests"]["nodes"][0] == {
            "kind": "ADDED",
            "url": "https://some.example/0",
            "resourceType": "DOCUMENT",
            "thirdParty": False,
            "requestsBefore": 0,
            "requestsAfter": 1,
            "bytesBefore": None,
            "bytesAfter": None,
            "changeBytes": 0,
        }


@on_sqlite
async def test_differences_are_asked_for_by_kind_and_number(asking: Asking) -> None:
    await filled(asking)
    for given, number in (({"kind": "REMOVED"}, 0), ({"kind": "ADDED"}, 3), ({"first": 2}, 2)):
        (found, *_) = (await asking.ask(DIFFERENCES, **given))["workspace"]["verdicts"]["nodes"]
        assert len(found["differences"]["requests"]["nodes"]) == number, given
    said = await asking.whole(DIFFERENCES, first=0)
    assert {error["extensions"]["code"] for error in said["errors"]} == {"OUT_OF_RANGE"}


@on_sqlite
async def test_without_an_audit_before_there_are_no_differences(asking: Asking) -> None:
    await filled(asking, replace(SMALL, earlier=0))
    (found, *_) = (await asking.ask(DIFFERENCES))["workspace"]["verdicts"]["nodes"]
    assert (found["auditBefore"], found["differences"]) == (None, None)


async def test_another_workspaces_audit_is_no_measure_even_where_a_verdict_names_it(asking: Asking) -> None:
    await filled(asking)
    other, _ = await new_workspace(asking.database, "other")
    theirs = await filled(replace(asking, workspace_id=other), mark="theirs")
    async with everybodys(asking.database) as connection:
        named = update(Verdict).where(Verdict.workspace_id == asking.workspace_id)
        await connection.execute(named.values(before_audit_id=theirs.ids[Kind.AUDIT][0]))
    for found in (await asking.ask(DIFFERENCES))["workspace"]["verdicts"]["nodes"]:
        assert (found["auditBefore"], found["differences"]) == (None, None)


@pytest.mark.usefixtures("boundless")
@pytest.mark.parametrize("pages", [1, 12])
async def test_differences_of_many_verdicts_take_as_many_statements_as_of_one(asking: Asking, pages: int) -> None:
    await filled(asking, replace(SMALL, pages=pages, verdicts=1))
    parts = -(-pages // 10)
    assert await statements(asking, DIFFERENCES) == 4 + 2 * parts  # and one of each for every ten pairs


@on_sqlite
async def test_two_snapshots_are_compared_page_by_page_and_profile_by_profile(asking: Asking) -> None:
    there = await filled(asking)
    before, after = there.readable(Kind.SNAPSHOT)
    found = (await asking.ask(COMPARISON, before=before, after=after))["snapshot"]["comparison"]
    assert (found["before"], found["after"]) == ({"id": before}, {"id": after})
    assert found["judgements"] == {"regressed": 0, "improved": 0, "noEvidence": 2, "incomparable": 0}
    assert [page["page"]["path"] for page in found["pages"]] == ["/some/000", "/some/001"]
    ids = there.readable(Kind.AUDIT)
    for place, page in enumerate(found["pages"]):
        (profile,) = page["profiles"]
        assert (profile["before"], profile["after"]) == ({"id": ids[2 * place]}, {"id": ids[2 * place + 1]})
        assert profile["differences"] == {"findings": {"counts": {"added": 0}}, "requests": {"counts": {"added": 0}}}
        (metric,) = profile["metrics"]
        assert (metric["metric"], metric["judgement"], metric["reason"]) == ({"name": "TTFB"}, "NO_EVIDENCE", "TOO_FEW")
        assert (metric["before"], metric["after"], metric["change"], metric["p"]) == (0.5, 0.5, 0, None)
    one = await asking.ask(COMPARISON, before=before, after=after, pages=there.readable(Kind.PAGE)[1:])
    assert one["snapshot"]["comparison"]["pages"] == found["pages"][1:]
    pooled = (await asking.ask(COMPARISON, before=before, after=after, pooled=True))["snapshot"]["comparison"]
    assert pooled["judgements"] == found["judgements"]


@on_sqlite
async def test_a_snapshot_that_is_not_there_or_not_ones_own_is_not_compared_with(asking: Asking) -> None:
    there = await filled(asking)
    other, _ = await new_workspace(asking.database, "other")
    theirs = await filled(replace(asking, workspace_id=other), mark="theirs")
    mine = there.readable(Kind.SNAPSHOT)[0]
    for before in (theirs.readable(Kind.SNAPSHOT)[0], encode(Kind.SNAPSHOT, new_id())):
        assert (await asking.ask(COMPARISON, before=before, after=mine))["snapshot"] == {"comparison": None}
    said = await asking.whole(COMPARISON, before=there.readable(Kind.SITE)[0], after=mine)
    assert said["errors"][0]["extensions"]["code"] == "ID_WRONG_KIND"


@on_sqlite
async def test_a_comparison_is_dear(asking: Asking) -> None:
    aliases = " ".join(
        f'c{number}: comparison(before: "snapshot_{new_id().hex}") {{ judgements {{ regressed }} }}' for number in range(6)
    )
    said = await asking.whole(f'{{ snapshot(id: "snapshot_{new_id().hex}") {{ {aliases} }} }}')
    assert "cost" in said["errors"][0]["message"].lower()


VERDICTS = """query (
  $judgement: Judgement, $metric: MetricName, $profile: ID, $environment: String, $page: ID!, $snapshot: ID!
) {
  workspace(slug: "acme") { verdicts(judgement: $judgement, metric: $metric, profile: $profile, environment: $environment) {
    nodes { id }
  } }
  page(id: $page) { verdicts(judgement: $judgement, metric: $metric, profile: $profile, environment: $environment) {
    nodes { id }
  } }
  snapshot(id: $snapshot) { verdicts(judgement: $judgement, metric: $metric, profile: $profile, environment: $environment) {
    nodes { id p }
  } }
}"""


async def test_verdicts_are_asked_for_by_what_they_say_and_of_what(asking: Asking) -> None:
    there = await filled(asking)
    ids = there.readable(Kind.VERDICT)
    async with everybodys(asking.database) as connection:
        of = update(Verdict).where(Verdict.id == there.ids[Kind.VERDICT][0])
        await connection.execute(of.values(judgement=Judgement.IMPROVED, p=0.001))
    mine, other = there.readable(Kind.PROFILE)[:2]
    where = {"page": there.readable(Kind.PAGE)[0], "snapshot": there.readable(Kind.SNAPSHOT)[0]}
    wanted: list[tuple[dict[str, Any], set[int]]] = [
        ({}, {0, 1, 2, 3}),
        ({"judgement": "IMPROVED"}, {0}),
        ({"judgement": "INCOMPARABLE"}, set()),
        ({"metric": "LCP"}, {1, 3}),
        ({"judgement": "REGRESSED", "metric": MetricName.PERFORMANCE_SCORE.name}, {2}),
        ({"profile": mine}, {0, 1, 2, 3}),
        ({"profile": other}, set()),
        ({"environment": "production"}, {0, 1, 2, 3}),
        ({"environment": "preview"}, set()),
    ]
    for given, places in wanted:
        said = await asking.ask(VERDICTS, **where, **given)
        found = {
            whose: {node["id"] for node in said[whose]["verdicts"]["nodes"]} for whose in ("workspace", "page", "snapshot")
        }
        assert found["workspace"] == found["snapshot"] == {ids[place] for place in places}, given
        assert found["page"] == {ids[place] for place in places & {0, 1}}, given
    said = await asking.ask(VERDICTS, **where, judgement="IMPROVED")
    assert said["snapshot"]["verdicts"]["nodes"] == [{"id": ids[0], "p": 0.001}]


async def test_a_snapshot_counts_its_verdicts_and_knows_what_confirms_it(asking: Asking) -> None:
    there = await filled(asking)
    first, second = there.ids[Kind.SNAPSHOT]
    async with everybodys(asking.database) as connection:
        table = snapshots.Snapshot
        await connection.execute(update(table).where(table.id == second).values(confirms_id=first, runs=3))
        of = update(Verdict).where(Verdict.id == there.ids[Kind.VERDICT][0])
        await connection.execute(of.values(judgement=verdicts.Judgement.NO_EVIDENCE))
    fields = "runs judgements { regressed improved noEvidence incomparable } confirmations { id runs confirms { id } }"
    text = f'{{ workspace(slug: "acme") {{ snapshots {{ nodes {{ id {fields} }} }} }} }}'
    found = {node["id"]: node for node in (await asking.ask(text))["workspace"]["snapshots"]["nodes"]}
    one, two = there.readable(Kind.SNAPSHOT)
    assert found[one]["judgements"] == {"regressed": 3, "improved": 0, "noEvidence": 1, "incomparable": 0}
    assert found[one]["confirmations"] == [{"id": two, "runs": 3, "confirms": {"id": one}}]
    assert (found[two]["judgements"]["regressed"], found[two]["confirmations"]) == (0, [])
