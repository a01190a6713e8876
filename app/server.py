"""The HTTP server: a socket that is surely ours before anything else begins, and a stop that takes seconds."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.errors import Unusable

STOP_SECONDS = 2
BACKLOG = 2048
UNREAD_SECONDS = 60
"""So long what was sent to a client may lie unread by its machine."""

MAX_HEADERS = 64 * 1024
"""Of one request with its first line, in bytes."""

HEAD_SECONDS = 20.0
"""So long a client may take over them."""

MAX_MESSAGE = 1024 * 1024
"""Of a WebSocket's messages, in bytes: as much as a request's body may have."""


def listen(host: str, port: int, *, option: str = "--port ") -> socket.socket:
    """A socket that listens already; port 0 means any free one. Raises Unusable, which names the option."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise Unusable(f"{host!r} is not a host on which one can listen.") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # who never reads is gone; else their connection would stay for ever
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1_000)
    try:
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise Unusable(f"Port {port} of {host} is taken. Choose another: {option}{port + 1}") from None
        raise Unusable(f"Cannot listen on port {port} of {host!r}: {error.strerror}.") from None
    return listening


def stopped_by_signals() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; the second cancels the task that asked."""
    stop, asked = asyncio.Event(), asyncio.current_task()
    assert asked is not None

    def hear() -> None:
        if stop.is_set():
            asked.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, hear)
    return stop


async def answer(
    app: ASGIApp,
    listening: socket.socket,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    drain: Callable[[], Awaitable[None]] | None = None,
    proxies: str | None = None,
) -> None:
    """Answer until `stop` is set; `ready` is called when a first request was answered.

    `drain` is called before the end. `proxies` are those whose word for a client's address is taken.
    """
    config = uvicorn.Config(
        app,
        http=_Http,
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=MAX_MESSAGE,
        # A compressed frame may hold a thousand times its size, and each socket's windows cost more than all the rest of it.
        ws_per_message_deflate=False,
        # Nobody's word is taken but theirs; and links are made from PACEMARK_PUBLIC_URL whatever they say.
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies or "",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        if await _alive(listening, serving):
            ready()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if drain is not None and not serving.done():
            await drain()
        server.should_exit = True
        await serving
    finally:
        for task in (serving, stopping):
            task.cancel()
        await asyncio.gather(serving, stopping, return_exceptions=True)


def settle() -> None:
    """What is there once a server is ready stays for its life: the collector needs not look at it, and at all else less often.

    With some thousand subscribers a look at everything takes half a second, in which nobody is answered; and what
    answers leave behind is hardly ever a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def _alive(listening: socket.socket, serving: asyncio.Task[None]) -> bool:
    """Whether /healthz was answered before the server ended."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=1) as client:  # noqa: S501 - plain HTTP to ourselves
        while not serving.done():
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"http://{shown}:{port}/healthz")).is_success:
                    return True
            await asyncio.sleep(0.05)
    return False


class _Http(HttpToolsProtocol):
    """uvicorn's own, which would take a request's head without end, wait for it for ever, and of several requests at once
    tell only the last that its client has left."""

    _head: int | None = 0  # how much of it has come; None while there is nothing more to come of one
    _waiting: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is None:
            return
        self._head = self._head or len(data)  # it may have begun in the midst of this
        if self._head > MAX_HEADERS:
            self.transport.close()
        elif self._waiting is None:  # most heads come in one piece, and nobody waits for them
            self._wait()

    def on_message_begin(self) -> None:
        self._head = 0
        self._stop_waiting()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = None
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are heard by the process, which has a worker to stop too."""
        yield
