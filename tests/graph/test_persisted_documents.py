"""Persisted documents over HTTP and WebSocket: how they are asked for, refused, kept by caches, and counted."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from domain import documents
from domain.documents import ClientMode
from domain.ids import Kind, encode
from graph.schema import schema
from graph.transports.negotiation import JSON, RESPONSE
from graph.transports.routing import api
from tests.graph.asking import Asking, asking
from tests.graph.registering import caller, client, elsewhere, key, push
from tests.graph.test_transports import Served, served

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CATALOGUE = (
    "query Catalogue($form: FormFactor!) { metrics { name thresholds(engine: LIGHTHOUSE, formFactor: $form) { good } } }"
)
VIEWER = "query Viewer { viewer { key { name } } }"
DELETE = 'mutation Delete { siteDelete(input: { site: "x" }) { __typename } }'
SEVERAL = "query A { __typename } query B { metrics { name } }"
WATCH = "subscription ($id: ID!) { auditProgress(audit: $id) { phase } }"
MOBILE = {"form": "MOBILE"}


def hash_of(text: str) -> str:
    return f"sha256:{sha256(text.encode()).hexdigest()}"


@asynccontextmanager
async def http(asking: Asking, key: str | None) -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(Starlette(routes=api(schema, asking.services).routes))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://pacemark.test", headers=headers) as made:
        yield made


@pytest.fixture
async def asker(asking: Asking) -> AsyncGenerator[httpx.AsyncClient, None]:
    """With a key of no client; all documents above are its workspace's."""
    await push(asking, None, {"catalogue": CATALOGUE, "viewer": VIEWER, "delete": DELETE, "several": SEVERAL})
    async with http(asking, await key(asking)) as made:
        yield made


def code(answer: httpx.Response) -> str:
    (error,) = answer.json()["errors"]
    assert list(answer.json()) == ["errors"]
    assert answer.headers["cache-control"] == "private, no-store"
    found: str = error["extensions"]["code"]
    return found


async def test_a_document_is_asked_for_by_post_by_get_and_at_an_address_of_its_own(asker: httpx.AsyncClient) -> None:
    expected = (await asker.post("/graphql", json={"query": CATALOGUE, "variables": MOBILE})).json()["data"]
    assert len(expected["metrics"]) == 30
    given = {"variables": json.dumps(MOBILE, separators=(",", ":"))}
    for id in ("catalogue", hash_of(CATALOGUE), hash_of(CATALOGUE).removeprefix("sha256:")):
        answers = [
            await asker.post("/graphql", json={"documentId": id, "variables": MOBILE}),
            await asker.post(f"/graphql/d/{id}", json={"variables": MOBILE}),
            await asker.get("/graphql", params={"documentId": id, **given}),
            await asker.get(f"/graphql/d/{id}", params=given),
        ]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert [answer.json()["data"] for answer in answers] == [expected] * 4


async def test_an_operation_of_a_document_is_chosen_by_its_name(asker: httpx.AsyncClient) -> None:
    for name, data in (("A", {"__typename": "Query"}), ("C", None)):
        posted = await asker.post("/graphql", json={"documentId": "several", "operationName": name})
        got = await asker.get("/graphql/d/several", params={"operationName": name})
        if data is not None:
            assert posted.json()["data"] == got.json()["data"] == data
        else:
            assert code(posted) == code(got) == "OPERATION_RESOLUTION_FAILURE"
    assert code(await asker.get("/graphql/d/several")) == "OPERATION_RESOLUTION_FAILURE"


