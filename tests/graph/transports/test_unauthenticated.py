"""What is good no longer opens nothing: every root field, by every way in, has one and the same answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from domain.ids import Kind, encode, new_id
from graph import standing
from graph.transports.callers import REFUSED
from tests.graph.asking import asking
from tests.graph.bounds import boundless
from tests.graph.credentials import Installation
from tests.graph.registering import push
from tests.graph.walking import CORE, Operation, Owner, roots

from .everywhere import DEFERRED, MULTIPART
from .serving import Served, Socket, served

__all__ = ["asking", "boundless", "served"]

pytestmark = pytest.mark.usefixtures("boundless")

ONLY = {"errors": [{"message": REFUSED, "extensions": {"code": "UNAUTHENTICATED"}}]}
JSON, RESPONSE = "application/json", "application/graphql-response+json"
CLOSED = [(4403, "Forbidden")]
VIEWER = "{ viewer { __typename } }"
META = ("{ __typename }", "{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }')
OWNER = Owner({kind: encode(kind, new_id()) for kind in Kind}, defaultdict(lambda: "x"))
OPERATIONS = [*roots(OWNER), *(Operation("meta", text, {}) for text in META)]

Headers = Mapping[str, str]
Sent = Awaitable[httpx.Response]


@dataclass
class Locked:
    """A server, and all that opens it no longer."""

    served: Served
    texts: Mapping[str, str]
    streams: Mapping[str, str]
    """Tokens of streams, by what they were reserved with while it was good."""


Way = Callable[[Locked, str, int, str], Sent]
"""How an operation of that number is asked for, and in which form its answer."""


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def opens(served: Served, text: str) -> bool:
    """Whether it does; if not, it is refused."""
    answer = await served.post(VIEWER, headers=bearer(text))
    assert answer.status_code == 200 or answer.json() == ONLY
    return answer.json().get("data") == {"viewer": {"__typename": "Viewer"}}


@pytest.fixture
async def locked(served: Served, monkeypatch: pytest.MonkeyPatch) -> Locked:
    monkeypatch.setattr(standing, "FRESH_SECONDS", 0.05)  # what was read is believed for so long
    asking = served.asking
    services = asking.services
    there = Installation(asking.database, services.keyring, services.signing, asking.workspace_id, asking.actor)
    nevers, formers = await there.nevers(), await there.formers()
    streams = {}
    for name, each in formers.items():
        assert await opens(served, each.text), name
        answer = await served.http.put("/graphql/stream", headers=bearer(each.text))
        assert answer.status_code == 201
        streams[each.text] = answer.text
    for each in formers.values():
        await each.end()
    texts = {name: each.text for name, each in formers.items()} | nevers
    async with asyncio.timeout(5):
        for text in texts.values():
            while await opens(served, text):
                await asyncio.sleep(0.01)
    assert await opens(served, served.key)
    return Locked(served, texts, streams)


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All that could tell one refusal from another."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-type")}
    return answer.status_code, sorted(headers.items()), answer.content


def is_query(operation: Operation) -> bool:
    return operation.text.startswith(("query", "{"))


def refuses(answer: httpx.Response, type: str = JSON) -> bool:
    assert answer.headers["content-type"] == f"{type}; charset=utf-8"
    assert (answer.headers["www-authenticate"], answer.headers["cache-control"]) == ("Bearer", "private, no-store")
    return answer.status_code == 401 and answer.json() == ONLY


def test_the_roots_are_those_of_the_schema() -> None:
    """What is walked below."""
    fields = [name for root in (CORE.query_type, CORE.mutation_type, CORE.subscription_type) if root for name in root.fields]
    assert [each.what for each in OPERATIONS] == fields + ["meta"] * len(META)
    assert len(fields) > 60


def by_post(locked: Locked, text: str, number: int, accept: str) -> Sent:
    each = OPERATIONS[number]
    return locked.served.post(each.text, {**bearer(text), "Accept": accept}, **each.variables)


def by_post_of_an_id(locked: Locked, text: str, number: int, accept: str) -> Sent:
    asked = {"documentId": f"op-{number}", "variables": OPERATIONS[number].variables}
    return locked.served.http.post("/graphql", json=asked, headers={**bearer(text), "Accept": accept})


def by_get(locked: Locked, text: str, number: int, accept: str) -> Sent:
    return _got(locked, text, number, accept, "/graphql", query=OPERATIONS[number].text)


def by_get_of_an_id(locked: Locked, text: str, number: int, accept: str) -> Sent:
    return _got(locked, text, number, accept, "/graphql", documentId=f"op-{number}")


def by_get_at_its_address(locked: Locked, text: str, number: int, accept: str) -> Sent:
    return _got(locked, text, number, accept, f"/graphql/d/op-{number}")


def _got(locked: Locked, text: str, number: int, accept: str, address: str, **asked: str) -> Sent:
    variables = json.dumps(OPERATIONS[number].variables)
    headers = {**bearer(text), "Accept": accept}
    return locked.served.http.get(address, params={**asked, "variables": variables}, headers=headers)


def with_a_cookie(locked: Locked, text: str, number: int, accept: str) -> Sent:
    each, name = OPERATIONS[number], locked.served.asking.services.cookies.access
    return locked.served.post(each.text, {"Cookie": f"{name}={text}", "Accept": accept}, **each.variables)


def over_a_stream(locked: Locked, text: str, number: int, accept: str) -> Sent:
    """That was reserved while it was good."""
    each = OPERATIONS[number]
    asked = {"query": each.text, "variables": each.variables, "extensions": {"operationId": f"{number}"}}
    headers = {**bearer(text), "X-GraphQL-Event-Stream-Token": locked.streams.get(text, "none"), "Accept": JSON}
    return locked.served.http.post("/graphql/stream", json=asked, headers=headers)


ANY: Sequence[Way] = (by_post, by_post_of_an_id, with_a_cookie, over_a_stream)
OF_QUERIES: Sequence[Way] = (*ANY, by_get, by_get_of_an_id, by_get_at_its_address)
FORMS = (JSON, RESPONSE, "text/event-stream", f"{MULTIPART},{DEFERRED},{JSON}")


@pytest.mark.parametrize("in_every_way", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_no_root_field_opens_by_http(locked: Locked, in_every_way: bool) -> None:
    """Every field is asked with each credential, in every way or in the next one; forms take turns."""
    await push(locked.served.asking, None, {f"op-{number}": each.text for number, each in enumerate(OPERATIONS)})
    answers, used = set[str](), set[tuple[Way, str]]()
    for turn, text in enumerate(locked.texts.values()):
        for number, each in enumerate(OPERATIONS):
            ways = OF_QUERIES if is_query(each) else ANY
            for place in range(len(ways)) if in_every_way else [(turn + number) % len(ways)]:
                way, accept = ways[place], FORMS[(turn + place) % len(FORMS)]
                answer = await way(locked, text, number, accept)
                assert refuses(answer, RESPONSE if accept == RESPONSE and way is not over_a_stream else JSON), (way, each)
                answers.add(str(told(answer)))
                used.add((way, accept))
    assert len(used) == len(OF_QUERIES) * len(FORMS)
    assert len(answers) == 1


async def test_no_stream_is_reserved_opened_or_stopped(locked: Locked) -> None:
    http, answers = locked.served.http, set[str]()
    for text in locked.texts.values():
        stream = {**bearer(text), "X-GraphQL-Event-Stream-Token": locked.streams.get(text, "none")}
        for answer in [
            await http.put("/graphql/stream", headers=bearer(text)),
            await http.get("/graphql/stream", headers={**stream, "Accept": "text/event-stream"}),
            await http.delete("/graphql/stream", params={"operationId": "1"}, headers=stream),
        ]:
            assert refuses(answer)
            answers.add(str(told(answer)))
    assert len(answers) == 1


async def rest(socket: Socket) -> Sequence[Any]:
    """All that it says, and with what it is closed then."""
    heard: list[Any] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            heard.append(await socket.hear())
    said = socket.connection.protocol.close_rcvd
    assert said is not None
    return [*heard, (said.code, said.reason)]


async def test_no_socket_opens(locked: Locked) -> None:
    """Not even for who does not wait until they are acknowledged, or who brings a good key beside it."""
    cookie, good = locked.served.asking.services.cookies.access, bearer(locked.served.key)
    for name, text in locked.texts.items():
        bad = bearer(text)
        ways: Sequence[tuple[Headers, Headers]] = (
            ({}, bad),
            (bad, {}),
            ({"Cookie": f"{cookie}={text}"}, {}),
            (bad, good),
            (good, bad),
        )
        for headers, payload in ways:
            async with locked.served.connection(additional_headers=headers) as socket:
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(type="connection_init", payload=payload)
                    for number, each in enumerate(OPERATIONS):
                        await socket.subscribe(str(number), each.text, **each.variables)
                assert await rest(socket) == CLOSED, (name, headers, payload)
