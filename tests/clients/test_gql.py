"""Python's client gql, over HTTP and over graphql-transport-ws, against a running Pacemark."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed

from tests.clients import expected
from tests.clients.house import ASK, FOLLOW, VIEWER, WATCH, House

pytestmark = pytest.mark.browser

NOWHERE = "audit_00000000000000000000000000000000"


def over_http(house: House) -> Client:
    """It reads the schema first, and checks by it what it is to send."""
    transport = HTTPXAsyncTransport(house.url, headers={"Authorization": f"Bearer {house.key}"})
    return Client(transport=transport, fetch_schema_from_transport=True)


def over_socket(house: House, key: str) -> Client:
    url = house.url.replace("http", "ws")
    return Client(transport=WebsocketsTransport(url, init_payload={"Authorization": f"Bearer {key}"}))


async def test_it_reads_the_schema_and_asks_over_http(house: House) -> None:
    async with over_http(house) as session:
        assert session.client.schema is not None
        assert "AuditProgress" in session.client.schema.type_map
        viewer = await session.execute(GraphQLRequest(VIEWER))
        payload = await session.execute(GraphQLRequest(ASK, variable_values={"input": house.wish}))
    assert viewer == {"viewer": {"key": {"name": "first key"}}}
    assert payload["auditRequest"]["audit"]["state"] == "QUEUED"
    await asyncio.to_thread(house.finish, payload["auditRequest"]["audit"]["id"])


async def test_what_is_wrong_with_an_operation_is_told_over_http(house: House) -> None:
    transport = HTTPXAsyncTransport(house.url, headers={"Authorization": f"Bearer {house.key}"})
    async with Client(transport=transport) as session:
        with pytest.raises(TransportQueryError) as told:
            await session.execute(GraphQLRequest("{ nothing }"))
    assert told.value.errors == [expected.REPRINTED]


async def test_it_asks_and_follows_over_one_socket(house: House) -> None:
    events: list[dict[str, Any]] = []

    async def follow() -> None:
        variables = {"workspace": house.place["workspace"], "after": after}
        async for data in session.subscribe(GraphQLRequest(FOLLOW, variable_values=variables)):
            events.append(data["workspaceEvents"])
            if events[-1].get("kind") == "AUDIT_FINISHED":
                return

    after = house.cursor
    async with over_socket(house, house.key) as session, asyncio.TaskGroup() as group:
        group.create_task(follow())
        viewer = await session.execute(GraphQLRequest(VIEWER))
        payload = await session.execute(GraphQLRequest(ASK, variable_values={"input": house.wish}))
        variables = {"audit": payload["auditRequest"]["audit"]["id"]}
        progress = [{"data": data} async for data in session.subscribe(GraphQLRequest(WATCH, variable_values=variables))]
    audit = expected.assert_answered({"data": viewer}, {"data": payload}, progress, key="first key")
    assert expected.kinds(events, audit) == expected.ASKED


async def test_an_operation_that_fails_does_not_end_the_socket(house: House) -> None:
    async with over_socket(house, house.key) as session:
        with pytest.raises(TransportQueryError) as invalid:
            await session.execute(GraphQLRequest("{ nothing }"))
        with pytest.raises(TransportQueryError) as missing:
            async for _ in session.subscribe(GraphQLRequest(WATCH, variable_values={"audit": NOWHERE})):
                pass
        assert await session.execute(GraphQLRequest("{ __typename }")) == {"__typename": "Query"}
    assert invalid.value.errors == [expected.REPRINTED]
    assert missing.value.errors == [expected.MISSING]


async def test_a_revoked_key_closes_the_socket(house: House) -> None:
    key = house.make_key("soon gone from gql")
    variables = {"workspace": house.place["workspace"]}
    async with over_socket(house, key) as session:
        events = session.subscribe(GraphQLRequest(FOLLOW, variable_values=variables))
        assert (await anext(events))["workspaceEvents"]["live"]
        await asyncio.to_thread(house.revoke, key)
        with pytest.raises(TransportConnectionFailed) as closed:
            await anext(events)
    cause = closed.value.__cause__
    assert isinstance(cause, ConnectionClosed)
    assert cause.rcvd is not None
    assert (cause.rcvd.code, cause.rcvd.reason) == (4403, "Forbidden")
