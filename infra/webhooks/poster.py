"""Carries messages to addresses that people gave: to the address that was checked, and no further."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult

import httpcore
import httpx

from domain.measuring import EngineFailure
from domain.notifications import Answer, Unreached

from ..engines.guard import Guard, check_url
from ..engines.probe.connection import GuardedBackend
from ..engines.probe.failures import failure_of

DEADLINE_SECONDS = 10.0
MOST_BYTES = 64 * 1024
"""Of an answer; the rest is not read."""

PORTS = {"http": 80, "https": 443}


class GuardedPoster:
    """A connection for each message. No redirect is followed: whoever moves has to say so."""

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None, deadline: float = DEADLINE_SECONDS) -> None:
        self._guard = guard
        self._tls = tls or httpx.create_ssl_context()
        self._deadline = deadline

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises Unreached."""
        host = "The server"
        try:
            target = check_url(url)
            host = target.hostname or host
            async with asyncio.timeout(self._deadline):
                return await self._posted(target, headers, body)
        except TimeoutError:
            raise Unreached(f"{host} did not answer within {self._deadline:g} s.") from None
        except EngineFailure as failure:
            raise Unreached(_sentence(failure)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError, ValueError) as error:
            raise Unreached(str(failure_of(error, host))) from None

    async def _posted(self, target: SplitResult, headers: Mapping[str, str], body: bytes) -> Answer:
        host = target.hostname or ""
        address = httpcore.URL(
            scheme=target.scheme.encode(),
            host=host.encode(),
            port=target.port or PORTS[target.scheme],
            target=(f"{target.path}?{target.query}" if target.query else target.path).encode(),
        )
        sent = {"host": target.netloc, "content-length": str(len(body)), "accept-encoding": "identity", **headers}
        backend = GuardedBackend(self._guard)
        pool = httpcore.AsyncConnectionPool(ssl_context=self._tls, max_connections=1, network_backend=backend)
        try:
            given = [(name.encode(), value.encode()) for name, value in sent.items()]
            extensions = {"sni_hostname": host.rstrip(".")}
            async with pool.stream("POST", address, headers=given, content=body, extensions=extensions) as response:
                return Answer(response.status, await _text(response), _header(response, b"retry-after"))
        finally:
            try:
                await pool.aclose()
            finally:
                await backend.aclose()


async def _text(response: httpcore.Response) -> str:
    """Its beginning. What is not text is shown as far as it is."""
    found = bytearray()
    async for piece in response.aiter_stream():
        found += piece[: MOST_BYTES - len(found)]
        if len(found) >= MOST_BYTES:
            break
    return found.decode("utf-8", "replace")


def _header(response: httpcore.Response, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), None)


def _sentence(failure: EngineFailure) -> str:
    if failure.code == "ADDRESS_REFUSED":
        return "The address is a private or reserved one, to which nothing is sent from here."
    return failure.message
