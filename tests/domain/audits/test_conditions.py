"""What must be equal for two results to be compared: said by a finished audit in one word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from domain import audits
from domain.audits import Audit, Conditions, conditions_of, engine_major
from domain.measuring import EngineName, FormFactor, ThrottlingMethod
from infra.db import migrate
from infra.db.database import SqlDatabase
from tests.databases import everybodys
from tests.domain.audits.engines import ToldEngine
from tests.domain.audits.lines import Line, line
from tests.domain.audits.test_jobs import Bench, bench
from tests.servers import SERVICE

__all__ = ["bench"]

WORKSPACE = UUID(int=1)
GIVEN: dict[str, Any] = {
    "environment": "production",
    "profile_version": 1,
    "engine": EngineName.LIGHTHOUSE,
    "engine_version": "12.8.2",
    "form_factor": FormFactor.MOBILE,
    "throttling_method": ThrottlingMethod.SIMULATE,
    "rtt_ms": 150.0,
    "throughput_kbps": 1638.4,
    "cpu_slowdown": 4.0,
    "runner_pool": "default",
}
OTHERS: dict[str, Any] = {
    "environment": "ci",
    "profile_version": 2,
    "engine": EngineName.PAGESPEED,
    "engine_version": "13.0.0",
    "form_factor": FormFactor.DESKTOP,
    "throttling_method": ThrottlingMethod.DEVTOOLS,
    "rtt_ms": 151.0,
    "throughput_kbps": None,
    "cpu_slowdown": 1.0,
    "runner_pool": "berlin",
}


@pytest.mark.parametrize(
    ("version", "major"),
    [("12.8.2", 12), ("0.1", 0), ("7", 7), (None, None), ("", None), ("v12", None), ("²", None), ("99999999999.1", None)],
)
def test_a_major_is_the_versions_first_number(version: str | None, major: int | None) -> None:
    assert engine_major(version) == major


@pytest.mark.parametrize("name", GIVEN)
def test_whatever_differs_makes_other_conditions(name: str) -> None:
    assert conditions_of(WORKSPACE, **GIVEN).id != conditions_of(WORKSPACE, **{**GIVEN, name: OTHERS[name]}).id


def test_what_is_equal_has_the_same_id_in_a_workspace() -> None:
    made = conditions_of(WORKSPACE, **GIVEN)
    assert made == conditions_of(WORKSPACE, **{**GIVEN, "engine_version": "12.0", "rtt_ms": 150})
    assert made.id != conditions_of(UUID(int=2), **GIVEN).id
    assert made.id == UUID("36ec3679-6838-5d37-8ff6-23ebe0057d13"), "audits that are there are named so"


async def names(database: SqlDatabase) -> list[UUID | None]:
    async with everybodys(database) as connection:
        return list((await connection.execute(select(Audit.conditions_id).order_by(Audit.finished_at, Audit.id))).scalars())


async def test_a_finished_audit_names_its_conditions_and_equal_ones_are_kept_once(bench: Bench) -> None:
    finished = [await bench.request() for _ in range(2)]
    failed = await bench.request()
    for values in ((100.0,), (200.0,), ()):
        await bench.perform(ToldEngine(values))
    read = [await bench.read(id) for id in (*finished, failed)]
    assert [audit.state for audit in read] == ["FINISHED", "FINISHED", "FAILED"]
    first, second, none = (audit.conditions_id for audit in read)
    assert (first == second, none) == (True, None)
    assert first is not None
    found = await audits.conditions_by_ids(bench.database.reader, bench.actor.reach, [first])
    row = found[first]
    assert (row.environment, row.profile_version, row.engine, row.engine_major) == ("production", 1, "PROBE", 1)
    assert (row.form_factor, row.throttling_method, row.runner_pool) == ("DESKTOP", None, "default")
    other = await line(bench.database, "other")
    assert await audits.conditions_by_ids(bench.database.reader, other.actor.reach, [first]) == {}


async def test_audits_that_were_there_before_are_named_as_new_ones_are(database: SqlDatabase, owner_url: str) -> None:
    """Each with other conditions, down to the least number, and one that did not finish."""
    acme: Line = await line(database)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for name in (None, *GIVEN):
        await acme.add((at, 1.0), (at, 2.0), **{**GIVEN, **({name: OTHERS[name]} if name else {})})
    await acme.add((at, 1.0), rtt_ms=0.1 + 0.2, runner_pool="ä'\"\\ 🚀|", engine_version=None)
    await acme.add((at, 1.0), state=audits.AuditState.FAILED)
    async with everybodys(database) as connection:
        await connection.execute(update(Audit).where(Audit.state == "FAILED").values(conditions_id=None))
    before, kept = await names(database), await number(database)
    assert (len(before), len(set(before)), before.count(None)) == (24, 13, 1)
    await database.close()
    await migrate.downgrade(owner_url, "2026_11_23_0810-1")
    await migrate.upgrade(owner_url, service=None if database.is_sqlite else SERVICE)
    again = SqlDatabase(database.url)
    assert (await names(again), await number(again)) == (before, kept - 1)
    await again.close()


async def number(database: SqlDatabase) -> int:
    async with everybodys(database) as connection:
        return int((await connection.execute(select(func.count()).select_from(Conditions))).scalar_one())
