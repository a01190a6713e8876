"""With a year of 100,000 audits a read looks at what it gives, and not at all that there is: PostgreSQL's own plans say so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bench.seed import Seeded, seed
from domain import audits, sites
from domain.access import Reach
from domain.audits import Interval, Latest, SeriesKey, Statistic
from domain.measuring import MetricName
from domain.paging import Window
from infra.db import migrate
from infra.db.database import SqlDatabase
from infra.db.reader import SqlReader
from infra.db.sources import Source
from tests.databases import new_workspace
from tests.servers import SERVICE, PostgresServer

pytestmark = pytest.mark.slow

AUDITS = 100_000
PAGES = 200
OF_A_PAGE = AUDITS // PAGES
ALL = {"profile": None, "environment": None, "since": None, "until": None}
NAME = "growth"


@dataclass
class Scan:
    """How a table was read, and how many of its rows were looked at."""

    kind: str
    table: str
    rows: float
    heap_fetches: int
    loops: int


@dataclass
class Explained:
    """A source that has each statement explained, as it is sent, before it answers it."""

    source: Source
    statements: int = 0
    scans: list[Scan] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    async def fetch(self, text: str, values: Sequence[Any], record: type | None = None) -> Sequence[Any]:
        ((said,),) = await self.source.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values)
        self.statements += 1
        self.scans += scans(json.loads(said)[0]["Plan"])
        return await self.source.fetch(text, values, record)

    def of(self, table: str) -> list[Scan]:
        return [scan for scan in self.scans if scan.table == table]

    def kinds(self, table: str) -> set[str]:
        return {scan.kind for scan in self.of(table)}

    def rows(self, table: str = "audits") -> float:
        return sum(scan.rows for scan in self.of(table))


def scans(plan: dict[str, Any]) -> Iterator[Scan]:
    if "Relation Name" in plan:
        removed = sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
        rows = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
        yield Scan(plan["Node Type"], plan["Relation Name"], rows, plan.get("Heap Fetches", 0), plan["Actual Loops"])
    for below in plan.get("Plans", ()):
        yield from scans(below)


@pytest.fixture(scope="module")
def seeded(postgres_server: PostgresServer) -> Iterator[Seeded]:
    """As the service's role reads it, whom the policies hold back."""

    async def fill() -> Seeded:
        await postgres_server.create_database(NAME)
        owner = driven(postgres_server.url(NAME))
        await migrate.upgrade(owner, service=SERVICE)
        database = SqlDatabase(owner)
        try:
            await new_workspace(database, "default")
        finally:
            await database.close()
        made = await seed(owner, audits=AUDITS, sites=20, pages=PAGES // 20)
        # These servers do not wait for a disk: what is not there yet, a vacuum takes for too new to be seen by everybody.
        connection = await asyncpg.connect(postgres_server.url(NAME))
        try:
            await connection.execute("checkpoint")
            await connection.execute("vacuum (analyze) audits")
        finally:
            await connection.close()
        return made

    yield asyncio.run(fill())
    asyncio.run(postgres_server.drop_database(NAME))


def driven(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


@pytest.fixture
async def service(seeded: Seeded, postgres_server: PostgresServer) -> AsyncGenerator[SqlDatabase, None]:
    database = SqlDatabase(driven(postgres_server.settings(NAME)["database_url"]))
    yield database
    await database.close()


@dataclass
class Reading:
    """Each read is done with a reader of its own, whose plans stay."""

    database: SqlDatabase
    there: Seeded

    @property
    def reach(self) -> Reach:
        return Reach.whole(self.there.workspace_id)

    def plans(self) -> tuple[SqlReader, Explained]:
        explained = Explained(self.database.reader.source)
        return SqlReader(explained), explained

    def key(self, page: UUID, interval: Interval, *metrics: MetricName, **given: Any) -> SeriesKey:
        return SeriesKey(page, self.there.profile_id, audits.PRODUCTION, metrics, interval=interval, **given)


@pytest.fixture
def here(service: SqlDatabase, seeded: Seeded) -> Reading:
    return Reading(service, seeded)


@pytest.mark.parametrize("number", [1, PAGES])
async def test_the_latest_audits_of_pages_are_a_look_into_the_index_each(here: Reading, number: int) -> None:
    reader, plans = here.plans()
    assert len(await audits.latest(reader, here.reach, here.there.pages[:number], Latest())) == number
    assert plans.statements == 1
    assert "Seq Scan" not in plans.kinds("audits")
    assert plans.rows() <= 4 * number


@pytest.mark.parametrize(("number", "size"), [(1, 100), (50, 20)])
async def test_the_first_audits_of_pages_are_read_and_no_others(here: Reading, number: int, size: int) -> None:
    reader, plans = here.plans()
    found = await audits.AUDITS.under(reader, here.reach, here.there.pages[:number], Window(size), **ALL)
    assert sum(len(slice.rows) for slice in found.values()) == number * size  # type: ignore[union-attr]
    assert plans.statements == 1
    assert "Seq Scan" not in plans.kinds("audits")
    assert plans.rows() <= 2 * number * (size + 1)


async def test_sites_and_pages_are_found_without_a_look_at_audits(here: Reading) -> None:
    reader, plans = here.plans()
    given = {"search": None, "tags": None}
    found = await sites.SITES.under(reader, here.reach, [here.there.workspace_id], Window(20), **given)
    pages = await sites.PAGES.under(reader, here.reach, here.there.sites, Window(10))
    assert (len(found), sum(len(slice.rows) for slice in pages.values())) == (1, PAGES)  # type: ignore[union-attr]
    assert len(await sites.pages_by_ids(reader, here.reach, here.there.pages[:1])) == 1
    assert (plans.statements, plans.of("audits")) == (3, [])


@pytest.mark.parametrize("statistic", [Statistic.P50, Statistic.MEAN])
async def test_a_year_of_what_is_charted_is_read_from_the_index_alone(here: Reading, statistic: Statistic) -> None:
    reader, plans = here.plans()
    asked = here.key(here.there.pages[7], Interval.DAY, MetricName.LCP, MetricName.CLS, statistic=statistic)
    found = await audits.histories(reader, here.reach, [asked])
    assert [series.points[0].at.hour for series in found[asked]] == [0, 0]  # type: ignore[union-attr]
    assert plans.statements == 2
    assert plans.kinds("audits") == {"Index Only Scan"}
    assert sum(scan.heap_fetches for scan in plans.of("audits")) == 0
    assert plans.rows() == 2 * OF_A_PAGE


async def test_an_interval_that_is_chosen_takes_no_look_more(here: Reading) -> None:
    reader, plans = here.plans()
    asked = here.key(here.there.pages[7], Interval.AUTO, MetricName.LCP)
    (series,) = (await audits.histories(reader, here.reach, [asked]))[asked]  # type: ignore[misc]
    assert series.interval is Interval.DAY  # type: ignore[union-attr]
    assert plans.statements == 2
    assert plans.kinds("audits") == {"Index Only Scan"}
    assert plans.rows() == 2 * OF_A_PAGE


async def test_the_last_audits_of_intervals_are_a_look_into_the_index_each(here: Reading) -> None:
    asked = here.key(here.there.pages[7], Interval.WEEK, MetricName.LCP)
    (series,) = (await audits.histories(here.database.reader, here.reach, [asked]))[asked]  # type: ignore[misc]
    reader, plans = here.plans()
    wanted = [point.last for point in series.points if point.last is not None]  # type: ignore[union-attr]
    assert len(await audits.at_ends(reader, here.reach, wanted)) == len(wanted) > 50
    assert (plans.statements, plans.kinds("audits")) == (1, {"Index Scan"})
    assert plans.rows() == len(wanted)


async def test_a_comparison_reads_the_index_of_its_pages_or_sites_alone(here: Reading) -> None:
    """Three times: which audits there are, their points, and all of them in numbers."""
    asked = audits.Comparison(here.there.workspace_id, MetricName.LCP, interval=Interval.WEEK)
    of_a_site = PAGES // len(here.there.sites)
    for which, pages in (({"pages": (*here.there.pages[:20],)}, 20), ({"sites": (*here.there.sites[:2],)}, 2 * of_a_site)):
        reader, plans = here.plans()
        assert len(await audits.compare(reader, here.reach, asked._replace(**which))) == len(*which.values())
        assert plans.kinds("audits") == {"Index Only Scan"}
        assert plans.rows() == 3 * pages * OF_A_PAGE


async def test_a_month_is_a_month_of_the_index(here: Reading) -> None:
    reader, plans = here.plans()
    since = here.there.until - timedelta(days=30)
    asked = [here.key(page, Interval.AUTO, MetricName.LCP, since=since) for page in here.there.pages[:20]]
    found = await audits.histories(reader, here.reach, asked)
    assert {len(answer) for answer in found.values()} == {1}  # type: ignore[arg-type]
    assert plans.statements == 2
    assert "Seq Scan" not in plans.kinds("audits")
    assert plans.rows() <= 2 * 20 * (OF_A_PAGE * 30 // 365 + 2)


async def test_what_is_not_charted_is_read_from_the_pages_rows_alone(here: Reading) -> None:
    reader, plans = here.plans()
    asked = here.key(here.there.pages[7], Interval.WEEK, MetricName.DOM_SIZE)
    await audits.histories(reader, here.reach, [asked])
    assert "Seq Scan" not in plans.kinds("audits")
    assert plans.rows() <= 2 * OF_A_PAGE
