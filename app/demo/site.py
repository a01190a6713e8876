"""The small site that the demo measures: three pages on a loopback address, two of them as slow as they are told to be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from app import server

RENDERED_SECONDS = 0.04
"""How long a page takes that is rendered anew for each visitor."""

HEAD_SECONDS = 10.0
"""So long a visitor may be silent."""

_STYLE = "body{font:18px/1.6 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}nav a{margin-right:1em}"


class Site:
    """`slowed_seconds` is added to what its rendered pages take; `/about` is a file, and is as quick as ever."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.slowed_seconds = 0.0

    def seconds(self, path: str) -> float:
        return RENDERED_SECONDS + self.slowed_seconds if path in ("/", "/products") else 0.0


PAGES: Mapping[str, str] = MappingProxyType({"/": "Home", "/products": "Products", "/about": "About"})


@asynccontextmanager
async def serving() -> AsyncGenerator[Site, None]:
    """The site, on a free port, until the block ends."""
    listening = server.listen("127.0.0.1", 0)
    site = Site(f"http://127.0.0.1:{listening.getsockname()[1]}")
    visits: set[asyncio.Task[None]] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        visits.add(visit)
        try:
            with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await _converse(site, reader, writer)
        finally:
            writer.close()
            visits.discard(visit)

    answering = await asyncio.start_server(visited, sock=listening)
    try:
        yield site
    finally:
        answering.close()
        for visit in tuple(visits):
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _converse(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer what is asked on one connection, one after the other."""
    while True:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        path = target.partition("?")[0]
        await asyncio.sleep(site.seconds(path))
        status, kind, body = _answer(path)
        lines = (
            f"HTTP/1.1 {status}",
            f"Content-Type: {kind}; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Cache-Control: " + ("max-age=3600" if kind == "text/css" else "no-cache"),
        )
        writer.write("\r\n".join((*lines, "", "")).encode() + (b"" if method == "HEAD" else body))
        await writer.drain()


def _answer(path: str) -> tuple[str, str, bytes]:
    if path == "/style.css":
        return "200 OK", "text/css", _STYLE.encode()
    title = PAGES.get(path)
    if title is None:
        return "404 Not Found", "text/plain", b"There is no such page.\n"
    links = "".join(f'<a href="{each}">{name}</a>' for each, name in PAGES.items())
    said = "This page is a file." if path == "/about" else "This page is rendered anew for every visitor."
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title} · A small site</title><link rel="stylesheet" href="/style.css"></head>'
        f"<body><nav>{links}</nav><h1>{title}</h1><p>{said} The demo of Pacemark measures it.</p></body></html>"
    )
    return "200 OK", "text/html", text.encode()
