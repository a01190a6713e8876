"""Within one operation a thing is read once, whether a plan asks for it or a resolver."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from domain.access import Reach
from domain.ids import new_id
from graph.batches import Batches
from graph.loading import Loader, Loads

ACME, OTHERS = Reach.whole(new_id()), Reach.whole(new_id())


def loads(batches: Batches, reach: Reach = ACME) -> Loads:
    """What an operation of somebody has."""
    reader: Any = None
    return Loads(reader, reach, batches)


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
    return Loader("doubles", doubling, loads(Batches()))


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
    alike = [Loader[int, Any]("doubles", doubling, loads(shared)) for _ in range(3)]
    other: Loader[int, Any] = Loader("doubles", doubling, loads(shared, OTHERS))
    found = await asyncio.gather(*(looked(each, number) for number, each in enumerate([*alike, other])))
    assert found == [[0], [2], [4], [6]]
    assert doubling.reads == [(ACME, [0, 1, 2]), (OTHERS, [3])]


async def test_who_is_stopped_leaves_no_task_behind(doubling: Doubling) -> None:
    before = asyncio.all_tasks()
    several = loads(Batches())
    loader: Loader[int, Any] = Loader("doubles", doubling, several)
    looking, loading = asyncio.create_task(looked(loader, 1)), loader.load(2)
    await asyncio.sleep(0)
    several.stopped = True
    looking.cancel()
    loading.cancel()
    await asyncio.gather(looking, loading, return_exceptions=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_what_is_looked_for_ahead_is_read_before_it_is_asked_for_and_once(
    loader: Loader[int, Any], doubling: Doubling
) -> None:
    loader.look_ahead([1, 7, None, ValueError("no key"), 1])
    await asyncio.sleep(0.01)
    assert doubling.reads == [(ACME, [1, 7])]
    one, refused, other = await looked(loader, 1, 7, 3)
    assert (one, str(refused), other) == (2, "7 is refused", 6)
    loader.look_ahead([1, 3])
    assert loader.look([3, 1]) == [6, 2]
    assert doubling.reads == [(ACME, [1, 7]), (ACME, [3])]


async def test_what_fails_ahead_is_told_where_it_is_asked_for_alone(
    doubling: Doubling, caplog: pytest.LogCaptureFixture
) -> None:
    batches = Batches()
    for asks in (True, False):
        several = loads(batches)
        loader: Loader[int, Any] = Loader("doubles", doubling, several)
        loader.look_ahead([13])
        await asyncio.sleep(0.01)
        if asks:
            assert [str(each) for each in await looked(loader, 13)] == ["13 is poison"]
        several.need_no_more()
        assert several.ahead == set()
        del loader, several
        gc.collect()
    assert caplog.records == []


async def test_what_was_looked_for_ahead_and_is_for_nothing_is_stopped(doubling: Doubling) -> None:
    batches, gate = Batches(), asyncio.Event()
    stopped: list[int] = []

    async def slow(_reader: object, _reach: Reach, keys: Collection[int]) -> Mapping[int, Any]:
        try:
            await gate.wait()
        except asyncio.CancelledError:
            stopped.extend(keys)
            raise
        return dict.fromkeys(keys, 1)

    alone, one, other = loads(batches), loads(batches), loads(batches)
    Loader[int, Any]("alone", slow, alone).look_ahead([0])
    shared: Loader[int, Any] = Loader("shared", slow, other)
    Loader[int, Any]("shared", slow, one).look_ahead([1])
    shared.look_ahead([2])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    alone.stop()
    one.need_no_more()
    await asyncio.sleep(0.01)
    assert stopped == [0], "what others wait for too goes on"
    gate.set()
    assert await looked(shared, 2) == [1]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_is_left_before_it_begins_is_not_read(doubling: Doubling) -> None:
    several = loads(Batches())
    Loader[int, Any]("doubles", doubling, several).look_ahead([1])
    several.need_no_more()
    await asyncio.sleep(0.01)
    assert doubling.reads == []
