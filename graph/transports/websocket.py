"""Operations over one WebSocket, by graphql-transport-ws: each ends by itself, and none of them ends the others."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing

import structlog
from starlette.types import Receive, Scope, Send

from domain.errors import DatabaseAway

from ..callers import Caller
from ..codes import Code
from ..context import Services
from ..execution import Operations
from ..operations import Rejected, asked, rejection
from . import messages
from .callers import brought, called, standing_of
from .connection import Connection
from .connections import Connections, End
from .messages import MAX_REASON, PROTOCOL, Close, Closed, Message
from .origins import is_ours

log = structlog.get_logger()

INIT_SECONDS = 10.0
"""So long a client may take to introduce itself."""

PING_SECONDS = 25.0
"""After so long without a word a client is asked whether it is there, and after as long again it is not."""


class Endpoint:
    """The ASGI application for WebSockets at /graphql."""

    def __init__(self, services: Services, operations: Operations, connections: Connections) -> None:
        self._services = services
        self._operations = operations
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = Connection(scope)
        await receive()  # websocket.connect
        if not is_ours(connection, self._services.policy):
            await send({"type": "websocket.close", "code": 1008, "reason": "Origin not allowed"})
            return
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": Close.UNACCEPTABLE, "reason": f"Subprotocol: {PROTOCOL}"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        await _Socket(connection, receive, send, self._services, self._operations, self._connections).serve()


class _Socket:
    def __init__(
        self,
        connection: Connection,
        receive: Receive,
        send: Send,
        services: Services,
        operations: Operations,
        connections: Connections,
    ) -> None:
        self._connection = connection
        self._receive = receive
        self._send = send
        self._services = services
        self._operations = operations
        self._connections = connections
        self._running: dict[str, asyncio.Task[None]] = {}
        self._open = True
        self._closing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Until either side closes it."""
        try:
            await self._serve()
        except Closed as closed:
            await self._close(closed.code, closed.reason)
        finally:
            self._open = False
            running = [*self._running.values(), *([self._closing] if self._closing else [])]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _serve(self) -> None:
        # Whoever has not said yet who they are is counted by their address.
        stranger = Caller(address=self._connection.address)
        with self._counted(stranger):
            caller = await self._introduced()
        if caller is None:
            return
        with self._counted(caller):
            await self._say(messages.ACK)
            while (message := await self._heard()) is not None:
                await self._take(message, caller)

    @contextlib.contextmanager
    def _counted(self, caller: Caller):  # type: ignore[no-untyped-def]
        try:
            with self._connections.open(caller, self._ended):
                yield
        except Rejected as full:
            raise Closed(Close.OVERLOADED, full.errors[0].message) from None

    async def _introduced(self) -> Caller | None:
        """Who it is; None when they have left before they said so."""
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while True:
                    message = await self._next()
                    if message is None:
                        return None
                    if message.type == "connection_init":
                        break
                    if message.type == "subscribe":
                        raise Closed(Close.UNAUTHORIZED, "Unauthorized")
                    await self._answer(message)
        except TimeoutError:
            raise Closed(Close.INIT_TIMEOUT, "Connection initialisation timeout") from None
        # A browser cannot set headers on a WebSocket: there the key comes in connection_init's payload.
        sent = {name.lower(): value for name, value in (message.payload or {}).items()}.get("authorization")
        header = self._connection.headers.get("authorization")
        given: list[str | None] = [each if isinstance(each, str) else "" for each in (header, sent) if each is not None]
        try:
            found = [await standing_of(self._services, each) for each in given or [brought(self._services, self._connection)]]
        except DatabaseAway:
            raise Closed(Close.OVERLOADED, "Try again later") from None
        if (standing := found[-1]) is None or None in found:
            raise Closed(Close.FORBIDDEN, "Forbidden")
        return called(self._services, standing, self._connection)

    async def _heard(self) -> Message | None:
        """The next message; None when the client has left. Who says nothing is asked, and then taken for gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PING_SECONDS):
                return await self._next()
        await self._say(messages.PING)
        try:
            async with asyncio.timeout(PING_SECONDS):
                return await self._next()
        except TimeoutError:
            raise Closed(Close.SILENT, "Terminated") from None

    async def _next(self) -> Message | None:
        received = await self._receive()
        if received["type"] == "websocket.disconnect":
            self._open = False
            return None
        return messages.read(received)

    async def _take(self, message: Message, caller: Caller) -> None:
        match message.type:
            case "connection_init":
                raise Closed(Close.INIT_AGAIN, "Too many initialisation requests")
            case "subscribe":
                await self._begin(message, caller)
            case "complete":
                if (task := self._running.pop(message.id, None)) is not None:
                    task.cancel()
            case _:
                await self._answer(message)

    async def _answer(self, message: Message) -> None:
        if message.type == "ping":
            await self._say(messages.pong(message.payload))

    async def _begin(self, message: Message, caller: Caller) -> None:
        if message.id in self._running:
            raise Closed(Close.DUPLICATE, f"Subscriber for {message.id} already exists")
        most = self._services.policy.operations_per_socket
        if len(self._running) >= most:
            said = f"At most {most} operations of one socket run at once: complete one before asking again."
            full = Rejected.of(said, Code.TOO_MANY_AT_ONCE, 429, maximum=most)
            await self._say(messages.error(message.id, full.body["errors"]))
            return
        self._running[message.id] = asyncio.create_task(self._operate(message, caller))

    async def _operate(self, message: Message, caller: Caller) -> None:
        id = message.id
        try:
            said = await self._results(message, caller)
        except Exception as error:
            said = messages.error(id, rejection(error).body["errors"])
        # Whoever completed it meanwhile may have given its id to another.
        if self._running.get(id) is asyncio.current_task():
            del self._running[id]
            await self._say(said)

    async def _results(self, message: Message, caller: Caller) -> str:
        if caller.standing is not None:
            caller = called(self._services, caller.standing, self._connection)
        prepared = await self._operations.prepare(asked(message.payload), caller)
        envelope = messages.envelope(message.id)
        async with aclosing(self._operations.results(prepared)) as events:
            async for event in events:
                await self._say(messages.next_(envelope, event.body))
        return messages.complete(message.id)

    async def _say(self, text: str) -> None:
        if self._open and self._closing is None:
            try:
                await self._send({"type": "websocket.send", "text": text})
            except (OSError, RuntimeError):  # it closed in this very moment
                self._open = False

    def _ended(self, why: End) -> None:
        code, reason = (Close.FORBIDDEN, "Forbidden") if why is End.REVOKED else (Close.RESTART, "Service restart")
        if self._closing is None:  # from now on nothing more is said: what is not complete is asked for again elsewhere
            self._closing = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: Close, reason: str) -> None:
        if self._open:
            self._open = False
            with contextlib.suppress(OSError, RuntimeError):
                fitting = reason.encode()[:MAX_REASON].decode(errors="ignore")
                await self._send({"type": "websocket.close", "code": int(code), "reason": fitting})
