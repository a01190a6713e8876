"""graph-transport-ws to the letter: what is said when, and what a socket is closed with."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from app.server import MAX_MESSAGE
from graph.transports import websocket
from tests.graph.asking import Asking, asking

from .readers import SITE, stick
from .serving import MEMBER, VIEWER, WORKSPACE, Served, Socket, served, serving, until

__all__ = ["asking", "served"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ACK = {"type": "connection_ack"}
NO_MESSAGES = [
    ("", "A message is no JSON"),
    ("{", "A message is no JSON"),
    ('{"type": "ping", "payload": NaN}', "A message is no JSON"),
    ("[" * 100_000, "A message is no JSON"),
    ("5", "A message is an object"),
    ("null", "A message is an object"),
    ('"ping"', "A message is an object"),
    ("[]", "A message is an object"),
    ('[{"type": "ping"}]', "A message is an object"),
    ("{}", "A message's type is one of connection_init, ping, pong, subscribe, complete"),
    ('{"type": null}', "A message's type is one of connection_init, ping, pong, subscribe, complete"),
    ('{"type": ["ping"]}', "A message's type is one of connection_init, ping, pong, subscribe, complete"),
    ('{"type": "start"}', "A message's type is one of connection_init, ping, pong, subscribe, complete"),
    ('{"type": "connection_ack"}', "A message's type is one of connection_init, ping, pong, subscribe, complete"),
    ('{"type": "connection_init", "payload": []}', "The payload of a connection_init message is an object"),
    ('{"type": "ping", "payload": 5}', "The payload of a ping message is an object"),
    ('{"type": "subscribe", "payload": {}}', "A subscribe message has an id, a text of 1 to 256 characters"),
    ('{"type": "subscribe", "id": 1, "payload": {}}', "A subscribe message has an id, a text of 1 to 256 characters"),
    ('{"type": "subscribe", "id": "", "payload": {}}', "A subscribe message has an id, a text of 1 to 256 characters"),
    ('{"type": "complete", "id": null}', "A complete message has an id, a text of 1 to 256 characters"),
    (json.dumps({"type": "complete", "id": "x" * 257}), "A complete message has an id, a text of 1 to 256 characters"),
    ('{"type": "subscribe", "id": "1"}', "The payload of a subscribe message is an object"),
    ('{"type": "subscribe", "id": "1", "payload": null}', "The payload of a subscribe message is an object"),
    ('{"type": "subscribe", "id": "1", "payload": "{ __typename }"}', "The payload of a subscribe message is an object"),
]


@pytest.mark.parametrize("introduced", [True, False])
async def test_what_is_no_message_closes_the_socket_and_says_what_would_be_one(served: Served, introduced: bool) -> None:
    for text, reason in NO_MESSAGES:
        async with served.connection() as socket:
            if introduced:
                await introduce(socket)
            with capture_logs() as logs:
                await socket.connection.send(text)
                assert await socket.closed() == (4400, reason), text[:100]
            assert logs == []
    for frame in (b"\x00\xff", b'{"type":"ping"}'):
        async with served.connection() as socket:
            if introduced:
                await introduce(socket)
            await socket.connection.send(frame)
            assert await socket.closed() == (4400, "Messages are sent as text")


async def introduce(socket: Socket, **payload: Any) -> None:
    await socket.send(type="connection_init", payload=payload)
    assert await socket.hear() == ACK


async def test_an_introduction_may_say_nothing(served: Served) -> None:
    payloads: list[Any] = [None, {}, {"authorization": None, "x": [1]}]
    for message in ({}, {"id": 5}, *({"payload": payload} for payload in payloads)):
        async with served.connection() as socket:
            await socket.send(type="connection_init", **message)
            assert await socket.hear() == ACK
            assert await socket.ask("1", VIEWER) == {"data": {"viewer": None}}


async def test_who_does_not_speak_the_protocol_is_told_which_it_is(served: Served) -> None:
    for spoken in (None, ["graphql-ws"], ["GraphQL-Transport-WS", "x"]):
        async with served.connection(subprotocols=spoken) as socket:
            assert await socket.closed() == (4406, "Subprotocol: graphql-transport-ws")
    async with served.connection(subprotocols=["graphql-ws", "graphql-transport-ws"]) as socket:
        assert socket.connection.subprotocol == "graphql-transport-ws"
        await introduce(socket)


async def test_who_does_not_introduce_themselves_in_time_is_shown_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.1)
    async with served.connection() as silent, served.connection() as talking:
        talk = asyncio.create_task(flood(talking, type="pong"))
        assert await silent.closed() == (4408, "Connection initialisation timeout")
        assert await talking.closed() == (4408, "Connection initialisation timeout")
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)


async def flood(socket: Socket, **message: Any) -> None:
    while True:
        await socket.send(**message)
        await asyncio.sleep(0.01)


async def test_one_introduction_is_enough(served: Served) -> None:
    async with served.socket() as socket:
        await socket.hear()
        await socket.send(type="connection_init")
        assert await socket.closed() == (4429, "Too many initialisation requests")
    async with served.connection() as socket:
        for _ in range(1_000):
            await socket.send(type="connection_init", payload=served.signed_in)
        assert await socket.hear() == ACK
        assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_an_id_is_taken_until_its_operation_is_over(served: Served) -> None:
    async with served.socket() as socket:
        await socket.hear()
        for _ in range(3):
            assert await socket.ask("1", VIEWER) == {"data": MEMBER}
        for _ in range(3):
            await socket.subscribe("1", WORKSPACE, id=served.asking.workspace)
            assert (await socket.hear())["payload"]["data"]["workspaceEvents"]["__typename"] == "Checkpoint"
            await socket.send(id="1", type="complete")
        await socket.subscribe("1", WORKSPACE, id=served.asking.workspace)
        await socket.subscribe("1", VIEWER)
        assert await socket.closed() == (4409, "Subscriber for 1 already exists")
    await served.nobody_listens()


async def test_an_id_is_any_text(served: Served) -> None:
    for id in ('"', "\0", "\n", "é" * 256, "complete"):
        async with served.socket() as socket:
            await socket.hear()
            assert await socket.ask(id, VIEWER) == {"data": MEMBER}
            for _ in range(2):
                await socket.subscribe(id, WORKSPACE, id=served.asking.workspace)
            assert (await socket.closed())[0] == 4409


async def test_a_ping_is_answered_with_what_it_brought(served: Served) -> None:
    deep: Any = {}
    for _ in range(800):  # it may be read, and is too deep to be written
        deep = {"d": deep}
    async with served.connection() as socket:
        for introduced in (False, True):
            await socket.send(type="ping")
            assert await socket.hear() == {"type": "pong"}
            quiet: list[Any] = [None, {}, deep]
            for payload in quiet:
                await socket.send(type="ping", payload=payload)
                assert await socket.hear() == {"type": "pong"}
            await socket.send(type="ping", payload={"n": 1, "t": "é"})
            assert await socket.hear() == {"type": "pong", "payload": {"n": 1, "t": "é"}}
            await socket.send(type="pong")
            await socket.send(type="pong", payload={"unasked": True})
            if not introduced:
                await introduce(socket)
        assert await socket.ask("1", VIEWER) == {"data": {"viewer": None}}


async def test_who_is_silent_is_asked_and_then_taken_for_gone(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.1)
    async with served.socket() as silent, served.socket() as there:
        assert await silent.hear() == await there.hear() == ACK
        await silent.subscribe("1", WORKSPACE, id=served.asking.workspace)
        assert (await silent.hear())["type"] == "next"
        for _ in range(4):
            assert await there.hear() == {"type": "ping"}
            await there.send(type="pong")
        assert await silent.hear() == {"type": "ping"}
        assert await silent.closed() == (4499, "Terminated")
        await served.nobody_listens()
        assert await there.ask("1", VIEWER) == {"data": MEMBER}


async def test_what_is_not_known_is_not_completed(served: Served) -> None:
    async with served.socket() as socket:
        await socket.hear()
        await socket.subscribe("live", WORKSPACE, id=served.asking.workspace)
        assert (await socket.hear())["id"] == "live"
        for id in ("nobody", "Live", "live "):
            await socket.send(id=id, type="complete", payload={})
        assert await socket.ask("1", VIEWER) == {"data": MEMBER}
        await socket.send(id="1", type="complete")
        assert served.followers == 1


async def test_nothing_is_said_after_a_clients_complete(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served.socket() as socket:
        await socket.hear()
        await socket.ask("0", VIEWER)
        with monkeypatch.context() as patched:
            stuck = stick(served.asking, patched)
            for id in ("1", "2", "1"):  # the third takes the first one's place, and is stopped too
                stuck.begun.clear()
                await socket.subscribe(id, SITE)
                async with asyncio.timeout(5):
                    await stuck.begun.wait()
                await socket.send(id=id, type="complete")
            for _ in range(50):  # in one breath: it may not have begun yet
                await socket.subscribe("3", SITE)
                await socket.send(id="3", type="complete")
            await socket.send(type="ping", payload={"last": True})
            assert await socket.hear() == {"type": "pong", "payload": {"last": True}}
            await until(lambda: not stuck.running)
        assert await socket.ask("1", VIEWER) == {"data": MEMBER}


async def test_pages_of_other_sites_do_not_get_a_socket(asking: Asking) -> None:
    async with serving(asking, origins=frozenset({"https://app.example.com"})) as served:
        for origin in (f"http://{served.base}", "https://app.example.com", None):
            async with served.connection(origin=origin) as socket:
                await introduce(socket, **served.signed_in)
        others = ["https://evil.example", "http://app.example.com", "https://app.example.com.evil.example", "null", "http://["]
        others += [
            "",
            f"http://{served.base}.evil.example",
            f"http://evil@{served.base}",
            served.base,
            f"http://{served.base}/x",
        ]
        for origin in others:
            with pytest.raises(InvalidStatus) as refused:
                async with served.connection(origin=origin):
                    pass
            assert refused.value.response.status_code == 403, origin


async def test_a_message_may_be_so_long_in_one_piece_or_in_many(served: Served) -> None:
    long = json.dumps({"type": "ping", "payload": {"x": ""}})
    fits = long.replace('""', '"' + "x" * (MAX_MESSAGE - len(long)) + '"')
    async with served.socket() as socket:
        await socket.hear()
        await socket.connection.send(fits)
        assert (await socket.hear())["type"] == "pong"
        await socket.connection.send([fits[:500_000], fits[500_000:]])
        assert (await socket.hear())["type"] == "pong"
    for giant in (fits + " ", [fits, " "], ["x" * 10_000] * 200, b"\0" * (MAX_MESSAGE + 1)):
        async with served.connection() as socket:
            await socket.connection.send(giant)
            assert (await socket.closed())[0] == 1009


async def test_nothing_is_compressed_so_that_nothing_can_be_blown_up(served: Served) -> None:
    async with served.connection(extensions=[ClientPerMessageDeflateFactory()]) as socket:
        assert socket.connection.protocol.extensions == []
        await introduce(socket)
        bomb = bytes([0b1100_0001, 0b1000_0010, 0, 0, 0, 0]) + b"\x03\x00"  # a frame that says that it is compressed
        socket.connection.transport.write(bomb)
        assert (await socket.closed())[0] == 1002
