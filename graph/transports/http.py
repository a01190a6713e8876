"""GraphQL over HTTP, one operation a request: what is asked, who asks, the result, and how it is sent."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Coroutine, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import orjson
from graphql import GraphQLError, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry.types.execution import PreExecutionError

from domain.access import Actor
from domain.errors import DatabaseAway

from ..context import Context, Services
from ..errors import shown
from ..operations import Document
from ..operations.extension import documents_of
from ..schema import schema
from .actors import REFUSED, actor_of
from .negotiation import ANSWERS, EVENTS, JSON, PARTS, RESPONSE, names, takes_gzip, wanted
from .requests import BAD_REQUEST, Asked, Unreadable, read

DEADLINE_SECONDS = 30.0
COMPRESSED_FROM = 1_024
TIMEOUT = "TIMEOUT"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
STREAMS = (EVENTS, PARTS)

T = TypeVar("T")


class Left(Exception):  # noqa: N818 - whoever asked is gone
    """Nobody waits for the answer any more."""


class Endpoint:
    """The ASGI application at /graphql for everything but WebSockets. `streams` answers whoever wants a stream of results."""

    def __init__(self, services: Services, streams: ASGIApp) -> None:
        self._services = services
        self._streams = streams
        self._documents = documents_of(schema._schema)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._streams(scope, receive, send)
            return
        request = Request(scope, receive)
        accept = request.headers.get("accept")
        type = wanted(accept, ANSWERS)
        try:
            asked = await read(request)
            actor = await actor_of(self._services, request.headers.get("authorization"))
            if actor is None:
                raise Unreadable(401, REFUSED, WWW_Authenticate="Bearer")
            document = self._documents.prepare(asked.query, stranger=not actor.roles)
            # Several results are to come and the client takes such, or it takes nothing else.
            several = document.kind(asked.operation_name) is OperationType.SUBSCRIPTION
            if (several or type is None) and names(accept, STREAMS):
                await self._streams(scope, _again(asked.body, receive), send)
                return
            if type is None:
                raise Unreadable(406, f"A result is sent as {JSON}, as {RESPONSE} or as {EVENTS}.")
            answer = await self._answer(request, asked, document, actor, type)
        except Unreadable as refused:
            code = "UNAUTHENTICATED" if refused.status == 401 else BAD_REQUEST
            answer = Answer(refused.status, _refusal(refused.message, code), type or JSON, refused.headers)
        except DatabaseAway:
            message = "The database is away for a moment: try again."
            answer = Answer(503, _refusal(message, UNAVAILABLE), type or JSON, {"retry-after": "1"})
        except (Left, ClientDisconnect):
            return
        await answer.send(request, send)

    async def _answer(self, request: Request, asked: Asked, document: Document, actor: Actor, type: str) -> Answer:
        try:
            kind = document.operation(asked.operation_name).kind
        except GraphQLError as unresolved:
            errors = [shown(error).formatted for error in document.errors or [unresolved]]
            return Answer(400 if type == RESPONSE else 200, {"errors": errors}, type, {})
        if kind is OperationType.SUBSCRIPTION:
            raise Unreadable(406, f"A subscription's results are a stream: Accept: {EVENTS}, or a WebSocket.")
        if kind is OperationType.MUTATION and request.method == "GET":
            raise Unreadable(405, "A mutation is sent by POST.", Allow="POST")
        executing = schema.execute(
            asked.query,
            variable_values=dict(asked.variables or {}),
            context_value=Context(self._services, actor, document=document),
            operation_name=asked.operation_name,
        )
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                # What is being changed is changed to its end, whoever has left.
                result = await (executing if kind is OperationType.MUTATION else _while_waiting(request, executing))
        except TimeoutError:
            return Answer(503, _refusal("The operation took too long and was stopped.", TIMEOUT), type, {})
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        refused = isinstance(result, PreExecutionError) or (result.data is None and not _executed(result.errors or ()))
        if not refused:
            body["data"] = result.data
        if result.extensions:
            body["extensions"] = result.extensions
        return Answer(400 if refused and type == RESPONSE else 200, body, type, {})


class Answer:
    """A status, a body and the headers beside those that every answer has."""

    def __init__(self, status: int, body: Mapping[str, Any], type: str, headers: Mapping[str, str]) -> None:
        self._status = status
        self._body = orjson.dumps(body)
        self._headers = {
            "content-type": f"{type}; charset=utf-8",
            "cache-control": "private, no-store",
            "vary": "Accept, Accept-Encoding, Authorization, Origin",
            **headers,
        }

    async def send(self, request: Request, send: Send) -> None:
        """As it is, compressed for who takes that, or as a word that nothing has changed since it was sent last."""
        status, body, headers = self._status, self._body, self._headers
        if request.method == "GET" and status == 200:
            # A weak one: compressed or not, it is the same result.
            headers["etag"] = tag = f'W/"{sha256(body).hexdigest()[:32]}"'
            if tag[2:] in (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")):
                status, body = 304, b""
        if len(body) >= COMPRESSED_FROM and takes_gzip(request.headers.get("accept-encoding")):
            body, headers["content-encoding"] = await asyncio.to_thread(gzip.compress, body, 4), "gzip"
        if status != 304:
            headers["content-length"] = str(len(body))
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def _refusal(message: str, code: str) -> Mapping[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def _executed(errors: Sequence[GraphQLError]) -> bool:
    """Whether a resolver had a word: what is refused before has no path."""
    return any(error.path for error in errors)


async def _while_waiting(request: Request, executing: Coroutine[Any, Any, T]) -> T:
    """Its result, unless the client leaves first: then it is stopped. Raises Left."""
    working = asyncio.create_task(executing)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Left
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read already is read once more, by another application."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
