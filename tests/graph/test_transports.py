"""GraphQL over real sockets: POST, GET, server-sent events and graphql-transport-ws, with keys good and bad."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.databases import Counter
from tests.domain.audits.engines import ToldEngine
from tests.graph.asking import asking
from tests.graph.changing import change
from tests.graph.transports.serving import PROGRESS, VIEWER, Served, Socket, events, served

__all__ = ["Served", "asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BAD_KEYS = ["pmk_nonsense", "Basic dXNlcjpwYXNz", "Bearer", "Bearer pmk_00000000_" + "0" * 38, ""]


async def test_a_query_by_post_and_by_get_says_who_asks(served: Served) -> None:
    expected = {"data": {"viewer": {"key": {"name": "ci", "role": "MEMBER"}}}}
    posted = await served.post(VIEWER)
    assert (posted.status_code, posted.json()["data"]) == (200, expected["data"])
    assert posted.headers["content-type"] == "application/json; charset=utf-8"
    async with httpx.AsyncClient() as client:
        got = await client.get(served.url, params={"query": VIEWER}, headers=served.signed_in)
        lower = await client.get(served.url, params={"query": VIEWER}, headers={"authorization": f"bearer  {served.key}"})
        assert (got.json(), lower.json()) == (expected, expected)
        nobody = await client.get(served.url, params={"query": VIEWER})
        assert (nobody.status_code, nobody.json()) == (200, {"data": {"viewer": None}})
        changed = await client.get(
            served.url,
            params={"query": 'mutation { siteDelete(input: { site: "x" }) { __typename } }'},
            headers=served.signed_in,
        )
        assert (changed.status_code, changed.headers["allow"]) == (405, "POST")


async def test_a_bad_key_is_refused_without_a_word_about_why(served: Served) -> None:
    said = set()
    for key in BAD_KEYS:
        answer = await served.post(VIEWER, {"Authorization": key})
        assert answer.status_code == 401, key
        said.add(answer.text)
    wrong_end = served.key[:-1] + ("0" if served.key[-1] != "0" else "1")
    said.add((await served.post(VIEWER, {"Authorization": f"Bearer {wrong_end}"})).text)
    (text,) = said
    assert json.loads(text)["errors"][0]["message"].startswith("This API key or access token is not valid")


async def test_a_result_over_http_hides_bugs_and_secrets_too(served: Served) -> None:
    given = {"site": "x", "password": "hunter2", "bogus": 1}
    text = "mutation ($input: SiteAccessSetInput!) { siteAccessSet(input: $input) { __typename } }"
    answer = await served.post(text, input=given)
    assert "SiteAccessSetInput" in answer.text
    assert "hunter2" not in answer.text
    async with served.socket() as socket:
        await socket.hear()
        await socket.subscribe("1", text, input=given)
        said = json.dumps(await socket.hear())
        assert "SiteAccessSetInput" in said
        assert "hunter2" not in said


async def test_a_socket_takes_the_key_in_its_introduction_or_its_header(served: Served) -> None:
    introductions: list[tuple[dict[str, str], dict[str, str]]] = [
        (served.signed_in, {}),
        ({"authorization": f"Bearer {served.key}"}, {}),
        ({}, served.signed_in),
        (served.signed_in, served.signed_in),
    ]
    for payload, headers in introductions:
        async with served.socket(payload, headers) as socket:
            assert await socket.hear() == {"type": "connection_ack"}
            assert await socket.ask("1", VIEWER) == {"data": {"viewer": {"key": {"name": "ci", "role": "MEMBER"}}}}
    async with served.socket({}) as socket:
        assert await socket.hear() == {"type": "connection_ack"}
        assert await socket.ask("1", VIEWER) == {"data": {"viewer": None}}


async def test_a_socket_with_a_bad_key_is_closed_as_forbidden(served: Served) -> None:
    attempts: list[tuple[dict[str, Any], dict[str, str]]] = [({"Authorization": key}, {}) for key in BAD_KEYS]
    attempts += [({"Authorization": 5}, {}), ({}, {"Authorization": "Bearer pmk_nonsense"})]
    attempts += [(served.signed_in, {"Authorization": "Bearer pmk_nonsense"})]
    for payload, headers in attempts:
        async with served.socket(payload, headers) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.hear()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "Forbidden"), (payload, headers)


async def test_each_operation_of_a_socket_sees_what_was_written_before_it(served: Served) -> None:
    site = (
        await change(served.asking, "siteCreate", "site { id }", workspace=served.asking.workspace, origin="https://x.test")
    )["site"]["id"]
    query = "query ($id: ID!) { site(id: $id) { name } }"
    async with served.socket() as socket:
        await socket.hear()
        assert await socket.ask("1", query, id=site) == {"data": {"site": {"name": "x.test"}}}
        await change(served.asking, "siteUpdate", site=site, name="New")
        assert await socket.ask("2", query, id=site) == {"data": {"site": {"name": "New"}}}
        mutation = """mutation ($id: ID!) { siteUpdate(input: { site: $id, name: "Newest" }) {
          ... on SiteUpdatePayload { site { name } } } }"""
        assert await socket.ask("3", mutation, id=site) == {"data": {"siteUpdate": {"site": {"name": "Newest"}}}}
        assert await socket.ask("1", query, id=site) == {"data": {"site": {"name": "Newest"}}}


async def phases(socket: Socket, id: str) -> list[str]:
    """What is heard of one operation, until it is complete."""
    seen = []
    while (said := await socket.hear())["type"] == "next":
        assert said["id"] == id
        seen.append(said["payload"]["data"]["auditProgress"])
    assert said == {"id": id, "type": "complete"}
    assert seen[-1] == {"phase": "ENDED", "audit": {"state": "FINISHED", "metrics": {"ttfbMs": 110}}}
    return [each["phase"] for each in seen]


async def test_two_subscribers_of_one_audit_see_it_to_its_end(served: Served) -> None:
    audit = await served.new_audit()
    async with served.socket() as one, served.socket() as other:
        for socket in (one, other):
            await socket.hear()
            await socket.subscribe("live", PROGRESS, id=audit)
        first = [(await socket.hear())["payload"]["data"]["auditProgress"]["phase"] for socket in (one, other)]
        assert first == ["QUEUED", "QUEUED"]
        await served.asking.measure(ToldEngine((120, 100)))
        for seen in await asyncio.gather(phases(one, "live"), phases(other, "live")):
            assert seen[-1] == "ENDED"
            assert seen.count("ENDED") == 1
        await served.nobody_listens()
        await one.subscribe("live", PROGRESS, id=audit)
        assert await phases(one, "live") == ["ENDED"]


async def test_unsubscribing_and_leaving_leave_no_follower_behind(served: Served) -> None:
    audit = await served.new_audit()
    async with served.socket() as socket:
        await socket.hear()
        for id in ("a", "b"):
            await socket.subscribe(id, PROGRESS, id=audit)
            await socket.hear()
        assert served.followers == 2
        await socket.send(id="a", type="complete")
        assert await socket.ask("c", VIEWER)
        for _ in range(100):
            if served.followers == 1:
                break
            await asyncio.sleep(0.02)
        assert served.followers == 1
    await served.nobody_listens()
    async with served.socket() as socket:  # and one that vanishes without a farewell
        await socket.hear()
        await socket.subscribe("a", PROGRESS, id=audit)
        await socket.hear()
        socket.connection.transport.abort()
    await served.nobody_listens()


async def test_a_subscription_that_is_refused_says_why_and_completes(served: Served) -> None:
    unknown = "audit_" + "0" * 32
    async with served.socket() as socket:
        await socket.hear()
        await socket.subscribe("1", PROGRESS, id=unknown)
        said = await socket.hear()
        assert (said["type"], said["payload"]["errors"][0]["extensions"]["code"]) == ("next", "NOT_FOUND")
        assert (await socket.hear())["type"] == "complete"
    await served.nobody_listens()


async def test_a_revoked_keys_socket_is_closed_as_forbidden_within_a_second(served: Served) -> None:
    text = "subscription ($id: ID!) { workspaceEvents(workspace: $id) { __typename cursor } }"
    async with served.socket() as socket, served.socket({}) as nobodys:
        await socket.hear()
        await nobodys.hear()
        await socket.subscribe("1", text, id=served.asking.workspace)
        assert (await socket.hear())["payload"]["data"]["workspaceEvents"]["__typename"] == "Checkpoint"
        began = asyncio.get_running_loop().time()
        await served.revoke()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.hear()
        assert asyncio.get_running_loop().time() - began < 2, "a second, and what a busy machine adds"
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "Forbidden")
        assert await nobodys.ask("1", VIEWER) == {"data": {"viewer": None}}
    await served.nobody_listens()


async def test_a_revoked_keys_event_stream_says_why_and_ends(served: Served) -> None:
    text = "subscription ($id: ID!) { workspaceEvents(workspace: $id) { __typename cursor } }"
    given = {"query": text, "variables": {"id": served.asking.workspace}}
    headers = {**served.signed_in, "Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("POST", served.url, json=given, headers=headers) as response,
    ):
        stream = events(response)
        assert (await anext(stream))[0] == "next"
        await served.revoke()
        (name, data), *rest = [event async for event in stream]
    assert (name, json.loads(data)["errors"][0]["extensions"]) == ("next", {"code": "UNAUTHENTICATED"})
    assert rest == [("complete", "")]
    await served.nobody_listens()


async def test_server_sent_events_deliver_progress_to_the_end(served: Served) -> None:
    audit = await served.new_audit()
    heard: list[tuple[str, str]] = []
    headers = {**served.signed_in, "Accept": "text/event-stream"}
    given = {"query": PROGRESS, "variables": {"id": audit}}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("POST", served.url, json=given, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = events(response)
        heard.append(await anext(stream))
        await served.asking.measure(ToldEngine((120, 100)))
        heard += [event async for event in stream]
    assert [name for name, _ in heard] == ["next"] * (len(heard) - 1) + ["complete"]
    progress = [json.loads(data)["data"]["auditProgress"] for name, data in heard if name == "next"]
    assert progress[0]["phase"] == "QUEUED"
    assert progress[-1] == {"phase": "ENDED", "audit": {"state": "FINISHED", "metrics": {"ttfbMs": 110}}}
    await served.nobody_listens()


async def test_a_client_that_leaves_its_event_stream_is_forgotten(served: Served) -> None:
    audit = await served.new_audit()
    headers = {**served.signed_in, "Accept": "text/event-stream"}
    given = {"query": PROGRESS, "variables": {"id": audit}}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("POST", served.url, json=given, headers=headers) as response,
    ):
        stream = events(response)
        assert (await anext(stream))[0] == "next"
        assert served.followers == 1
        await cast(Any, stream).aclose()
    await served.nobody_listens()
    refused = replace(served, key="pmk_nonsense")
    answer = await refused.post(PROGRESS, {**refused.signed_in, "Accept": "text/event-stream"}, id=audit)
    assert answer.status_code == 401


DEAR = """query ($n: Int! = 100) { workspace(slug: "acme") { sites(first: $n) { nodes { pages(first: $n) { nodes {
  audits(first: $n) { nodes { id } } } } } } } }"""


async def test_what_may_cost_too_much_is_refused_by_every_transport_and_costs_nothing(served: Served) -> None:
    counter = Counter(served.asking.database)
    said = [(await served.post(DEAR)).json()["errors"][0]]
    async with served.socket() as socket:
        await socket.hear()
        await socket.subscribe("1", DEAR)
        said += (await socket.hear())["payload"]
        assert (await socket.ask("2", DEAR, n=2))["data"]["workspace"]["sites"]["nodes"] == []
    async with httpx.AsyncClient() as client:
        said += (await client.get(served.url, params={"query": DEAR}, headers=served.signed_in)).json()["errors"]
        streaming = {**served.signed_in, "Accept": "text/event-stream"}
        streamed = await client.post(served.url, json={"query": DEAR}, headers=streaming)
        said += json.loads(streamed.text.partition("data:")[2].partition("\n")[0])["errors"]
    assert {error["message"] for error in said} == {
        "This operation may cost up to 1,020,202, and 50,000 is the most: ask for fewer at once."
    }
    extensions = {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost": 1_020_202, "maximum": 50_000}
    assert [error["extensions"] for error in said] == [extensions] * 4
    assert not any("audits" in statement for statement in counter.statements)
