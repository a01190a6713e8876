"""Headers that every answer carries."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.transports.answers import SECURITY

_STRICT = (b"strict-transport-security", b"max-age=31536000")
_PAGE_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class SecurityHeaders:
    """Adds what is missing; a page without a content policy of its own gets one that allows nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message.get("headers", ()))
                there = {name.lower(): value for name, value in headers}
                headers += [(name, value) for name, value in SECURITY if name not in there]
                if there.get(b"content-type", b"").startswith(b"text/html") and b"content-security-policy" not in there:
                    headers.append((b"content-security-policy", _PAGE_POLICY))
            await send(message)

        await self._app(scope, receive, send_with_headers)


class StrictTransport:
    """Tells browsers to come by https from now on. Other names of the domain are not ours to speak for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_strictly(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
                message["headers"] = [*message.get("headers", ()), _STRICT]
            await send(message)

        await self._app(scope, receive, send_strictly)
