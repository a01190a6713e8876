"""GraphQL over HTTP, one operation a request: what is asked, who asks, the result or the results, and how they are sent."""

from __future__ import annotations

from graphql import OperationType
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from ..codes import Code
from ..context import Services
from ..execution import Operations, Prepared
from ..operations import Rejected, rejection
from .answers import Answer, kept
from .callers import caller_of
from .connection import Request
from .connections import Connections
from .leaving import Leaving, Left, Watch
from .negotiation import JSON, RESPONSE, Streaming, taken
from .origins import require_asked_for
from .requests import read, rejected
from .streams import Framing, MultipartEvents, MultipartParts, ServerSentEvents, refuse, stream

_NO_REQUESTS = (Code.BAD_REQUEST, Code.CSRF_PREVENTED)


class Endpoint:
    """The ASGI application at /graphql for everything but WebSockets, and at /graphql/d/{id}."""

    def __init__(self, services: Services, operations: Operations, connections: Connections) -> None:
        self._services = services
        self._operations = operations
        self._connections = connections
        self._watch = Watch()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        type, several = taken(request.headers.get("accept"))
        prepared: Prepared | None = None
        try:
            asked = await read(request, document_id=request.path_params.get("id"))
            if request.method == "GET":
                require_asked_for(request, self._services.policy)
            caller = await caller_of(self._services, request)
            prepared = await self._operations.prepare(
                asked,
                caller,
                mutations=request.method != "GET",
                subscriptions=several.events or several.multipart,
                resumed=request.headers.get("last-event-id"),
            )
            framing = _framing(prepared, type, several)
            if framing is None and type is None:
                raise rejected(f"A result is sent as {JSON}, as {RESPONSE} or as text/event-stream.", 406)
            if framing is None:
                answer = await self._answer(request, prepared, type or JSON)
        except (Left, ClientDisconnect):
            return
        except Exception as error:
            refused = rejection(error)
            if prepared is not None:
                prepared.end(refused.errors)
            if type is None and several.events and _is_told(refused):
                await refuse(refused, ServerSentEvents(), send)
                return
            answer = refusal(refused, type or JSON)
        else:
            if framing is not None:
                await self._tell(request, prepared, framing, several, send)
                return
        await answer.send(request, send)

    async def _tell(self, request: Request, prepared: Prepared, framing: Framing, several: Streaming, send: Send) -> None:
        events = self._operations.results(prepared, deferring=several.deferring)
        try:
            await self._operations.pay(prepared)
            await stream(events, framing, prepared.caller, self._connections, request.receive, send)
        except Rejected as refused:  # it has not begun
            prepared.end(refused.errors)
            await refusal(refused, JSON).send(request, send)

    async def _answer(self, request: Request, prepared: Prepared, type: str) -> Answer:
        cookies = prepared.context.set_cookies = []
        with Leaving(request.receive, self._watch):
            result = await self._operations.result(prepared)
        headers = result.charge.raw_headers if result.charge else ()
        if cookies:
            headers = [*headers, *((b"set-cookie", each.encode("latin-1")) for each in cookies)]
        if request.method != "GET":
            return Answer(200, result.body(), type, headers)
        return Answer(200, result.body(cost=False), type, headers, kept(result.max_age, public=result.public))


def _is_told(refused: Rejected) -> bool:
    """Whether who asked for events is told by one. A status instead makes clients try again, as after a failed connection."""
    return refused.in_json == 200 or (refused.code not in _NO_REQUESTS and refused.status in (400, 403, 404))


def refusal(refused: Rejected, type: str) -> Answer:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in refused.headers.items()]
    return Answer(refused.status if type == RESPONSE else refused.in_json, refused.body, type, headers)


def _framing(prepared: Prepared, type: str | None, several: Streaming) -> Framing | None:
    """How several results are sent; None where there is one, and the client takes it alone."""
    if prepared.kind is OperationType.SUBSCRIPTION:
        return ServerSentEvents() if several.events else MultipartEvents()
    if several.deferring is not None and prepared.defers:
        return MultipartParts(several.deferring)
    return ServerSentEvents() if type is None and several.events else None
