"""The worst of 8,000 pages is found in a moment, by the service's own role: PostgreSQL's own plans say how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain import audits
from domain.access import Reach
from domain.audits import PageOrderBy, Ranking
from domain.measuring import MetricName
from domain.paging import Window
from domain.sites import PROFILE_SEEDS
from infra.db import migrate
from infra.db.database import SqlDatabase
from infra.db.reader import SqlReader
from tests.databases import new_workspace
from tests.domain.audits.test_growth import Explained, driven
from tests.servers import SERVICE, PostgresServer

pytestmark = pytest.mark.slow

NAME = "mornings"
SITES, PAGES = 40, 8_000
PROFILES = len(PROFILE_SEEDS)
ROWS = 2 * PROFILES * PAGES
"""In both workspaces."""

PLACES = """
INSERT INTO sites (id, workspace_id, default_profile_id, slug, name, origin, tags, created_at)
SELECT gen_random_uuid(), w.id, (SELECT id FROM profiles WHERE workspace_id = w.id AND name = 'Lighthouse mobile'),
  'site-' || n, 'Site ' || n, 'https://site-' || n || '.example', '[]', now()
FROM workspaces w, generate_series(1, {sites}) n;
INSERT INTO pages (id, workspace_id, site_id, name, path, created_at)
SELECT gen_random_uuid(), workspace_id, id, 'Page ' || n, '/' || n, now() FROM sites, generate_series(1, {each}) n;
INSERT INTO audits (id, workspace_id, site_id, page_id, profile_id, profile_version, environment, engine, form_factor, state,
  requested_by, requested_url, requested_at, finished_at, phase, runs, scores, user_timings)
SELECT gen_random_uuid(), p.workspace_id, p.site_id, p.id, f.id, 1, 'production', f.engine, f.form_factor, 'FINISHED',
  'somebody', 'https://site.example/', now(), now(), 'ENDED', 1, '[]', '[]'
FROM pages p JOIN profiles f ON f.workspace_id = p.workspace_id;
INSERT INTO latest_audits (page_id, profile_id, environment, workspace_id, site_id, audit_id, finished_at, engine, form_factor,
  compared, lcp_ms, lcp_ms_baseline, lcp_ms_change)
SELECT page_id, profile_id, environment, workspace_id, site_id, id, finished_at, engine, form_factor, 5, value, 2000,
  (value - 2000) / 2000
FROM (SELECT *, (hashint8extended(hashtext(id::text), 1) & 1048575) / 100.0 AS value FROM audits) made;
"""


@pytest.fixture(scope="module")
def workspaces(postgres_server: PostgresServer) -> Iterator[list[UUID]]:
    """Two, as large as each other; with all profiles that new ones begin with."""

    async def fill() -> list[UUID]:
        await postgres_server.create_database(NAME)
        owner = driven(postgres_server.url(NAME))
        await migrate.upgrade(owner, service=SERVICE)
        database = SqlDatabase(owner)
        try:
            made = [(await new_workspace(database, slug))[0] for slug in ("acme", "other")]
        finally:
            await database.close()
        connection = await asyncpg.connect(postgres_server.url(NAME))
        try:
            await connection.execute("set pacemark.reach = '*'; set session_replication_role = replica")
            await connection.execute(PLACES.format(sites=SITES, each=PAGES // SITES))
            await connection.execute("checkpoint")
            await connection.execute("vacuum (analyze) pages, sites, audits, latest_audits")
        finally:
            await connection.close()
        return made

    yield asyncio.run(fill())
    asyncio.run(postgres_server.drop_database(NAME))


@pytest.fixture
async def service(workspaces: list[UUID], postgres_server: PostgresServer) -> AsyncGenerator[SqlDatabase, None]:
    database = SqlDatabase(driven(postgres_server.settings(NAME)["database_url"]))
    yield database
    await database.close()


def given(**values: Any) -> dict[str, Any]:
    every = {"search": None, "tags": [], "any_tag": True, "any_site": True, "sites": []}
    every |= {"any_rating": True, "ratings": [], "worse_than": None, "profile": None, "environment": "production"}
    return {**every, **values}


@pytest.mark.parametrize("by", [PageOrderBy.VALUE, PageOrderBy.CHANGE])
@pytest.mark.parametrize("narrowed", [{}, {"any_rating": False, "ratings": ["POOR"], "worse_than": 0.05}], ids=["all", "poor"])
async def test_the_worst_of_a_workspace_are_found_by_one_look_at_all_newest_audits(
    service: SqlDatabase, workspaces: list[UUID], by: PageOrderBy, narrowed: dict[str, Any]
) -> None:
    plans = Explained(service.reader.source)
    keyset, reach, workspace = audits.ranked(by, MetricName.LCP), Reach.whole(workspaces[0]), workspaces[0]
    first = await keyset.of(SqlReader(plans), reach, workspace, Window(100), **given(**narrowed))
    second = await keyset.of(SqlReader(plans), reach, workspace, Window(100, first.cursors[-1]), **given(**narrowed))
    assert (len({row.id for row in (*first.rows, *second.rows)}), plans.statements) == (200, 2)
    badness = [row.badness for row in (*first.rows, *second.rows)]
    assert badness == sorted(badness, reverse=True)
    assert plans.of("audits") == []
    assert plans.rows("pages") <= 2 * PAGES
    assert plans.rows("latest_audits") <= 2 * ROWS
    assert max(scan.loops for scan in plans.of("latest_audits")) <= 8  # of processes side by side, not of pages


async def test_how_pages_stand_is_a_look_into_the_index_each(service: SqlDatabase, workspaces: list[UUID]) -> None:
    keyset, reach = audits.ranked(PageOrderBy.VALUE, MetricName.LCP), Reach.whole(workspaces[0])
    pages = [row.id for row in (await keyset.of(service.reader, reach, workspaces[0], Window(100), **given())).rows]
    plans = Explained(service.reader.source)
    assert len(await audits.changes(SqlReader(plans), reach, pages, Ranking(MetricName.LCP))) == 100
    assert plans.kinds("latest_audits") <= {"Index Scan"}
    assert plans.rows("latest_audits") <= 100
