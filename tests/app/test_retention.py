"""Audits that are older than the installation keeps them are deleted by whoever acts as the scheduler."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from app import scheduler, settings
from app.errors import Unusable
from app.wiring import House
from domain import audits
from domain.access import Actor
from domain.paging import Window
from domain.work import StoredJob
from tests.app.houses import file, opened
from tests.app.test_scheduler import eventually_true, scheduling
from tests.databases import everybodys

ALL = {"profile": None, "environment": None, "since": None, "until": None}


async def aged(house: House, actor: Actor) -> audits.AuditRow:
    """The older one of two audits of a page, both of long ago."""
    ids = [await file(house, actor) for _ in range(2)]
    later = house.database._clock() + timedelta(days=400)  # type: ignore[attr-defined]
    house.database._clock = lambda: later  # type: ignore[attr-defined]
    async with everybodys(house.database) as connection:  # type: ignore[arg-type]
        await connection.execute(delete(StoredJob))
        for day, id in enumerate(ids):
            values = {"state": audits.AuditState.FINISHED, "finished_at": later - timedelta(days=40 - day)}
            await connection.execute(update(audits.Audit).where(audits.Audit.id == id).values(**values))
    return (await audits.by_ids(house.database.reader, actor.reach, ids))[ids[0]]


async def left(house: House, actor: Actor, audit: audits.AuditRow) -> int:
    return len((await audits.AUDITS.of(house.database.reader, actor.reach, audit.page_id, Window(), **ALL)).rows)


@pytest.mark.parametrize(("days", "number"), [(30, 1), (50, 2), (None, 2)])
async def test_old_audits_are_deleted_where_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int | None, number: int
) -> None:
    for name in ("STAND_BY_SECONDS", "TICK_SECONDS", "SWEEP_SECONDS", "TIDY_SECONDS"):
        monkeypatch.setattr(scheduler, name, 0.05)
    async with opened(tmp_path) as (house, actor):
        house = replace(house, settings=house.settings.model_copy(update={"audits_kept_days": days}))
        audit = await aged(house, actor)
        tidied = []
        sweep = audits.sweep_files

        async def swept(*given: object) -> int:
            tidied.append(given)
            return await sweep(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(audits, "sweep_files", swept)

        async def twice() -> bool:
            return len(tidied) >= 2

        async with scheduling(house):
            await eventually_true(twice)
        assert await left(house, actor, audit) == number


def test_audits_are_kept_for_a_month_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACEMARK_AUDITS_KEPT_DAYS", "29")
    with pytest.raises(Unusable, match="PACEMARK_AUDITS_KEPT_DAYS: Input should be greater than or equal to 30"):
        settings.load()
    monkeypatch.setenv("PACEMARK_AUDITS_KEPT_DAYS", "30")
    assert settings.load().audits_kept_days == 30
