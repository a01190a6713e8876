"""Where GraphQL answers: one pipeline behind every address and transport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from strawberry import Schema

from ..context import Services
from ..execution import Operations
from . import http, single, websocket
from .callers import VERSIONS
from .connections import Connections
from .origins import PREFLIGHTED

CORS_SECONDS = 3_600
_SENT = ("content-type", "last-event-id", "x-graphql-event-stream-token", *VERSIONS, *PREFLIGHTED)
_READ = (
    "etag",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-used",
    "x-ratelimit-reset",
    "x-ratelimit-resource",
)


class Api(NamedTuple):
    """What answers requests at /graphql, the routes of all else, and what stays open behind them."""

    graphql: ASGIApp
    others: Sequence[BaseRoute]
    connections: Connections
    operations: Operations

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/graphql", self.graphql), *self.others]


def api(schema: Schema, services: Services) -> Api:
    """One for each process."""
    operations, connections = Operations(schema, services), Connections(services)
    graphql: ASGIApp = http.Endpoint(services, operations, connections)
    stream: ASGIApp = single.Endpoint(services, operations, connections, graphql)
    if services.policy.origins:
        graphql, stream = (_for_pages(each, sorted(services.policy.origins)) for each in (graphql, stream))
    socket = websocket.Endpoint(services, operations, connections)
    # Not mounted: a mount answers /graphql with a redirect to /graphql/.
    others = [
        WebSocketRoute("/graphql", socket),
        Route("/graphql/d/{id:path}", graphql),
        Route("/graphql/stream", stream),
    ]
    return Api(graphql, others, connections, operations)


def _for_pages(endpoint: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    return CORSMiddleware(
        endpoint,
        allow_origins=origins,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=_SENT,
        expose_headers=_READ,
        max_age=CORS_SECONDS,
    )
