"""What a comparison looks at, and what it does where something goes while it looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import audits, sites
from domain.base import Query
from domain.errors import NotFound
from domain.measuring import MetricName
from domain.sites import Site
from infra.db.database import SqlDatabase
from tests.databases import new_page
from tests.domain.audits.lines import Line, line

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def acme(database: SqlDatabase) -> Line:
    return await line(database)


async def test_no_page_is_looked_at_with_the_profile_that_is_the_default_of_another(acme: Line) -> None:
    reader, reach, workspace_id = acme.database.reader, acme.actor.reach, acme.page.workspace_id
    (profiles,) = (await sites.profiles_by_workspace(reader, reach, [workspace_id])).values()
    second = next(row.id for row in profiles if row.id != acme.profile)
    async with acme.database.work(acme.actor) as work:
        page = await new_page(work, workspace_id, "https://other.example/")
        await work.db.execute(update(Site).where(Site.id == page.site_id).values(default_profile_id=second))
    other = Line(acme.database, acme.actor, page, second)
    for whose, profile, number in ((acme, acme.profile, 2), (acme, second, 20), (other, acme.profile, 20), (other, second, 3)):
        await whose.add(*[(START + timedelta(hours=hour), 1.0) for hour in range(number)], profile_id=profile)
    ours = audits.Ration()
    found = await audits.compare(reader, reach, audits.Comparison(workspace_id, MetricName.TTFB, (page.id, acme.page.id)), ours)
    assert [each.summary.audits for each in found if each.summary] == [3, 2]
    assert ours.looked_at == 5


class Going:
    """A reader for whom rows of one kind are deleted before they are read, and after all others were."""

    def __init__(self, database: SqlDatabase, kind: type) -> None:
        self._reader = database.reader
        self._kind = kind

    async def all(self, query: Query[Any], **values: Any) -> Sequence[Any]:
        return [] if query.row is self._kind else await self._reader.all(query, **values)


async def test_a_page_whose_site_is_deleted_meanwhile_is_not_there(acme: Line) -> None:
    asked = audits.Comparison(acme.page.workspace_id, MetricName.TTFB, (acme.page.id,))
    reader: Any = Going(acme.database, sites.SiteRow)
    with pytest.raises(NotFound, match="There is no such page in this workspace"):
        await audits.compare(reader, acme.actor.reach, asked)


async def test_a_default_profile_that_is_deleted_meanwhile_is_left_out(acme: Line) -> None:
    reader: Any = Going(acme.database, sites.ProfileRow)
    assert await sites.default_profiles(reader, acme.actor.reach, [acme.page.site_id]) == {}
