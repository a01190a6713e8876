"""Streams of results, over SSE, multipart and WebSocket, by Strawberry's own ASGI view, with our actors and our JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from domain.access import NOBODY

from ..context import Context, Services
from ..schema import schema
from .actors import REFUSED, actor_of


@dataclass(slots=True)
class _Connection(Context):
    """A WebSocket's. One whose handshake brought a bad key is closed when it introduces itself: 4403 needs an open socket."""

    refused: bool = False


class Endpoint(GraphQL[Context, None]):
    def __init__(self, services: Services) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL))
        self._services = services

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        actor = await actor_of(self._services, request.headers.get("authorization"))
        if isinstance(request, WebSocket):
            return _Connection(self._services, actor or NOBODY, refused=actor is None)
        if actor is None:
            raise HTTPException(401, REFUSED)
        return Context(self._services, actor)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """A browser cannot set headers on a WebSocket: there the key comes in connection_init's payload."""
        sent = {name.lower(): value for name, value in (context.connection_params or {}).items()}.get("authorization")
        actor = await actor_of(self._services, sent if isinstance(sent, str) else "") if sent is not None else context.actor
        if actor is None or (isinstance(context, _Connection) and context.refused):
            raise ConnectionRejectionError({"message": REFUSED})
        context.actor = actor
        return UNSET

    def encode_json(self, data: object) -> str:
        # Text, not bytes: bytes would leave a WebSocket as binary frames, which clients do not expect.
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        return orjson.loads(data)


def endpoint(services: Services) -> Endpoint:
    """The ASGI application behind `http.Endpoint`, for what is a stream."""
    return Endpoint(services)
