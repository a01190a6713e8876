"""The guarded proxy, spoken to as Chromium speaks to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import httpx
import pytest
import trustme

from infra.engines.guard import Address, Guard
from infra.engines.lighthouse.proxy import GuardedProxy

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


class OneAddressIsPrivate(Guard):
    def permits(self, address: Address) -> bool:
        return str(address) != "127.0.0.3"


@asynccontextmanager
async def server(
    answer: Callable[[Reader, Writer], Awaitable[None]], host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server that handles each connection by hand; its port."""

    async def handle(reader: Reader, writer: Writer) -> None:
        try:
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, host, 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


class Origin:
    """A plain HTTP/1.1 server that keeps connections and remembers the heads of requests, by connection."""

    def __init__(self, response: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") -> None:
        self.response = response
        self.connections: list[list[bytes]] = []

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        heads: list[bytes] = []
        self.connections.append(heads)
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.response)
            await writer.drain()
            if b"Content-Length" not in self.response and b"chunked" not in self.response:
                return


def browser(proxy: GuardedProxy, verify: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
    return httpx.AsyncClient(proxy=f"http://127.0.0.1:{proxy.port}", verify=verify, timeout=5, trust_env=False)


@pytest.fixture
async def proxy() -> AsyncIterator[GuardedProxy]:
    async with GuardedProxy(OneAddressIsPrivate(allow_private=True)) as running:
        yield running


async def test_plain_requests_are_passed_on_in_origin_form(proxy: GuardedProxy) -> None:
    origin = Origin()
    async with server(origin) as port, browser(proxy) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/a/b?c=%2F&d", headers={"X-Any": "1", "Proxy-Connection": "x"})
    assert (answer.status_code, answer.content) == (200, b"hello")
    head = origin.connections[0][0]
    assert head.startswith(b"GET /a/b?c=%2F&d HTTP/1.1\r\n")
    assert b"X-Any: 1\r\n" in head
    assert b"proxy-connection" not in head.lower()


async def test_connections_are_kept_so_that_times_stay_true(proxy: GuardedProxy) -> None:
    origin = Origin()
    async with server(origin) as port, browser(proxy) as client:
        for _ in range(3):
            await client.get(f"http://127.0.0.1:{port}/")
    assert [len(heads) for heads in origin.connections] == [3]


async def test_one_connection_of_the_browser_may_ask_several_sites(proxy: GuardedProxy) -> None:
    one, two = Origin(), Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo")
    async with server(one) as first, server(two, "127.0.0.2") as second:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        got = []
        for host in (f"127.0.0.1:{first}", f"127.0.0.2:{second}", f"127.0.0.1:{first}"):
            writer.write(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            got.append(await reader.read(100))
        writer.close()
    assert got == [b"hello", b"two", b"hello"]


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=["chunked", "until the end", "early hints"],
)
async def test_bodies_arrive_however_they_are_framed(proxy: GuardedProxy, response: bytes) -> None:
    async with server(Origin(response)) as port, browser(proxy) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).content == b"hello"


async def test_a_body_is_sent_up(proxy: GuardedProxy) -> None:
    sent = b"x" * 300_000

    async def echo(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + await reader.readexactly(300_000))
        await writer.drain()

    async with server(echo) as port, browser(proxy) as client:
        assert (await client.post(f"http://127.0.0.1:{port}/", content=sent)).content == sent


async def test_tls_goes_through_a_tunnel_that_is_not_looked_into(proxy: GuardedProxy) -> None:
    authority = trustme.CA()
    tls, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.configure_trust(trusted)
    async with server(Origin(), tls=tls) as port, browser(proxy, trusted) as client:
        assert (await client.get(f"https://127.0.0.1:{port}/")).content == b"hello"


async def raw(proxy: GuardedProxy, request: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(request.encode())
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
async def test_a_private_address_is_refused_and_never_connected_to(proxy: GuardedProxy, method: str) -> None:
    origin = Origin()
    async with server(origin, "127.0.0.3") as port:
        host = f"127.0.0.3:{port}"
        target = host if method == "CONNECT" else f"http://{host}/"
        answer = await raw(proxy, f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert origin.connections == []
    assert proxy.failures["127.0.0.3", port].code == "ADDRESS_REFUSED"


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to() -> None:
    """A name whose second answer is another address (DNS rebinding) gains nothing."""

    class Rebinding(OneAddressIsPrivate):
        answers = iter([["127.0.0.1"], ["127.0.0.3"]])

        async def resolve(self, host: str, port: int) -> list[str]:
            assert host == "rebinding.example"
            return next(self.answers)

    good, private = Origin(), Origin()
    async with (
        server(good) as port,
        server(private, "127.0.0.3"),
        GuardedProxy(Rebinding(allow_private=True)) as proxy,
        browser(proxy) as client,
    ):
        assert (await client.get(f"http://rebinding.example:{port}/", headers={"Connection": "close"})).content == b"hello"
        second = await raw(proxy, f"CONNECT rebinding.example:{port} HTTP/1.1\r\nHost: x\r\n\r\n")
    assert second.startswith(b"HTTP/1.1 403 ")
    assert private.connections == []


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
async def test_a_target_that_is_down_is_a_bad_gateway_with_a_reason(proxy: GuardedProxy, method: str) -> None:
    async with server(Origin()) as port:
        pass
    target = f"127.0.0.1:{port}" if method == "CONNECT" else f"http://127.0.0.1:{port}/"
    answer = await raw(proxy, f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert proxy.failures["127.0.0.1", port].code == "CONNECTION_REFUSED"


@pytest.mark.parametrize(
    "request_line", ["GET / HTTP/1.1", "GET ftp://127.0.0.1/ HTTP/1.1", "GET http:/// HTTP/1.1", "CONNECT 127.0.0.1 HTTP/1.1"]
)
async def test_what_is_no_request_to_a_proxy_is_refused(proxy: GuardedProxy, request_line: str) -> None:
    assert (await raw(proxy, f"{request_line}\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_nonsense_ends_its_own_connection_alone(proxy: GuardedProxy) -> None:
    assert await raw(proxy, "\x16\x03\x01 nonsense\r\n\r\n") == b""
    async with server(Origin()) as port, browser(proxy) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200


async def test_an_answer_that_ends_early_is_not_passed_off_as_whole(proxy: GuardedProxy) -> None:
    short = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"
    async with server(Origin(short)) as port, browser(proxy) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"http://127.0.0.1:{port}/")


async def test_leaving_ends_every_connection() -> None:
    held = asyncio.Event()

    async def hold(reader: Reader, writer: Writer) -> None:
        held.set()
        await reader.read()

    async with server(hold) as port:
        async with GuardedProxy(Guard(allow_private=True)) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            await held.wait()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
