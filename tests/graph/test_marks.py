"""What is marked beside a page's series: deploys, annotations and confirmed changes, in one list by time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import audits, marks, timelines, verdicts
from domain.access import Actor, Reach, Role
from domain.ids import Kind
from domain.paging import Window
from tests.databases import everybodys, new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.filled import START, Filled, Sizes, fill

__all__ = ["asking"]

MARKS = """query (
  $page: ID!, $first: Int! = 20, $after: Cursor, $profile: ID, $environment: String, $from: DateTime, $to: DateTime
) {
  page(id: $page) { marks(
    first: $first, after: $after, profile: $profile, environment: $environment, from: $from, to: $to
  ) { nodes { at deploy { version } annotation { text } verdict { judgement } } pageInfo { hasNextPage endCursor } } }
}"""


@pytest.fixture
async def there(asking: Asking) -> Filled:
    """A site with two pages, each with one verdict; a deploy and an annotation at each of two hours."""
    return await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=1, marks=2))


async def marked(asking: Asking, there: Filled, page: int = 0, **given: Any) -> list[str]:
    """Each mark as its hour and what it is."""
    given = {name.rstrip("_"): value for name, value in given.items()}
    found = (await asking.ask(MARKS, page=there.readable(Kind.PAGE)[page], **given))["page"]["marks"]["nodes"]
    said = []
    for node in found:
        (kind,) = (name for name in ("deploy", "annotation", "verdict") if node[name] is not None)
        said.append(f"{node['at'][11:16]} {kind}")
    return said


async def change(asking: Asking, table: Any, **values: Any) -> None:
    async with everybodys(asking.database) as connection:
        await connection.execute(update(table).values(**values))


async def test_all_that_happened_beside_a_page_is_one_list_the_newest_first(asking: Asking, there: Filled) -> None:
    found = await marked(asking, there)
    assert found[0][6:] + found[1][6:] in ("deployannotation", "annotationdeploy")
    assert sorted(found, reverse=True) == [
        "01:00 deploy",
        "01:00 annotation",
        "00:01 verdict",
        "00:00 deploy",
        "00:00 annotation",
    ]
    assert [each[:5] for each in found] == sorted((each[:5] for each in found), reverse=True)
    seen, after = [], None
    for _ in range(5):
        page = (await asking.ask(MARKS, page=there.readable(Kind.PAGE)[0], first=1, after=after))["page"]["marks"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    assert not page["pageInfo"]["hasNextPage"]
    assert len({str(node) for node in seen}) == 5


async def test_what_is_written_to_another_page_and_what_changed_nothing_is_no_mark(asking: Asking, there: Filled) -> None:
    second = there.ids[Kind.PAGE][1]
    await change(asking, marks.Annotation, page_id=second)
    assert [each for each in await marked(asking, there) if "annotation" in each] == []
    assert len([each for each in await marked(asking, there, 1) if "annotation" in each]) == 2
    await change(asking, verdicts.Verdict, judgement=verdicts.Judgement.NO_EVIDENCE)
    assert [each for each in await marked(asking, there) if "verdict" in each] == []


async def test_marks_are_of_a_time_an_environment_and_a_profile(asking: Asking, there: Filled) -> None:
    hour = START + timedelta(hours=1)
    assert {each[:5] for each in await marked(asking, there, from_=hour.isoformat())} == {"01:00"}
    assert {each[:5] for each in await marked(asking, there, to=hour.isoformat())} == {"00:00", "00:01"}
    elsewhere = await marked(asking, there, environment="staging")
    assert {each[6:] for each in elsewhere} == {"annotation"}  # which are of all environments
    own, *_, other = there.readable(Kind.PROFILE)
    assert "00:01 verdict" in await marked(asking, there, profile=own)
    assert "00:01 verdict" not in await marked(asking, there, profile=other)
    await change(asking, audits.Audit, finished_at=START + timedelta(hours=5))
    assert (await marked(asking, there))[0] == "05:00 verdict"


async def test_nobody_elses_marks_are_seen(asking: Asking, there: Filled) -> None:
    workspace_id, _ = await new_workspace(asking.database, "rival")
    stranger = Actor(roles={workspace_id: Role.OWNER})
    page = there.ids[Kind.PAGE][0]
    none = {"since": None, "until": None, "environment": None, "profile": None}
    assert [*(await timelines.MARKS.of(asking.database.reader, stranger.reach, page, Window(), **none)).rows] == []
    for reach, number in (
        (Reach.whole(asking.workspace_id), 5),
        (Reach(held=tuple(there.ids[Kind.SITE])), 5),
        (Reach.whole(workspace_id), 0),
    ):
        assert len((await timelines.MARKS.of(asking.database.reader, reach, page, Window(), **none)).rows) == number
