"""Whoever has single sites of a workspace reads and changes those alone."""

from __future__ import annotations

import pytest

from domain import audits, schedules, sites
from domain.access import Actor, Role
from domain.errors import NotAllowed, NotFound
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.databases import new_workspace

CHOICE = Window()
EVERY_PAGE = {"search": None, "tags": [], "any_tag": True, "any_site": True, "sites": []}


async def test_single_sites_are_read_and_changed_and_nothing_beside_them(database: SqlDatabase) -> None:
    workspace_id, owner = await new_workspace(database)
    async with database.work(owner) as work:
        own, other = [
            await sites.find_or_create_page(work, workspace_id=workspace_id, url=f"https://{name}.example/")
            for name in ("own", "other")
        ]
    client = Actor({workspace_id: Role.MEMBER}, sites={workspace_id: frozenset({own.site_id})})
    reader, reach = database.reader, client.reach
    both = [own.site_id, other.site_id]
    assert list(await sites.by_ids(reader, reach, both)) == [own.site_id]
    assert list(await sites.pages_by_ids(reader, reach, [own.id, other.id])) == [own.id]
    assert [len(found) for found in (await sites.profiles_by_site(reader, reach, both)).values()] == [1, 0]
    listed = await sites.SITES.of(reader, reach, workspace_id, CHOICE, search=None, tags=[])
    assert [row.id for row in listed.rows] == [own.site_id]
    listed_pages = await sites.WORKSPACE_PAGES.of(reader, reach, workspace_id, CHOICE, **EVERY_PAGE)
    assert [row.id for row in listed_pages.rows] == [own.id]
    async with database.work(client) as work:
        await sites.update(work, site_id=own.site_id, name="Renamed")
        await schedules.create(work, site_id=own.site_id, name="Daily", cron="0 6 * * *")
        made = await audits.request(work, page_id=own.id)
        for refused in (
            sites.update(work, site_id=other.site_id, name="Renamed"),
            schedules.create(work, site_id=other.site_id, name="Daily", cron="0 6 * * *"),
            audits.request(work, page_id=other.id),
        ):
            with pytest.raises(NotFound):
                await refused
        for url in ("https://other.example/", "https://new.example/"):
            with pytest.raises(NotAllowed, match="You have single sites of this workspace"):
                await audits.request(work, url=url)
        with pytest.raises(NotAllowed):
            await sites.create(work, workspace_id=workspace_id, origin="https://new.example")
    assert list(await audits.by_ids(reader, reach, [made.id])) == [made.id]
    other_reach = Actor({workspace_id: Role.OWNER}, sites={workspace_id: frozenset({other.site_id})}).reach
    assert await audits.by_ids(reader, other_reach, [made.id]) == {}
