"""One run's conversation with servers: guarded, timed and bounded exchanges on fresh connections."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import SplitResult

import anyio.lowlevel
import anyio.streams.tls
import httpcore
import httpx

from domain.measuring import EngineFailure, ResourceType

from ..guard import Guard, check_url
from .bodies import Oversized, Undecodable, decode, is_compressible
from .clock import Clock
from .connection import GuardedBackend
from .failures import failure_of, page_failure
from .identity import Identity, origin_of
from .limits import Limits
from .observation import Exchange

_REDIRECT_BODY_BYTES = 64_000


class Session:
    """Fetches for one run. An exchange that fails says so in `failure`; only cancellation is raised."""

    def __init__(self, pool: httpcore.AsyncConnectionPool, identity: Identity, limits: Limits, clock: Clock) -> None:
        self._pool = pool
        self._identity = identity
        self._limits = limits
        self.clock = clock
        self._timeouts = {
            "connect": limits.connect_seconds,
            "read": limits.silence_seconds,
            "write": limits.silence_seconds,
        }

    async def follow(self, url: str, kind: ResourceType, limit: int, exchanges: list[Exchange]) -> None:
        """Fetches `url` and what it redirects to; each exchange is in `exchanges` from the moment it begins."""
        seen: set[tuple[str, str]] = set()
        while True:
            exchange = Exchange(url, self.clock.now())
            exchanges.append(exchange)
            try:
                target = check_url(url)
                exchange.url = target.geturl()
                if len(exchanges) > self._limits.redirects + 1:
                    many = self._limits.redirects
                    raise page_failure("TOO_MANY_REDIRECTS", f"The address redirects more than {many} times.")
                step = exchange.url, self._identity.cookies(origin_of(target))
                if step in seen:
                    raise page_failure("REDIRECT_LOOP", "The address redirects in a loop, back to where it was before.")
                seen.add(step)
            except EngineFailure as failure:
                exchange.failure = failure
                exchange.end_ms = self.clock.now()
                return
            await self._fetch(target, kind, limit, exchange)
            if exchange.failure is not None or exchange.redirects_to is None:
                return
            url = exchange.redirects_to

    async def _fetch(self, target: SplitResult, kind: ResourceType, limit: int, exchange: Exchange) -> None:
        await self._attempt(target, kind, limit, exchange)
        ended = exchange.failure is not None and exchange.failure.code == "CONNECTION_RESET"
        if ended and exchange.reused and exchange.status is None:
            # A server may end an idle connection just when the next request is sent on it (RFC 9112 §9.3.1).
            exchange.failure = None
            await self._attempt(target, kind, limit, exchange)
        self._identity.remember(origin_of(target), exchange.headers.get_list("set-cookie"))

    async def _attempt(self, target: SplitResult, kind: ResourceType, limit: int, exchange: Exchange) -> None:
        host = target.hostname or ""
        try:
            await self._exchange(target, kind, limit, exchange)
        except EngineFailure as failure:
            exchange.failure = failure
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            exchange.failure = failure_of(error, host)
        except ValueError:
            # httpcore reads HTTP/2's headers unchecked and stumbles over a status that is no number.
            exchange.failure = page_failure("PROTOCOL_ERROR", f"The answer of {host} is not valid HTTP.")
        finally:
            exchange.end_ms = self.clock.now()
        await self._decode(exchange)

    async def _exchange(self, target: SplitResult, kind: ResourceType, limit: int, exchange: Exchange) -> None:
        async def opened(name: str, _: dict[str, Any]) -> None:
            if name == "connection.connect_tcp.started":
                exchange.reused = False

        path = f"{target.path}?{target.query}" if target.query else target.path
        scheme, host, port = origin_of(target)
        url = httpcore.URL(scheme=scheme.encode(), host=host.encode(), port=port, target=path.encode())
        extensions = {"timeout": self._timeouts, "trace": opened, "sni_hostname": host.rstrip(".")}
        headers = [(name.encode(), value.encode()) for name, value in self._identity.headers(target, kind)]
        async with self._pool.stream("GET", url, headers=headers, extensions=extensions) as response:
            _read_head(response, exchange)
            exchange.first_byte_ms = self.clock.now()
            await _read_body(response, exchange, limit)

    async def _decode(self, exchange: Exchange) -> None:
        """Leaves in `body` the decoded bytes, and only where HTML or gzip's saving is still to be read from them."""
        coding = exchange.coding
        if exchange.failure is None and exchange.status is not None and exchange.redirects_to is None:
            try:
                decoded = await decode(bytes(exchange.body), coding, self._limits.decoded_bytes)
                exchange.decoded_bytes = len(decoded)
                exchange.body = bytearray(decoded)
            except Oversized:
                most = self._limits.decoded_bytes / 1e6
                exchange.failure = page_failure("TOO_LARGE", f"The answer is larger than {most:g} MB when decompressed.")
            except Undecodable:
                exchange.body.clear()
        if (coding and not exchange.is_html) or not is_compressible(exchange.mime or "text/"):
            exchange.body.clear()


def _read_head(response: httpcore.Response, exchange: Exchange) -> None:
    exchange.status = response.status
    exchange.headers = httpx.Headers(response.headers)
    exchange.header_bytes = 19 + sum(len(name) + len(value) + 4 for name, value in response.headers)
    exchange.protocol = {b"HTTP/2": "h2", b"HTTP/1.0": "http/1.0"}.get(response.extensions["http_version"], "http/1.1")
    exchange.connection = response.extensions["network_stream"].get_extra_info("connection")


async def _read_body(response: httpcore.Response, exchange: Exchange, limit: int) -> None:
    announced = exchange.headers.get("content-length", "")
    redirects = exchange.redirects_to is not None
    if not redirects and announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)
    async for chunk in response.aiter_stream():
        exchange.body_bytes += len(chunk)
        if redirects:
            # Nobody reads it, and no browser waits for it.
            if exchange.body_bytes > _REDIRECT_BODY_BYTES:
                return
        elif exchange.body_bytes > limit:
            raise _too_large(limit)
        else:
            exchange.body += chunk


def _too_large(limit: int) -> EngineFailure:
    return page_failure("TOO_LARGE", f"The answer is larger than {limit / 1e6:g} MB, the most that is read.")


async def _warm_up() -> None:
    """Has everything loaded that httpcore, anyio and the resolver load when they are first used: the first run of a
    process would count it as the server's time.
    """
    await anyio.lowlevel.checkpoint()
    "localhost".encode("idna")


@asynccontextmanager
async def open_session(guard: Guard, context: ssl.SSLContext, identity: Identity, limits: Limits) -> AsyncIterator[Session]:
    """A session on connections of its own, all of which are closed when it ends, however it ends."""
    await _warm_up()
    backend = GuardedBackend(guard)
    pool = httpcore.AsyncConnectionPool(
        ssl_context=context, max_connections=None, http1=True, http2=True, network_backend=backend
    )
    try:
        yield Session(pool, identity, limits, Clock())
    finally:
        try:
            await pool.aclose()
        finally:
            await backend.aclose()
