"""The way into the server: GraphQL goes straight to where it is answered, all else through the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """`direct` answers at its exact paths, without a router and its layers; `rest` answers everywhere else."""

    def __init__(self, rest: ASGIApp, direct: Mapping[str, ASGIApp]) -> None:
        self._rest = rest
        self._direct = direct

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        app = self._direct.get(scope["path"]) if scope["type"] == "http" else None
        if app is None:
            return self._rest(scope, receive, send)
        scope["endpoint"] = app  # by which spans and measurements know that the path is one of ours
        return app(scope, receive, send)


class App(NamedTuple):
    """What a server is given: the ASGI application, and what tells those who are connected to come back."""

    asgi: ASGIApp
    drain: Callable[[], Awaitable[None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.asgi(scope, receive, send)
