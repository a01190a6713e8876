"""Limits as clients meet them: headers, the field, three refusals with three codes, and one bucket behind every transport."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from domain import keys
from domain.caching import Bucket
from graph.callers import Caller
from graph.operations import documents_of
from graph.policy import Policy
from graph.schema import schema
from graph.transports.negotiation import JSON, RESPONSE
from graph.transports.routing import Api, api
from tests.graph.asking import Asking
from tests.graph.asking import asking as plenty
from tests.graph.registering import key
from tests.graph.test_transports import Served, served

__all__ = ["plenty", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ALL = Bucket(capacity=1_000, per_second=0.001)
SITES = '{ workspace(slug: "acme") { sites(first: 100) { nodes { id } } } }'
LIMIT = "{ rateLimit { limit remaining used resetAt cost } }"


@pytest.fixture
def asking(plenty: Asking) -> Asking:
    """With little to spend, of which nothing comes back."""
    return limited(plenty, allowance=ALL, strangers_allowance=ALL)


def limited(asking: Asking, **policy: Any) -> Asking:
    return replace(asking, services=replace(asking.services, policy=Policy(**policy)))


@asynccontextmanager
async def client(made: Api, key: str | None, address: str = "192.0.2.1") -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(Starlette(routes=made.routes), client=(address, 1))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://pacemark.test", headers=headers) as asker:
        yield asker


def limits(answer: httpx.Response) -> dict[str, str]:
    prefix = "x-ratelimit-"
    return {name.removeprefix(prefix): value for name, value in answer.headers.items() if name.startswith(prefix)}


async def test_each_answer_says_what_is_left(asking: Asking) -> None:
    async with client(api(schema, asking.services), await key(asking)) as asker:
        answer = await asker.post("/graphql", json={"query": SITES})
        said = limits(answer)
        assert abs(int(said.pop("reset")) - (time.time() + 2_000)) < 5
        assert said == {"limit": "1000", "remaining": "998", "used": "2", "resource": "graphql"}
        assert answer.json()["extensions"] == {
            "cost": {
                "requestedQueryCost": 102,
                "actualQueryCost": 2,
                "throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 998, "restoreRate": 0.001},
            }
        }
        got = await asker.get("/graphql", params={"query": SITES})
        assert (limits(got)["remaining"], list(got.json())) == ("996", ["data"])


async def test_an_operation_can_ask_what_is_left(asking: Asking) -> None:
    async with client(api(schema, asking.services), await key(asking)) as asker:
        answer = await asker.post("/graphql", json={"query": LIMIT})
        found = answer.json()["data"]["rateLimit"]
        reset = datetime.fromisoformat(found.pop("resetAt")).timestamp()
        assert found == {"limit": 1000, "remaining": 999, "used": 1, "cost": 1}
        assert abs(reset - int(limits(answer)["reset"])) <= 2
        text = LIMIT.replace("{ rateLimit", '{ workspace(slug: "acme") { sites { nodes { id } } } rateLimit')
        beside = (await asker.post("/graphql", json={"query": text})).json()["data"]["rateLimit"]
        assert (beside["cost"], beside["remaining"]) == (23, 976), "before what is not needed comes back"
    async with client(api(schema, asking.services), None) as stranger:
        found = (await stranger.post("/graphql", json={"query": LIMIT})).json()["data"]["rateLimit"]
    assert (found["limit"], found["used"]) == (1000, 1)


async def test_numbers_of_any_size_are_told(plenty: Asking) -> None:
    huge = limited(plenty, allowance=Bucket(1e12, 1e9))
    async with client(api(schema, huge.services), await key(huge)) as asker:
        answer = await asker.post("/graphql", json={"query": LIMIT})
    assert answer.json()["data"]["rateLimit"]["limit"] == 1e12
    assert limits(answer)["limit"] == "1000000000000"


@pytest.mark.parametrize("type", [JSON, RESPONSE])
async def test_too_fast_too_expensive_and_too_many_at_once_are_three_things(asking: Asking, type: str) -> None:
    asking = limited(asking, allowance=ALL, operations_at_once=1)
    made = api(schema, asking.services)
    secret = await key(asking)
    dear = SITES.replace("{ id }", "{ pages(first: 20) { nodes { id } } }")
    dearer = dear.replace("first: 20", "first: 100").replace("{ id }", "{ audits(first: 100) { nodes { id } } }")
    async with client(made, secret) as asker:

        async def ask(text: str) -> tuple[int, Any, str | None]:
            answer = await asker.post("/graphql", json={"query": text}, headers={"Accept": type})
            (error,) = answer.json()["errors"]
            assert list(answer.json()) == ["errors"]
            assert answer.headers["cache-control"] == "private, no-store"
            return answer.status_code, error["extensions"], answer.headers.get("retry-after")

        refused = 200 if type == JSON else 400
        assert await ask(dearer) == (
            refused,
            {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost": 1_020_202, "maximum": 50_000},
            None,
        )
        assert await ask(dear) == (refused, {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost": 2_202, "maximum": 1_000}, None)
        actor = await keys.actor_for_key(asking.database.reader, secret, asking.services.keyring)
        assert actor is not None
        with made.operations._budgets.running(Caller(actor)):
            assert await ask(SITES) == (429, {"code": "TOO_MANY_AT_ONCE", "maximum": 1}, "1")
        for _ in range(9):
            await made.operations._budgets.spend(Caller(actor), 100)
        status, extensions, wait = await ask(SITES)
        assert (status, extensions["code"], extensions["retryAfterSeconds"], wait) == (429, "THROTTLED", 2_000, "2000")
        assert extensions["cost"]["actualQueryCost"] is None


async def test_a_refusal_says_what_is_left_too(asking: Asking) -> None:
    made = api(schema, limited(asking, allowance=Bucket(100, 0.001)).services)
    async with client(made, await key(asking)) as asker:
        answer = await asker.post("/graphql", json={"query": SITES})
    assert answer.json()["errors"][0]["extensions"]["code"] == "COST_ESTIMATED_TOO_EXPENSIVE"
    assert {name: value for name, value in limits(answer).items() if name != "reset"} == {
        "limit": "100",
        "remaining": "100",
        "used": "0",
        "resource": "graphql",
    }


async def test_a_key_has_its_bucket_and_a_stranger_that_of_their_address(asking: Asking) -> None:
    made = api(schema, asking.services)
    one, other = await key(asking), await key(asking)
    left = []
    for secret, address in [
        (one, "192.0.2.1"),
        (one, "192.0.2.2"),
        (other, "192.0.2.1"),
        (None, "192.0.2.1"),
        (None, "192.0.2.1"),
        (None, "192.0.2.2"),
        (None, "2001:db8::1"),
    ]:
        async with client(made, secret, address) as asker:
            answer = await asker.post("/graphql", json={"query": "{ __typename }"}, headers={"X-Forwarded-For": "203.0.113.9"})
            left.append(limits(answer)["remaining"])
    assert left == ["999", "998", "999", "999", "998", "999", "999"]


async def everywhere(served: Served, text: str, headers: dict[str, str]) -> dict[str, str]:
    """What each transport says of the same operation, one after the other, as it is sent."""
    said: dict[str, str] = {}
    async with httpx.AsyncClient(headers=headers, timeout=10) as asker:
        said["post"] = (await asker.post(served.url, json={"query": text})).text
        said["get"] = (await asker.get(served.url, params={"query": text})).text
        for name, accept in (("events", "text/event-stream"), ("parts", "multipart/mixed, application/json")):
            said[name] = (await asker.post(served.url, json={"query": text}, headers={"Accept": accept})).text
        single = {"X-GraphQL-Event-Stream-Token": (await asker.put(f"{served.url}/stream")).text}
        async with asker.stream("GET", f"{served.url}/stream", headers={**single, "Accept": "text/event-stream"}) as stream:
            given = {"query": text, "extensions": {"operationId": "1"}}
            assert (await asker.post(f"{served.url}/stream", json=given, headers=single)).status_code == 202
            async with asyncio.timeout(10):
                said["single"] = await anext(line async for line in stream.aiter_lines() if line.startswith("data: {"))
    async with served.socket(headers) as socket:
        await socket.hear()
        await socket.subscribe("1", text)
        said["socket"] = json.dumps(await socket.hear(), separators=(",", ":"))
    return said


DEFERRED = "{ metrics { name } ... @defer { rateLimit { remaining } } }"


@pytest.mark.parametrize("signed_in", [True, False])
async def test_every_transport_spends_from_the_same_bucket(served: Served, signed_in: bool) -> None:
    said = await everywhere(served, DEFERRED, served.signed_in if signed_in else {})
    left = {name: float(re.findall(r'"remaining":([0-9.]+)', text)[0]) for name, text in said.items()}
    assert "hasNext" in said["parts"]
    assert left == {"post": 969, "get": 938, "events": 907, "parts": 876, "single": 845, "socket": 814}


@pytest.mark.parametrize("signed_in", [True, False])
async def test_who_has_nothing_left_is_refused_by_every_transport(served: Served, signed_in: bool) -> None:
    headers = served.signed_in if signed_in else {}
    actor = await keys.actor_for_key(served.asking.database.reader, served.key, served.asking.services.keyring)
    assert actor is not None
    account = actor.name if signed_in else "address:127.0.0.1"
    watch = 'subscription { workspaceEvents(workspace: "x") { cursor } }'
    for text in (SITES, DEFERRED, watch):  # known already: nobody is asked for a deposit
        assert documents_of(schema._schema).prepare(text, stranger=not signed_in).errors == []
    await served.asking.services.cache.spend(f"cost:{account}", 999, ALL)
    for text in (SITES, DEFERRED):
        said = await everywhere(served, text, headers)
        assert {name: re.findall(r'"code":"([A-Z_]+)"', each) for name, each in said.items()} == {
            name: ["THROTTLED"] for name in ("post", "get", "events", "parts", "single", "socket")
        }
    async with served.socket(headers) as socket:
        await socket.hear()
        await socket.subscribe("1", watch)
        first = await socket.hear()
        # It costs one, which is left; the next has nothing to begin with.
        assert first["type"] == "next"
        assert (await socket.hear())["type"] == "complete"
        await socket.subscribe("2", watch)
        said = await socket.hear()
        assert (said["type"], said["payload"][0]["extensions"]["code"]) == ("error", "THROTTLED")
