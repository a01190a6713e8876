"""Bodies: undoing a content coding within bounds, and what gzip would have saved."""

from __future__ import annotations

import asyncio
import gzip
import zlib

_STEP = 1 << 20
_OFF_LOOP = 1 << 16
_COMPRESSIBLE = (
    "text/",
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/rss+xml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/xhtml+xml",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/svg+xml",
    "image/x-icon",
)

DECODABLE = "gzip, deflate"


class Undecodable(Exception):  # noqa: N818 - a fact about a body
    """The body is not what its content coding says, or the coding is not one of ours."""


class Oversized(Undecodable):
    """The body is larger, decoded, than the limit."""


def is_compressible(mime: str | None) -> bool:
    return mime is not None and mime.startswith(_COMPRESSIBLE)


async def decode(body: bytes, coding: str, limit: int) -> bytes:
    """The body without its content coding, at most `limit` bytes. Raises Undecodable, or Oversized of it."""
    if len(body) <= _OFF_LOOP:
        return undo(body, coding, limit)
    return await asyncio.to_thread(undo, body, coding, limit)


def undo(body: bytes, coding: str, limit: int) -> bytes:
    """As `decode`, at once. Codings are undone from the last to the first (RFC 9110 §8.4)."""
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        if name in ("gzip", "x-gzip"):
            body = _inflate(body, zlib.MAX_WBITS | 16, limit)
        elif name == "deflate":
            # Some servers leave out the zlib wrapper that the standard asks for (RFC 9110 §8.4.1.2).
            wrapped = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
            body = _inflate(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, limit)
        elif name != "identity":
            raise Undecodable
    if len(body) > limit:
        raise Oversized
    return body


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    if not body:
        return b""
    inflater, out, rest = zlib.decompressobj(window), bytearray(), body
    try:
        while not inflater.eof:
            piece = inflater.decompress(rest, _STEP)
            out += piece
            rest = inflater.unconsumed_tail
            if len(out) > limit:
                raise Oversized
            if not piece and not rest:
                break
    except zlib.error as error:
        raise Undecodable from error
    return bytes(out)


def gzip_size(body: bytes) -> int:
    """The bytes that this body would take with gzip at its usual level."""
    return len(gzip.compress(body, compresslevel=6))