async def test_an_id_and_a_text_are_not_sent_together(asker: httpx.AsyncClient) -> None:
    both = {"documentId": "viewer", "query": VIEWER}
    for answer in (
        await asker.post("/graphql", json=both),
        await asker.get("/graphql", params=both),
        await asker.post("/graphql/d/viewer", json={"query": VIEWER}),
        await asker.get("/graphql/d/viewer", params={"query": VIEWER}),
        await asker.post("/graphql", json=both, headers={"Accept": RESPONSE}),
    ):
        assert (answer.status_code, code(answer)) == (400, "CANNOT_SEND_PQ_ID_AND_BODY")
    for bad, said in (
        ({"documentId": 5}, "documentId must be a text or null."),
        ({"documentId": "x" * 257}, "documentId has at most 256 characters."),
    ):
        answer = await asker.post("/graphql", json=bad)
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, said)


async def test_what_changes_something_is_not_done_by_get_under_any_name(asker: httpx.AsyncClient) -> None:
    for address in ("/graphql/d/delete", "/graphql?documentId=delete", f"/graphql/d/{hash_of(DELETE)}"):
        answer = await asker.get(address)
        assert (answer.status_code, answer.headers["allow"], code(answer)) == (405, "POST", "BAD_REQUEST")
    done = await asker.post("/graphql/d/delete", json={})
    assert done.json()["data"] == {"siteDelete": {"__typename": "InvalidInput"}}


@pytest.mark.parametrize("type", [JSON, RESPONSE])
async def test_an_unknown_id_is_one_error_and_no_hint(asking: Asking, type: str) -> None:
    other = await elsewhere(asking)
    await push(other, None, {"theirs": CATALOGUE})
    texts = set()
    for secret in (await key(asking), await key(asking, await client(asking)), None):
        async with http(asking, secret) as asker:
            for id in ("theirs", hash_of(CATALOGUE), "nothing", "n%20o%3Bid"):
                got = await asker.get(f"/graphql/d/{id}", headers={"Accept": type, "apollo-require-preflight": "1"})
                posted = await asker.post("/graphql", json={"documentId": id}, headers={"Accept": type})
                for answer in (got, posted):
                    assert (answer.status_code, code(answer)) == (404, "PERSISTED_QUERY_NOT_IN_LIST")
                    assert answer.headers["content-type"] == f"{type}; charset=utf-8"
                    texts.add(answer.text)
    assert len(texts) == 1


MODES: list[tuple[ClientMode, tuple[int, str], tuple[int, str]]] = [
    (ClientMode.OPEN, (200, ""), (200, "")),
    (ClientMode.LOG_UNKNOWN, (200, ""), (200, "")),
    (ClientMode.SAFELIST, (200, ""), (403, "QUERY_NOT_IN_SAFELIST")),
    (ClientMode.REGISTERED_ONLY, (400, "PERSISTED_QUERY_ID_REQUIRED"), (400, "PERSISTED_QUERY_ID_REQUIRED")),
]


@pytest.mark.parametrize("type", [JSON, RESPONSE])
@pytest.mark.parametrize(("mode", "registered", "unknown"), MODES)
async def test_a_clients_mode_is_a_status_and_a_code(
    asking: Asking, mode: ClientMode, registered: tuple[int, str], unknown: tuple[int, str], type: str
) -> None:
    web = await client(asking, mode=mode)
    await push(asking, web, {"viewer": VIEWER})
    async with http(asking, await key(asking, web)) as asker:
        for text, expected in ((VIEWER, registered), (SEVERAL.partition(" query B")[0], unknown)):
            posted = await asker.post("/graphql", json={"query": text}, headers={"Accept": type})
            got = await asker.get("/graphql", params={"query": text}, headers={"Accept": type})
            for answer in (posted, got):
                assert (answer.status_code, code(answer) if expected[1] else "") == expected
        by_id = await asker.get("/graphql/d/viewer", headers={"Accept": type})
    assert by_id.json() == {"data": {"viewer": {"key": {"name": "ci"}}}}


