"""The ASGI application: GraphQL at one address, and the doors that are not GraphQL."""

from __future__ import annotations

from functools import partial

import httpx
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp

from app import report
from app.doors import auth, export, files, graphiql, health, keys, metrics, pages, persist
from app.front import App, Front
from app.headers import SecurityHeaders, StrictTransport
from app.settings import Settings
from app.tracing import NATIVE, ServerSpans
from app.wiring import House
from domain.caching import Bucket
from graph.context import Services
from graph.cookies import Cookies
from graph.policy import Introspection, Policy
from graph.schema import schema
from graph.transports.routing import api

DRAIN_SECONDS = 1.0
"""So long who is connected may take to leave, once told to come back."""


def create_app(house: House) -> App:
    """Everything that answers over HTTP and WebSocket."""
    services = services_of(house)
    graphql = api(schema, services)
    doors = _doors(house, services)
    doors.router.routes += graphql.others
    page = graphiql.PageOrApi(graphql.graphql) if house.settings.graphiql else graphql.graphql
    # What answers there says itself what SecurityHeaders would.
    front = Front(SecurityHeaders(doors), {"/graphql": page})
    outermost: ASGIApp = ServerSpans(front, trust_incoming=house.settings.trace_trust_incoming)
    if _by_https(house.settings):
        outermost = StrictTransport(outermost)
    return App(outermost, partial(graphql.connections.drain, DRAIN_SECONDS))


def _doors(house: House, services: Services) -> FastAPI:
    """All that is not GraphQL."""
    app = FastAPI(title="Pacemark", docs_url=None, redoc_url=None, openapi_url=None, telemetry=NATIVE)
    if house.settings.graphiql:
        app.mount("/graphiql", GZipMiddleware(graphiql.Assets()))
    app.add_api_route("/", _front_door, methods=["GET"])
    shown = metrics.of(house, behind_proxy=house.settings.public_url is not None)
    for router in (
        health.routes(house),
        shown,
        files.routes(house),
        export.routes(services),
        report.routes(house),
        persist.routes(house),
        keys.routes(house),
        auth.routes(house, services.cookies, services.policy),
        pages.routes(house),
    ):
        app.include_router(router)
    return app


def services_of(house: House) -> Services:
    """What a house has for GraphQL."""
    return Services(
        database=house.database,
        feed=house.hub,
        storage=house.storage,
        keyring=house.keyring,
        base_url=house.settings.base_url,
        cache=house.cache,
        texts=house.texts,
        signing=house.signing,
        passwords=house.passwords,
        cookies=Cookies(secure=_by_https(house.settings)),
        registration=house.settings.registration,
        key_uses=house.key_uses,
        usage=house.usage,
        policy=policy(house.settings),
    )


def _by_https(settings: Settings) -> bool:
    return settings.base_url.lower().startswith("https:")


def policy(settings: Settings) -> Policy:
    """What the settings say to the graph."""
    return Policy(
        origins=frozenset(settings.allowed_origins),
        own_origin=_origin(settings.public_url) if settings.public_url is not None else None,
        introspection=Introspection(settings.who_is_shown_the_schema),
        allowance=Bucket(settings.cost_capacity, settings.cost_per_second),
        strangers_allowance=Bucket(settings.strangers_cost_capacity, settings.strangers_cost_per_second),
        operations_at_once=settings.operations_at_once,
        streams_at_once=settings.streams_at_once,
        subscriptions_at_once=2 * settings.streams_at_once,
        compile_queries=settings.compile_queries,
    )


def _origin(url: str) -> str:
    """As browsers write it: without a path, the port that goes without saying, and letters beside ASCII."""
    parts = httpx.URL(url.lower())
    return f"{parts.scheme}://{parts.netloc.decode()}"


async def _front_door() -> RedirectResponse:
    return RedirectResponse("/graphql")
