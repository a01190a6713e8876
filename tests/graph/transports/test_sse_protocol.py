"""graphql-sse to the letter: the events of distinct connections, and the statuses of the single connection mode."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import pytest

from domain import keys
from domain.access import Role
from graph.execution import Event
from graph.transports import single as single_connection
from graph.transports import streams
from graph.transports.connections import Connections
from graph.transports.negotiation import EVENTS
from tests.graph.asking import Asking, asking
from tests.graph.test_events import say

from .readers import SITE, stick
from .serving import MEMBER, VIEWER, WORKSPACE, Served, events, served, serving, until
from .test_staying import fired

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TOKEN = "X-GraphQL-Event-Stream-Token"


async def chunk(stream: AsyncIterator[str]) -> str:
    async with asyncio.timeout(5):
        return await anext(stream)


async def test_events_are_framed_as_an_event_source_reads_them(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.05)
    async with served.stream(EVENTS, WORKSPACE, id=served.asking.workspace) as response:
        headers = response.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["cache-control"] == "private, no-cache, no-store, no-transform"
        assert headers["x-accel-buffering"] == "no"
        said = response.aiter_text()
        assert await chunk(said) == ":\n\n"
        first = await chunk(said)
        id, event, data, *rest = first.split("\n")
        told = json.loads(data.removeprefix("data: "))["data"]["workspaceEvents"]
        assert (id, event, rest) == (f"id: {told['cursor']}", "event: next", ["", ""])
        assert [await chunk(said) for _ in range(3)] == [":\n\n"] * 3
        await say(served.asking, fired(served.asking))
        while (following := await chunk(said)) == ":\n\n":
            pass
        assert following.startswith("id: ")
        assert not following.startswith(f"{id}\n")
    await served.nobody_listens()


async def test_nothing_is_said_after_the_end_however_slowly_it_is_read(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)
    said: list[Any] = []
    read = asyncio.Event()

    async def send(message: Any) -> None:
        if len(said) == 2:  # its head and its first words
            await read.wait()
        said.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def one() -> AsyncGenerator[Event, None]:
        yield Event(b"{}")

    framing, connections = streams.ServerSentEvents(), Connections(asking.services)
    streaming = asyncio.create_task(streams.stream(one(), framing, asking.caller, connections, receive, send))
    await asyncio.sleep(0.1)  # it is time for a word in silence, and nothing is read
    read.set()
    await streaming
    assert [message.get("more_body") for message in said][1:] == [True] * (len(said) - 2) + [False]
    assert said[-1]["body"] == framing.closing


async def test_one_result_is_an_event_and_the_end(served: Served) -> None:
    headers = {**served.signed_in, "Accept": EVENTS}
    ways: list[tuple[str, Any]] = [("POST", {"json": {"query": VIEWER}}), ("GET", {"params": {"query": VIEWER}})]
    for method, given in ways:
        answer = await served.http.request(method, served.url, headers=headers, **given)
        comment, result, end, nothing = answer.text.split("\n\n")
        assert (comment, end, nothing) == (":", "event: complete\ndata:", "")
        assert result.startswith("event: next\ndata: {")
        assert json.loads(result.removeprefix("event: next\ndata: "))["data"] == MEMBER
        refused = await served.http.request(
            method, served.url, headers=headers, **json.loads(json.dumps(given).replace("viewer", "x"))
        )
        comment, result, end, nothing = refused.text.split("\n\n")
        assert (refused.status_code, comment, end, nothing) == (200, ":", "event: complete\ndata:", "")
        assert list(json.loads(result.removeprefix("event: next\ndata: "))) == ["errors"]


async def test_who_comes_back_gets_what_came_meanwhile_once(served: Served) -> None:
    async def told(last: str, many: int) -> list[tuple[str, str]]:
        """So many events: the ids that are sent back, and what they are."""
        headers = {**served.signed_in, "Accept": EVENTS, **({"Last-Event-ID": last} if last else {})}
        given = {"query": WORKSPACE, "variables": json.dumps({"id": served.asking.workspace})}
        found: list[tuple[str, str]] = []
        async with served.http.stream("GET", served.url, headers=headers, params=given) as response:
            id = ""
            async for line in response.aiter_lines():
                id = line.removeprefix("id: ") if line.startswith("id: ") else id
                if line.startswith("data: "):
                    found.append((id, json.loads(line.removeprefix("data: "))["data"]["workspaceEvents"]["__typename"]))
                    if len(found) == many:
                        break
        return found

    ((first, name),) = await told("", 1)
    assert name == "Checkpoint"
    for _ in range(5):
        await say(served.asking, fired(served.asking))
    missed = await told(first, 7)
    assert [name for _, name in missed] == ["Checkpoint", *["ScheduleEvent"] * 5, "Checkpoint"]
    happened = missed[1:6]
    assert len({id for id, _ in happened}) == 5
    for place in range(5):
        assert (await told(happened[place][0], 5 - place))[1:] == happened[place + 1 :]
    for nonsense in ("nonsense", "x" * 10_000, "0", "\xff"):
        headers = {**served.signed_in, "Accept": EVENTS, "Last-Event-ID": nonsense.encode("latin-1")}
        given = {"query": WORKSPACE, "variables": {"id": served.asking.workspace}}
        refused = await served.http.post(served.url, json=given, headers=headers)  # type: ignore[arg-type]
        assert (refused.status_code, "CURSOR_INVALID" in refused.text) == (200, True), refused.text
        assert "xxx" not in refused.text


async def reserve(served: Served, **headers: str) -> httpx.Response:
    return await served.http.put("/graphql/stream", headers={**served.signed_in, **headers})


async def token_of(served: Served) -> dict[str, str]:
    return {**served.signed_in, TOKEN: (await reserve(served)).text}


def operation(id: Any, query: str = VIEWER, **given: Any) -> dict[str, Any]:
    return {"query": query, "extensions": {"operationId": id}, **given}


async def test_a_stream_is_reserved_opened_once_and_forgotten(served: Served) -> None:
    for accept in ("*/*", "text/plain", "text/*"):
        reserved = await reserve(served, Accept=accept)
        assert (reserved.status_code, reserved.headers["content-type"]) == (201, "text/plain; charset=utf-8")
        assert (reserved.headers["cache-control"], len(reserved.text)) == ("private, no-store", 43)
    for accept in ("application/json", EVENTS):
        assert (await reserve(served, Accept=accept)).status_code == 406
    headers = {**await token_of(served), "Accept": EVENTS}
    async with served.http.stream("GET", "/graphql/stream", headers=headers) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (await served.http.get("/graphql/stream", headers=headers)).status_code == 409
        token = headers[TOKEN]
        by_address = {"Accept": EVENTS, **served.signed_in}
        assert (await served.http.get(f"/graphql/stream?token={token}", headers=by_address)).status_code == 409
    await until(lambda: not served.api.connections._open)
    assert (await served.http.get("/graphql/stream", headers=headers)).status_code == 404


async def test_operations_are_accepted_and_told_by_their_ids(served: Served) -> None:
    headers = await token_of(served)
    send = served.http.post
    before = await send("/graphql/stream", json=operation("before"), headers=headers)
    assert (before.status_code, before.content) == (202, b""), "it waits for the stream"
    async with served.http.stream("GET", "/graphql/stream", headers={**headers, "Accept": EVENTS}) as response:
        heard = events(response)
        for id in ("before", "by POST", "by GET"):
            if id == "by POST":
                assert (await send("/graphql/stream", json=operation(id), headers=headers)).status_code == 202
            if id == "by GET":
                given = {"query": VIEWER, "extensions": json.dumps({"operationId": id})}
                assert (await served.http.get("/graphql/stream", params=given, headers=headers)).status_code == 202
            name, data = await anext(heard)
            said = json.loads(data)
            assert (name, said["id"], said["payload"]["data"]) == ("next", id, MEMBER)
            assert await anext(heard) == ("complete", json.dumps({"id": id}, separators=(",", ":")))
        live = operation("live", WORKSPACE, variables={"id": served.asking.workspace})
        assert (await send("/graphql/stream", json=live, headers=headers)).status_code == 202
        assert json.loads((await anext(heard))[1])["payload"]["data"]["workspaceEvents"]["__typename"] == "Checkpoint"
        assert (await send("/graphql/stream", json=live, headers=headers)).status_code == 409
        assert (await served.http.delete("/graphql/stream?operationId=other", headers=headers)).status_code == 200
        assert served.followers == 1
        assert (await served.http.delete("/graphql/stream?operationId=live", headers=headers)).status_code == 200
        await served.nobody_listens()
        assert (await send("/graphql/stream", json=live, headers=headers)).status_code == 202
        assert json.loads((await anext(heard))[1])["id"] == "live"
    await served.nobody_listens()


async def test_what_is_no_operation_of_a_stream_is_refused_at_once(served: Served) -> None:
    headers = await token_of(served)
    bodies: list[Any] = [{"query": VIEWER}, *(operation(id) for id in (None, 5, "", "x" * 257))]
    bodies += [operation("1", text) for text in ("{", "{ nothing }", "query A { __typename } query B { __typename }", "")]
    bodies += [[operation("1")], operation("1", variables=[]), 5]
    for body in bodies:
        refused = await served.http.post("/graphql/stream", json=body, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json; charset=utf-8"), body
        assert list(refused.json()) == ["errors"]


async def test_other_ways_to_ask_of_a_stream_are_refused(served: Served) -> None:
    headers = await token_of(served)
    ask = served.http.request
    for method in ("PATCH", "OPTIONS", "HEAD"):
        other = await ask(method, "/graphql/stream", headers=headers)
        assert (other.status_code, other.headers["allow"]) == (405, "GET, POST, PUT, DELETE")
    for accept in ("application/json", "application/*", "*/*"):
        taken = await ask("POST", "/graphql/stream", json=operation(accept), headers={**headers, "Accept": accept})
        assert taken.status_code == 202, accept
    for accept in ("text/plain", "application/json;q=0"):
        refused = await ask("POST", "/graphql/stream", json=operation("1"), headers={**headers, "Accept": accept})
        assert refused.status_code == 406, accept
    mutation = operation("1", 'mutation { siteDelete(input: { site: "x" }) { __typename } }')
    got = await ask("GET", "/graphql/stream", params={**mutation, "extensions": '{"operationId":"1"}'}, headers=headers)
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert (await ask("DELETE", "/graphql/stream", headers=headers)).status_code == 400
    typed = {**headers, "Content-Type": "text/plain"}
    assert (await ask("POST", "/graphql/stream", content=json.dumps(operation("1")), headers=typed)).status_code == 415


async def test_somebody_elses_token_opens_and_tells_nothing(served: Served) -> None:
    keyring, workspace = served.asking.services.keyring, served.asking.workspace_id
    async with served.asking.database.work(served.asking.actor) as work:
        other = await keys.issue(work, workspace_id=workspace, name="other", role=Role.ADMIN, keyring=keyring)
    theirs = await token_of(served)
    for headers in ({**theirs, "Authorization": f"Bearer {other}"}, {TOKEN: theirs[TOKEN]}, {**theirs, TOKEN: "x" * 43}):
        opened = await served.http.get("/graphql/stream", headers={**headers, "Accept": EVENTS})
        asked = await served.http.post("/graphql/stream", json=operation("1"), headers=headers)
        stopped = await served.http.delete("/graphql/stream?operationId=1", headers=headers)
        assert (opened.status_code, asked.status_code, stopped.status_code) == (404, 404, 404)
        assert opened.text == asked.text == stopped.text
    bad = {**theirs, "Authorization": "Bearer pmk_nonsense"}
    assert (await served.http.post("/graphql/stream", json=operation("1"), headers=bad)).status_code == 401


async def test_a_token_that_nobody_uses_is_forgotten_and_nothing_runs_for_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_connection, "RESERVED_SECONDS", 0.3)
    headers = await token_of(served)
    live = operation("1", WORKSPACE, variables={"id": served.asking.workspace})
    assert (await served.http.post("/graphql/stream", json=live, headers=headers)).status_code == 202
    again = {**live, "extensions": {"operationId": "2"}}
    async with asyncio.timeout(5):
        while (await served.http.post("/graphql/stream", json=again, headers=headers)).status_code != 404:
            assert served.followers == 0
            await asyncio.sleep(0.05)


async def test_a_stream_and_its_reservations_are_bounded(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(asking, operations_per_socket=2, streams_at_once=2) as served:
        headers = await token_of(served)
        await token_of(served)
        full = await reserve(served)
        assert (full.status_code, full.headers["retry-after"]) == (429, "5")
        assert (await served.http.put("/graphql/stream")).status_code == 201, "a stranger is somebody else"
        stuck = stick(asking, monkeypatch)
        for id in ("1", "2"):
            assert (await served.http.post("/graphql/stream", json=operation(id, SITE), headers=headers)).status_code == 202
        full = await served.http.post("/graphql/stream", json=operation("3", SITE), headers=headers)
        assert (full.status_code, full.json()["errors"][0]["extensions"]) == (429, {"code": "TOO_MANY_AT_ONCE", "maximum": 2})
        assert stuck.running == 0, "nothing runs for a stream that may never be"
        assert (await served.http.delete("/graphql/stream?operationId=1", headers=headers)).status_code == 200
        assert (await served.http.post("/graphql/stream", json=operation("3", SITE), headers=headers)).status_code == 202
        async with served.http.stream("GET", "/graphql/stream", headers={**headers, "Accept": EVENTS}):
            await until(lambda: stuck.running == 2)
            assert (await served.http.delete("/graphql/stream?operationId=2", headers=headers)).status_code == 200
            await until(lambda: stuck.running == 1)
        await until(lambda: stuck.running == 0)


async def test_a_revoked_keys_stream_tells_each_operation_and_ends(served: Served) -> None:
    headers = await token_of(served)
    async with served.http.stream("GET", "/graphql/stream", headers={**headers, "Accept": EVENTS}) as response:
        heard = events(response)
        for id in ("1", "2"):
            live = operation(id, WORKSPACE, variables={"id": served.asking.workspace})
            await served.http.post("/graphql/stream", json=live, headers=headers)
            assert json.loads((await anext(heard))[1])["id"] == id
        await served.revoke()
        last = [(name, json.loads(data)) async for name, data in heard]
    assert [(name, said["id"]) for name, said in last] == [("next", "1"), ("complete", "1"), ("next", "2"), ("complete", "2")]
    assert {each["payload"]["errors"][0]["extensions"]["code"] for _, each in last[::2]} == {"UNAUTHENTICATED"}
    await served.nobody_listens()
