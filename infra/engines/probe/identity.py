"""What the probe says of itself to a server, and which secrets it may send to which origin."""

from __future__ import annotations

import base64
import re
from urllib.parse import SplitResult

from domain.measuring import Access, EngineFailure, FailureKind, FormFactor, ResourceType

from .bodies import DECODABLE

MAX_COOKIES = 50
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*\Z")
_COOKIE_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*\Z")
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "accept-encoding"})

_AGENTS = {
    FormFactor.MOBILE: (
        "Mozilla/5.0 (Linux; Android 13; Mobile) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Mobile Safari/537.36 Pacemark-Probe/1.0"
    ),
    FormFactor.DESKTOP: (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Safari/537.36 Pacemark-Probe/1.0"
    ),
}
_ACCEPTS = {
    ResourceType.DOCUMENT: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ResourceType.STYLESHEET: "text/css,*/*;q=0.1",
    ResourceType.IMAGE: "image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8",
}

Origin = tuple[str, str, int]
Headers = list[tuple[str, str]]


def origin_of(target: SplitResult) -> Origin:
    """Scheme, host and port (RFC 6454 §4)."""
    port = target.port or (443 if target.scheme == "https" else 80)
    return target.scheme, target.hostname or "", port


class Identity:
    """The headers of every request of one run: the site's access goes to its own origin and nowhere else.

    Cookies that an origin sets are sent back to that origin while the run lasts, so that a page which sets one and
    redirects to itself can be measured.
    """

    def __init__(self, access: Access, site: Origin, form_factor: FormFactor) -> None:
        _check(access)
        self._access = access
        self._site = site
        self._agent = _AGENTS[form_factor]
        self._cookies: dict[Origin, dict[str, str]] = {site: dict(access.cookies)}

    def headers(self, target: SplitResult, kind: ResourceType) -> Headers:
        origin = origin_of(target)
        headers = {
            "host": target.netloc,
            "user-agent": self._agent,
            "accept": _ACCEPTS.get(kind, "*/*"),
            "accept-language": "en-US,en;q=0.9",
            "accept-encoding": DECODABLE,
        }
        if origin == self._site:
            if self._access.username is not None:
                pair = f"{self._access.username}:{self._access.password or ''}".encode()
                headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            headers |= {name.lower(): value.strip() for name, value in self._access.headers.items()}
        cookies = self.cookies(origin)
        if cookies:
            headers["cookie"] = cookies
        return list(headers.items())

    def cookies(self, origin: Origin) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.get(origin, {}).items())

    def remember(self, origin: Origin, set_cookies: list[str]) -> None:
        jar = self._cookies.setdefault(origin, {})
        for line in set_cookies:
            name, _, value = line.partition(";")[0].partition("=")
            name, value = name.strip(), value.strip()
            room = name in jar or len(jar) < MAX_COOKIES
            if room and len(value) <= 4096 and _TOKEN.match(name) and _COOKIE_VALUE.match(value):
                jar[name] = value


def _check(access: Access) -> None:
    """What would not survive as a header is told before anything is sent, without showing it."""
    for name, value in access.headers.items():
        if not _TOKEN.match(name) or name.lower() in _OURS:
            raise _unusable("A header's name in the site's access cannot be sent.")
        if not _VALUE.match(value):
            raise _unusable("A header's value in the site's access holds a control character.")
    for name, value in access.cookies.items():
        if not _TOKEN.match(name) or not _COOKIE_VALUE.match(value):
            raise _unusable("A cookie in the site's access holds a character that cannot be sent.")
    if access.username is not None and ":" in access.username:
        raise _unusable("The user name in the site's access holds a colon, which basic authentication cannot send.")


def _unusable(message: str) -> EngineFailure:
    return EngineFailure(FailureKind.CONFIGURATION, "ACCESS_INVALID", message)
