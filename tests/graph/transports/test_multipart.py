"""Answers in several parts, byte by byte as Apollo's protocols have them: events of subscriptions, and what is deferred."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from graph.errors import MASK
from graph.transports import streams
from tests.graph.asking import Asking, asking
from tests.graph.changing import change
from tests.graph.test_events import say

from .everywhere import DEFERRED, MULTIPART, multipart, parts_of, post
from .readers import SECRET, SITE, Broken, put, stick
from .serving import MEMBER, VIEWER, WORKSPACE, Served, served, serving, until
from .test_staying import fired

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CURRENT = "multipart/mixed;incrementalSpec=v0.2"
LATER = 'query ($is: Boolean! = true) { __typename ... @defer(if: $is, label: "later") { viewer { key { name role } } } }'


async def bytes_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """As they come, each with a limit of time."""
    stream = response.aiter_raw()
    while True:
        async with asyncio.timeout(5):
            piece = await anext(stream, None)
        if piece is None:
            return
        yield piece


def part(said: Any) -> bytes:
    body = said if isinstance(said, bytes) else json.dumps(said, separators=(",", ":")).encode()
    return b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n%b\r\n--graphql" % body


async def test_each_event_is_a_part_whose_end_comes_with_it(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.05)
    async with served.stream(f"{MULTIPART},application/json", WORKSPACE, id=served.asking.workspace) as response:
        assert response.headers["content-type"] == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        assert response.headers["cache-control"] == "private, no-cache, no-store, no-transform"
        pieces = bytes_of(response)
        assert await anext(pieces) == b"\r\n--graphql"
        first = await anext(pieces)
        told = json.loads(first.removeprefix(part(b"").partition(b"\r\n--")[0]).removesuffix(b"\r\n--graphql"))
        assert (list(told), first) == (["payload"], part(told))
        assert told["payload"]["data"]["workspaceEvents"]["__typename"] == "Checkpoint"
        assert [await anext(pieces) for _ in range(3)] == [part({})] * 3
        await say(served.asking, fired(served.asking))
        while (following := await anext(pieces)) == part({}):
            pass
        assert b'{"payload":{"data":{"workspaceEvents":{"__typename":"ScheduleEvent"' in following
    await served.nobody_listens()


async def test_a_subscription_that_ends_closes_the_parts(served: Served) -> None:
    unknown = {"id": "workspace_" + "0" * 32}
    answer = await multipart(served, {"query": WORKSPACE, "variables": unknown})
    assert (answer.status, answer.codes, answer.data) == (200, ["NOT_FOUND"], None)


async def test_a_revoked_keys_parts_end_with_why(served: Served) -> None:
    async with served.stream(MULTIPART, WORKSPACE, id=served.asking.workspace) as response:
        pieces = bytes_of(response)
        content = await anext(pieces) + await anext(pieces)
        await served.revoke()
        content += b"".join([piece async for piece in pieces])
    *_, last = parts_of(content)
    assert (last["payload"], [error["extensions"]["code"] for error in last["errors"]]) == (None, ["UNAUTHENTICATED"])
    assert content.endswith(b"\r\n--graphql--\r\n")
    await served.nobody_listens()


async def asked(served: Served, accept: str, query: str, **variables: Any) -> httpx.Response:
    return await served.post(query, {**served.signed_in, "Accept": accept}, **variables)


async def test_what_is_deferred_comes_in_the_shape_that_is_asked_for(served: Served) -> None:
    for accept in (DEFERRED, "multipart/mixed", "Multipart/Mixed; DeferSpec=20220824", f"{DEFERRED}, {CURRENT}"):
        answer = await asked(served, f"{accept}, application/json", LATER)
        assert answer.headers["content-type"] == 'multipart/mixed;boundary="graphql";deferSpec=20220824', accept
        first, second = parts_of(answer.content)
        assert first == {"data": {"__typename": "Query"}, "hasNext": True}
        assert second.pop("extensions")["cost"]["actualQueryCost"] == 2
        assert second == {"incremental": [{"data": MEMBER, "path": [], "label": "later"}], "hasNext": False}
    for accept in (CURRENT, f"{CURRENT}, {DEFERRED}"):
        answer = await asked(served, f"{accept}, application/json", LATER)
        assert answer.headers["content-type"] == 'multipart/mixed;boundary="graphql";incrementalSpec=v0.2'
        first, second = parts_of(answer.content)
        pending = {"id": "0", "path": [], "label": "later"}
        assert first == {"data": {"__typename": "Query"}, "pending": [pending], "hasNext": True}
        assert second.pop("extensions")["cost"]["actualQueryCost"] == 2
        assert second == {"incremental": [{"id": "0", "data": MEMBER}], "completed": [{"id": "0"}], "hasNext": False}


async def test_who_takes_no_parts_gets_one_answer(served: Served) -> None:
    whole = {"__typename": "Query", **MEMBER}
    for accept in (
        "application/json",
        "*/*",
        "multipart/*",
        f"{DEFERRED};q=0, application/json",
        f"{MULTIPART}, application/json",
    ):
        answer = await asked(served, f"{accept}, application/json", LATER)
        assert (answer.headers["content-type"], answer.json()["data"]) == ("application/json; charset=utf-8", whole), accept
    answer = await asked(served, f"{DEFERRED}, application/json", LATER, **{"is": False})
    assert [(said["data"], said["hasNext"]) for said in parts_of(answer.content)] == [(whole, False)]
    answer = await asked(served, f"{DEFERRED}, application/json", VIEWER)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    async with served.socket() as socket:
        await socket.hear()
        assert await socket.ask("1", LATER) == {"data": whole}
    streamed = await asked(served, "text/event-stream", LATER)
    assert json.loads(streamed.text.partition("data: ")[2].partition("\n")[0])["data"] == whole
    refused = await asked(served, DEFERRED, VIEWER)
    assert refused.status_code == 406


async def test_a_part_names_its_place_in_a_list(served: Served) -> None:
    given = {"workspace": served.asking.workspace}
    for origin in ("https://a.test", "https://b.test"):
        await change(served.asking, "siteCreate", "site { id }", **given, origin=origin)
    text = """{ workspace(slug: "acme") { sites { nodes { name ... @defer { slug } ... @defer(label: "pages") {
      pages { nodes { id } } } } } } }"""
    answer = await asked(served, f"{DEFERRED}, application/json", text)
    first, *rest = parts_of(answer.content)
    nodes = first["data"]["workspace"]["sites"]["nodes"]
    assert [node["name"] for node in nodes] == ["a.test", "b.test"]
    found = [each for said in rest for each in said.get("incremental", ())]
    assert sorted((each["path"][-1], each.get("label"), *each["data"]) for each in found if each.get("label")) == [
        (0, "pages", "pages"),
        (1, "pages", "pages"),
    ]
    assert sorted(each["data"]["slug"] for each in found if "label" not in each) == ["a-test", "b-test"]
    assert [said["hasNext"] for said in rest] == [*[True] * (len(rest) - 1), False]


async def test_an_error_in_a_part_is_masked_as_any_other(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    await post(served, {"query": VIEWER})
    put(Broken(served.asking.database.reads), served.asking, monkeypatch)
    for accept in (DEFERRED, CURRENT):
        for text in ("{ __typename ... @defer " + SITE + " }", "{ ... @defer { __typename } ... " + SITE + " }"):
            with capture_logs() as logs:
                answer = await asked(served, f"{accept}, application/json", text)
            said = parts_of(answer.content)
            assert (len(logs), SECRET in answer.text) == (1, False)
            errors = [
                error for frame in said for each in (frame, *frame.get("incremental", ())) for error in each.get("errors", ())
            ]
            assert [(error["message"], error["path"]) for error in errors] == [(MASK, ["site"])]
            assert said[-1]["extensions"]["cost"]["actualQueryCost"] is None, "nothing is given back"


async def test_parts_end_at_the_deadline_with_why(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(asking, deadline_seconds=0.05) as served:
        await post(served, {"query": VIEWER})
        stuck = stick(asking, monkeypatch)
        for accept in (DEFERRED, CURRENT):
            answer = await asked(served, f"{accept}, application/json", "{ __typename ... @defer " + SITE + " }")
            first, last = parts_of(answer.content)
            assert (answer.status_code, first["data"], last["hasNext"]) == (200, {"__typename": "Query"}, False)
            assert last["errors"][0]["extensions"]["code"] == "TIMEOUT"
            await until(lambda: not stuck.running)


async def test_a_client_that_leaves_stops_the_reads_of_later_parts(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    await post(served, {"query": VIEWER})
    stuck = stick(served.asking, monkeypatch)
    async with served.stream(DEFERRED, "{ __typename ... @defer " + SITE + " }") as response:
        pieces = bytes_of(response)
        assert await anext(pieces) == b"\r\n--graphql"
        assert b'"hasNext":true' in await anext(pieces)
        await until(lambda: stuck.running == 1)
    await until(lambda: not stuck.running and not served.api.connections._open)
