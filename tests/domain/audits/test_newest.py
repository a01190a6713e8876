"""The newest audit of a page, and what it is compared with: under equal conditions, whoever finishes at the same time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, or_, select, update

from domain import audits, metrics, sites
from domain.access import SYSTEM
from domain.audits import WATCHED, Audit, ChangeRow, LatestAudit, PageOrderBy, Ranking, settle
from domain.audits.newest import baseline_of, change_of
from domain.errors import InvalidInput
from domain.measuring import EngineName, FormFactor, MetricName
from domain.metrics import Rating
from domain.paging import Window
from infra.db import migrate
from infra.db.database import SqlDatabase
from tests.databases import everybodys, new_page
from tests.domain.audits.benches import Taker, Tenant, taker, tenant
from tests.domain.audits.engines import ToldEngine
from tests.domain.audits.lines import Line, line

START = datetime(2026, 1, 1, tzinfo=UTC)
FIVE = (100.0, 110.0, 90.0, 100.0, 300.0)


@pytest.fixture
async def acme(database: SqlDatabase) -> Line:
    return await line(database)


def hours(*ttfbs: float, first: int = 0) -> list[tuple[datetime, float | None]]:
    return [(START + timedelta(hours=first + number), ttfb) for number, ttfb in enumerate(ttfbs)]


async def settled(acme: Line, *ids: UUID) -> None:
    rows = await audits.by_ids(acme.database.reader, acme.actor.reach, ids)
    for id in ids:
        async with acme.database.work(SYSTEM) as work:
            await settle(work, rows[id])


async def change(acme: Line, metric: MetricName = MetricName.TTFB, **which: Any) -> tuple[Any, ...] | None:
    """Value, baseline, change, number of audits before, rating."""
    row = await changed(acme, metric, **which)
    return row[:5] if row is not None else None


async def changed(acme: Line, metric: MetricName = MetricName.TTFB, **which: Any) -> ChangeRow | None:
    found = await audits.changes(acme.database.reader, acme.actor.reach, [acme.page.id], Ranking(metric, **which))
    return found.get(acme.page.id)


async def newest(database: SqlDatabase) -> list[UUID]:
    async with database.work(SYSTEM) as work:
        return list((await work.db.execute(select(LatestAudit.audit_id))).scalars())


async def test_what_is_finished_is_compared_with_the_middle_of_those_before_it(database: SqlDatabase, tmp_path: Path) -> None:
    acme, here = await tenant(database), await taker(database, tmp_path / "files")
    seen = []
    for ttfb in FIVE:
        (id,) = await acme.request()
        await here.perform(ToldEngine((ttfb,)))
        page = (await acme.read(id)).page_id
        seen.append((await audits.changes(database.reader, acme.actor.reach, [page], Ranking(MetricName.TTFB)))[page])
    assert [(row.baseline, row.audits) for row in seen] == [(None, 0), (None, 1), (105.0, 2), (100.0, 3), (100.0, 4)]
    assert seen[4][:5] == (300.0, 100.0, 2.0, 4, Rating.GOOD)
    assert await newest(database) == [id]


async def test_no_more_than_five_before_it_are_looked_at(acme: Line) -> None:
    ids = await acme.add(*hours(900, 900, 900, 900, 10, 20, 30, 40, 50, 60))
    await settled(acme, ids[-1])
    assert await change(acme) == (60.0, 30.0, 1.0, 5, Rating.GOOD)


async def test_confirmations_are_no_part_of_what_was_before(acme: Line) -> None:
    """What got worse, and was measured again for that, would be what it always was."""
    ids = await acme.add(*hours(100, 100, 100, 300, 300, 300, 300))
    async with acme.database.work(SYSTEM) as work:
        await work.db.execute(update(Audit).where(or_(*(Audit.id == id for id in ids[4:6]))).values(confirms=True))
    await settled(acme, ids[-1])
    assert await change(acme) == (300.0, 100.0, 2.0, 4, Rating.GOOD)


@pytest.mark.parametrize(
    "other",
    [
        {"profile_version": 2},
        {"engine_version": "2.9"},
        {"form_factor": FormFactor.MOBILE},
        {"cpu_slowdown": 4.0},
        {"runner_pool": "elsewhere"},
        {"environment": "preview"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_what_was_measured_under_other_conditions_is_compared_with_nothing(acme: Line, other: dict[str, Any]) -> None:
    await acme.add(*hours(100, 100, 100), engine_version="1.2")
    ids = await acme.add(*hours(200, first=3), **{"engine_version": "1.3", **other})
    await settled(acme, *ids)
    found = await change(acme, environment=other.get("environment", "production"))
    assert found == (200.0, None, None, 0, Rating.GOOD)


@pytest.mark.parametrize(("version", "later"), [("1.2.0", "1.10.0"), ("of-monday", "of-tuesday")])
async def test_of_the_same_major_version_it_is_compared(acme: Line, version: str, later: str) -> None:
    """What has no number has no major version: so `conditions_of` says, and so it is everywhere."""
    await acme.add(*hours(100, 100), engine_version=version)
    (id,) = await acme.add(*hours(200, first=3), engine_version=later)
    await settled(acme, id)
    assert await change(acme) == (200.0, 100.0, 1.0, 2, Rating.GOOD)
    assert list((await audits.before(acme.database.reader, acme.actor.reach, [id], 5))[id]) != []


async def test_what_did_not_measure_a_metric_does_not_count_for_it(acme: Line) -> None:
    ids = await acme.add(*hours(100), (START + timedelta(hours=1), None), *hours(120, 200, first=2))
    await settled(acme, ids[-1])
    assert await change(acme) == (200.0, 110.0, 90 / 110, 3, Rating.GOOD)
    assert await change(acme, MetricName.LCP) is None


async def test_from_next_to_nothing_a_change_is_still_a_number(acme: Line) -> None:
    await acme.add(*hours(1, 1), tbt_ms=0.0, cls=0.0, performance_score=1.0)
    await settled(acme, *await acme.add(*hours(1.001, first=2), tbt_ms=300.0, cls=0.1, performance_score=0.5))
    found = [await change(acme, metric) for metric in (MetricName.TBT, MetricName.CLS, MetricName.PERFORMANCE_SCORE)]
    assert [round(row[2] or 0, 6) for row in found if row] == [30.0, 10.0, -0.5]
    assert metrics.relative_change(MetricName.TTFB, 1.001, 1.0) == pytest.approx(0.0001)


async def test_an_older_one_that_finishes_later_stays_behind_and_counts(acme: Line) -> None:
    first, second, third, late = await acme.add(*hours(100, 200, 300), (START + timedelta(minutes=90), 400))
    await settled(acme, first, second, third, late)
    assert await newest(acme.database) == [third]
    assert await change(acme) == (300.0, 200.0, 0.5, 3, Rating.GOOD)


async def test_of_two_that_finished_in_the_same_moment_the_later_asked_for_is_the_newest(acme: Line) -> None:
    first, second = await acme.add(*hours(100), *hours(200))
    await settled(acme, second, first)
    assert await newest(acme.database) == [second]


async def test_two_that_finish_at_once_both_count(database: SqlDatabase, tmp_path: Path) -> None:
    acme, here = await tenant(database), await taker(database, tmp_path / "files")
    ids = await acme.request(*["http://127.0.0.1:1/"] * 8)
    claims = [await here.take() for _ in ids]
    await asyncio.gather(*(here.perform(ToldEngine((100.0,)), claim) for claim in claims))
    rows = [await acme.read(id) for id in ids]
    (last,) = await newest(database)
    assert last == max(rows, key=lambda row: (row.finished_at, row.id)).id
    page = rows[0].page_id
    found = await audits.changes(database.reader, acme.actor.reach, [page], Ranking(MetricName.TTFB))
    assert found[page][:5] == (100.0, 100.0, 0.0, 5, Rating.GOOD)


async def test_an_audit_may_finish_while_its_page_is_deleted(database: SqlDatabase, tmp_path: Path) -> None:
    acme, here = await tenant(database), await taker(database, tmp_path / "files")
    await _finished(acme, here)
    await acme.request()
    claim = await here.take()
    assert claim is not None

    async def forget() -> None:
        async with database.work(acme.actor) as work:
            await sites.delete_page(work, page_id=claim.audit.page_id)

    async with asyncio.timeout(20):
        await asyncio.gather(here.perform(ToldEngine((1.0,)), claim), forget())
    assert await newest(database) == []


async def _finished(acme: Tenant, here: Taker) -> UUID:
    (id,) = await acme.request()
    await here.perform(ToldEngine((1.0,)))
    return id


async def test_it_says_when_and_under_which_conditions_it_was_measured(acme: Line) -> None:
    (id,) = await acme.add(*hours(100, first=3))
    await settled(acme, id)
    audit = (await audits.by_ids(acme.database.reader, acme.actor.reach, [id]))[id]
    found = await changed(acme)
    assert found is not None
    assert found.conditions_id is not None
    assert (found.finished_at, found.conditions_id) == (START + timedelta(hours=3), audit.conditions_id)


async def test_it_goes_with_its_audit(acme: Line) -> None:
    (id,) = await acme.add(*hours(100))
    await settled(acme, id)
    async with everybodys(acme.database) as connection:
        await connection.execute(delete(Audit).where(Audit.id == id))
    assert await newest(acme.database) == []


async def test_what_it_was_compared_with_may_be_forgotten(acme: Line) -> None:
    ids = await acme.add(*hours(100, 100, 200))
    await settled(acme, *ids)
    acme.database._clock = lambda: START + timedelta(days=4_000)
    async with acme.database.work(SYSTEM) as work:
        assert await audits.forget(work, timedelta(days=90)) == 2
    assert await newest(acme.database) == [ids[2]]
    assert await change(acme) == (200.0, 100.0, 1.0, 2, Rating.GOOD)


async def pages(acme: Line, by: PageOrderBy, metric: MetricName = MetricName.TTFB, size: int = 100, **given: Any) -> list[str]:
    """The paths in order, read page by page of the list."""
    ranking = Ranking(metric, **{name: given.pop(name) for name in ("profile_id", "environment") if name in given})
    values = {"search": None, "tags": [], "any_tag": True, "any_site": True, "sites": []}
    values |= {"any_rating": True, "ratings": [], "worse_than": None}
    values |= {"profile": ranking.profile_id, "environment": ranking.environment, **given}
    found: list[str] = []
    window = Window(size)
    while True:
        slice = await audits.ranked(by, metric).of(
            acme.database.reader, acme.actor.reach, acme.page.workspace_id, window, **values
        )
        found += [row.path for row in slice.rows]
        if not slice.has_next:
            return found
        window = Window(size, slice.cursors[-1])


@pytest.fixture
async def ranks(acme: Line) -> Line:
    """Pages by their TTFB and its change: /slow is slow, /worse got worse, /new has nothing before it, / has no audit."""
    for path, ttfbs in (("slow", (5000, 5000, 5000)), ("worse", (100, 100, 900)), ("new", (2000,)), ("better", (500, 500, 50))):
        async with acme.database.work(acme.actor) as work:
            page = await new_page(work, acme.page.workspace_id, f"https://acme.example/{path}")
        ids = await acme.add(*hours(*ttfbs), page_id=page.id, performance_score=1 / ttfbs[-1])
        await settled(acme, *ids)
    return acme


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_the_worst_value_comes_first_and_what_is_not_known_last(ranks: Line, size: int) -> None:
    assert await pages(ranks, PageOrderBy.VALUE, size=size) == ["/slow", "/new", "/worse", "/better", "/"]
    assert await pages(ranks, PageOrderBy.VALUE, MetricName.PERFORMANCE_SCORE, size=size) == [
        "/slow",
        "/new",
        "/worse",
        "/better",
        "/",
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_what_got_worse_most_comes_first(ranks: Line, size: int) -> None:
    assert await pages(ranks, PageOrderBy.CHANGE, size=size) == ["/worse", "/slow", "/better", "/new", "/"]


async def test_pages_are_found_by_rating_change_and_site(ranks: Line) -> None:
    found = await pages(ranks, PageOrderBy.VALUE, any_rating=False, ratings=["POOR", "NEEDS_IMPROVEMENT"])
    assert found == ["/slow", "/new", "/worse"]
    assert await pages(ranks, PageOrderBy.NAME, any_rating=False, ratings=["GOOD"]) == ["/better"]
    assert await pages(ranks, PageOrderBy.NEWEST, any_rating=False, ratings=["POOR"]) == ["/new", "/slow"]
    assert await pages(ranks, PageOrderBy.CHANGE, worse_than=0.1) == ["/worse"]
    assert await pages(ranks, PageOrderBy.CHANGE, any_site=False, sites=[]) == []
    assert len(await pages(ranks, PageOrderBy.CHANGE, any_site=False, sites=[ranks.page.site_id])) == 5
    assert await pages(ranks, PageOrderBy.VALUE, environment="preview", any_rating=False, ratings=["POOR"]) == []


@pytest.mark.parametrize("metric", [MetricName.LCP, MetricName.PERFORMANCE_SCORE, MetricName.REQUEST_COUNT])
async def test_the_database_rates_as_the_catalogue_does(acme: Line, metric: MetricName) -> None:
    (id,) = await acme.add(*hours(1))
    await settled(acme, id)
    for engine in EngineName:
        for form_factor in FormFactor:
            limits = metrics.CATALOGUE[metric].thresholds(engine, form_factor)
            for value in (limits.good, limits.poor, (limits.good + limits.poor) / 2, limits.poor * 2) if limits else (1.0,):
                async with everybodys(acme.database) as connection:
                    values = {"engine": engine, "form_factor": form_factor, metric.value: value}
                    await connection.execute(update(LatestAudit).values(**values))
                rating = metrics.rating(metric, value, engine, form_factor)
                for each in Rating:
                    found = await pages(acme, PageOrderBy.VALUE, metric, any_rating=False, ratings=[each.value])
                    assert (len(found) == 1) == (each is rating)


async def test_pages_are_not_compared_by_every_metric() -> None:
    with pytest.raises(InvalidInput, match="not by DNS"):
        audits.check_watched(MetricName.DNS)
    columns = LatestAudit.__table__.c
    assert [name for each in WATCHED for name in (each.value, baseline_of(each), change_of(each)) if name not in columns] == []


async def test_what_was_measured_before_there_was_such_a_table_is_in_it(acme: Line, owner_url: str) -> None:
    ids = await acme.add(*hours(900, 900, 100, 110, 120, 130, 140, 1000), tbt_ms=0.0, engine_version="1.2")
    preview = await acme.add(*hours(5), environment="preview")
    await settled(acme, ids[-1], preview[0])
    columns = LatestAudit.__table__
    async with everybodys(acme.database) as connection:
        before = sorted((await connection.execute(select(columns))).all(), key=str)
    await migrate.downgrade(owner_url, "2026_11_23_0830")
    await migrate.upgrade(owner_url, service=None)
    database = SqlDatabase(owner_url)
    async with everybodys(database) as connection:
        assert sorted((await connection.execute(select(columns))).all(), key=str) == before
        assert len(before) == 2
    await database.close()
