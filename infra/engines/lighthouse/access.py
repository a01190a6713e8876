"""A site's access as what the runner sends to the site's own origin."""

from __future__ import annotations

import re
from base64 import b64encode

from domain.measuring import Access, EngineFailure, FailureKind

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z")
_VALUE = re.compile(r"[\x20-\x7e]{0,8192}\Z")
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,4096}\Z")
# The browser sets these itself and fails every request that overrides them.
_FIXED = frozenset({"connection", "content-length", "cookie", "host", "keep-alive", "te", "trailer", "upgrade"})


def headers_of(access: Access) -> dict[str, str]:
    """The headers, with the password as Basic authentication (RFC 7617) unless an Authorization is given.

    Raises EngineFailure ACCESS_INVALID, naming no value, for what cannot be sent.
    """
    headers = dict(access.headers)
    if access.username is not None and not any(name.lower() == "authorization" for name in headers):
        pair = f"{access.username}:{access.password or ''}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    for name, value in headers.items():
        if not _TOKEN.match(name) or not _VALUE.match(value) or name.lower() in _FIXED:
            raise _invalid("A header of the site's access cannot be sent by a browser.")
    return headers


def cookies_of(access: Access) -> dict[str, str]:
    """The cookies by name. Raises EngineFailure ACCESS_INVALID for what RFC 6265 does not allow."""
    for name, value in access.cookies.items():
        if not _TOKEN.match(name) or not _COOKIE_VALUE.match(value):
            raise _invalid("A cookie of the site's access has characters that cookies cannot have.")
    return dict(access.cookies)


def _invalid(message: str) -> EngineFailure:
    return EngineFailure(FailureKind.CONFIGURATION, "ACCESS_INVALID", message)
