"""What stays open: bounded by account, asked for permission again and again, told to come back, and in nobody's way."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from domain.access import Role
from domain.ids import new_id
from domain.keys.model import ApiKey
from domain.work import Event, EventKind
from infra.bus import hub
from tests.graph.asking import Asking, asking
from tests.graph.changing import change
from tests.graph.test_events import say

from .everywhere import CHANGING, MULTIPART, multipart, post
from .readers import SITE, stick
from .serving import MEMBER, VIEWER, WORKSPACE, Served, Socket, events, served, serving, until

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CREATE = 'mutation ($id: ID!) { siteCreate(input: { workspace: $id, origin: "nonsense" }) { __typename } }'
RENAME = """mutation { siteUpdate(input: { site: "%s", name: "%s" }) { ... on SiteUpdatePayload {
  site { name } ... @defer { site { slug } } } } }"""
LARGE = "x" * 50_000


def fired(asking: Asking, reason: str = "") -> Event:
    payload = {"reason": reason, "due": "2026-11-22T08:00:00+00:00"}
    return Event(EventKind.SCHEDULE_FIRED, asking.workspace_id, new_id(), payload=payload)


@asynccontextmanager
async def watching(served: Served, id: str = "live") -> AsyncGenerator[Socket, None]:
    """A socket that hears what happens in the workspace."""
    async with served.socket() as socket:
        await socket.hear()
        await socket.subscribe(id, WORKSPACE, id=served.asking.workspace)
        assert (await socket.hear())["payload"]["data"]["workspaceEvents"]["__typename"] == "Checkpoint"
        yield socket


async def test_an_operations_error_ends_that_operation_alone(served: Served) -> None:
    faults: list[tuple[Any, str, str]] = [
        ({"query": "{"}, "error", "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "error", "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename }", "operationName": "B"}, "error", "OPERATION_RESOLUTION_FAILURE"),
        (
            {"query": "query ($n: Int!) { __typename @skip(if: true) a: node(id: $n) { id } }"},
            "error",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "error", "BAD_USER_INPUT"),
        ({"query": "{ " + "__typename " * 21 + "}"}, "error", "DOCUMENT_TOO_COMPLEX"),
        ({"query": 5}, "error", "BAD_REQUEST"),
        ({"variables": []}, "error", "BAD_REQUEST"),
        ({}, "error", "BAD_REQUEST"),
        ({"documentId": "unknown"}, "error", "PERSISTED_QUERY_NOT_IN_LIST"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}, "error", "PERSISTED_QUERY_NOT_FOUND"),
        ({"query": '{ node(id: "nonsense") { id } }'}, "next", "ID_MALFORMED"),
        ({"query": WORKSPACE, "variables": {"id": "workspace_" + "0" * 32}}, "next", "NOT_FOUND"),
    ]
    async with watching(served) as socket:
        for payload, type, code in faults:
            await socket.send(id="1", type="subscribe", payload=payload)
            said = await socket.hear()
            errors = said["payload"] if type == "error" else said["payload"]["errors"]
            assert (said["type"], said["id"], errors[0]["extensions"]["code"]) == (type, "1", code), payload
            if type == "next":
                assert await socket.hear() == {"type": "complete", "id": "1"}
        await say(served.asking, fired(served.asking))
        said = await socket.hear()
        assert (said["id"], said["payload"]["data"]["workspaceEvents"]["__typename"]) == ("live", "ScheduleEvent")
    await served.nobody_listens()


async def test_so_many_operations_of_one_socket_run_at_once(asking: Asking) -> None:
    async with serving(asking, operations_per_socket=3) as served, watching(served, "0") as socket:
        for id in ("1", "2"):
            await socket.subscribe(id, WORKSPACE, id=asking.workspace)
            await socket.hear()
        for id in ("3", "4"):
            await socket.subscribe(id, VIEWER)
            said = await socket.hear()
            assert (said["type"], said["id"]) == ("error", id)
            assert said["payload"][0]["extensions"] == {"code": "TOO_MANY_AT_ONCE", "maximum": 3}
        await socket.send(id="1", type="complete")
        assert await socket.ask("3", VIEWER) == {"data": MEMBER}
        for number in range(1_000):  # all of them are answered, and none of them is kept
            await socket.subscribe(str(number + 10), WORKSPACE, id=asking.workspace)
        heard = [await socket.hear() for _ in range(1_000)]
        assert [said["type"] for said in heard].count("error") == 999
        assert served.followers == 3


async def test_so_many_sockets_and_streams_of_one_account_are_open_at_once(asking: Asking) -> None:
    async with serving(asking, streams_at_once=3) as served, AsyncExitStack() as stack:
        first = await stack.enter_async_context(watching(served))
        for _ in range(2):
            await stack.enter_async_context(watching(served))
        async with served.socket() as more:
            assert await more.closed() == (
                1013,
                "At most 3 streams and sockets of one account are open at once: close one first.",
            )
        given = {"query": WORKSPACE, "variables": {"id": asking.workspace}}
        for accept in ("text/event-stream", MULTIPART):
            refused = await served.http.post(served.url, json=given, headers={**served.signed_in, "Accept": accept})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
            assert refused.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_AT_ONCE", "maximum": 3}
        async with served.stranger.socket() as other:
            await other.hear()
        assert (await post(served, {"query": VIEWER})).data == MEMBER
        await first.connection.close()
        await until(lambda: sum(served.api.connections._accounts.values()) == 2)
        async with watching(served):
            pass


async def test_who_does_not_say_who_they_are_is_counted_by_address(asking: Asking) -> None:
    async with serving(asking, streams_at_once=5) as served, AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(served.connection())
        await until(lambda: sum(served.api.connections._accounts.values()) == 5)
        async with served.connection() as more:
            assert (await more.closed())[0] == 1013
        assert (await post(served, {"query": VIEWER})).data == MEMBER


async def test_a_lower_role_counts_within_a_second_and_what_it_may_see_goes_on(served: Served) -> None:
    async with watching(served) as socket:
        workspace = served.asking.workspace
        assert (await socket.ask("1", CREATE, id=workspace))["data"] == {"siteCreate": {"__typename": "InvalidInput"}}
        async with served.asking.database.work(served.asking.actor) as work:
            await work.db.execute(update(ApiKey).values(role=Role.VIEWER))
        began = asyncio.get_running_loop().time()
        while (await socket.ask("1", CREATE, id=workspace))["data"] != {"siteCreate": {"__typename": "NotAllowed"}}:
            assert asyncio.get_running_loop().time() - began < 2, "a second, and what a busy machine adds"
            await asyncio.sleep(0.05)
        await say(served.asking, fired(served.asking))
        assert (await socket.hear())["payload"]["data"]["workspaceEvents"]["__typename"] == "ScheduleEvent"
        assert (await post(served, {"query": VIEWER})).data == {"viewer": {"key": {"name": "ci", "role": "VIEWER"}}}


@pytest.mark.parametrize("transport", CHANGING)
async def test_what_is_being_changed_is_changed_to_its_end_whoever_leaves(served: Served, transport: Any) -> None:
    asking, running = served.asking, served.api.operations._budgets._running
    given = {"workspace": asking.workspace, "origin": "https://x.test"}
    site = (await change(asking, "siteCreate", "site { id }", **given))["site"]["id"]
    async with asking.database.work(asking.actor):  # nobody else writes meanwhile
        leaving = asyncio.create_task(transport(served, {"query": RENAME % (site, "New")}))
        await until(lambda: sum(running.values()) == 1)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await until(lambda: not served.api.connections._open)
    await until(lambda: sum(running.values()) == 0)
    assert (await post(served, {"query": f'{{ site(id: "{site}") {{ name }} }}'})).data == {"site": {"name": "New"}}


async def test_what_a_client_completes_while_it_is_changed_is_changed(served: Served) -> None:
    asking, running = served.asking, served.api.operations._budgets._running
    site = (await change(asking, "siteCreate", "site { id }", workspace=asking.workspace, origin="https://x.test"))["site"][
        "id"
    ]
    async with served.socket() as socket:
        await socket.hear()
        async with asking.database.work(asking.actor):
            await socket.subscribe("1", RENAME % (site, "New"))
            await until(lambda: sum(running.values()) == 1)
            await socket.send(id="1", type="complete")
            assert (await socket.ask("2", "{ __typename }"))["data"] == {"__typename": "Query"}
        await until(lambda: sum(running.values()) == 0)
        assert (await socket.ask("1", f'{{ site(id: "{site}") {{ name }} }}'))["data"] == {"site": {"name": "New"}}


async def test_who_is_connected_is_told_to_come_back(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        live, new = await stack.enter_async_context(watching(served)), await stack.enter_async_context(served.connection())
        distinct = await stack.enter_async_context(served.stream("text/event-stream", WORKSPACE, id=served.asking.workspace))
        parts = await stack.enter_async_context(served.stream(MULTIPART, WORKSPACE, id=served.asking.workspace))
        heard = events(distinct)
        assert (await anext(heard))[0] == "next"
        await live.ask("1", VIEWER)
        stuck = stick(served.asking, monkeypatch)
        await live.subscribe("2", SITE)
        await until(lambda: stuck.running == 1 and len(served.api.connections._open) == 4)
        draining = asyncio.create_task(served.api.connections.drain(5))
        assert await live.closed() == await new.closed() == (1012, "Service restart")
        assert [event async for event in heard] == [], "it is not complete: it is to be asked for again"
        assert "--graphql--" not in (await parts.aread()).decode()
        async with asyncio.timeout(5):
            await draining
        assert stuck.running == 0
    async with served.connection() as late:
        assert await late.closed() == (1013, "This server is about to stop: connect again.")
    refused = await multipart(served, {"query": WORKSPACE, "variables": {"id": served.asking.workspace}})
    assert (refused.status, refused.codes) == (503, ["SERVICE_UNAVAILABLE"])
    await served.nobody_listens()


async def slow_socket(served: Served, text: str) -> AsyncGenerator[str, None]:
    """Begins to read when it is asked for the second time."""
    async with served.connection(sock=small(served), max_queue=1) as socket:
        await socket.send(type="connection_init", payload=served.signed_in)
        await socket.hear()
        await socket.subscribe("1", text)
        await socket.hear()
        yield ""
        while True:
            yield json.dumps((await socket.hear())["payload"])


async def slow_stream(served: Served, text: str) -> AsyncGenerator[str, None]:
    reader, writer = await asyncio.open_connection(sock=small(served), limit=2_048)
    headers = f"Host: x\r\nAuthorization: Bearer {served.key}\r\nAccept: text/event-stream"
    writer.write(f"GET /graphql?{urlencode({'query': text})} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    while b"event: next" not in await reader.readline():
        pass
    try:
        yield ""
        said = b""
        while True:
            said += await reader.read(2_048)
            while b"\n\n" in said:
                event, _, said = said.partition(b"\n\n")
                yield event.decode()
    finally:
        writer.close()


def small(served: Served) -> sockets.socket:
    """A connected socket that takes little."""
    made = sockets.socket()
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    host, _, port = served.base.partition(":")
    made.connect((host, int(port)))
    made.setblocking(False)
    return made


@pytest.mark.parametrize("slow", [slow_socket, slow_stream])
async def test_a_slow_reader_keeps_nobody_waiting_and_is_told_what_it_missed(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, slow: Any
) -> None:
    monkeypatch.setattr(hub, "QUEUE", 5)
    told_of = "__typename ... on Lagged { missed } ... on ScheduleEvent { reason }"
    text = f"subscription {{ workspaceEvents(workspace: {json.dumps(asking.workspace)}) {{ {told_of} }} }}"
    async with serving(asking, sent=4_096) as served, watching(served) as fast:
        reading = slow(served, text)
        await anext(reading)
        for _ in range(30):
            await say(asking, fired(asking, LARGE))
            assert (await fast.hear())["payload"]["data"]["workspaceEvents"]["__typename"] == "ScheduleEvent"
        told = missed = 0
        async with asyncio.timeout(10):
            while told + missed < 30:
                said = await anext(reading)
                told += "ScheduleEvent" in said
                if "Lagged" in said:
                    missed += int(said.partition('"missed":')[2].strip().partition("}")[0])
        await reading.aclose()
        assert (told + missed, missed > 10) == (30, True)
    await served.nobody_listens()
