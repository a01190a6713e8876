"""What is known of a key while the database is away: enough to wait, not enough to deliver."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete

from domain import keys
from domain.access import SYSTEM
from domain.base import Query, R
from domain.errors import DatabaseAway, NotAllowed
from domain.ports import Reader
from domain.workspaces import Workspace
from graph import standing
from graph.standing import Standings
from tests.databases import Counter
from tests.graph.asking import Asking, asking
from tests.graph.test_workspace_events import revoke, with_key

__all__ = ["asking"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Flaky:
    """A reader whose database is away while `away` is set."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.away = False
        self.reads = 0

    async def all(self, query: Query[R], **values: Any) -> Sequence[R]:
        self.reads += 1
        if self.away:
            raise DatabaseAway("The database cannot be reached.")
        return await self._reader.all(query, **values)

    async def first(self, query: Query[R], **values: Any) -> R | None:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(standing, "RETRY_SECONDS", 0.05)


async def test_nothing_is_delivered_before_the_database_is_back(asking: Asking) -> None:
    bearer, reader = await with_key(asking), Flaky(asking.database.reader)
    known = Standings().of(bearer.actor)
    assert await known.require(reader, asking.workspace_id) == bearer.actor
    reader.away, reads = True, reader.reads
    waiting = asyncio.create_task(known.require(reader, asking.workspace_id))
    async with asyncio.timeout(10):
        while reader.reads < reads + 3:
            await asyncio.sleep(0.01)
    assert not waiting.done()
    await revoke(asking, bearer)
    reader.away = False
    with pytest.raises(NotAllowed):
        await waiting


async def test_meanwhile_a_socket_is_whose_it_was(asking: Asking) -> None:
    bearer, reader = await with_key(asking), Flaky(asking.database.reader)
    known = Standings().of(bearer.actor)
    await revoke(asking, bearer)
    reader.away = True
    assert await known.now(reader) == bearer.actor
    reader.away = False
    await asyncio.sleep(standing.RETRY_SECONDS)
    assert (await known.now(reader)).roles == {}
    reader.away = True
    assert (await known.now(reader)).roles == {}


async def test_what_is_known_of_a_key_is_shared_while_somebody_stays(asking: Asking) -> None:
    one, other, all = await with_key(asking), await with_key(asking), Standings()
    held = all.of(one.actor)
    assert all.of(one.actor) is held
    assert all.of(other.actor) is not held
    assert all.of(asking.actor) is not all.of(asking.actor), "who has no key"
    assert list(all._known) == [one.actor.key_id]
    assert (await keys.current(asking.database.reader, [one.actor]))[0] == one.actor


async def test_whoever_stays_is_told_that_the_key_is_gone(asking: Asking) -> None:
    revoked, other, deleted = await with_key(asking), await with_key(asking), await with_key(asking)
    reader, all, gone = asking.database.reader, Standings(), list[str]()
    held = {name: all.of(each.actor) for name, each in {"revoked": revoked, "other": other, "deleted": deleted}.items()}
    ends = [all.stay(known, reader, partial(gone.append, name)) for name, known in held.items()]
    await revoke(asking, revoked)
    async with asyncio.timeout(10):
        while not gone:
            await asyncio.sleep(0.01)
    assert set(gone) == {"revoked"}
    async with asking.database.work(SYSTEM) as work:
        await work.db.execute(delete(Workspace).where(Workspace.id == asking.workspace_id))
    async with asyncio.timeout(10):
        while set(gone) != {"revoked", "other", "deleted"}:
            await asyncio.sleep(0.01)
    for end in ends:
        end()
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task.get_name() == "standings"] == [], "nobody stays, so nobody looks"


async def test_many_keys_are_read_by_one_statement(asking: Asking) -> None:
    bearers = [await with_key(asking) for _ in range(5)]
    all, counter = Standings(), Counter(asking.database)
    held = [all.of(each.actor) for each in bearers]
    ends = [all.stay(known, asking.database.reader, lambda: None) for known in held]
    async with asyncio.timeout(10):
        while not counter.statements:
            await asyncio.sleep(0.01)
    assert len(counter.statements) == 1
    for end in ends:
        end()
