"""GraphQL over HTTP: what is read, how it is answered, and what is refused before anything is done."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from domain import keys
from domain.access import Role
from domain.errors import DatabaseAway
from graph.policy import Policy
from graph.schema import schema
from graph.transports import http
from graph.transports.negotiation import RESPONSE
from graph.transports.requests import MAX_BODY
from graph.transports.routing import api
from infra.db.reader import SqlReader
from tests.graph.asking import Asking, asking

__all__ = ["asking"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TYPENAME = {"query": "{ __typename }"}
ANSWER = {"data": {"__typename": "Query"}}
URQL = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
MISSING = "There is no document: send one as `query`, a text, or name one by `documentId`."
DELETE = 'mutation { siteDelete(input: { site: "x" }) { __typename } }'


@pytest.fixture
async def client(asking: Asking) -> AsyncGenerator[httpx.AsyncClient, None]:
    """With a member's key."""
    async with asking.database.work(asking.actor) as work:
        keyring = asking.services.keyring
        key = await keys.issue(work, workspace_id=asking.workspace_id, name="ci", role=Role.MEMBER, keyring=keyring)
    app = Starlette(routes=api(schema, asking.services).routes)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pacemark.test", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


async def sent(client: httpx.AsyncClient, body: bytes | str, type: str = "application/json", **headers: str) -> httpx.Response:
    return await client.post("/graphql", content=body, headers={"Content-Type": type, **headers})


def message(answer: httpx.Response) -> str:
    (error,) = answer.json()["errors"]
    assert "data" not in answer.json()
    assert error["extensions"]["code"] in ("BAD_REQUEST", "UNAUTHENTICATED")
    text: str = error["message"]
    return text


