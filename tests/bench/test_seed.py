"""The seeded year: as many audits as were asked for, as our own reads find them, and the same each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from bench.peers.running import Failed
from bench.seed import seed
from domain import audits, sites
from domain.access import Actor
from domain.audits import AUDITS, Audit, AuditState, Latest
from domain.measuring import EngineName
from domain.paging import Slice, Window
from infra.db.connections import EVERYTHING, REACH
from infra.db.database import SqlDatabase
from tests.databases import new_workspace

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def owner(database: SqlDatabase) -> Actor:
    """Of the workspace `default`."""
    return (await new_workspace(database, "default"))[1]


def moment(id: UUID) -> datetime:
    """The time in a UUIDv7, in milliseconds."""
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=id.int >> 80)


async def test_a_year_of_audits_lies_evenly_on_all_pages_in_order(database: SqlDatabase, owner: Actor, owner_url: str) -> None:
    seeded = await seed(owner_url, audits=400, sites=2, pages=2, until=UNTIL)
    assert (len(seeded.sites), len(seeded.pages), seeded.audits) == (2, 4, 400)
    assert (seeded.since, seeded.until) == (UNTIL - timedelta(days=365), UNTIL)
    all_of_it = Window(100)
    given = {"profile": None, "environment": None, "since": None, "until": None}
    found = await AUDITS.under(database.reader, owner.reach, seeded.pages, all_of_it, **given)
    for number, page in enumerate(seeded.pages):
        history = found[page]
        assert isinstance(history, Slice)
        assert (len(history.rows), history.has_next) == (100, False)
        step = timedelta(days=365) / 400
        assert [row.requested_at for row in history.rows] == [
            seeded.since + step * (number + 4 * place) for place in reversed(range(100))
        ]
        for row in history.rows:
            assert moment(row.id) == row.requested_at
            assert row.finished_at is not None
            assert timedelta(seconds=20) < row.finished_at - row.requested_at < timedelta(seconds=90)
            assert (row.state, row.engine, row.site_id) == (
                AuditState.FINISHED,
                EngineName.LIGHTHOUSE,
                seeded.sites[number // 2],
            )
            assert row.profile_id == seeded.profile_id
            assert row.lcp_ms is None or 500 < row.lcp_ms < 10_000
            assert row.performance_score == row.scores[0]["score"]


async def test_the_newest_audit_of_each_page_is_that_of_its_sites_default_profile(
    database: SqlDatabase, owner: Actor, owner_url: str
) -> None:
    seeded = await seed(owner_url, audits=40, sites=2, pages=2, until=UNTIL)
    latest = await audits.latest(database.reader, owner.reach, seeded.pages, Latest())
    step = timedelta(days=365) / 40
    assert [latest[page].requested_at for page in seeded.pages] == [UNTIL - step * left for left in (4, 3, 2, 1)]


async def test_sites_and_pages_are_listed_in_the_order_of_their_ids(
    database: SqlDatabase, owner: Actor, owner_url: str
) -> None:
    seeded = await seed(owner_url, audits=1, sites=12, pages=11, until=UNTIL)
    (workspace,) = owner.roles
    listed = await sites.SITES.of(database.reader, owner.reach, workspace, Window(20), search=None, tags=[])
    assert [row.id for row in listed.rows] == seeded.sites
    assert [row.origin for row in listed.rows][::11] == ["https://site-01.example.com", "https://site-12.example.com"]
    pages = await sites.PAGES.of(database.reader, owner.reach, seeded.sites[1], Window(20))
    assert [row.id for row in pages.rows] == seeded.pages[11:22]
    assert [row.path for row in pages.rows][::10] == ["/", "/articles/10?from=home"]


async def test_the_same_options_give_the_same_audits(database: SqlDatabase, owner: Actor, owner_url: str) -> None:
    again = (await new_workspace(database, "again"))[0]
    for slug in ("default", "again"):
        await seed(owner_url, audits=100, sites=1, pages=1, workspace=slug, until=UNTIL)
    (workspace,) = owner.roles
    assert await numbers(database, workspace) == await numbers(database, again)


async def numbers(database: SqlDatabase, workspace: UUID) -> list[tuple[object, ...]]:
    columns = (Audit.requested_at, Audit.finished_at, Audit.lcp_ms, Audit.tbt_ms, Audit.cls, Audit.scores)
    async with database.writes.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(select(func.set_config(REACH, EVERYTHING, True)))
        statement = select(*columns).where(Audit.workspace_id == workspace).order_by(Audit.id)
        return [tuple(row) for row in await connection.execute(statement)]


async def test_a_workspace_that_has_sites_is_left_as_it_is(database: SqlDatabase, owner: Actor, owner_url: str) -> None:
    await seed(owner_url, audits=1, sites=1, pages=1)
    with pytest.raises(Failed, match="The workspace 'default' has sites already"):
        await seed(owner_url, audits=1)
    (workspace,) = owner.roles
    assert len(await numbers(database, workspace)) == 1


async def test_what_is_missing_is_named(database: SqlDatabase, owner_url: str) -> None:
    with pytest.raises(Failed, match="There is no workspace 'default': `pacemark keys create NAME` makes `default`"):
        await seed(owner_url, audits=1)
    with pytest.raises(Failed, match=r"A database is postgresql://owner@host/name or sqlite:////path/to/file\."):
        await seed("mysql://127.0.0.1/pacemark", audits=1)


async def test_a_database_that_is_not_migrated_is_not_filled(database_url: str) -> None:
    with pytest.raises(Failed, match="run `pacemark migrate` first"):
        await seed(database_url, audits=1)
