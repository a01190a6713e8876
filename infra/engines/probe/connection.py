"""Connections that are guarded, pinned to the address that was checked, timed, and closed for certain."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore

from domain.measuring import EngineFailure, FailureKind

from ..guard import Guard
from .failures import causes


@dataclass(slots=True)
class Connection:
    """How a connection came about. Times in ms; the `tls_` fields and the certificate are None without TLS.

    `dns_ms` is the time that this host's only lookup of the run took.
    """

    address: str
    dns_ms: float
    connect_ms: float
    tls_ms: float | None = None
    tls_version: str | None = None
    certificate_expires: float | None = None
    """Seconds since 1970."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens the connections of one run: every host passes the guard, and is resolved once."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpcore.AnyIOBackend()
        self._lookups: dict[str, tuple[list[str], float]] = {}
        self._looking = asyncio.Lock()
        self._opened: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses, dns_ms = await self._lookup(host, port)
        failure: Exception | None = None
        for address in addresses:
            started = time.perf_counter()
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            self._opened.append(stream)
            return TimedStream(stream, Connection(address, dns_ms, _since(started)))
        raise failure or httpcore.ConnectError("The host has no address.")

    async def _lookup(self, host: str, port: int) -> tuple[list[str], float]:
        async with self._looking:
            if host not in self._lookups:
                started = time.perf_counter()
                self._lookups[host] = (await self._guard.addresses(host, port), _since(started))
            return self._lookups[host]

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol("A page is not measured over a Unix socket.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Closes every socket that this run opened, also one whose handshake was cancelled half-way."""
        while self._opened:
            await self._opened.pop().aclose()


class TimedStream(httpcore.AsyncNetworkStream):
    """A stream that knows its connection: `get_extra_info("connection")`."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, connection: Connection) -> None:
        self._stream = stream
        self._connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        started = time.perf_counter()
        try:
            stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except httpcore.ConnectError as error:
            if any(isinstance(cause, ssl.SSLError) for cause in causes(error)):
                raise
            raise EngineFailure(
                FailureKind.PAGE,
                "TLS_FAILURE",
                "The server ended the connection during the TLS handshake.",
                retryable=True,
            ) from error
        self._connection.tls_ms = _since(started)
        tls = stream.get_extra_info("ssl_object")
        self._connection.tls_version = tls.version()
        expires = (tls.getpeercert() or {}).get("notAfter")
        self._connection.certificate_expires = ssl.cert_time_to_seconds(expires) if expires else None
        return TimedStream(stream, self._connection)

    def get_extra_info(self, info: str) -> Any:
        return self._connection if info == "connection" else self._stream.get_extra_info(info)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
