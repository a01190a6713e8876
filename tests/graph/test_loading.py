"""Within one operation a thing is read once, whether a plan asks for it or a resolver."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from domain.access import Reach
from domain.ids import new_id
from graph.batches import Batches
from graph.loading import Loader

ACME, OTHERS = Reach.whole(new_id()), Reach.whole(new_id())


class Loads:
    """What an operation of somebody has."""

    def __init__(self, batches: Batches, reach: Reach = ACME) -> None:
        self.reader: Any = None
        self.reach = reach
        self.batches = batches
        self.reading: set[asyncio.Task[Any]] = set()
        self.stopped = False


class Doubling:
    def __init__(self) -> None:
        self.reads: list[tuple[Reach, list[int]]] = []

    async def __call__(self, _reader: object, reach: Reach, keys: Collection[int]) -> Mapping[int, Any]:
        self.reads.append((reach, sorted(keys)))
        await asyncio.sleep(0)
        if 13 in keys:
            raise ValueError("13 is poison")
        return {key: key * 2 if key != 7 else ValueError("7 is refused") for key in keys if key >= 0}


@pytest.fixture
def doubling() -> Doubling:
    return Doubling()


@pytest.fixture
def loader(doubling: Doubling) -> Loader[int, Any]:
    return Loader("doubles", doubling, Loads(Batches()))


async def looked(loader: Loader[int, Any], *keys: int | Exception | None) -> list[Any]:
    found = loader.look(keys)
    return found if isinstance(found, list) else await found


async def test_each_key_has_its_value_in_order_and_what_is_not_there_is_none(
    loader: Loader[int, Any], doubling: Doubling
) -> None:
    refusal = ValueError("no key")
    assert await looked(loader, 3, None, 1, -1, 3, refusal) == [6, None, 2, None, 6, refusal]
    assert doubling.reads == [(ACME, [-1, 1, 3])]


async def test_what_is_known_is_given_at_once(loader: Loader[int, Any], doubling: Doubling) -> None:
    await looked(loader, 1, 2, -1)
    assert loader.look([2, -1, 1]) == [4, None, 2]
    assert await loader.load(2) == 4
    assert len(doubling.reads) == 1


async def test_what_a_resolver_loaded_a_plan_knows(loader: Loader[int, Any], doubling: Doubling) -> None:
    assert await asyncio.gather(loader.load(1), loader.load(2)) == [2, 4]
    assert await looked(loader, 1, 2, 3) == [2, 4, 6]
    assert doubling.reads == [(ACME, [1, 2]), (ACME, [3])]


async def test_what_a_plan_is_reading_a_resolver_waits_for(loader: Loader[int, Any], doubling: Doubling) -> None:
    looking = asyncio.create_task(looked(loader, 1, 7))
    await asyncio.sleep(0)
    found = await asyncio.gather(loader.load(1), loader.load(7), return_exceptions=True)
    assert (found[0], str(found[1])) == (2, "7 is refused")
    assert [str(each) for each in await looking] == ["2", "7 is refused"]
    assert doubling.reads == [(ACME, [1, 7])]


async def test_what_a_resolver_is_loading_a_plan_waits_for(loader: Loader[int, Any], doubling: Doubling) -> None:
    loading = loader.load(1)
    assert (await looked(loader, 1), await loading) == ([2], 2)
    assert doubling.reads == [(ACME, [1])]


async def test_a_refusal_is_the_value_of_its_key_and_no_others(loader: Loader[int, Any]) -> None:
    one, refused = await looked(loader, 1, 7)
    assert (one, str(refused)) == (2, "7 is refused")
    with pytest.raises(ValueError, match="7 is refused"):
        await loader.load(7)


async def test_a_read_that_fails_is_the_value_of_all_its_keys(loader: Loader[int, Any]) -> None:
    assert [str(each) for each in await looked(loader, 1, 13)] == ["13 is poison"] * 2


async def test_operations_that_see_the_same_are_read_for_together_and_others_apart(doubling: Doubling) -> None:
    shared = Batches()
    alike = [Loader[int, Any]("doubles", doubling, Loads(shared)) for _ in range(3)]
    other: Loader[int, Any] = Loader("doubles", doubling, Loads(shared, OTHERS))
    found = await asyncio.gather(*(looked(each, number) for number, each in enumerate([*alike, other])))
    assert found == [[0], [2], [4], [6]]
    assert doubling.reads == [(ACME, [0, 1, 2]), (OTHERS, [3])]


async def test_who_is_stopped_leaves_no_task_behind(doubling: Doubling) -> None:
    before = asyncio.all_tasks()
    loads = Loads(Batches())
    loader: Loader[int, Any] = Loader("doubles", doubling, loads)
    looking, loading = asyncio.create_task(looked(loader, 1)), loader.load(2)
    await asyncio.sleep(0)
    loads.stopped = True
    looking.cancel()
    loading.cancel()
    await asyncio.gather(looking, loading, return_exceptions=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
