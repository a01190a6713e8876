"""What an HTTP request brings, read strictly, whatever its method."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Message

from ..codes import Code
from ..operations import Asked, Rejected, asked
from .connection import Request

MAX_BODY = 1024 * 1024
BODY_SECONDS = 30.0
REMEMBERED = 4_096
"""Bytes of a body that is read once, however often it comes; and how many of them."""

KNOWN = 1_000
_known: dict[bytes, Asked] = {}
_JSON = "application/json"
_NAMES = ("query", "documentId", "operationName", "variables", "extensions")


async def read(request: Request, *, document_id: str | None = None) -> Asked:
    """`document_id` is that of the path. Raises Rejected, and Starlette's ClientDisconnect."""
    said: Any
    if request.method == "GET":
        said = _from_query(request)
    elif request.method == "POST":
        _require_json(request.headers.get("content-type"))
        body = await _body(request)
        if document_id is None and (known := _known.get(body)) is not None:
            return known
        said = parsed(body, "The body")
        if document_id is None and len(body) <= REMEMBERED:
            return _remembered(body, asked(said))
    else:
        raise rejected("GraphQL is asked by POST, or by GET.", 405, {"Allow": "GET, POST"})
    if document_id is not None and isinstance(said, dict):
        said = {**said, "documentId": document_id}
    return asked(said)


def _remembered(body: bytes, said: Asked) -> Asked:
    """For when the same body comes again, from whoever it is: a text alone, with nothing of theirs."""
    if said.variables is None and not said.extensions:
        if len(_known) >= KNOWN:
            _known.clear()
        _known[body] = said
    return said


def rejected(message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> Rejected:
    return Rejected.of(message, Code.BAD_REQUEST, status, headers)


def parsed(data: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:  # of UTF-8 too, and of what is nested without end
        raise rejected(f"{what} is no JSON in UTF-8.") from None


def _from_query(request: Request) -> Mapping[str, Any]:
    given = request.query_params
    for name in _NAMES:
        if len(given.getlist(name)) > 1:
            raise rejected(f"{name} is given more than once.")
    said: dict[str, Any] = {name: value for name in ("query", "documentId", "operationName") if (value := given.get(name))}
    for name in ("variables", "extensions"):
        if value := given.get(name):
            said[name] = parsed(value.encode("utf-8", "surrogatepass"), name)
    return said


@lru_cache(maxsize=256)
def _is_json(content_type: str | None) -> bool:
    type, *parameters = (part.strip().lower() for part in (content_type or "").split(";"))
    charset = next((value for name, _, value in (each.partition("=") for each in parameters) if name == "charset"), "utf-8")
    return type == _JSON and charset.strip('"') == "utf-8"


def _require_json(content_type: str | None) -> None:
    if not _is_json(content_type):
        message = "The body must be JSON: Content-Type: application/json, in UTF-8."
        raise rejected(message, 415, {"Accept-Post": _JSON})


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > MAX_BODY):
        raise _too_large()
    body, more = _part(await request.receive())
    if more:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more and len(body) <= MAX_BODY:
                    part, more = _part(await request.receive())
                    body += part
        except TimeoutError:
            raise rejected(f"The body did not come within {BODY_SECONDS:.0f} seconds.", 408, {"Connection": "close"}) from None
    if len(body) > MAX_BODY:
        raise _too_large()
    return body


def _part(message: Message) -> tuple[bytes, bool]:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _too_large() -> Rejected:
    return rejected(f"The body is too large: at most {MAX_BODY} bytes.", 413, {"Connection": "close"})