async def test_no_transport_lets_an_unregistered_text_through(served: Served) -> None:
    web = await client(served.asking, mode=ClientMode.REGISTERED_ONLY)
    await push(served.asking, web, {"viewer": VIEWER, "watch": WATCH})
    served = replace(served, key=await key(served.asking, web))
    audit = await served.new_audit()
    async with served.socket() as socket:
        await socket.hear()
        await socket.subscribe("1", VIEWER)
        said = await socket.hear()
        assert (said["type"], said["payload"][0]["extensions"]) == ("error", {"code": "PERSISTED_QUERY_ID_REQUIRED"})
        await socket.send(id="2", type="subscribe", payload={"documentId": "viewer"})
        assert (await socket.hear())["payload"]["data"] == {"viewer": {"key": {"name": "ci"}}}
        assert (await socket.hear())["type"] == "complete"
        await socket.send(id="3", type="subscribe", payload={"documentId": "watch", "variables": {"id": audit}})
        assert (await socket.hear())["payload"]["data"] == {"auditProgress": {"phase": "QUEUED"}}
    async with httpx.AsyncClient(headers=served.signed_in) as asker:
        for accept in ("text/event-stream", "multipart/mixed;subscriptionSpec=1.0", "multipart/mixed"):
            answer = await asker.post(served.url, json={"query": "{ __typename }"}, headers={"Accept": accept})
            assert "PERSISTED_QUERY_ID_REQUIRED" in answer.text, accept
        streamed = await asker.post(served.url, json={"documentId": "viewer"}, headers={"Accept": "text/event-stream"})
        assert '"viewer":{"key":{"name":"ci"}}' in streamed.text
        stream = {"X-GraphQL-Event-Stream-Token": (await asker.put(f"{served.url}/stream")).text}
        single = await asker.post(
            f"{served.url}/stream", json={"query": VIEWER, "extensions": {"operationId": "1"}}, headers=stream
        )
        assert (single.status_code, single.json()["errors"][0]["extensions"]["code"]) == (400, "PERSISTED_QUERY_ID_REQUIRED")


def automatic(text: str, *, sending: bool, version: int = 1) -> dict[str, Any]:
    extensions = {"persistedQuery": {"version": version, "sha256Hash": hash_of(text).removeprefix("sha256:")}}
    return {**({"query": text} if sending else {}), "extensions": extensions}


