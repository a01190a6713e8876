"""Server-sent events in the single connection mode of graphql-sse: one stream for all operations of a client.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. A reservation and its stream live in one process: where
several answer, whoever balances between them must send a client to the same one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..callers import Caller
from ..codes import Code
from ..context import Services
from ..execution import Event, Operations, Prepared
from ..operations import Asked, Rejected, rejection
from .callers import caller_of
from .connection import Request
from .connections import Connections
from .http import refusal
from .negotiation import EVENTS, JSON, accepts
from .origins import require_asked_for
from .requests import read, rejected
from .streams import ServerSentEvents, stream

RESERVED_SECONDS = 60.0
"""So long a token waits for its stream."""

WAITING = 16
"""So many results wait for a slow client; then its operations wait."""


class _Reservation:
    """A token's: whose it is, what waits to be said, and what runs."""

    def __init__(self, caller: Caller) -> None:
        self.account = caller.account
        self.said: asyncio.Queue[Event] = asyncio.Queue(WAITING)
        self.running: dict[str, asyncio.Task[None]] = {}
        self.waiting: dict[str, Prepared] = {}
        self.opened = False
        self.over = False
        self.expiring: asyncio.TimerHandle | None = None

    def require_room(self, id: str, most: int) -> None:
        """Raises Rejected."""
        if self.over:
            raise rejected(_NO_STREAM, 404)
        if id in self.running or id in self.waiting:
            raise rejected("An operation of this id is running already.", 409)
        if len(self.running) + len(self.waiting) >= most:
            message = f"At most {most} operations of one stream run at once."
            raise Rejected.of(message, Code.TOO_MANY_AT_ONCE, 429, maximum=most)

    def end(self) -> Sequence[asyncio.Task[None]]:
        """Nothing runs for it from now on; what did is being stopped."""
        self.over = True
        for prepared in self.waiting.values():
            prepared.end()
        self.waiting.clear()
        running = list(self.running.values())
        for task in running:
            task.cancel()
        return running


