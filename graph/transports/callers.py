"""Who asks, by what every transport carries."""

from __future__ import annotations

import re

from ..callers import Caller
from ..codes import Code
from ..context import Services
from ..operations import Rejected
from ..standing import NOBODYS, Standing
from .connection import Connection

REFUSED = "This API key is not valid, or no longer so. Send a good one as: Authorization: Bearer pmk_…"
VERSIONS = ("graphql-client-version", "apollographql-client-version")
"""Headers in which clients say their version; which client it is, its key says."""

_BEARER = "Bearer "
_VERSION = re.compile(r"[A-Za-z0-9._+-]{1,50}")


async def caller_of(services: Services, connection: Connection) -> Caller:
    """Raises Rejected for a key that is none, and DatabaseAway."""
    authorization = connection.headers.get("authorization")
    standing = services.standings.fresh(authorization[7:]) if authorization and authorization.startswith(_BEARER) else None
    if standing is None:
        standing = await standing_of(services, authorization)
    if standing is None:
        raise Rejected.of(REFUSED, Code.UNAUTHENTICATED, 401, {"WWW-Authenticate": "Bearer"})
    return called(standing, connection)


def called(standing: Standing, connection: Connection) -> Caller:
    headers = connection.headers
    version = headers.get(VERSIONS[0]) or headers.get(VERSIONS[1]) or ""
    if version and not _VERSION.fullmatch(version):
        version = ""
    return Caller(standing.known, connection.address, version, standing)


async def standing_of(services: Services, authorization: str | None) -> Standing | None:
    """Nobody's for nothing, None for something that is no key of ours. Raises DatabaseAway."""
    if authorization is None:
        return NOBODYS
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    return await services.standings.of_key(services.database.reader, key.strip(), services.keyring)
