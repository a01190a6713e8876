"""The two conditions that take many values, and the time that both databases hold alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import update

from domain import accounts, runners
from domain.access import SYSTEM
from domain.base import Query, contains_all, one_of, query
from domain.ids import new_id
from domain.measuring import EngineName
from infra.db.database import SqlDatabase
from tests.databases import Counter

HARD = ["plain", "", "Zürich 🚀", 'it\'s "quoted" \\ {and}', "a,b", "%_", "null", "1", "é", "é"]


class Named(NamedTuple):
    id: UUID
    name: str


class Seen(NamedTuple):
    name: str
    engines: list[str]


NAMED = query(Named, accounts.User)
BY_NAME = NAMED.where(one_of(accounts.User.name, "names"))
BY_ID = NAMED.where(one_of(accounts.User.id, "ids"))
ABLE = query(Seen, runners.Runner).where(contains_all(runners.Runner.engines, "engines"))


async def people(database: SqlDatabase, *names: str) -> list[UUID]:
    async with database.work(SYSTEM) as work:
        return [await accounts.register(work, name=name) for name in names]


async def names(database: SqlDatabase, wanted: list[str | None]) -> set[str]:
    return {row.name for row in await database.reader.all(BY_NAME, names=wanted)}


async def test_one_of_finds_each_value_exactly_as_it_was_written(database: SqlDatabase) -> None:
    await people(database, *HARD)
    assert await names(database, list(HARD)) == set(HARD)
    for name in HARD:
        assert await names(database, [name]) == {name}


async def test_one_of_no_values_finds_nothing(database: SqlDatabase) -> None:
    await people(database, "one")
    assert await names(database, []) == set()


async def test_one_of_a_thousand_ids_finds_those_that_are_there(database: SqlDatabase) -> None:
    ids = await people(database, "one", "two", "three")
    found = await database.reader.all(BY_ID, ids=[*(new_id() for _ in range(997)), *ids])
    assert {row.id for row in found} == set(ids)


async def test_one_of_the_same_value_many_times_finds_it_once(database: SqlDatabase) -> None:
    (id,) = await people(database, "one")
    assert [row.id for row in await database.reader.all(BY_ID, ids=[id] * 50)] == [id]


@pytest.mark.parametrize("number", [1, 3])
async def test_what_no_column_can_hold_is_found_nowhere_and_breaks_nothing(database: SqlDatabase, number: int) -> None:
    await people(database, "one")
    assert await names(database, ["a\x00b", "\ud800", None][:number]) == set()
    assert await names(database, ["one", "a\x00b", "\udfff", None]) == {"one"}


async def test_the_statement_is_the_same_however_many_values_there_are(database: SqlDatabase) -> None:
    counter = Counter(database)
    for number in (0, 1, 1_000):
        await database.reader.all(BY_ID, ids=[new_id() for _ in range(number)])
        await database.reader.all(ABLE, engines=[str(each) for each in range(number)])
    assert len(counter) == 6
    assert len(set(counter.statements)) == 2


async def test_a_parameter_is_never_part_of_the_statement(database: SqlDatabase) -> None:
    await people(database, "one")
    counter = Counter(database)
    attack = "x') OR 1=1 --"
    assert await names(database, [attack]) == set()
    assert attack not in counter.statements[0]


async def able(database: SqlDatabase, wanted: list[str]) -> set[str]:
    return {row.name for row in await database.reader.all(ABLE, engines=wanted)}


async def test_contains_all_wants_every_value(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        for name, engines in {"both": [EngineName.PROBE, EngineName.LIGHTHOUSE], "one": [EngineName.PROBE], "none": []}.items():
            await runners.appear(work, name=name, location="", pool="", engines=engines)
    assert await able(database, []) == {"both", "one", "none"}
    assert await able(database, ["PROBE"]) == {"both", "one"}
    assert await able(database, ["PROBE", "LIGHTHOUSE"]) == {"both"}
    assert await able(database, ["PROBE", "PROBE"]) == {"both", "one"}
    assert await able(database, ["PROB"]) == set()
    assert await able(database, ["PROBE", "0"]) == set()


async def test_contains_all_compares_hard_texts_exactly(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        await runners.appear(work, name="hard", location="", pool="", engines=[])
        await work.db.execute(update(runners.Runner).values(engines=HARD))
    assert await able(database, HARD) == {"hard"}
    for text in HARD:
        assert await able(database, [text]) == {"hard"}
    assert await able(database, ["plain", "a\x00b"]) == set()
    assert await able(database, ["\ud800"]) == set()
    assert await able(database, ["x"] * 1_000) == set()


class At(NamedTuple):
    name: str
    created_at: datetime


MOMENTS = [
    datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 10, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC),
]


async def test_times_come_back_to_the_microsecond_and_sort_as_time_does(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as work:
        for place, moment in reversed(list(enumerate(MOMENTS))):
            work.db.add(accounts.User(id=new_id(), name=str(place), created_at=moment))
    everyone = query(At, accounts.User)
    rows = await database.reader.all(Query(At, everyone.statement.order_by(accounts.User.created_at)))
    assert [row.created_at for row in rows] == MOMENTS
    assert {row.created_at.utcoffset() for row in rows} == {timedelta(0)}
    for moment in MOMENTS:
        later = await database.reader.all(everyone.where(accounts.User.created_at > moment))
        assert {row.created_at for row in later} == {each for each in MOMENTS if each > moment}


async def test_a_time_of_another_zone_is_the_same_moment(database: SqlDatabase) -> None:
    elsewhere = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    async with database.work(SYSTEM) as work:
        work.db.add(accounts.User(id=new_id(), name="one", created_at=elsewhere))
    row = await database.reader.first(query(At, accounts.User).where(accounts.User.created_at == elsewhere))
    assert row == ("one", datetime(2025, 12, 31, 20, 0, tzinfo=UTC))


async def test_a_time_without_a_zone_never_reaches_the_database(database: SqlDatabase) -> None:
    with pytest.raises(Exception, match="A time without a zone reached the database"):
        async with database.work(SYSTEM) as work:
            work.db.add(accounts.User(id=new_id(), name="one", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001
    assert await database.reader.all(NAMED) == []
