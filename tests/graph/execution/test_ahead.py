"""What is read by the id of a thing is read with the thing, where that is asked for by its id."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.access import Reach
from domain.ids import Kind, encode, new_id
from graph import standing
from graph.loaders import Loaders
from graph.loading import Loading
from infra.db.reader import SqlReader
from tests.graph.asking import Asking, asking
from tests.graph.filled import Filled, Sizes, fill

__all__ = ["asking"]

PAGE = "query ($id: ID!) { page(id: $id) { name audits(first: 1) { nodes { id } } latestAudit { id } } }"
SECONDS = 5


@pytest.fixture
async def filled(asking: Asking) -> Filled:
    return await fill(asking.database, asking.workspace_id, asking.runner_id, Sizes(sites=2, pages=2, runs=1))


class Meeting(SqlReader):
    """Nobody is answered before so many ask at once."""

    def __init__(self, asking: Asking, together: int) -> None:
        super().__init__(asking.database.reads)
        self._together = together
        self._met = asyncio.Event()
        self.asked = 0

    async def _read(self, compiled: Any, given: Any) -> Sequence[Any]:
        self.asked += 1
        if self.asked == self._together:
            self._met.set()
        async with asyncio.timeout(SECONDS):
            await self._met.wait()
        return await super()._read(compiled, given)


async def met(asking: Asking, monkeypatch: pytest.MonkeyPatch, text: str, id: str, *, together: int) -> tuple[Any, int]:
    """What is answered, the second time, when this many statements are on their way at once; and how many there were."""
    monkeypatch.setattr(standing, "FRESH_SECONDS", 60.0)
    await asking.ask(text, id=id)
    reader = Meeting(asking, together)
    with monkeypatch.context() as patching:
        patching.setattr(asking.database, "_reader", reader)
        return await asking.ask(text, id=id), reader.asked


async def test_what_hangs_on_the_id_is_read_with_the_thing(
    asking: Asking, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = encode(Kind.PAGE, filled.ids[Kind.PAGE][0])
    expected = await asking.ask(PAGE, id=id)
    assert len(expected["page"]["audits"]["nodes"]) == 1
    assert await met(asking, monkeypatch, PAGE, id, together=3) == (expected, 3)


async def test_what_hangs_on_more_than_the_id_waits_for_it(
    asking: Asking, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "query ($id: ID!) { audit(id: $id) { page { name } runs { index } } }"
    id = encode(Kind.AUDIT, filled.ids[Kind.AUDIT][0])
    answer, asked = await met(asking, monkeypatch, text, id, together=2)
    assert answer["audit"]["page"]["name"]
    assert asked == 3


async def test_of_what_is_not_there_nothing_is_said_and_nothing_goes_on(asking: Asking, filled: Filled) -> None:
    before = asyncio.all_tasks()
    for _ in range(3):
        assert await asking.ask(PAGE, id=encode(Kind.PAGE, new_id())) == {"page": None}
        async with asyncio.timeout(SECONDS):
            while asyncio.all_tasks() != before:
                await asyncio.sleep(0.01)


async def test_where_it_is_said_that_keys_are_ids_they_are_those_of_the_rows(asking: Asking, filled: Filled) -> None:
    by_id = {name: each for name, each in vars(Loaders).items() if isinstance(each, Loading) and each.by_id}
    unknown = set()
    for name, loading in by_id.items():
        ids = filled.ids.get({"dead_job": Kind.JOB}.get(name) or Kind(name), [])
        found = await loading.batch(asking.database.reader, Reach.whole(asking.workspace_id), ids) if ids else {}
        assert all(row.id == id for id, row in found.items())
        if not found:
            unknown.add(name)
    assert unknown == {"invitation"}
