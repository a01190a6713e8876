"""Pages, profiles and sites beside one another: on the same intervals, ranked, and none that is not the workspace's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from domain import audits
from domain.access import Reach
from domain.ids import Kind, new_id
from domain.measuring import MetricName
from tests.databases import Counter, everybodys, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.filled import Filled, Sizes, fill

__all__ = ["asking"]

QUERY = """query (
  $workspace: String!, $metric: MetricName! = TTFB, $pages: [ID!]! = [], $sites: [ID!], $profiles: [ID!],
  $from: DateTime, $to: DateTime, $interval: Interval! = AUTO
) {
  workspace(slug: $workspace) { comparison(
    metric: $metric, pages: $pages, sites: $sites, profiles: $profiles, from: $from, to: $to, interval: $interval
  ) {
    page { id } site { id } profile { id } conditions { engineMajor } interval rank summary { median p75 audits }
    points { at value samples audit { id } }
  } }
}"""


async def whole(asking: Asking, **given: Any) -> Any:
    return await asking.whole(QUERY, workspace="acme", **given)


async def compared(asking: Asking, **given: Any) -> Any:
    said = await whole(asking, **given)
    assert "errors" not in said, said
    return said["data"]["workspace"]["comparison"]


async def refusal(asking: Asking, **given: Any) -> tuple[str, str]:
    (error,) = (await whole(asking, **given))["errors"]
    return error["extensions"]["code"], error["message"]


async def filled(asking: Asking, sizes: Sizes) -> Filled:
    return await fill(asking.database, asking.workspace_id, asking.runner_id, sizes)


async def change(asking: Asking, ids: list[Any], **values: Any) -> None:
    async with everybodys(asking.database) as connection:
        await connection.execute(update(audits.Audit).where(audits.Audit.id.in_(ids)).values(**values))


async def test_pages_are_ranked_and_aligned_and_sites_are_all_of_their_pages(asking: Asking) -> None:
    """Two sites with two pages each; the first site's second page is slower, and its audits are of one of two hours alone."""
    there = await filled(asking, Sizes(2, 2, 2, 0, 0, 0))
    made, pages, sites = there.ids[Kind.AUDIT], there.readable(Kind.PAGE), there.readable(Kind.SITE)
    await change(asking, made[2:4], ttfb_ms=40.0)
    await change(asking, made[2:3], ttfb_ms=None)
    found = await compared(asking, pages=[pages[1], pages[0], pages[3]])
    assert [(each["page"]["id"], each["site"]["id"], each["rank"]) for each in found] == [
        (pages[1], sites[0], 3),
        (pages[0], sites[0], 1),
        (pages[3], sites[1], 1),
    ]
    hours = ["2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z"]
    assert [[(point["at"], point["value"]) for point in each["points"]] for each in found] == [
        [(hours[1], 40)],
        [(hours[0], 0), (hours[1], 1)],
        [(hours[0], 0), (hours[1], 1)],
    ]
    assert {each["interval"] for each in found} == {"HOUR"}
    assert [each["summary"] for each in found[:2]] == [
        {"median": 40, "p75": 40, "audits": 1},
        {"median": 0.5, "p75": 1, "audits": 2},
    ]
    both = await compared(asking, sites=sites, pages=pages[:1], interval="DAY")
    assert [(each["page"] and each["page"]["id"], each["site"]["id"]) for each in both] == [
        (pages[0], sites[0]),
        (None, sites[0]),
        (None, sites[1]),
    ]
    assert [each["summary"] for each in both[1:]] == [
        {"median": 1, "p75": 40, "audits": 3},
        {"median": 0.5, "p75": 1, "audits": 4},
    ]
    assert [each["rank"] for each in both] == [1, 3, 1]
    ends = [each["points"][0] for each in both]
    assert [(point["at"], point["samples"]) for point in ends] == [(hours[0], 2), (hours[0], 3), (hours[0], 4)]
    last = there.readable(Kind.AUDIT)
    assert ends[0]["audit"]["id"] == last[1]
    assert ends[1]["audit"]["id"] in (last[1], last[3])
    assert ends[2]["audit"]["id"] in (last[5], last[7])


