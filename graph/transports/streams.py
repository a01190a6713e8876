"""Several results over HTTP: server-sent events, and the parts of a multipart answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

import orjson
from starlette.types import Receive, Send

from ..callers import Caller
from ..codes import Code
from ..execution import Event
from ..operations import Rejected
from ..standing import REVOKED
from .connections import Connections, End

PING_SECONDS = 12.0
"""A word in silence, so often that no proxy takes the stream for dead."""

_HEADERS = {
    "cache-control": "private, no-cache, no-store, no-transform",
    "x-accel-buffering": "no",
    "vary": "Accept, Authorization, Origin",
}
_REVOKED = Rejected.of(REVOKED, Code.UNAUTHENTICATED, 401)


class Framing(Protocol):
    """How results are told apart on the wire."""

    type: str
    opening: bytes
    ping: bytes

    def event(self, event: Event) -> bytes: ...

    def failure(self, body: bytes) -> bytes:
        """Why it ends before its time."""
        ...

    @property
    def closing(self) -> bytes: ...


class ServerSentEvents:
    """graphql-sse's distinct connections; `id:` is what EventSource sends back as Last-Event-ID.

    https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
    """

    type = "text/event-stream; charset=utf-8"
    opening = b":\n\n"
    ping = b":\n\n"
    closing = b"event: complete\ndata:\n\n"

    def event(self, event: Event) -> bytes:
        id = f"id: {event.id}\n".encode() if event.id else b""
        return b"%bevent: next\ndata: %b\n\n" % (id, event.body)

    def failure(self, body: bytes) -> bytes:
        return b"event: next\ndata: %b\n\n" % body


class _Multipart:
    """Each part ends with the delimiter, and does not wait for the next to bring it: a part is read once its end is seen."""

    opening = b"\r\n--graphql"
    closing = b"--\r\n"

    def _part(self, body: bytes) -> bytes:
        return b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n%b\r\n--graphql" % body


class MultipartEvents(_Multipart):
    """Apollo's multipart subscriptions: https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol"""

    type = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    ping = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{}\r\n--graphql"

    def event(self, event: Event) -> bytes:
        return self._part(b'{"payload":%b}' % event.body)

    def failure(self, body: bytes) -> bytes:
        return self._part(b'{"payload":null,%b' % body[1:])


class MultipartParts(_Multipart):
    """Deferred parts of one answer; nothing is said in silence, which the deadline ends."""

    ping = b""

    def __init__(self, parameter: str) -> None:
        self.type = f'multipart/mixed;boundary="graphql";{parameter}'

    def event(self, event: Event) -> bytes:
        return self._part(event.body)

    def failure(self, body: bytes) -> bytes:
        return self._part(b'{"hasNext":false,%b' % body[1:])


async def stream(
    events: AsyncGenerator[Event, None],
    framing: Framing,
    caller: Caller,
    connections: Connections,
    receive: Receive,
    send: Send,
) -> None:
    """Until the results end, the client leaves, its key is revoked, or the server stops. Raises Rejected before it begins."""
    ends: list[End] = []
    telling = asyncio.create_task(_tell(events, framing, send, ends))
    leaving = asyncio.create_task(_left(receive))

    def ended(why: End) -> None:
        ends.append(why)
        telling.cancel()

    try:
        with connections.open(caller, ended):
            while not (await asyncio.wait({telling, leaving}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED))[0]:
                if framing.ping:
                    await send({"type": "http.response.body", "body": framing.ping, "more_body": True})
            if telling.done() and not telling.cancelled():
                telling.result()
            elif ends:
                # Who is to come back is not told that it is over: the stream just ends.
                last = _failure(_REVOKED, framing) + framing.closing if End.REVOKED in ends else b""
                await send({"type": "http.response.body", "body": last, "more_body": False})
    finally:
        for task in (telling, leaving):
            task.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)


async def refuse(refused: Rejected, framing: Framing, send: Send) -> None:
    """A stream that says why it is none."""
    await _begin(framing, send)
    await send({"type": "http.response.body", "body": _failure(refused, framing) + framing.closing, "more_body": False})


async def _tell(events: AsyncGenerator[Event, None], framing: Framing, send: Send, ends: Sequence[End]) -> None:
    await _begin(framing, send)
    async with aclosing(events):
        try:
            async for event in events:
                if ends:
                    raise asyncio.CancelledError  # what the end makes of the events themselves is not told
                await send({"type": "http.response.body", "body": framing.event(event), "more_body": True})
        except Rejected as refused:
            await send({"type": "http.response.body", "body": _failure(refused, framing), "more_body": True})
    await send({"type": "http.response.body", "body": framing.closing, "more_body": False})


async def _begin(framing: Framing, send: Send) -> None:
    raw = [(name.encode(), value.encode()) for name, value in {**_HEADERS, "content-type": framing.type}.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    await send({"type": "http.response.body", "body": framing.opening, "more_body": True})


def _failure(refused: Rejected, framing: Framing) -> bytes:
    return framing.failure(orjson.dumps(refused.body))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