@pytest.mark.parametrize("type", [JSON, RESPONSE])
async def test_apollos_clients_find_what_they_know(asking: Asking, type: str) -> None:
    """Its errors, to the letter: https://www.apollographql.com/docs/apollo-server/performance/apq"""
    async with http(asking, await key(asking)) as asker:

        async def send(method: str, **given: Any) -> httpx.Response:
            if method == "POST":
                return await asker.post("/graphql", json=given, headers={"Accept": type})
            extensions = json.dumps(given.pop("extensions"))
            return await asker.get("/graphql", params={**given, "extensions": extensions}, headers={"Accept": type})

        for method in ("POST", "GET"):
            text = f"query {method} {{ __typename }}"
            missed = await send(method, **automatic(text, sending=False))
            assert (missed.status_code, missed.json()) == (
                200,
                {"errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]},
            )
            assert missed.headers["cache-control"] == "private, no-store"
            for sending in (True, False):
                answer = await send(method, **automatic(text, sending=sending))
                assert (answer.status_code, answer.json()["data"]) == (200, {"__typename": "Query"})
            wrong = await send(method, **{**automatic(text, sending=True), "query": VIEWER})
            assert (wrong.status_code, wrong.json()) == (
                400,
                {
                    "errors": [
                        {"message": "provided sha does not match query", "extensions": {"code": "PERSISTED_QUERY_MISMATCH"}}
                    ]
                },
            )
            old = await send(method, **automatic(text, sending=True, version=2))
            assert (old.status_code, old.json()) == (
                400,
                {"errors": [{"message": "Unsupported persisted query version", "extensions": {"code": "BAD_REQUEST"}}]},
            )


async def test_a_mutation_is_called_for_by_its_hash_by_post_alone(asking: Asking) -> None:
    async with http(asking, await key(asking)) as asker:
        assert (await asker.post("/graphql", json=automatic(DELETE, sending=True))).status_code == 200
        answer = await asker.get("/graphql", params={"extensions": json.dumps(automatic(DELETE, sending=False)["extensions"])})
        assert (answer.status_code, code(answer)) == (405, "BAD_REQUEST")


async def test_an_answer_that_everybody_gets_is_kept_for_as_long_as_its_fields_say(asker: httpx.AsyncClient) -> None:
    given = {"variables": '{"form":"MOBILE"}'}
    first = await asker.get("/graphql/d/catalogue", params=given)
    assert first.headers["cache-control"] == "public, max-age=86400"
    assert first.headers["vary"] == "Accept, Accept-Encoding, Authorization, Cookie, Origin"
    assert list(first.json()) == ["data"], "what it cost is not the next one's"
    assert [name for name in first.headers if name.startswith("x-ratelimit")] == []
    again = await asker.get("/graphql/d/catalogue", params=given, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert [again.headers[name] for name in ("cache-control", "etag")] == ["public, max-age=86400", first.headers["etag"]]
    desktop = await asker.get("/graphql/d/catalogue", params={"variables": '{"form":"DESKTOP"}'})
    assert desktop.headers["etag"] != first.headers["etag"]
    posted = await asker.post("/graphql/d/catalogue", json={"variables": MOBILE})
    assert (posted.headers["cache-control"], "etag" in posted.headers) == ("private, no-store", False)
    assert posted.json()["extensions"]["cost"]["actualQueryCost"] > 0
    assert "x-ratelimit-limit" in posted.headers


@pytest.mark.parametrize(
    "text",
    [
        "{ metrics { name } viewer { key { name } } }",
        '{ metrics { name } workspace(slug: "acme") { slug } }',
        "{ metrics { name } rateLimit { limit } }",
        '{ metrics { name } __type(name: "Query") { name } }',
        '{ metrics { name } site(id: "nonsense") { id } }',
        "{ __typename }",
    ],
)
async def test_one_field_that_does_not_say_how_long_it_lasts_is_enough(asking: Asking, text: str) -> None:
    await push(asking, None, {"mixed": text})
    async with http(asking, await key(asking)) as asker:
        answer = await asker.get("/graphql/d/mixed")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    assert "extensions" not in answer.json()
    assert int(answer.headers["x-ratelimit-used"]) >= 1
    assert answer.headers["etag"]


async def test_an_answer_with_an_error_is_not_kept(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    await push(asking, None, {"all": "{ metrics { thresholds(engine: PROBE, formFactor: MOBILE) { good } } }"})

    def fail(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("domain.metrics.Metric.thresholds", fail)
    async with http(asking, await key(asking)) as asker:
        with capture_logs() as logs:
            answer = await asker.get("/graphql/d/all")
    assert answer.headers["cache-control"] == "private, no-store"
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"INTERNAL_SERVER_ERROR"}
    assert "hunter2" not in answer.text
    assert len(logs) == len(answer.json()["errors"])


async def test_the_address_of_a_document_is_read_as_it_is_written(asking: Asking) -> None:
    """Ids may hold what stands in Hive's and in ours."""
    ids = ("app~1.0.0~hash", "web/1.0/home", "a:b", "sha1:0")
    await push(asking, None, dict.fromkeys(ids, VIEWER))
    async with http(asking, await key(asking)) as asker:
        for id in ids:
            assert (await asker.get(f"/graphql/d/{id}")).json() == {"data": {"viewer": {"key": {"name": "ci"}}}}
            assert (await asker.get(f"/graphql?{urlencode({'documentId': id})}")).status_code == 200
        nothing = await asker.get("/graphql/d/")
        assert (nothing.status_code, code(nothing)) == (400, "BAD_REQUEST")


async def used(asking: Asking) -> list[tuple[UUID | None, str, int, int]]:
    """Of the one document that was used: by which client and version, how often, and with how many errors."""
    found = asking.services.usage.drain()
    assert len({each.document_id for each in found}) <= 1
    assert all(each.workspace_id == asking.workspace_id for each in found)
    return [(each.client_id, each.version, each.calls, each.errors) for each in found]


async def test_each_use_is_counted_with_the_version_that_the_client_says(asking: Asking) -> None:
    web = await client(asking)
    await push(asking, web, {"viewer": VIEWER})
    async with http(asking, await key(asking, web)) as asker:

        async def ask(**headers: str) -> list[tuple[UUID | None, str, int, int]]:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            assert (await asker.get("/graphql/d/viewer", headers=named)).status_code == 200
            return await used(asking)

        assert await ask(apollographql_client_version="1.2.3") == [(web, "1.2.3", 1, 0)]
        assert await ask(graphql_client_version="2026-11+b_1") == [(web, "2026-11+b_1", 1, 0)]
        assert await ask(graphql_client_version="1", apollographql_client_version="2") == [(web, "1", 1, 0)]
        assert await ask(apollographql_client_version="x" * 50) == [(web, "x" * 50, 1, 0)]
        for bad in ("1 2", "x" * 51, "<script>", "1;2", ""):
            assert await ask(apollographql_client_version=bad) == [(web, "", 1, 0)], bad
        # Which client it is, the key says, and nothing that is sent beside it.
        assert await ask(apollographql_client_name="ios", graphql_client_name="ios") == [(web, "", 1, 0)]
        for given in ({"documentId": hash_of(VIEWER)}, automatic(VIEWER, sending=False)):
            await asker.post("/graphql", json=given)
        assert await used(asking) == [(web, "", 2, 0)]
        await asker.post("/graphql", json={"query": VIEWER})
        assert await used(asking) == [], "an open client's texts are not looked up"


async def test_an_answer_with_errors_counts_as_one(asking: Asking) -> None:
    await push(asking, None, {"site": "query ($id: ID!) { site(id: $id) { name } }"})
    async with http(asking, await key(asking)) as asker:
        for variables in ({"id": "nonsense"}, {}, {"id": encode(Kind.SITE, UUID(int=1))}):
            await asker.post("/graphql", json={"documentId": "site", "variables": variables})
    assert await used(asking) == [(None, "", 3, 2)]


async def test_use_is_shown_in_the_graph_once_it_is_written(asking: Asking) -> None:
    web = await client(asking)
    await push(asking, web, {"viewer": VIEWER}, version="1.2.3")
    async with http(asking, await key(asking, web)) as asker:
        for version in ("1.2.3", "1.2.3", "9.9.9"):
            await asker.get("/graphql/d/viewer", headers={"apollographql-client-version": version})
    async with asking.database.work(asking.actor) as work:
        await documents.count(work, asking.services.usage.drain())
    read = '{ workspace(slug: "acme") { documents { nodes { usage { version calls errors client { name } } } } } }'
    usage = (await asking.ask(read))["workspace"]["documents"]["nodes"][0]["usage"]
    assert sorted(usage, key=lambda each: str(each["version"])) == [
        {"version": "1.2.3", "calls": 2.0, "errors": 0.0, "client": {"name": "web"}},
        {"version": None, "calls": 1.0, "errors": 0.0, "client": {"name": "web"}},
    ]


async def test_a_clients_mistakes_with_ids_are_not_logged(asking: Asking) -> None:
    web = await client(asking, mode=ClientMode.SAFELIST)
    by = await caller(asking, web)
    assert by.actor.client_id == web
    async with http(asking, await key(asking, web)) as asker:
        with capture_logs() as logs:
            for given in (
                {"documentId": "nothing"},
                {"documentId": "a", "query": VIEWER},
                {"query": VIEWER},
                automatic(VIEWER, sending=False),
                automatic(VIEWER, sending=True),
                {**automatic(VIEWER, sending=True), "query": SEVERAL},
            ):
                assert "errors" in (await asker.post("/graphql", json=given)).json()
    assert logs == []
