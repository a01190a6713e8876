"""A small web site on this machine that answers exactly as it is told, badly too: HTTP/1.1 and HTTP/2, with or without TLS."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What came in; header names in lower case, the last of a name wins."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """A well-made answer; Content-Length is added."""

    body: bytes = b""
    content_type: str = HTML
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    delay: float = 0.0

    def all_headers(self) -> list[tuple[str, str]]:
        return [("content-type", self.content_type), ("content-length", str(len(self.body))), *self.headers]

    def head(self) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.all_headers())
        return f"HTTP/1.1 {self.status:03d} X\r\n{lines}\r\n".encode()

    @property
    def wire_bytes(self) -> int:
        """What Pacemark counts as transferred: status line (counted as `HTTP/1.1 200 OK`), headers and body."""
        headers = sum(len(name) + len(value) + 4 for name, value in self.all_headers())
        return len(b"HTTP/1.1 200 OK\r\n\r\n") + headers + len(self.body)


@dataclass(frozen=True)
class Raw:
    """Writes whatever it likes; the connection is closed when `write` returns, or the client hangs up."""

    write: Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


Route = Answer | Raw | Callable[[Request], Answer]


@dataclass
class Site:
    """`async with Site({"/": Answer(...)}) as site: site.url` answers until the block ends. Unknown paths are 404.

    `requests` are all that came in, `opened` counts connections, `live` are those open now.
    """

    routes: Mapping[str, Route] = field(default_factory=dict)
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    name: str | None = None
    requests: list[Request] = field(default_factory=list)
    opened: int = 0
    live: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self.live):
            task.cancel()
        await asyncio.gather(*self.live, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return self.at("/")

    def at(self, path: str) -> str:
        return f"{'https' if self.tls else 'http'}://{self.name or self.host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    async def until_closed(self, seconds: float = 5.0) -> None:
        """Waits until the client has closed every connection. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while self.live:
                await asyncio.sleep(0.01)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.live.add(task)
        self.opened += 1
        tls = writer.get_extra_info("ssl_object")
        try:
            if tls is not None and tls.selected_alpn_protocol() == "h2":
                await self._serve_h2(reader, writer)
            else:
                await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            self.live.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            pairs = (line.split(":", 1) for line in head[1:] if line)
            request = Request(method, path, {name.lower(): value.strip() for name, value in pairs})
            self.requests.append(request)
            route = self._route(request)
            if isinstance(route, Raw):
                await _until_hangup(route.write(request, writer), reader)
                return
            await asyncio.sleep(route.delay)
            writer.write(route.head() + route.body)
            await writer.drain()

    def _route(self, request: Request) -> Answer | Raw:
        route = self.routes.get(request.path.partition("?")[0], Answer(b"not here", "text/plain", 404))
        return route if isinstance(route, Answer | Raw) else route(request)

    async def _serve_h2(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False))
        http.initiate_connection()
        writer.write(http.data_to_send())
        while data := await reader.read(65_536):
            for event in http.receive_data(data):
                if isinstance(event, RequestReceived):
                    assert event.headers is not None
                    fields = {str(name): str(value) for name, value in event.headers}
                    request = Request(fields[":method"], fields[":path"], fields)
                    self.requests.append(request)
                    answer = self._route(request)
                    assert isinstance(answer, Answer)
                    assert event.stream_id is not None
                    http.send_headers(event.stream_id, [(":status", str(answer.status)), *answer.all_headers()])
                    for start in range(0, len(answer.body), 16_000):
                        http.send_data(event.stream_id, answer.body[start : start + 16_000])
                    http.end_stream(event.stream_id)
            writer.write(http.data_to_send())
            await writer.drain()


async def _until_hangup(work: Awaitable[None], reader: asyncio.StreamReader) -> None:
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(reader.read(1))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def redirect(to: str, status: int = 302, *headers: tuple[str, str]) -> Answer:
    return Answer(status=status, headers=(("location", to), *headers))


def gzipped(body: bytes, content_type: str = HTML, *headers: tuple[str, str]) -> Answer:
    return Answer(gzip.compress(body, mtime=0), content_type, headers=(("content-encoding", "gzip"), *headers))


def raw(*pieces: bytes, pause: float = 0.0, reset: bool = False) -> Raw:
    """Writes the pieces, with pauses after each; ends with a TCP reset when told so."""

    async def write(_: Request, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return Raw(write)


def endless(piece: bytes, pause: float = 0.0, head: bytes = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n") -> Raw:
    """A body (or, with an unfinished `head`, headers) that never ends."""

    async def write(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return Raw(write)


def hung() -> Raw:
    """Takes the request and never says a word."""

    async def write(_: Request, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    return Raw(write)


def tls_contexts(*names: str, days: float = 90, h2: bool = False) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's context with a certificate for `names`, and a client's that trusts the authority it comes from."""
    authority = trustme.CA()
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server_context(authority, *names, days=days, h2=h2), client


def server_context(authority: trustme.CA, *names: str, days: float = 90, h2: bool = False) -> ssl.SSLContext:
    """A certificate that expires in `days`, which may be negative."""
    until = datetime.now(UTC) + timedelta(days=days)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_before=until - timedelta(days=365), not_after=until).configure_cert(server)
    if h2:
        server.set_alpn_protocols(["h2"])
    return server
