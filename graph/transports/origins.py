"""Which pages may ask from a browser: our own, and those of the settings."""

from __future__ import annotations

from ..codes import Code
from ..operations import Rejected
from ..policy import Policy
from .connection import Connection

PREFLIGHTED = ("authorization", "graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
"""No page of another site sends these without being allowed to by CORS first."""

_PAGES = {"ws": "http", "wss": "https"}
"""The scheme of the page that opens a socket."""


def is_ours(connection: Connection, policy: Policy) -> bool:
    """Whether it comes from a page that may ask, or from no page at all."""
    origin = connection.headers.get("origin")
    if origin is not None:
        return origin in policy.origins or _is_own(origin.lower(), connection, policy)
    return connection.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _is_own(origin: str, connection: Connection, policy: Policy) -> bool:
    """With its scheme: whoever is on the way can make a page of our host, as long as it is not reached by https."""
    if policy.own_origin is not None:
        return origin == policy.own_origin
    host, scheme = connection.headers.get("host", "").lower(), connection.scope.get("scheme")
    schemes = ("http", "https") if scheme is None else (_PAGES.get(scheme, scheme),)
    return host != "" and any(origin == f"{each}://{host}" for each in schemes)


def require_asked_for(connection: Connection, policy: Policy) -> None:
    """Raises Rejected for what a page of another site can make a browser send without asking (CSRF).

    A body is no danger: it must be JSON, which no browser sends to another site without asking.
    """
    if not is_ours(connection, policy) and not any(name in connection.headers for name in PREFLIGHTED):
        message = f"A page of another site asked for this. If it is yours, send a header such as {PREFLIGHTED[1]}: 1."
        raise Rejected.of(message, Code.CSRF_PREVENTED, 403)
