"""The same key and input give the first result again; anything else is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access import SYSTEM, Actor
from domain.errors import Conflict, InvalidInput, ProblemCode
from domain.idempotency import KEPT, Promise, promise
from domain.ids import new_id
from infra.db.database import SqlDatabase

ME, YOU = Actor(user_id=new_id()), Actor(user_id=new_id())


async def ask(
    database: SqlDatabase,
    key: str | None = "key",
    mutation: str = "siteCreate",
    actor: Actor = ME,
    given: dict[str, Any] | None = None,
    hold: float = 0,
) -> Promise:
    async with database.work(actor) as work:
        promised = await promise(work, key, mutation, given if given is not None else {"a": 1, "b": [1, None]})
        await asyncio.sleep(hold)
        return promised


async def test_the_second_time_the_first_result_comes_back(database: SqlDatabase) -> None:
    first = await ask(database)
    assert not first.replayed
    assert await ask(database) == Promise(first.id, True)
    assert await ask(database, given={"b": [1, None], "a": 1}) == Promise(first.id, True), "the order of fields matters not"


async def test_without_a_key_each_is_new(database: SqlDatabase) -> None:
    assert (await ask(database, None)).id != (await ask(database, None)).id


@pytest.mark.parametrize("change", [{"given": {"a": 2}}, {"mutation": "pageCreate"}])
async def test_the_same_key_for_something_else_is_a_conflict(database: SqlDatabase, change: dict[str, Any]) -> None:
    await ask(database)
    with pytest.raises(Conflict) as refused:
        await ask(database, **change)
    assert refused.value.code is ProblemCode.KEY_REUSED
    assert (await ask(database)).replayed


async def test_a_key_is_its_actors_own(database: SqlDatabase) -> None:
    mine, yours = await ask(database), await ask(database, actor=YOU)
    assert not yours.replayed
    assert mine.id != yours.id


async def test_what_was_taken_back_did_not_use_the_key(database: SqlDatabase) -> None:
    async def fail() -> None:
        async with database.work(ME) as work:
            await promise(work, "key", "siteCreate", {"a": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not (await ask(database, given={"a": 2})).replayed


async def test_of_many_at_once_one_is_first_and_the_others_get_its_result(database: SqlDatabase) -> None:
    promised = await asyncio.gather(*(ask(database, hold=0.02) for _ in range(8)))
    assert len({each.id for each in promised}) == 1
    assert sorted(each.replayed for each in promised) == [False] + [True] * 7


async def test_a_key_is_kept_for_a_day_and_no_longer(database: SqlDatabase) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    database._clock = lambda: began
    first = await ask(database)
    database._clock = lambda: began + KEPT
    assert await ask(database) == Promise(first.id, True)
    database._clock = lambda: began + KEPT + timedelta(microseconds=1)
    assert not (await ask(database, given={"a": 2})).replayed


@pytest.mark.parametrize("key", ["", "   ", "x" * 201, "a\x00b", "a\nb", "\ud800", "\u2028"])
async def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    database = SqlDatabase("sqlite+aiosqlite://")
    async with database.work(SYSTEM) as work:
        with pytest.raises(InvalidInput) as refused:
            await promise(work, key, "siteCreate", {})
    await database.close()
    assert [fault.path for fault in refused.value.faults] == [("idempotencyKey",)]


async def test_hard_keys_and_inputs_are_kept_exactly(database: SqlDatabase) -> None:
    given = {"name": "Zürich 🚀\ud800\x00", "id": new_id()}
    first = await ask(database, "ключ '\"% " + "é" * 150, given=given)
    assert await ask(database, "ключ '\"% " + "é" * 150, given=given) == Promise(first.id, True)
