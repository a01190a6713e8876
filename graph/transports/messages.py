"""The messages of graphql-transport-ws: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import orjson

PROTOCOL = "graphql-transport-ws"
MAX_ID = 256
MAX_REASON = 123
"""Bytes of UTF-8: a closing frame has no room for more (RFC 6455, 5.5)."""


class Close(IntEnum):
    """Why a socket is closed. Clients come back by themselves after FORBIDDEN, INIT_TIMEOUT, RESTART and OVERLOADED alone."""

    RESTART = 1012
    OVERLOADED = 1013
    INVALID = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    UNACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE = 4409
    INIT_AGAIN = 4429
    SILENT = 4499


class Closed(Exception):  # noqa: N818 - it is how a socket ends
    """The socket is to be closed."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Message(NamedTuple):
    type: str
    id: str = ""
    payload: Mapping[str, Any] | None = None


_WITH_ID = ("subscribe", "complete")
_TYPES = ("connection_init", "ping", "pong", *_WITH_ID)


def read(received: Mapping[str, Any]) -> Message:
    """Raises Closed for what is no message of the protocol, with what is wrong."""
    text = received.get("text")
    if text is None:
        raise Closed(Close.INVALID, "Messages are sent as text")
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Closed(Close.INVALID, "A message is no JSON") from None
    if not isinstance(said, dict):
        raise Closed(Close.INVALID, "A message is an object")
    type, id, payload = said.get("type"), said.get("id"), said.get("payload")
    if type not in _TYPES:
        raise Closed(Close.INVALID, f"A message's type is one of {', '.join(_TYPES)}")
    if type in _WITH_ID and (not isinstance(id, str) or not 0 < len(id) <= MAX_ID):
        raise Closed(Close.INVALID, f"A {type} message has an id, a text of 1 to {MAX_ID} characters")
    if not isinstance(payload, dict | None) or (type == "subscribe" and payload is None):
        raise Closed(Close.INVALID, f"The payload of a {type} message is an object")
    if type == "subscribe" and payload and payload.get("query") == "":
        # graphql-ws asks for a document by its id with an empty text: it sends no payload without one.
        payload = {name: value for name, value in payload.items() if name != "query"}
    return Message(type, id if isinstance(id, str) and type in _WITH_ID else "", payload)


ACK = '{"type":"connection_ack"}'
PING = '{"type":"ping"}'


PONG = '{"type":"pong"}'


def pong(payload: Mapping[str, Any] | None) -> str:
    """With what the ping brought, unless that is nested deeper than can be written."""
    try:
        return orjson.dumps({"type": "pong", "payload": payload}).decode() if payload else PONG
    except orjson.JSONEncodeError:
        return PONG


def envelope(id: str) -> bytes:
    """What stands before the payload of every `next` of this operation."""
    return b'{"id":%b,"type":"next","payload":' % orjson.dumps(id)


def next_(envelope: bytes, body: bytes) -> str:
    """The payload is put in as it is: one event goes to thousands, and is written once."""
    return (envelope + body + b"}").decode()


def error(id: str, errors: Any) -> str:
    return orjson.dumps({"id": id, "type": "error", "payload": errors}).decode()


def complete(id: str) -> str:
    return orjson.dumps({"id": id, "type": "complete"}).decode()
