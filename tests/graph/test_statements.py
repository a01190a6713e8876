"""How many statements an answer takes does not depend on how much there is."""

from __future__ import annotations

import pytest

from domain import history
from domain.ids import Kind
from tests.databases import Counter
from tests.graph.asking import Asking, asking
from tests.graph.bounds import boundless
from tests.graph.filled import Filled, Sizes, fill

__all__ = ["asking", "boundless"]

MANY = Sizes(sites=20, pages=10, runs=2, requests=1, findings=1)
FEW = Sizes(sites=2, pages=2, runs=2, requests=1, findings=1)

NESTED = """{
  workspace(slug: "acme") {
    sites(first: 100) { nodes {
      origin
      pages(first: 100) { nodes { path latestAudit { state metrics { ttfbMs requestCount } } } pageInfo { hasNextPage } }
    } }
  }
}"""

DEEP = """{
  workspace(slug: "acme") {
    runners { name }
    profiles { name }
    sites(first: 100) { nodes {
      workspace { slug } defaultProfile { name } profiles { name } access { headerNames }
      pages(first: 100) { nodes {
        site { slug }
        latestAudit { id }
        audits(first: 2) { nodes {
          page { path } profile { name } runner { name } conditions { environment }
          metrics { ttfbMs } measurements { value } representativeRun { index }
          findings { nodes { rule } }
          runs { index report { url } screenshot { url } filmstrip { url } requests { nodes { url } } }
        } }
      } }
    } }
  }
}"""

MORNING = """query ($order: PageOrder!) {
  workspace(slug: "acme") { pages(first: 100, orderBy: $order) { nodes {
    url site { name } change(metric: TTFB) { value baseline change audits rating } latestAudit { finishedAt }
  } } }
}"""

SERIES = """query ($profile: ID!) {
  workspace(slug: "acme") { pages(first: 100) { nodes {
    timeSeries(metrics: [TTFB], profile: $profile) { points { value audit { id page { path } } } }
  } } }
}"""

EVERYTHING = """query ($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename id
    ... on Audit { page { site { slug } } runs { index } }
    ... on Page { latestAudit { id } }
    ... on Site { defaultProfile { name } }
  }
}"""


async def statements(asking: Asking, text: str, **variables: object) -> int:
    counter = Counter(asking.database)
    await asking.ask(text, **variables)
    heard = str(history.AFTER.statement.compile(dialect=asking.database.reads.dialect))
    return len([statement for statement in counter.statements if statement != heard])  # the hub looks in too


async def filled(asking: Asking, sizes: Sizes) -> Filled:
    return await fill(asking.database, asking.workspace_id, asking.runner_id, sizes)


@pytest.mark.parametrize("sizes", [MANY, FEW], ids=["many", "few"])
async def test_sites_with_pages_with_their_latest_audits_take_four_statements(asking: Asking, sizes: Sizes) -> None:
    await filled(asking, sizes)
    answer = await asking.ask(NESTED)
    pages = [page for site in answer["workspace"]["sites"]["nodes"] for page in site["pages"]["nodes"]]
    assert len(pages) == sizes.sites * sizes.pages
    assert all(page["latestAudit"]["metrics"] == {"ttfbMs": 0, "requestCount": 2} for page in pages)
    assert await statements(asking, NESTED) == 4


@pytest.mark.parametrize("by", ["NAME", "VALUE", "CHANGE"])
@pytest.mark.parametrize("sizes", [MANY, FEW], ids=["many", "few"])
async def test_the_morning_takes_a_statement_for_pages_their_sites_and_their_changes(
    asking: Asking, sizes: Sizes, by: str
) -> None:
    await filled(asking, sizes)
    order = {"by": by, "metric": "TTFB"}
    nodes = (await asking.ask(MORNING, order=order))["workspace"]["pages"]["nodes"]
    number = sizes.sites * sizes.pages
    assert len(nodes) == min(100, number)
    assert nodes[0]["change"]["change"] == (0.1 if by == "NAME" else pytest.approx(number / 10))
    assert await statements(asking, MORNING, order=order) == 5


@pytest.mark.usefixtures("boundless")
@pytest.mark.parametrize("sizes", [MANY, FEW], ids=["many", "few"])
async def test_whatever_belongs_to_an_audit_takes_a_statement_a_relation(asking: Asking, sizes: Sizes) -> None:
    await filled(asking, sizes)
    assert await statements(asking, DEEP) == 19


@pytest.mark.parametrize("sizes", [MANY, FEW], ids=["many", "few"])
async def test_series_of_many_pages_take_as_many_statements_as_of_one(asking: Asking, sizes: Sizes) -> None:
    profile = (await filled(asking, sizes)).readable(Kind.PROFILE)[0]
    assert await statements(asking, SERIES, profile=profile) == 6


@pytest.mark.parametrize("each", [1, 14])
async def test_nodes_take_a_statement_a_kind(asking: Asking, each: int) -> None:
    there = await filled(asking, Sizes(sites=14, pages=1))
    kinds = (Kind.SITE, Kind.PAGE, Kind.AUDIT, Kind.FINDING, Kind.FILE)
    ids = [id for kind in kinds for id in there.readable(kind)[:each]]
    answer = await asking.ask(EVERYTHING, ids=ids)
    assert [node["id"] for node in answer["nodes"]] == ids
    assert await statements(asking, EVERYTHING, ids=ids) == 8


async def test_a_workspaces_list_asks_for_the_runners_once(asking: Asking) -> None:
    text = "{ viewer { workspaces { nodes { slug runners { name } again: runners { pool } } } } }"
    assert await statements(asking, text) == 2
