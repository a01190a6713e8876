"""The API on a real port, with the options of the server that is shipped; and a socket of graphql-transport-ws to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket as sockets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.server import MAX_MESSAGE, listen
from domain import keys
from domain.access import Role
from graph.schema import schema
from graph.transports.routing import Api, api
from tests.graph.asking import Asking
from tests.graph.changing import change

VIEWER = "{ viewer { key { name role } } }"
MEMBER = {"viewer": {"key": {"name": "ci", "role": "MEMBER"}}}
PROGRESS = "subscription ($id: ID!) { auditProgress(audit: $id) { phase audit { state metrics { ttfbMs } } } }"
WORKSPACE = "subscription ($id: ID!) { workspaceEvents(workspace: $id) { __typename cursor } }"
PROTOCOL: Any = ["graphql-transport-ws"]


@dataclass
class Served:
    asking: Asking
    base: str
    key: str
    api: Api
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"http://{self.base}/graphql"

    @property
    def signed_in(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @property
    def stranger(self) -> Served:
        """The same for who has no key."""
        return replace(self, key="")

    @property
    def followers(self) -> int:
        return sum(map(len, self.asking.hub._followers.values()))

    async def post(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> httpx.Response:
        given = {"query": query, "variables": variables}
        return await self.http.post(self.url, json=given, headers=self.signed_in if headers is None else headers)

    @asynccontextmanager
    async def stream(self, accept: str, query: str, /, **variables: Any) -> AsyncGenerator[httpx.Response, None]:
        """Asked with the good key for several results."""
        given = {"query": query, "variables": variables}
        headers = {**self.signed_in, "Accept": accept}
        async with self.http.stream("POST", self.url, json=given, headers=headers) as response:
            assert response.headers["content-type"].startswith(accept.partition(";")[0])
            yield response

    @asynccontextmanager
    async def connection(self, **options: Any) -> AsyncGenerator[Socket, None]:
        """Open, and not introduced yet."""
        given = {"subprotocols": PROTOCOL, "proxy": None, "compression": None, **options}
        async with connect(f"ws://{self.base}/graphql", **given) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def socket(
        self, payload: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> AsyncGenerator[Socket, None]:
        """Introduced with `payload`, else with the good key."""
        async with self.connection(additional_headers=headers) as socket:
            await socket.send(type="connection_init", payload=self.signed_in if payload is None else payload)
            yield socket

    async def new_audit(self) -> str:
        made = await change(self.asking, "auditRequest", "audit { id }", target={"url": "http://127.0.0.1:9/"})
        id: str = made["audit"]["id"]
        return id

    async def revoke(self) -> None:
        """The key."""
        actor = await keys.actor_for_key(self.asking.database.reader, self.key, self.asking.services.keyring)
        assert actor is not None
        assert actor.key_id is not None
        async with self.asking.database.work(self.asking.actor) as work:
            await keys.revoke(work, key_id=actor.key_id)

    async def nobody_listens(self) -> None:
        await until(lambda: not self.asking.hub._followers)


async def until(holds: Callable[[], bool]) -> None:
    """Waits, for at most 2 s."""
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


@dataclass
class Socket:
    connection: ClientConnection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> Any:
        async with asyncio.timeout(10):
            received = await self.connection.recv()
        assert isinstance(received, str), "clients do not expect binary frames"
        return json.loads(received)

    async def closed(self) -> tuple[int, str]:
        """What it is closed with, once all that was said before is heard."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.hear()
        said = self.connection.protocol.close_rcvd
        assert said is not None, "it was cut off"
        return said.code, said.reason

    async def subscribe(self, id: str, query: str, /, **variables: Any) -> None:
        await self.send(id=id, type="subscribe", payload={"query": query, "variables": variables})

    async def ask(self, id: str, query: str, /, **variables: Any) -> Any:
        """The payload of an operation that gives one result."""
        await self.subscribe(id, query, **variables)
        said = await self.hear()
        assert (said["type"], said["id"]) == ("next", id), said
        assert await self.hear() == {"id": id, "type": "complete"}
        assert said["payload"].pop("extensions")["cost"]["actualQueryCost"] > 0
        return said["payload"]


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    """A stream's server-sent events: their names and data."""
    name = data = ""
    async for line in response.aiter_lines():
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
        elif not line and name:
            yield name, data
            name = data = ""


@asynccontextmanager
async def serving(asking: Asking, *, sent: int | None = None, **policy: Any) -> AsyncGenerator[Served, None]:
    """With a member's key, and a policy that differs in this. `sent`: so many bytes wait in the kernel for slow readers."""
    async with asking.database.work(asking.actor) as work:
        keyring = asking.services.keyring
        key = await keys.issue(work, workspace_id=asking.workspace_id, name="ci", role=Role.MEMBER, keyring=keyring)
    served = api(schema, replace(asking.services, policy=replace(asking.services.policy, **policy)))
    listening = listen("127.0.0.1", 0)
    if sent is not None:
        listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, sent)
    base = f"127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        Starlette(routes=served.routes),
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    before = asyncio.all_tasks()
    running = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        async with httpx.AsyncClient(base_url=f"http://{base}", timeout=20) as client:
            yield Served(asking, base, key, served, client)
    finally:
        server.should_exit = True
        async with asyncio.timeout(10):
            await running
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert left == set(), "a task was left behind"


@pytest.fixture
async def served(asking: Asking) -> AsyncGenerator[Served, None]:
    async with serving(asking) as served:
        yield served
