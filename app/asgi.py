"""The ASGI application: GraphQL at one address, and the doors that are not GraphQL."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from app import report
from app.doors import files, graphiql, health, metrics
from app.headers import SecurityHeaders
from app.tracing import NATIVE, ServerSpans
from app.wiring import House
from graph.context import Services
from graph.transports import http, stock


def create_app(house: House) -> FastAPI:
    """Everything that answers over HTTP and WebSocket."""
    app = FastAPI(title="Pacemark", docs_url=None, redoc_url=None, openapi_url=None, telemetry=NATIVE)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(ServerSpans, trust_incoming=house.settings.trace_trust_incoming)
    graphql = graphiql.PageOrApi(_graphql(_services(house)))
    # Not mounted: a mount answers /graphql with a redirect to /graphql/.
    app.router.routes += [Route("/graphql", graphql), WebSocketRoute("/graphql", graphql)]
    app.mount("/graphiql", GZipMiddleware(graphiql.Assets()))
    app.add_api_route("/", _front_door, methods=["GET"])
    shown = metrics.of(house, behind_proxy=house.settings.public_url is not None)
    for router in (health.routes(house), shown, files.routes(house), report.routes(house)):
        app.include_router(router)
    return app


def _graphql(services: Services) -> ASGIApp:
    return http.Endpoint(services, streams=stock.endpoint(services))


def _services(house: House) -> Services:
    return Services(
        database=house.database,
        feed=house.hub,
        storage=house.storage,
        seal=house.seal,
        pepper=house.pepper,
        link_secret=house.link_secret,
        base_url=house.settings.base_url,
    )


async def _front_door() -> RedirectResponse:
    return RedirectResponse("/graphql")
