"""Four pages whose slowness is set: of text, of a picture, of a script, and one that shows half its visitors an experiment.

Each page is served below its delay in tenths of a millisecond, `/picture/250/`: each of its answers comes so much later.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from struct import pack

PAGES = ("text", "picture", "script", "experiment")
SLOWED = PAGES[:3]
"""Whether a page in two states moved as it was to cannot be told from its middle."""

_HEAD = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>{name}</title>"
    "<meta name=viewport content='width=device-width'>"
)
_TEXT = "<p>" + "Whoever measures a page twice has two numbers, and neither of them is the page. " * 12 + "</p>"


def _picture(width: int, height: int) -> bytes:
    """A noisy PNG, which compresses badly, always the same one."""
    chance = random.Random(7)
    rows = b"".join(b"\0" + chance.randbytes(width * 3) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


_STYLE = b"body{font:18px/1.5 sans-serif;margin:2rem}h1{color:#036}img{width:100%;height:70vh}"
_PICTURE = _picture(320, 200)
_SCRIPT = (
    b"""
const until = performance.now() + 60; let sum = 0;
while (performance.now() < until) sum += Math.sqrt(sum + 1);
const text = 'Some text that it writes. '.repeat(40);
document.getElementById('app').innerHTML = '<h1>Drawn by a script</h1>' + '<p>' + text + '</p>';
"""
    + b"//"
    + b"x" * 60_000
)
_EXPERIMENT = b"window.experiment = 'B';//" + b"y" * 120_000

_BODIES = {
    "text": f"<main><h1>A page of text</h1>{_TEXT}</main>",
    "picture": "<main><h1>A picture</h1><img src=hero.png alt=''></main>",
    "script": "<main id=app></main><script src=app.js></script>",
    "experiment": f"<main><h1>An experiment</h1>{_TEXT}</main>",
}


def _html(name: str) -> bytes:
    tried = "<script src=experiment.js></script>" if name == "experiment" and random.random() < 0.5 else ""
    return (
        _HEAD.format(name=name) + f"<link rel=stylesheet href=style.css>{tried}</head><body>{_BODIES[name]}</body></html>"
    ).encode()


def _answer(path: str) -> tuple[float, str, bytes] | None:
    """After how many seconds, of what type, and what."""
    parts = path.strip("/").split("/")
    if len(parts) not in (2, 3) or parts[0] not in PAGES or not parts[1].isdigit():
        return None
    later = int(parts[1]) / 10_000
    match parts[2:]:
        case []:
            return 0.06 + later, "text/html; charset=utf-8", _html(parts[0])
        case ["style.css"]:
            return 0.03 + later, "text/css", _STYLE
        case ["app.js"]:
            return 0.05 + later, "text/javascript", _SCRIPT
        case ["experiment.js"]:
            return 0.03 + later, "text/javascript", _EXPERIMENT
        case ["hero.png"]:
            return 0.05 + later, "image/png", _PICTURE
    return None


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            answer = _answer(head.split(b" ", 2)[1].decode())
            if answer is None:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            seconds, kind, body = answer
            await asyncio.sleep(seconds)
            said = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\n\r\n"
            writer.write(said.encode() + body)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def serving() -> AsyncGenerator[str, None]:
    """The origin of the pages, on a free port of this machine."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
