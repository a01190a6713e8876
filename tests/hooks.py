"""A real HTTP server on 127.0.0.1, in the test's own loop, that keeps what is posted to it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson


class Post(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """As https://www.standardwebhooks.com says, worked out by itself."""
        signed = b".".join((self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body))
        mac = hmac.new(base64.b64decode(secret.split("_")[1]), signed, hashlib.sha256)
        return f"v1,{base64.b64encode(mac.digest()).decode()}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Hook:
    """`says`: its whole answer to each post, the last one again and again; None: it never answers."""

    says: list[bytes | None] = field(default_factory=lambda: [answer(204)])
    posts: list[Post] = field(default_factory=list)
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?to=me"

    async def taken(self, number: int = 1) -> list[Post]:
        """Once it has so many."""
        async with asyncio.timeout(20):
            while len(self.posts) < number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.posts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.posts.append(Post(request.split(" ")[1], headers, body))
            self.arrived.set()
            said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
            if said is None:
                await reader.read()  # until the other side has enough of waiting
            else:
                writer.write(said)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\ncontent-length: {len(body)}\r\n{named}connection: close\r\n\r\n".encode() + body


@asynccontextmanager
async def hook(*says: bytes | None, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Hook, None]:
    kept = Hook(list(says)) if says else Hook()
    server = await asyncio.start_server(kept.serve, "127.0.0.1", 0, ssl=tls)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        await server.wait_closed()
