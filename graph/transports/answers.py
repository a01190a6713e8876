"""One result over HTTP: its status, its bytes, and how long they may be kept."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from starlette.types import Send

from .connection import Request
from .negotiation import ANSWERS, takes_gzip

COMPRESSED_FROM = 1_024
NEVER_KEPT = b"private, no-store"
SECURITY = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
"""Headers of every answer, whatever it says."""

_TYPES = {type: f"{type}; charset=utf-8".encode() for type in ANSWERS}
_ALWAYS = ((b"vary", b"Accept, Accept-Encoding, Authorization, Cookie, Origin"), *SECURITY)


class Answer:
    """A status, a body, how long it may be kept, and the headers beside those that every answer has."""

    __slots__ = ("_body", "_headers", "_kept", "_status", "_type")

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any],
        type: str,
        headers: Sequence[tuple[bytes, bytes]],
        kept: bytes = NEVER_KEPT,
    ) -> None:
        self._status = status
        self._body = orjson.dumps(body)
        self._type = type
        # Whoever is given it next has an allowance of their own.
        self._headers = headers if kept == NEVER_KEPT else ()
        self._kept = kept

    async def send(self, request: Request, send: Send) -> None:
        """As it is, compressed for who takes that, or as a word that nothing has changed since it was sent last."""
        status, body = self._status, self._body
        headers = [(b"content-type", _TYPES[self._type]), (b"cache-control", self._kept), *_ALWAYS, *self._headers]
        if status == 200 and request.method == "GET":
            # A weak one: compressed or not, it is the same result.
            tag = f'W/"{sha256(body).hexdigest()[:32]}"'
            headers.append((b"etag", tag.encode()))
            known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
            if tag[2:] in known or known == ["*"]:
                status, body = 304, b""
        if len(body) >= COMPRESSED_FROM and takes_gzip(request.headers.get("accept-encoding")):
            body = await asyncio.to_thread(gzip.compress, body, 4)
            headers.append((b"content-encoding", b"gzip"))
        if status != 304:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def kept(max_age: int, *, public: bool) -> bytes:
    """Cache-Control for an answer whose every field says how long it lasts."""
    return b"%b, max-age=%d" % (b"public" if public else b"private", max_age) if max_age > 0 else NEVER_KEPT
