"""Which pages may ask from a browser: our own, and those of the settings."""

from __future__ import annotations

from ..codes import Code
from ..operations import Rejected
from ..policy import Policy
from .connection import Connection

PREFLIGHTED = ("authorization", "graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
"""No page of another site sends these without being allowed to by CORS first."""


def is_ours(connection: Connection, policy: Policy) -> bool:
    """Whether it comes from a page that may ask, or from no page at all."""
    origin = connection.headers.get("origin")
    if origin is not None:
        page, host = origin.lower().partition("://")[2], connection.headers.get("host", "").lower()
        return origin in policy.origins or (host != "" and page == host)
    return connection.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def require_asked_for(connection: Connection, policy: Policy) -> None:
    """Raises Rejected for what a page of another site can make a browser send without asking (CSRF).

    A body is no danger: it must be JSON, which no browser sends to another site without asking.
    """
    if not is_ours(connection, policy) and not any(name in connection.headers for name in PREFLIGHTED):
        message = f"A page of another site asked for this. If it is yours, send a header such as {PREFLIGHTED[1]}: 1."
        raise Rejected.of(message, Code.CSRF_PREVENTED, 403)
