"""Who asks, by what every transport carries."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .. import cookies
from ..callers import Caller
from ..codes import Code
from ..context import Services
from ..operations import Rejected
from ..standing import NOBODYS, Standing
from .connection import Connection
from .origins import is_ours

REFUSED = "This API key or access token is not valid, or no longer so: sign in again, or send Authorization: Bearer pmk_…"
VERSIONS = ("graphql-client-version", "apollographql-client-version")
"""Headers in which clients say their version; which client it is, its key says."""

_BEARER = "Bearer "
_VERSION = re.compile(r"[A-Za-z0-9._+-]{1,50}")


async def caller_of(services: Services, connection: Connection) -> Caller:
    """Raises Rejected for what is no key and no access token, and DatabaseAway."""
    authorization = brought(services, connection)
    standing = services.standings.fresh(authorization[7:]) if authorization and authorization.startswith(_BEARER) else None
    if standing is None:
        standing = await standing_of(services, authorization)
    if standing is None:
        raise Rejected.of(REFUSED, Code.UNAUTHENTICATED, 401, {"WWW-Authenticate": "Bearer"})
    return called(services, standing, connection)


def brought(services: Services, connection: Connection) -> str | None:
    """Authorization; without it, what a browser that is signed in carries. Raises Rejected for another site's page."""
    authorization, carried = connection.headers.get("authorization"), connection.headers.get("cookie")
    if authorization is not None or carried is None:
        return authorization
    token = cookies.read(carried, services.cookies.access)
    if token is None:
        return None
    if not is_ours(connection, services.policy):
        raise Rejected.of("A page of another site asked for this with a cookie.", Code.CSRF_PREVENTED, 403)
    return f"{_BEARER}{token}"


def called(services: Services, standing: Standing, connection: Connection) -> Caller:
    services.key_uses.record(standing.known, datetime.now(UTC))
    headers = connection.headers
    version = headers.get(VERSIONS[0]) or headers.get(VERSIONS[1]) or ""
    if version and not _VERSION.fullmatch(version):
        version = ""
    return Caller(standing.known, connection.address, version, headers.get("user-agent", ""), standing)


async def standing_of(services: Services, authorization: str | None) -> Standing | None:
    """Nobody's for nothing, None for something that is no key or token of ours. Raises DatabaseAway."""
    if authorization is None:
        return NOBODYS
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    return await services.standings.of_bearer(services.database.reader, key.strip(), services.keyring, services.signing)
