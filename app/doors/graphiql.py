"""GraphiQL for a browser at the address at which programs find the API."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from graph.transports import graphiql
from graph.transports.answers import SECURITY

_PAGE_HEADERS = {
    **{name.decode(): value.decode() for name, value in SECURITY},
    "Content-Security-Policy": graphiql.CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


_ASKED = ("query", "documentId", "extensions")
"""Who says any of these asks the API."""


class PageOrApi:
    """The page for whoever asks for HTML and brings no query; the API for everybody else."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["method"] == "GET" and _wants_page(Request(scope)):
            return HTMLResponse(graphiql.page(), headers=_PAGE_HEADERS)(scope, receive, send)
        return self._api(scope, receive, send)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not any(name in request.query_params for name in _ASKED)


class Assets(StaticFiles):
    """The page's files; those under `assets/` carry a hash of their content in their name and never change."""

    def __init__(self) -> None:
        super().__init__(directory=graphiql.STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if path.startswith("assets/") and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
