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
from .answers import SECURITY
from .connections import Connections, End

PING_SECONDS = 12.0
"""A word in silence, so often that no proxy takes the stream for dead."""

_HEADERS = (
    (b"cache-control", b"private, no-cache, no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"Accept, Authorization, Origin"),
    *SECURITY,
)
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
    body = _Body(framing, send)
    telling = asyncio.create_task(_tell(events, framing, body, ends))
    leaving = asyncio.create_task(_left(receive))

    def ended(why: End) -> None:
        ends.append(why)
        telling.cancel()

    try:
        with connections.open(caller, ended):
            while not (await asyncio.wait({telling, leaving}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED))[0]:
                if framing.ping:
                    await body.say(framing.ping)
            if telling.done() and not telling.cancelled():
                telling.result()
            elif ends:
                # Who is to come back is not told that it is over: the stream just ends.
                await body.say(_failure(_REVOKED, framing) + framing.closing if End.REVOKED in ends else b"", last=True)
    finally:
        for task in (telling, leaving):
            task.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)


async def refuse(refused: Rejected, framing: Framing, send: Send) -> None:
    """A stream that says why it is none."""
    body = _Body(framing, send)
    await body.begin()
    await body.say(_failure(refused, framing) + framing.closing, last=True)


class _Body:
    """Said by two: by the results, and in their silence. One waits for the other, and nobody says more after the end."""

    def __init__(self, framing: Framing, send: Send) -> None:
        self._framing = framing
        self._send = send
        self._turn = asyncio.Lock()
        self._over = False

    async def begin(self) -> None:
        headers = [(b"content-type", self._framing.type.encode()), *_HEADERS]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.say(self._framing.opening)

    async def say(self, text: bytes, *, last: bool = False) -> None:
        async with self._turn:
            if not self._over:
                self._over = last
                await self._send({"type": "http.response.body", "body": text, "more_body": not last})


async def _tell(events: AsyncGenerator[Event, None], framing: Framing, body: _Body, ends: Sequence[End]) -> None:
    await body.begin()
    async with aclosing(events):
        try:
            async for event in events:
                if ends:
                    raise asyncio.CancelledError  # what the end makes of the events themselves is not told
                await body.say(framing.event(event))
        except Rejected as refused:
            await body.say(_failure(refused, framing))
    await body.say(framing.closing, last=True)


def _failure(refused: Rejected, framing: Framing) -> bytes:
    return framing.failure(orjson.dumps(refused.body))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
