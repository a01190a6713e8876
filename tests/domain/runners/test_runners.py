"""Runners: the same name is the same runner."""

from __future__ import annotations

from datetime import UTC, datetime

from domain import runners
from domain.access import SYSTEM
from domain.ids import new_id
from domain.measuring import EngineName
from infra.db.database import SqlDatabase


async def test_a_runner_that_comes_back_keeps_its_id_and_says_what_it_is_now(database: SqlDatabase) -> None:
    database._clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    async with database.work(SYSTEM) as work:
        first = await runners.appear(work, name="here", location="Bonn", pool="a", engines=[EngineName.PROBE])
    database._clock = lambda: datetime(2026, 1, 2, tzinfo=UTC)
    async with database.work(SYSTEM) as work:
        engines = [EngineName.PROBE, EngineName.LIGHTHOUSE]
        assert await runners.appear(work, name="here", location="Rome", pool="b", engines=engines) == first
    (row,) = await runners.all_seen(database.reader)
    assert row == (first, "here", "Rome", "b", ["LIGHTHOUSE", "PROBE"], datetime(2026, 1, 2, tzinfo=UTC))
    assert await runners.by_ids(database.reader, [first, new_id()]) == {first: row}


async def test_runners_are_listed_by_name(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        for name in ("b", "c", "a"):
            await runners.appear(work, name=name, location="", pool="", engines=[])
    assert [row.name for row in await runners.all_seen(database.reader)] == ["a", "b", "c"]
