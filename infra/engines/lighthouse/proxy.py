"""The HTTP proxy through which every request of Chromium goes: it connects only where the guard allows.

Plain HTTP comes in absolute form, TLS and WebSockets by CONNECT (RFC 9110 §7, §9.3.6). The name is resolved here, and
the connection goes to the address that was checked, so that a second answer of the name server changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from urllib.parse import urlsplit

import h11

from domain.measuring import EngineFailure, FailureKind

from ..guard import Guard
from .wire import Wire, pump

CONNECT_TIMEOUT = 20.0
HEADERS_TIMEOUT = 120.0

# They concern one connection, not the message (RFC 9110 §7.6.1); an upgrade would leave HTTP's framing.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"proxy-authenticate",
        b"te",
        b"upgrade",
    }
)

Target = tuple[str, int]


class GuardedProxy:
    """Listens on a free port of 127.0.0.1 while its `async with` lasts; leaving it ends every connection.

    `failures` has the first failure of every target that could not be reached or was refused.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._connections: set[asyncio.Task[None]] = set()
        self.failures: dict[Target, EngineFailure] = {}
        self.port = 0

    async def __aenter__(self) -> GuardedProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(Wire(h11.SERVER, reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, client: Wire) -> None:
        """One connection of the browser: any number of requests, or one tunnel. Whatever breaks it ends it alone."""
        upstream: dict[Target, Wire] = {}
        try:
            # The peer's faults and the network's are no faults of ours: the browser sees its connection end.
            with suppress(OSError, h11.ProtocolError, TimeoutError):
                while isinstance(request := await client.event(), h11.Request):
                    if request.method == b"CONNECT":
                        await self._tunnel(client, request)
                        return
                    if not await self._forward(client, request, upstream):
                        return
        finally:
            for wire in (client, *upstream.values()):
                wire.close()

    async def _tunnel(self, client: Wire, request: h11.Request) -> None:
        target = _authority(request.target)
        async with self._reached(client, target) as server:
            if server is None:
                return
            await client.send(h11.Response(status_code=200, headers=[]))
            early = client.connection.trailing_data[0]
            if early:
                server[1].write(early)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(pump(client.reader, server[1]))
                    both.create_task(pump(server[0], client.writer))
            except* OSError:
                pass  # one side broke off, which ends the other

    @asynccontextmanager
    async def _reached(
        self, client: Wire, target: Target | None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]:
        """A connection to the target; None when there is none, and the client was told."""
        streams = None
        try:
            streams = await self._connect(client, target)
            yield streams
        finally:
            if streams is not None:
                streams[1].close()

    async def _connect(self, client: Wire, target: Target | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        if target is None:
            await client.answer(400)
            return None
        try:
            return await self._open(*target)
        except EngineFailure as failure:
            self.failures.setdefault(target, failure)
            await client.answer(403 if failure.code == "ADDRESS_REFUSED" else 502)
            return None

    async def _open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = await self._guard.addresses(host, port)
        refused = False
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT / len(addresses)):
                    return await asyncio.open_connection(address, port)
            except ConnectionRefusedError:
                refused = True
            except OSError:
                continue
        code, why = ("CONNECTION_REFUSED", "refused the connection") if refused else ("CONNECT_FAILED", "did not answer")
        raise EngineFailure(FailureKind.PAGE, code, f"{host} {why} on port {port}.", retryable=True)

    async def _forward(self, client: Wire, request: h11.Request, upstream: dict[Target, Wire]) -> bool:
        """One request in absolute form and its answer. Whether the browser's connection can carry another."""
        target, path = _absolute(request.target)
        server = upstream.get(target) if target else None
        if server is None or target is None:
            for wire in upstream.values():
                wire.close()
            upstream.clear()
            streams = await self._connect(client, target)
            if streams is None or target is None:
                return False
            server = upstream[target] = Wire(h11.CLIENT, *streams)
        headers = _end_to_end(request.headers.raw_items())
        await server.send(h11.Request(method=request.method, target=path, headers=headers))
        await _relay(client, server)
        async with asyncio.timeout(HEADERS_TIMEOUT):
            response = await server.event()
        while isinstance(response, h11.InformationalResponse):
            await client.send(response)
            response = await server.event()
        if not isinstance(response, h11.Response):
            return False
        headers = _end_to_end(response.headers.raw_items())
        await client.send(h11.Response(status_code=response.status_code, reason=response.reason, headers=headers))
        await _relay(server, client)
        if not server.next_cycle():
            upstream.pop(target).close()
        return client.next_cycle()


async def _relay(source: Wire, sink: Wire) -> None:
    """A message's body, piece by piece as it comes, up to its end."""
    while isinstance(piece := await source.event(), h11.Data):
        await sink.send(h11.Data(data=piece.data))
    if not isinstance(piece, h11.EndOfMessage):
        raise h11.RemoteProtocolError("the message ended early")
    await sink.send(h11.EndOfMessage())


def _end_to_end(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    named = {name.strip().lower() for key, value in headers if key.lower() == b"connection" for name in value.split(b",")}
    return [(key, value) for key, value in headers if key.lower() not in _HOP_BY_HOP | named]


def _authority(target: bytes) -> Target | None:
    try:
        parts = urlsplit(b"//" + target)
        return (parts.hostname.decode("ascii"), parts.port) if parts.hostname and parts.port else None
    except ValueError:
        return None


def _absolute(target: bytes) -> tuple[Target | None, bytes]:
    """The host and port of an absolute form, and what is sent on (the origin form)."""
    try:
        parts = urlsplit(target)
        if parts.scheme != b"http" or not parts.hostname or parts.port == 0:
            return None, b""
        path = target[len(b"http://") + len(parts.netloc) :]
        return (parts.hostname.decode("ascii"), parts.port or 80), path if path.startswith(b"/") else b"/" + path
    except ValueError:
        return None, b""