async def test_profiles_and_what_was_never_measured_have_their_places(asking: Asking) -> None:
    there = await filled(asking, Sizes(1, 1, 2, 0, 0, 0))
    (page,), profiles = there.readable(Kind.PAGE), there.readable(Kind.PROFILE)
    await change(asking, there.ids[Kind.AUDIT][1:], performance_score=0.9)
    found = await compared(asking, pages=[page], profiles=[profiles[1], profiles[0]], metric="PERFORMANCE_SCORE")
    assert [(each["profile"]["id"], each["rank"], each["summary"], len(each["points"])) for each in found] == [
        (profiles[1], None, None, 0),
        (profiles[0], 1, {"median": 0.7, "p75": 0.9, "audits": 2}, 2),
    ]
    assert [each["conditions"] for each in found] == [None, {"engineMajor": 1}]


async def test_the_best_score_is_the_highest(asking: Asking) -> None:
    there = await filled(asking, Sizes(1, 2, 1, 0, 0, 0))
    await change(asking, there.ids[Kind.AUDIT][1:], performance_score=0.9)
    found = await compared(asking, pages=there.readable(Kind.PAGE), metric="PERFORMANCE_SCORE")
    assert [each["rank"] for each in found] == [2, 1]


async def test_twenty_pages_come_from_the_statements_of_two(asking: Asking) -> None:
    """Pages, sites, and then how much there is, the points, and all of it in numbers."""
    there = await filled(asking, Sizes(2, 10, 2, 0, 0, 0))
    reach, counter = Reach.whole(asking.workspace_id), Counter(asking.database)
    for many in (2, 20):
        asked = audits.Comparison(asking.workspace_id, MetricName.TTFB, tuple(there.ids[Kind.PAGE][:many]))
        counter.statements.clear()
        assert len(await audits.compare(asking.database.reader, reach, asked)) == many
        assert len([text for text in counter.statements if "FROM events" not in text]) == 5


async def test_too_many_none_and_those_of_others_are_refused(asking: Asking) -> None:
    there = await filled(asking, Sizes(1, 21, 0, 0, 0, 0, 0))
    pages, profiles = there.readable(Kind.PAGE), there.readable(Kind.PROFILE)
    assert await refusal(asking) == ("REQUIRED", "Name pages or sites to compare.")
    assert await refusal(asking, pages=pages) == (
        "TOO_MANY",
        "At most 20 series are compared; these are 21. Name fewer pages, sites or profiles.",
    )
    assert (await refusal(asking, pages=pages[:11], profiles=profiles[:2]))[0] == "TOO_MANY"
    times = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert (await refusal(asking, pages=pages[:1], **times))[0] == "OUT_OF_RANGE"
    assert (await refusal(asking, pages=[profiles[0]]))[0] == "ID_WRONG_KIND"
    other, _ = await new_workspace(asking.database, "other")
    foreign = await fill(asking.database, other, asking.runner_id, Sizes(1, 1, 1, 0, 0, 0), "theirs")
    for kind, name in ((Kind.PAGE, "pages"), (Kind.SITE, "sites"), (Kind.PROFILE, "profiles")):
        refused = await refusal(asking, **{"pages": pages[:1], name: foreign.readable(kind)[:1]})
        assert refused == ("NOT_FOUND", f"There is no such {kind} in this workspace, or it is not yours.")


async def test_conditions_that_make_too_many_series_are_refused(asking: Asking) -> None:
    there = await filled(asking, Sizes(1, 11, 2, 0, 0, 0))
    await change(asking, there.ids[Kind.AUDIT][1::2], conditions_id=new_id())
    code, message = await refusal(asking, pages=there.readable(Kind.PAGE))
    assert code == "TOO_MANY"
    assert message.startswith("At most 20 series are compared; what was measured under several conditions makes 22.")
