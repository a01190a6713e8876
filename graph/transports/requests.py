"""What an HTTP request asks for, read strictly; GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.requests import Request

MAX_BODY = 1024 * 1024
BAD_REQUEST = "BAD_REQUEST"
_JSON = "application/json"


class Unreadable(Exception):  # noqa: N818 - it is the client's
    """A request that is none; what its answer says."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation. `extensions` are the client's, such as the id of a persisted document; `body` is as it came."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


async def read(request: Request) -> Asked:
    """Raises Unreadable, and Starlette's ClientDisconnect."""
    if request.method == "GET":
        return _from_query(request)
    if request.method == "POST":
        _require_json(request.headers.get("content-type"))
        body = await _body(request)
        return replace(_asked(_parsed(body, "The body")), body=body)
    raise Unreadable(405, "GraphQL is asked by POST, or by GET.", Allow="GET, POST")


def _from_query(request: Request) -> Asked:
    given = request.query_params
    for name in ("query", "operationName", "variables", "extensions"):
        if len(given.getlist(name)) > 1:
            raise Unreadable(400, f"{name} is given more than once.")
    said: dict[str, Any] = {name: value for name in ("query", "operationName") if (value := given.get(name))}
    for name in ("variables", "extensions"):
        if value := given.get(name):
            said[name] = _parsed(value.encode("utf-8", "surrogatepass"), name)
    return _asked(said)


def _asked(said: Any) -> Asked:
    if isinstance(said, list):
        raise Unreadable(400, "Several operations in one request are not taken: send them one by one.")
    if not isinstance(said, dict):
        raise Unreadable(400, 'The body must be an object, such as {"query": "{ __typename }"}.')
    query, name = said.get("query"), said.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise Unreadable(400, "There is no document: send one as `query`, a text.")
    if not isinstance(name, str | None):
        raise Unreadable(400, "operationName must be a text or null.")
    for part in ("variables", "extensions"):
        if not isinstance(said.get(part), dict | None):
            raise Unreadable(400, f"{part} must be an object or null.")
    return Asked(query, name or None, said.get("variables"), said.get("extensions") or {})


def _parsed(data: bytes, what: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:  # of UTF-8 too, and of what is nested without end
        raise Unreadable(400, f"{what} is no JSON in UTF-8.") from None


def _require_json(content_type: str | None) -> None:
    type, *parameters = (part.strip().lower() for part in (content_type or "").split(";"))
    charset = next((value for name, _, value in (each.partition("=") for each in parameters) if name == "charset"), "utf-8")
    if type != _JSON or charset.strip('"') != "utf-8":
        raise Unreadable(415, "The body must be JSON: Content-Type: application/json, in UTF-8.", Accept_Post=_JSON)


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    parts, size = [], int(length) if length.isascii() and length.isdigit() and len(length) < 12 else 0
    if size <= MAX_BODY:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                break
            parts.append(part)
    if size > MAX_BODY:
        raise Unreadable(413, f"The body is too large: at most {MAX_BODY} bytes.", Connection="close")
    return b"".join(parts)
