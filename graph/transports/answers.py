"""One result over HTTP: its status, its bytes, and how long they may be kept."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from starlette.types import Send

from .connection import Request
from .negotiation import takes_gzip

COMPRESSED_FROM = 1_024
NEVER_KEPT = "private, no-store"
SECURITY = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
"""Headers of every answer, whatever it says."""

_ALWAYS = ((b"vary", b"Accept, Accept-Encoding, Authorization, Origin"), *SECURITY)


class Answer:
    """A status, a body and the headers beside those that every answer has."""

    __slots__ = ("_body", "_headers", "_status", "_type")

    def __init__(self, status: int, body: Mapping[str, Any], type: str, headers: Mapping[str, str]) -> None:
        self._status = status
        self._body = orjson.dumps(body)
        if headers.get("cache-control", NEVER_KEPT) != NEVER_KEPT:
            # Whoever is given it next has an allowance of their own.
            headers = {name: value for name, value in headers.items() if not name.startswith("x-ratelimit-")}
        self._type = type
        self._headers = {"cache-control": NEVER_KEPT, **headers}

    async def send(self, request: Request, send: Send) -> None:
        """As it is, compressed for who takes that, or as a word that nothing has changed since it was sent last."""
        status, body, headers = self._status, self._body, self._headers
        if status == 200 and request.method == "GET":
            # A weak one: compressed or not, it is the same result.
            headers["etag"] = tag = f'W/"{sha256(body).hexdigest()[:32]}"'
            known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
            if tag[2:] in known or known == ["*"]:
                status, body = 304, b""
        if len(body) >= COMPRESSED_FROM and takes_gzip(request.headers.get("accept-encoding")):
            body, headers["content-encoding"] = await asyncio.to_thread(gzip.compress, body, 4), "gzip"
        raw = [(b"content-type", f"{self._type}; charset=utf-8".encode()), *_ALWAYS]
        raw += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        if status != 304:
            raw.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def kept(max_age: int, *, public: bool) -> str:
    """Cache-Control for an answer whose every field says how long it lasts."""
    return f"{'public' if public else 'private'}, max-age={max_age}" if max_age > 0 else NEVER_KEPT