class Endpoint:
    """The ASGI application at /graphql/stream; a request without a token of ours goes to `distinct`."""

    def __init__(self, services: Services, operations: Operations, connections: Connections, distinct: ASGIApp) -> None:
        self._services = services
        self._operations = operations
        self._connections = connections
        self._distinct = distinct
        self._reserved: dict[str, _Reservation] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        token = request.headers.get("x-graphql-event-stream-token") or request.query_params.get("token") or ""
        response: Any
        try:
            require_asked_for(request, self._services.policy)
            if request.method == "PUT":
                response = await self._reserve(request)
            elif request.method == "DELETE":
                response = await self._stop(request, await self._of(request, token))
            elif request.method not in ("GET", "POST"):
                raise rejected("A stream is reserved by PUT, opened by GET, and stopped by DELETE.", 405, _ALLOW)
            elif not token:
                await self._distinct(scope, receive, send)
                return
            elif request.method == "GET" and accepts(request.headers.get("accept"), EVENTS, named=True):
                await self._open(request, await self._of(request, token), receive, send)
                return
            else:
                response = await self._operate(request, await self._of(request, token))
        except ClientDisconnect:
            return
        except Exception as error:
            await refusal(rejection(error), JSON).send(request, send)
            return
        await response(scope, receive, send)

    async def _reserve(self, request: Request) -> Response:
        if not accepts(request.headers.get("accept"), "text/plain"):
            raise rejected("A token is sent as text/plain.", 406)
        caller = await caller_of(self._services, request)
        held = sum(each.account == caller.account for each in self._reserved.values())
        most = self._services.policy.streams_at_once
        if held >= most:
            message = f"At most {most} streams of one account are reserved at once."
            raise Rejected.of(message, Code.TOO_MANY_AT_ONCE, 429, {"retry-after": "5"}, maximum=most)
        token = secrets.token_urlsafe(32)
        reservation = self._reserved[token] = _Reservation(caller)
        loop = asyncio.get_running_loop()
        reservation.expiring = loop.call_later(RESERVED_SECONDS, self._expire, token)
        return PlainTextResponse(token, 201, {"cache-control": "private, no-store"})

    def _expire(self, token: str) -> None:
        self._reserved.pop(token).end()

    async def _of(self, request: Request, token: str) -> tuple[Caller, str, _Reservation]:
        """Whose token it is must ask: who finds another's finds nothing."""
        caller = await caller_of(self._services, request)
        reservation = self._reserved.get(token)
        if reservation is None or reservation.account != caller.account:
            raise rejected(_NO_STREAM, 404)
        return caller, token, reservation

    async def _open(self, request: Request, of: tuple[Caller, str, _Reservation], receive: Receive, send: Send) -> None:
        caller, token, reservation = of
        if reservation.opened:
            raise rejected("This stream is open already.", 409)
        if reservation.expiring is not None:
            reservation.expiring.cancel()
        reservation.opened = True
        for id, prepared in reservation.waiting.items():
            self._begin(id, prepared, reservation)
        reservation.waiting.clear()
        try:
            await stream(_waiting(reservation), _Single(reservation), caller, self._connections, receive, send)
        finally:
            self._reserved.pop(token, None)
            await asyncio.gather(*reservation.end(), return_exceptions=True)

    async def _operate(self, request: Request, of: tuple[Caller, str, _Reservation]) -> Response:
        caller, _, reservation = of
        if not accepts(request.headers.get("accept"), JSON):
            raise rejected("What is wrong with an operation is sent as application/json.", 406)
        asked = await read(request)
        id = asked.extensions.get("operationId")
        if not isinstance(id, str) or not 0 < len(id) <= 256:
            raise rejected("An operation of a stream has an id: extensions.operationId, a text of 1 to 256 characters.")
        most = self._services.policy.operations_per_socket
        reservation.require_room(id, most)
        prepared = await self._prepared(request, asked, caller)
        try:
            reservation.require_room(id, most)  # others may have come meanwhile, or the client have left
        except Rejected as refused:
            prepared.end(refused.errors)
            raise
        if reservation.opened:
            self._begin(id, prepared, reservation)
        else:  # nothing runs for a stream that may never be
            reservation.waiting[id] = prepared
        return Response(status_code=202)

    def _begin(self, id: str, prepared: Prepared, reservation: _Reservation) -> None:
        reservation.running[id] = asyncio.create_task(self._run(id, prepared, reservation))

    async def _prepared(self, request: Request, asked: Asked, caller: Caller) -> Prepared:
        try:
            return await self._operations.prepare(asked, caller, mutations=request.method != "GET")
        except Rejected as refused:  # there is no stream yet that could say so: graphql-sse asks for a status
            raise Rejected(refused.errors, refused.status, headers=refused.headers) from None

    async def _stop(self, request: Request, of: tuple[Caller, str, _Reservation]) -> Response:
        id = request.query_params.get("operationId", "")
        if not id:
            raise rejected("Which operation is to be stopped is said as ?operationId=.")
        reservation = of[2]
        if (prepared := reservation.waiting.pop(id, None)) is not None:
            prepared.end()
        if (task := reservation.running.pop(id, None)) is not None:
            task.cancel()
        return Response(status_code=200)

    async def _run(self, id: str, prepared: Prepared, reservation: _Reservation) -> None:
        try:
            async with aclosing(self._operations.results(prepared)) as events:
                async for event in events:
                    await reservation.said.put(_next(id, event.body))
        except Exception as error:
            await reservation.said.put(_next(id, orjson.dumps(rejection(error).body)))
        if reservation.running.get(id) is asyncio.current_task():
            del reservation.running[id]
            await reservation.said.put(_complete(id))


async def _waiting(reservation: _Reservation) -> AsyncGenerator[Event, None]:
    while True:
        yield await reservation.said.get()


def _next(id: str, body: bytes) -> Event:
    return Event(b'{"id":%b,"payload":%b}' % (orjson.dumps(id), body))


def _complete(id: str) -> Event:
    return Event(b'{"id":%b}' % orjson.dumps(id), _COMPLETE)


class _Single(ServerSentEvents):
    """Each event names its operation; what is complete is told by the place that it has."""

    closing = b""

    def __init__(self, reservation: _Reservation) -> None:
        self._reservation = reservation

    def event(self, event: Event) -> bytes:
        name = b"complete" if event.id == _COMPLETE else b"next"
        return b"event: %b\ndata: %b\n\n" % (name, event.body)

    def failure(self, body: bytes) -> bytes:
        """Each operation that runs is told."""
        ids = self._reservation.running
        return b"".join(self.event(each) for id in ids for each in (_next(id, body), _complete(id)))


_COMPLETE = "complete"
_NO_STREAM = "There is no stream of this token: reserve one by PUT."
_ALLOW = {"Allow": "GET, POST, PUT, DELETE"}