@pytest.mark.parametrize(
    ("accept", "type", "status"),
    [("application/json", "application/json", 200), ("application/graphql-response+json", RESPONSE, 400)],
)
async def test_an_operation_that_is_refused_has_no_data(client: httpx.AsyncClient, accept: str, type: str, status: int) -> None:
    refused = [
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ nothing(", {}, "GRAPHQL_PARSE_FAILED"),
        ("query ($id: ID!) { site(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", {}, "OPERATION_RESOLUTION_FAILURE"),
    ]
    for query, variables, code in refused:
        answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (status, f"{type}; charset=utf-8"), query
        assert list(answer.json()) == ["errors"]
        assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_an_error_beside_data_is_an_answer(client: httpx.AsyncClient) -> None:
    query = {"query": '{ site(id: "nonsense") { id } __typename }'}
    answer = await client.post("/graphql", json=query, headers={"Accept": RESPONSE})
    assert answer.status_code == 200
    assert answer.json()["data"] == {"site": None, "__typename": "Query"}
    assert answer.json()["errors"][0]["path"] == ["site"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The body is no JSON in UTF-8."),
        (b"{", "The body is no JSON in UTF-8."),
        (b'{"query": "\xff"}', "The body is no JSON in UTF-8."),
        (b"[" * 100_000, "The body is no JSON in UTF-8."),
        (b'{"query":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "The body is no JSON in UTF-8."),
        (b'{"query": "{ __typename }", "variables": {"n": NaN}}', "The body is no JSON in UTF-8."),
        (b"5", 'A request is an object, such as {"query": "{ __typename }"}.'),
        (b"null", 'A request is an object, such as {"query": "{ __typename }"}.'),
        (b"[]", "Several operations in one request are not taken: send them one by one."),
        (b"{}", MISSING),
        (b'{"query": ""}', MISSING),
        (b'{"query": 5}', MISSING),
        (b'{"query": "{ __typename }", "variables": []}', "variables must be an object or null."),
        (b'{"query": "{ __typename }", "extensions": "x"}', "extensions must be an object or null."),
        (b'{"query": "{ __typename }", "operationName": 1}', "operationName must be a text or null."),
    ],
)
async def test_what_is_no_request_is_refused_with_what_would_be_one(client: httpx.AsyncClient, body: bytes, said: str) -> None:
    answer = await sent(client, body)
    assert (answer.status_code, message(answer)) == (400, said)


@pytest.mark.parametrize(
    "type",
    [
        "application/jsonfoo",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=utf-16",
    ],
)
async def test_a_body_that_is_not_said_to_be_json_in_utf_8_is_not_read(client: httpx.AsyncClient, type: str) -> None:
    """A form of another site sends only what browsers send without asking first."""
    answer = await sent(client, json.dumps(TYPENAME), type)
    assert (answer.status_code, answer.headers["accept-post"]) == (415, "application/json")


@pytest.mark.parametrize("type", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'])
async def test_json_in_utf_8_is_read_however_it_is_written(client: httpx.AsyncClient, type: str) -> None:
    assert (await sent(client, json.dumps(TYPENAME), type)).json()["data"] == ANSWER["data"]


async def test_a_body_may_have_so_many_bytes(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        for _ in range(MAX_BODY // 1000 + 2):
            yield b" " * 1000

    padded = json.dumps(TYPENAME).ljust(MAX_BODY)
    assert (await sent(client, padded)).json()["data"] == ANSWER["data"]
    for body in (padded + " ", chunks()):
        answer = await client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, message(answer)) == (413, "The body is too large: at most 1048576 bytes.")


async def test_other_methods_are_told_which_there_are(client: httpx.AsyncClient) -> None:
    for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
        answer = await client.request(method, "/graphql")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_what_changes_something_is_not_done_by_get(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": DELETE})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    several = f"query A {{ __typename }} {DELETE.replace('mutation', 'mutation B')}"
    assert (await client.get("/graphql", params={"query": several, "operationName": "B"})).status_code == 405
    assert (await client.get("/graphql", params={"query": several, "operationName": "A"})).json()["data"] == ANSWER["data"]


async def test_a_get_brings_the_same_parts(client: httpx.AsyncClient) -> None:
    query = "query A { __typename } query B($id: ID!) { site(id: $id) { id } }"
    given = {"query": query, "operationName": "B", "variables": '{"id": "site_0"}', "extensions": ""}
    assert (await client.get("/graphql", params=given)).json()["data"] == {"site": None}
    assert (await client.get("/graphql", params={"query": TYPENAME["query"], "operationName": ""})).json()["data"] == ANSWER[
        "data"
    ]
    for bad in ({"variables": "{"}, {"variables": "[]"}, {"extensions": "5"}):
        assert (await client.get("/graphql", params={**given, **bad})).status_code == 400
    twice = await client.get("/graphql?query={__typename}&query={__typename}")
    assert (twice.status_code, message(twice)) == (400, "query is given more than once.")


async def test_a_result_that_was_sent_before_is_a_word(client: httpx.AsyncClient) -> None:
    first = await client.get("/graphql", params=TYPENAME)
    tag = first.headers["etag"]
    for header in (tag, tag.removeprefix("W/"), f'{tag}, "other"', f'"other", {tag}'):
        again = await client.get("/graphql", params=TYPENAME, headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await client.get("/graphql", params={"query": "{ a: __typename }"}, headers={"If-None-Match": tag})
    assert (other.status_code, other.headers["etag"] != tag) == (200, True)
    assert first.headers["cache-control"] == "private, no-store"
    assert "etag" not in (await client.post("/graphql", json=TYPENAME)).headers


async def test_a_large_result_is_compressed(client: httpx.AsyncClient) -> None:
    query = {"query": "{ __schema { types { name description } } }"}
    plain = await client.post("/graphql", json=query, headers={"Accept-Encoding": "identity"})
    packed = await client.post("/graphql", json=query, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.json() == plain.json()
    assert len(gzip.compress(plain.content, 4)) == int(packed.headers["content-length"])


async def test_a_subscription_is_a_stream_for_who_takes_one_and_refused_for_who_does_not(client: httpx.AsyncClient) -> None:
    text = 'subscription { auditProgress(audit: "audit_0") { phase } }'
    refused = await client.post("/graphql", json={"query": text})
    assert (refused.status_code, message(refused)) == (
        406,
        "A subscription's results are a stream: Accept: text/event-stream, or multipart/mixed, or a WebSocket.",
    )
    streamed = await client.post("/graphql", json={"query": text}, headers={"Accept": URQL})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "event: next" in streamed.text
    query = await client.post("/graphql", json=TYPENAME, headers={"Accept": URQL})
    assert (query.headers["content-type"], query.json()["data"]) == (f"{RESPONSE}; charset=utf-8", ANSWER["data"])
    nothing = await client.post("/graphql", json=TYPENAME, headers={"Accept": "text/html"})
    assert nothing.status_code == 406


class Slow(SqlReader):
    """Reads begin, and never end."""

    begun = asyncio.Event()
    stopped = asyncio.Event()

    async def _read(self, text: Any, values: Any) -> Any:
        Slow.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            Slow.stopped.set()


@pytest.fixture
def slow(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    Slow.begun, Slow.stopped = asyncio.Event(), asyncio.Event()

    async def caller_of(*_: object) -> object:
        monkeypatch.setattr(asking.database, "_reader", Slow(asking.database.reads))
        return asking.caller

    monkeypatch.setattr(http, "caller_of", caller_of)


SITE = {"query": '{ site(id: "site_01890000000070008000000000000000") { id } }'}


@pytest.mark.usefixtures("slow")
async def test_an_operation_that_takes_too_long_is_stopped(asking: Asking) -> None:
    services = replace(asking.services, policy=Policy(deadline_seconds=0.1))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(Starlette(routes=api(schema, services).routes)), base_url="http://pacemark.test"
    )
    answer = await client.post("/graphql", json=SITE)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"] == {"code": "TIMEOUT"}
    async with asyncio.timeout(10):
        await Slow.stopped.wait()


@pytest.mark.usefixtures("slow")
async def test_a_query_whose_client_leaves_is_stopped(asking: Asking) -> None:
    app = api(schema, asking.services).graphql
    body = json.dumps(SITE).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        message = next(messages, None)
        if message is None:
            await Slow.begun.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(message: Any) -> None:
        raise AssertionError(f"nobody is there to hear {message}")

    async with asyncio.timeout(10):
        await app(scope, receive, send)
    async with asyncio.timeout(10):
        await Slow.stopped.wait()


async def test_an_operation_that_is_not_there_is_refused(client: httpx.AsyncClient) -> None:
    for query, name in (("query A { __typename }", "B"), ("fragment F on Query { __typename }", None)):
        answer = await client.post("/graphql", json={"query": query, "operationName": name}, headers={"Accept": RESPONSE})
        assert answer.status_code == 400
        assert list(answer.json()) == ["errors"]


async def test_a_database_that_is_away_is_said_to_be(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> object:
        raise DatabaseAway("The database went away.")

    monkeypatch.setattr(http, "caller_of", away)
    answer = await client.post("/graphql", json=TYPENAME)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
