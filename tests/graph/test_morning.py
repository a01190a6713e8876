"""What is worst and what got worse, asked as a team does in the morning."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import Kind
from tests.graph.asking import Asking, asking
from tests.graph.filled import Filled, Sizes, fill

__all__ = ["asking"]

PAGES = """query ($filter: PageFilter, $order: PageOrder, $after: Cursor) {
  workspace(slug: "acme") { pages(first: 2, after: $after, filter: $filter, orderBy: $order) {
    nodes { name change(metric: TTFB) { value baseline change audits rating } } pageInfo { endCursor }
  } }
}"""
MEASURED = """{ workspace(slug: "acme") { pages(first: 1, orderBy: {by: CHANGE, metric: TTFB}) { nodes {
  change(metric: TTFB) { finishedAt conditions { engine environment } }
  latestAudit { finishedAt conditions { engine environment } }
} } } }"""
WORST = {"by": "CHANGE", "metric": "TTFB"}


@pytest.fixture
async def there(asking: Asking) -> Filled:
    """Two sites with two pages each, the later ones worse."""
    return await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(audits=2))


async def pages(asking: Asking, **given: Any) -> Any:
    return (await asking.ask(PAGES, **given))["workspace"]["pages"]


async def refused(asking: Asking, **given: Any) -> Any:
    (error,) = (await asking.whole(PAGES, **given))["errors"]
    return error["extensions"]["code"], error["message"]


async def test_what_got_worse_most_is_told_beside_what_it_was(asking: Asking, there: Filled) -> None:
    found = (await pages(asking, order=WORST))["nodes"]
    assert [page["change"] for page in found] == [
        {"value": 1, "baseline": -3, "change": 0.4, "audits": 2, "rating": "GOOD"},
        {"value": 1, "baseline": -2, "change": 0.3, "audits": 2, "rating": "GOOD"},
    ]


@pytest.mark.usefixtures("there")
async def test_it_says_when_and_how_that_was_measured(asking: Asking) -> None:
    (page,) = (await asking.ask(MEASURED))["workspace"]["pages"]["nodes"]
    assert page["change"] == page["latestAudit"]
    assert page["change"]["conditions"] == {"engine": "PROBE", "environment": "production"}


async def test_pages_are_of_sites_rated_or_worse_than_so_many_percent(asking: Asking, there: Filled) -> None:
    first, second = there.readable(Kind.SITE)
    every = {"order": WORST}
    assert len((await pages(asking, **every, filter={"sites": [first]}))["nodes"]) == 2
    assert (await pages(asking, **every, filter={"sites": [second], "worseThanPercent": 35}))["nodes"][0]["change"][
        "change"
    ] == 0.4
    assert (await pages(asking, **every, filter={"worseThanPercent": 40}))["nodes"] == []
    assert (await pages(asking, **every, filter={"rating": ["POOR", "NEEDS_IMPROVEMENT"]}))["nodes"] == []
    assert len((await pages(asking, **every, filter={"rating": ["GOOD"]}))["nodes"]) == 2
    assert (await pages(asking, filter={"sites": []}))["nodes"] == []


async def test_a_profile_and_an_environment_are_meant_where_they_are_named(asking: Asking, there: Filled) -> None:
    own, *_, other = there.readable(Kind.PROFILE)
    worse = {"worseThanPercent": 35}
    assert len((await pages(asking, order=WORST | {"profile": own}, filter=worse))["nodes"]) == 1
    assert (await pages(asking, order=WORST | {"profile": other}, filter=worse))["nodes"] == []
    assert (await pages(asking, order=WORST | {"environment": "preview"}, filter=worse))["nodes"] == []


async def test_a_cursor_belongs_to_one_order(asking: Asking, there: Filled) -> None:
    after = (await pages(asking, order=WORST))["pageInfo"]["endCursor"]
    assert [page["change"]["change"] for page in (await pages(asking, order=WORST, after=after))["nodes"]] == [0.2, 0.1]
    for other in ({"by": "VALUE", "metric": "TTFB"}, {"by": "CHANGE", "metric": "LCP"}, {"by": "NAME"}):
        assert (await refused(asking, order=other, after=after))[0] == "CURSOR_INVALID"


async def test_who_asks_for_numbers_says_which(asking: Asking, there: Filled) -> None:
    for given, names in (
        ({"order": {"by": "VALUE"}}, "orderBy.by"),
        ({"filter": {"rating": ["POOR"]}}, "filter.rating"),
        ({"filter": {"worseThanPercent": 1}, "order": {"by": "NAME"}}, "filter.worseThanPercent"),
    ):
        message = f"Say in orderBy which metric is meant: {names} asks for one."
        assert await refused(asking, **given) == ("REQUIRED", message)
    code, message = await refused(asking, order={"by": "VALUE", "metric": "DNS"})
    assert (code, message.rpartition("; ")[2]) == ("INVALID", "not by DNS.")
    assert (await refused(asking, order=WORST, filter={"sites": ["nothing"]}))[0] == "ID_MALFORMED"
