"""What refuses or stops an operation says so by every transport in the same words."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.doors.graphiql import PageOrApi
from domain.caching import Bucket
from graph.errors import MASK
from graph.operations import documents_of
from graph.schema import schema
from tests.graph.asking import Asking, asking
from tests.graph.changing import change

from .everywhere import CHANGING, EVERYWHERE, STREAMING, get, multipart, post, sse, sse_by_get
from .readers import SECRET, SITE, Broken, put, stick
from .serving import MEMBER, VIEWER, WORKSPACE, Served, served, serving, until
from .test_limits_everywhere import alike, answers, codes

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RENAME = 'mutation { siteUpdate(input: { site: "%s", name: "%s" }) { ... on SiteUpdatePayload { site { name } } } }'


async def test_who_may_ask_is_answered_alike_everywhere(served: Served) -> None:
    found = await answers(served, {"query": VIEWER})
    assert {name: answer.data for name, answer in found.items()} == alike(MEMBER)
    found = await answers(served.stranger, {"query": VIEWER})
    assert {name: answer.data for name, answer in found.items()} == alike({"viewer": None})


async def test_a_bad_key_opens_nothing(served: Served) -> None:
    nobody = replace(served, key="pmk_00000000_" + "0" * 38)
    for transport in (post, get, sse, sse_by_get, multipart):
        answer = await transport(nobody, {"query": VIEWER})
        assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"]), transport.__name__
    reserved = await served.http.put("/graphql/stream", headers=nobody.signed_in)
    assert reserved.status_code == 401
    async with nobody.socket() as socket:
        assert await socket.closed() == (4403, "Forbidden")


async def test_what_changes_something_is_changed_by_every_transport_but_get(served: Served) -> None:
    given = {"workspace": served.asking.workspace, "origin": "https://x.test"}
    site = (await change(served.asking, "siteCreate", "site { id }", **given))["site"]["id"]
    for transport in CHANGING:
        answer = await transport(served, {"query": RENAME % (site, transport.__name__)})
        assert answer.data == {"siteUpdate": {"site": {"name": transport.__name__}}}
    for transport in (get, sse_by_get):
        answer = await transport(served, {"query": RENAME % (site, "get")})
        assert (answer.status, answer.codes) == (405, ["BAD_REQUEST"])
    assert (await post(served, {"query": f'{{ site(id: "{site}") {{ name }} }}'})).data == {"site": {"name": "multipart"}}


async def test_a_stranger_is_told_of_no_name_that_would_be_right(served: Served) -> None:
    slips = [
        ("{ viewr { key { id } } }", {}),
        ('{ workspace(slugg: "x") { id } }', {}),
        ("query ($n: Strin) { viewer { key { id } } }", {}),
        ('mutation { siteCreate(input: { orign: "x" }) { __typename } }', {}),
        ('query ($k: [EventKind!]) { workspace(slug: "x") { events(kinds: $k) { __typename } } }', {"k": ["AUDIT_STARTD"]}),
        ("subscription { workspaceEvent { cursor } }", {}),
    ]
    for text, variables in slips:
        for caller, hinted in ((served, True), (served.stranger, False)):
            found = await answers(caller, {"query": text, "variables": variables}, CHANGING)
            told = {name: any("Did you mean" in error["message"] for error in each.errors) for name, each in found.items()}
            assert told == alike(hinted, CHANGING), text


async def test_what_is_not_ones_own_is_not_there(served: Served) -> None:
    watched = {"query": WORKSPACE, "variables": {"id": "workspace_01890000000070008000000000000000"}}
    assert codes(await answers(served, watched, STREAMING)) == alike(["NOT_FOUND"], STREAMING)
    watched = {"query": WORKSPACE, "variables": {"id": served.asking.workspace}}
    assert codes(await answers(served.stranger, watched, STREAMING)) == alike(["NOT_SIGNED_IN"], STREAMING)
    await served.nobody_listens()


async def test_a_bug_is_masked_alike_everywhere(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    await post(served, {"query": VIEWER})
    put(Broken(served.asking.database.reads), served.asking, monkeypatch)
    with capture_logs() as logs:
        found = await answers(served, {"query": SITE})
        (deferred,) = (await multipart(served, {"query": "{ ... @defer " + SITE + " }"})).results[-1]["incremental"]
    errors = [answer.errors[0] for answer in found.values()] + deferred["errors"]
    assert {(error["message"], error["extensions"]["code"]) for error in errors} == {(MASK, "INTERNAL_SERVER_ERROR")}
    assert SECRET not in str(found) + str(deferred)
    assert [line["trace_id"] for line in logs] == [error["extensions"]["traceId"] for error in errors]


async def test_what_takes_too_long_is_stopped_alike_everywhere(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(asking, deadline_seconds=0.05) as served:
        await post(served, {"query": VIEWER})
        stuck = stick(asking, monkeypatch)
        found = await answers(served, {"query": SITE})
        deferred = await multipart(served, {"query": "{ __typename ... @defer " + SITE + " }"})
        await until(lambda: not stuck.running)
    assert codes(found) == alike(["TIMEOUT"])
    assert (deferred.codes, deferred.results[-1]["hasNext"]) == (["TIMEOUT"], False)
    assert (found["post"].status, found["get"].status, found["websocket"].status) == (503, 503, 0)


async def test_who_asks_for_too_much_in_a_while_is_refused_alike_everywhere(asking: Asking) -> None:
    async with serving(asking, allowance=Bucket(200, 0.001), strangers_allowance=Bucket(5, 0.001)) as served:
        for caller, most in ((served, 200), (served.stranger, 5)):
            while not (last := await post(caller, {"query": VIEWER})).errors:
                most -= 1
                assert most > 0
            assert (last.status, last.codes) == (429, ["THROTTLED"])
            assert codes(await answers(caller, {"query": VIEWER})) == alike(["THROTTLED"])
        watched = {"query": WORKSPACE, "variables": {"id": asking.workspace}}
        streamed = await answers(served, watched, STREAMING)
        assert codes(streamed) == alike(["THROTTLED"], STREAMING)
        assert [streamed[name].status for name in ("sse", "sse_by_get", "multipart")] == [429, 429, 429]
        dear = {"query": "{ " + " ".join(f"a{number}: viewer {{ key {{ id }} }}" for number in range(4)) + " }"}
        documents_of(schema._schema).prepare(dear["query"], stranger=True)
        found = await answers(served.stranger, dear)
        assert codes(found) == alike(["COST_ESTIMATED_TOO_EXPENSIVE"]), "no patience helps"


async def test_who_asks_for_too_much_at_once_is_refused_alike_everywhere(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(asking, operations_at_once=3, deadline_seconds=5) as served:
        async with served.socket() as socket:
            await socket.hear()
            await socket.ask("0", VIEWER)
            stuck = stick(asking, monkeypatch)
            for id in ("1", "2", "3"):
                await socket.subscribe(id, SITE)
            await until(lambda: stuck.running == 3)
            assert codes(await answers(served, {"query": VIEWER})) == alike(["TOO_MANY_AT_ONCE"])
            deferred = await multipart(served, {"query": "{ ... @defer " + VIEWER + " }"})
            assert deferred.codes == ["TOO_MANY_AT_ONCE"]
            assert (await post(served.stranger, {"query": VIEWER})).data == {"viewer": None}
            await socket.send(id="2", type="complete")
            await until(lambda: stuck.running == 2)
            assert (await post(served, {"query": "{ __typename }"})).data == {"__typename": "Query"}
        await until(lambda: not stuck.running)


async def test_nothing_gets_into_the_memory_of_apollos_hashes_that_is_no_document(served: Served) -> None:
    def hashed(text: str, *, of: str | None = None) -> dict[str, Any]:
        digest = sha256((of or text).encode()).hexdigest()
        return {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}

    poison = {
        "{ __typename }": (hashed("{ __typename }", of=VIEWER), "PERSISTED_QUERY_MISMATCH"),
        "invalid": (hashed("{ nothing }"), "GRAPHQL_VALIDATION_FAILED"),
        "huge": (hashed("{ __typename } " + " " * 65_536), "DOCUMENT_TOO_LARGE"),
        "dear": (hashed("query A { __typename } query A { __typename }"), "GRAPHQL_VALIDATION_FAILED"),
    }
    for name, (sent, refused) in poison.items():
        by = EVERYWHERE if len(sent["query"]) < 50_000 else CHANGING
        found = await answers(served, sent, by)
        assert {each[0] for each in codes(found).values()} == {refused}, name
        later = await answers(served, {"extensions": sent["extensions"]})
        assert codes(later) == alike(["PERSISTED_QUERY_NOT_FOUND"]), name
    for transport in EVERYWHERE:  # each of them remembers, for all of them
        good = hashed(f"query {transport.__name__} {VIEWER}")
        assert (await transport(served, good)).data == MEMBER
        found = await answers(served, {"extensions": good["extensions"]})
        assert {name: answer.data for name, answer in found.items()} == alike(MEMBER)
        assert codes(await answers(served.stranger, {"extensions": good["extensions"]})) == alike(["PERSISTED_QUERY_NOT_FOUND"])


async def test_who_asks_by_a_hash_alone_gets_an_answer_and_no_page(served: Served) -> None:
    given = {"extensions": json.dumps({"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}})}
    page = httpx.ASGITransport(PageOrApi(served.api.graphql))
    async with httpx.AsyncClient(transport=page, base_url=f"http://{served.base}") as client:
        for accept in ("*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"):
            answer = await client.get("/graphql", params=given, headers={"Accept": accept})
            assert (answer.status_code, answer.json()["errors"][0]["message"]) == (200, "PersistedQueryNotFound"), accept
        assert (await client.get("/graphql", headers={"Accept": "text/html"})).headers["content-type"].startswith("text/html")


async def test_a_query_whose_client_leaves_is_stopped(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    await post(served, {"query": VIEWER})
    stuck = stick(served.asking, monkeypatch)
    deferred = {"query": "{ __typename ... @defer " + SITE + " }"}
    for transport, parts in [*((each, {"query": SITE}) for each in EVERYWHERE), (multipart, deferred)]:
        stuck.begun.clear()
        leaving = asyncio.ensure_future(transport(served, parts))
        async with asyncio.timeout(5):
            await stuck.begun.wait()
        assert stuck.running == 1
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await until(lambda: not stuck.running)
