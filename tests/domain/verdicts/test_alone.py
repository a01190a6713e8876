"""An audit that is part of no snapshot is held against budgets, and tells whether its page can be measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from domain import alerts, audits, budgets, jobs, verdicts
from domain.measuring import EngineFailure, FailureKind
from infra.db.database import SqlDatabase
from tests.databases import everybodys
from tests.domain.audits.benches import Taker, Tenant, taker, tenant
from tests.domain.audits.engines import ToldEngine
from tests.domain.budgets.benches import METRIC

BROKEN = EngineFailure(FailureKind.PAGE, "HTTP_ERROR", "It answered 500.")


@pytest.fixture
async def acme(database: SqlDatabase) -> Tenant:
    return await tenant(database)


@pytest.fixture
async def here(database: SqlDatabase, tmp_path: Path) -> Taker:
    return await taker(database, tmp_path / "files")


async def measure(acme: Tenant, here: Taker, engine: ToldEngine) -> list[tuple[str, bool]]:
    """One audit asked for, measured and looked at: the alerts that there are then, and whether they are open."""
    [id] = await acme.request()
    await here.perform(engine)
    claim = await verdicts.take_alone(acme.database)
    assert claim is not None
    assert claim.job.subject == id
    await verdicts.perform_alone(acme.database, claim)
    with pytest.raises(jobs.ClaimLost):
        await verdicts.perform_alone(acme.database, claim)
    table = alerts.Alert
    async with everybodys(acme.database) as connection:
        rows = await connection.execute(select(table.kind, table.resolved_at).order_by(table.id))
        return [(row.kind, row.resolved_at is None) for row in rows]


async def test_a_budget_that_it_breaks_is_an_alert_until_one_keeps_it(acme: Tenant, here: Taker) -> None:
    async with acme.database.work(acme.actor) as work:
        await budgets.create(work, workspace_id=acme.id, settings=METRIC._replace(subject="ttfb_ms", limit_value=150))
    found = [await measure(acme, here, ToldEngine((level,))) for level in (100, 200, 100)]
    assert found == [[], [("BREACH", True)], [("BREACH", False)]]


async def test_a_page_that_fails_is_an_alert_where_it_was_measured_before(acme: Tenant, here: Taker) -> None:
    engines = [ToldEngine((), BROKEN), ToldEngine((100,)), ToldEngine((), BROKEN), ToldEngine((100,))]
    found = [await measure(acme, here, engine) for engine in engines]
    assert found == [[], [], [("FAILURE", True)], [("FAILURE", False)]]


async def test_those_of_a_snapshot_are_looked_at_with_it(acme: Tenant, here: Taker) -> None:
    [id] = await acme.request()
    await here.perform(ToldEngine((100,)))
    row = await acme.read(id)
    async with acme.database.work(acme.actor) as work:
        await audits.request_all(
            work,
            workspace_id=acme.id,
            site_id=row.site_id,
            targets=[(row.page_id, row.profile_id)],
            environment="production",
            runs=1,
            priority=0,
            snapshot_id=row.id,
        )
    assert await verdicts.take_alone(acme.database) is not None
    await here.perform(ToldEngine((100,)))
    assert await verdicts.take_alone(acme.database) is None
