"""An event is executed once for all who asked for the same and may see the same, and for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any

import orjson
import pytest

from domain.access import Role
from graph.callers import Caller
from graph.execution.results import Event
from graph.execution.sharing import Shared, moment
from graph.operations import Asked
from tests.databases import Counter
from tests.graph.asking import Asking, asking
from tests.graph.changing import change

__all__ = ["asking"]

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WATCH = """subscription ($workspace: ID!, $after: Cursor, $first: Int! = 1) {
  workspaceEvents(workspace: $workspace, after: $after) {
    __typename cursor ... on AuditEvent { kind audit { id page { site { pages(first: $first) { nodes { path } } } } } }
  }
}"""


async def watching(asking: Asking, role: Role = Role.OWNER, text: str = WATCH, **variables: Any) -> AsyncGenerator[Any, None]:
    """By one pipeline for all, as the sockets of a process have."""
    asker = replace(asking, actor=asking.actor if role is Role.OWNER else asking.as_(role).actor)
    given = {"workspace": asking.workspace, **variables}
    prepared = await asking.operations.prepare(Asked(text, variables=given), Caller(asker.actor))
    async with aclosing(asking.operations.results(prepared)) as events:
        async for event in events:
            yield orjson.loads(event.body)["data"]["workspaceEvents"]


async def request(asking: Asking) -> None:
    await change(asking, "auditRequest", target={"url": "http://127.0.0.1:9/"})


async def heard(asking: Asking, *watchers: AsyncGenerator[Any, None]) -> tuple[list[Any], int]:
    """What each of them hears of an audit's request, and how often that was executed."""
    async with AsyncExitStack() as closing:
        for watcher in watchers:
            await closing.enter_async_context(aclosing(watcher))
            assert (await anext(watcher))["__typename"] == "Checkpoint"
        before = asking.operations.shared.executed
        await request(asking)
        async with asyncio.timeout(10):
            said = await asyncio.gather(*(anext(watcher) for watcher in watchers))
        return list(said), asking.operations.shared.executed - before


@ON_SQLITE
async def test_equal_subscribers_hear_one_execution(asking: Asking) -> None:
    said, executed = await heard(asking, *(watching(asking) for _ in range(20)))
    assert executed == 1
    assert [each["kind"] for each in said] == ["AUDIT_REQUESTED"] * 20
    assert all(each == said[0] for each in said)


@ON_SQLITE
async def test_it_reads_as_much_for_many_as_for_one(asking: Asking) -> None:
    async def statements(number: int) -> int:
        watchers = [watching(asking) for _ in range(number)]
        for watcher in watchers:
            await anext(watcher)
        await request(asking)
        counter = Counter(asking.database)
        async with asyncio.timeout(10):
            await asyncio.gather(*(anext(watcher) for watcher in watchers))
        counted = len([statement for statement in counter.statements if "FROM pages" in statement or "FROM sites" in statement])
        for watcher in watchers:
            await watcher.aclose()
        return counted

    assert await statements(10) == await statements(1) > 0


@ON_SQLITE
@pytest.mark.parametrize(
    ("other", "executed"),
    [
        ({"first": 2}, 2),
        ({"first": 1}, 2),
        ({"after": None}, 1),
        ({"role": Role.VIEWER}, 2),
        ({"text": WATCH + " "}, 2),
    ],
    ids=["another variable below", "the same, said", "another above the field", "another role", "another text"],
)
async def test_what_differs_below_the_field_and_in_roles_is_executed_apart(
    asking: Asking, other: dict[str, Any], executed: int
) -> None:
    assert (await heard(asking, watching(asking), watching(asking, **other)))[1] == executed


@ON_SQLITE
async def test_who_goes_on_from_another_place_shares_what_happens_now(asking: Asking) -> None:
    watcher = watching(asking)
    cursor = (await anext(watcher))["cursor"]
    await watcher.aclose()
    late = watching(asking, after=cursor)
    assert (await anext(late))["__typename"] == "Checkpoint"  # where it goes on
    assert (await heard(asking, watching(asking), late))[1] == 1


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    shared, begun, go = Shared(), asyncio.Event(), asyncio.Event()

    async def execute() -> Event:
        begun.set()
        await go.wait()
        return Event(b"{}")

    leaving = asyncio.create_task(shared.get("event", execute))
    await begun.wait()
    staying = asyncio.create_task(shared.get("event", execute))
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert leaving.cancelled()
    go.set()
    assert (await staying).body == b"{}"
    assert shared.executed == 1


def test_what_has_no_place_in_a_history_is_no_ones_but_its_subscribers() -> None:
    assert moment(1) is None
    assert moment({"cursor": "x"}) is None
