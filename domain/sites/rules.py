"""Decisions about addresses, names, profiles and secrets; nothing here reads or writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlsplit

import idna

from ..errors import Fault, InvalidInput, ProblemCode
from ..keyring import ACCESS, Keyring
from ..measuring import Access, EngineName, FormFactor, Throttling, ThrottlingMethod

MAX_URL = 2048
MAX_NAME = 200
MAX_TAGS = 20
MAX_RUNS = 20
MAX_SECRET = 1_000

_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}\.?\Z|\[[0-9a-f:.]+\]\Z")
_TAG = re.compile(r"[\w.:/ -]{1,60}\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z")
# RFC 9110 §5.5 in ASCII, and RFC 6265 §4.1.1: what an engine can really send.
_VALUES = {
    "headers": re.compile(r"[ -~]{0,4096}\Z"),
    "cookies": re.compile(r"[!#-+\--:<-\[\]-~]{0,4096}\Z"),
}
# Setting these would change what is asked, or of whom.
_RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "cookie"})


class Address(NamedTuple):
    """A page's address: the site's origin, and the path with its query."""

    origin: str
    path: str


def split_url(url: str, path: str = "url") -> Address:
    """Origin and path of an http or https address, normalised. Raises InvalidInput, naming `path`."""

    def refuse(message: str, code: ProblemCode = ProblemCode.URL_INVALID) -> InvalidInput:
        return InvalidInput.at(path, message, code)

    too_long = refuse(f"An address has at most {MAX_URL} characters.", ProblemCode.TOO_LONG)
    if len(url) > MAX_URL:
        raise too_long
    text = url.strip()
    if not text or not text.isprintable() or " " in text:
        raise refuse("This is not an address: it is empty or holds spaces or control characters.")
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        raise refuse("This is not an address; one looks like https://example.com/path.") from None
    if scheme not in _PORTS:
        raise refuse("An address begins with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise refuse("Names and passwords do not belong in an address; give them to the site's access.")
    ascii_host = _ascii_host(host)
    if ascii_host is None or port == 0:
        raise refuse("This address has no valid host name or port.")
    shown = "" if port in (None, _PORTS[scheme]) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    address = Address(f"{scheme}://{ascii_host}{shown}", _quoted((parts.path or "/") + query))
    if len(address.origin + address.path) > MAX_URL:  # a quoted character takes up to twelve
        raise too_long
    return address


def split_path(path: str) -> str:
    """A path with its query, normalised; begins with a slash. Raises InvalidInput."""
    if not path.startswith("/") or path.startswith("//"):
        raise InvalidInput.at("path", "A path begins with one slash, such as /pricing?plan=team.")
    return split_url("http://path.invalid" + path, "path").path


def check_url(url: str, faults: list[Fault], path: str) -> None:
    try:
        split_url(url, path)
    except InvalidInput as refused:
        faults.extend(refused.faults)


def check_origin(origin: str, faults: list[Fault], path: str = "origin") -> str:
    """The origin, normalised; an empty text where there is none."""
    try:
        address = split_url(origin, path)
    except InvalidInput as refused:
        faults.extend(refused.faults)
        return ""
    if address.path != "/":
        faults.append(Fault((path,), "An origin has no path; a page has.", ProblemCode.URL_INVALID))
    return address.origin


def check_path(path: str, faults: list[Fault]) -> str:
    """The path with its query, normalised; the root where it cannot be used."""
    try:
        return split_path(path)
    except InvalidInput as refused:
        faults.extend(refused.faults)
        return "/"


def _ascii_host(host: str) -> str | None:
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        try:
            # As browsers do (UTS 46); Python's own codec would take straße.de for strasse.de, another site.
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            return None
    return host if len(host) <= 253 and _HOST.match(host) else None


def _quoted(path: str) -> str:
    return quote(path, safe="/?&=%:@!$'()*+,;~-._[]|{}^")


def slug_of(origin: str) -> str:
    """A site's slug from its origin: the host, and the port where there is one."""
    return re.sub(r"[^a-z0-9]+", "-", origin.split("://", 1)[1].lower()).strip("-")[:63] or "site"


def check_name(name: str, faults: list[Fault], path: str = "name") -> str:
    name = name.strip()
    if not name:
        faults.append(Fault((path,), "A name is needed.", ProblemCode.REQUIRED))
    elif len(name) > MAX_NAME or not name.isprintable():
        code = ProblemCode.TOO_LONG if len(name) > MAX_NAME else ProblemCode.MALFORMED
        faults.append(Fault((path,), f"A name is at most {MAX_NAME} printable characters.", code))
    return name


def check_tags(tags: Sequence[str], faults: list[Fault]) -> list[str]:
    if len(tags) > MAX_TAGS:
        faults.append(Fault(("tags",), f"At most {MAX_TAGS} tags.", ProblemCode.TOO_MANY))
    for index, tag in enumerate(tags):
        if not _TAG.match(tag):
            faults.append(
                Fault(("tags", str(index)), "A tag is 1 to 60 letters, digits, spaces or . : / - _", ProblemCode.MALFORMED)
            )
    return sorted(set(tags))


class ProfileSettings(NamedTuple):
    """How to measure."""

    engine: EngineName
    form_factor: FormFactor
    throttling: Throttling | None
    runs: int


def check_settings(settings: ProfileSettings, faults: list[Fault]) -> None:
    if not 1 <= settings.runs <= MAX_RUNS:
        faults.append(Fault(("runs",), f"Runs are from 1 to {MAX_RUNS}.", ProblemCode.OUT_OF_RANGE))
    throttling = settings.throttling
    if throttling is None:
        return
    if settings.engine is not EngineName.LIGHTHOUSE:
        faults.append(
            Fault(
                ("throttling",),
                "Only LIGHTHOUSE can be throttled; leave it out for other engines.",
                ProblemCode.INVALID,
            )
        )
    for name, value, most in (
        ("rttMs", throttling.rtt_ms, 10_000),
        ("throughputKbps", throttling.throughput_kbps, 10_000_000),
        ("cpuSlowdown", throttling.cpu_slowdown, 20),
    ):
        least = 1 if name == "cpuSlowdown" else 0
        if not least <= value <= most:
            faults.append(Fault(("throttling", name), f"{name} is from {least} to {most:,}.", ProblemCode.OUT_OF_RANGE))
    if throttling.method is not ThrottlingMethod.PROVIDED and not (throttling.rtt_ms or throttling.throughput_kbps):
        faults.append(Fault(("throttling",), "Say rttMs and throughputKbps, or take PROVIDED.", ProblemCode.REQUIRED))


class _Throttled(Protocol):
    """A row of a profile, or of an audit made with one."""

    @property
    def throttling_method(self) -> ThrottlingMethod | None: ...
    @property
    def rtt_ms(self) -> float | None: ...
    @property
    def throughput_kbps(self) -> float | None: ...
    @property
    def cpu_slowdown(self) -> float | None: ...


def throttling_of(row: _Throttled) -> Throttling | None:
    """None means the form factor's preset."""
    if row.throttling_method is None:
        return None
    return Throttling(row.throttling_method, row.rtt_ms or 0, row.throughput_kbps or 0, row.cpu_slowdown or 1)


PROFILE_SEEDS: Mapping[str, ProfileSettings] = {
    "Probe": ProfileSettings(EngineName.PROBE, FormFactor.DESKTOP, None, 5),
    "Lighthouse mobile": ProfileSettings(EngineName.LIGHTHOUSE, FormFactor.MOBILE, None, 3),
    "Lighthouse desktop": ProfileSettings(EngineName.LIGHTHOUSE, FormFactor.DESKTOP, None, 3),
    "PageSpeed mobile": ProfileSettings(EngineName.PAGESPEED, FormFactor.MOBILE, None, 1),
    "PageSpeed desktop": ProfileSettings(EngineName.PAGESPEED, FormFactor.DESKTOP, None, 1),
}
"""The profiles that a new workspace begins with; the first is its sites' default."""


def check_access(access: Access) -> None:
    """Raises InvalidInput with every fault; no message repeats a value."""
    faults: list[Fault] = []
    for kind, values in (("headers", access.headers), ("cookies", access.cookies)):
        if len(values) > 20:
            faults.append(Fault((kind,), f"At most 20 {kind}.", ProblemCode.TOO_MANY))
        for index, (name, value) in enumerate(values.items()):
            at = (kind, str(index))
            if not _TOKEN.match(name) or (kind == "headers" and name.lower() in _RESERVED):
                faults.append(Fault((*at, "name"), f"This name cannot be used for {kind}.", ProblemCode.MALFORMED))
            if not _VALUES[kind].match(value):
                message = (
                    "A value is at most 4,096 printable ASCII characters; a cookie's has no space, comma, semicolon or quote."
                )
                faults.append(Fault((*at, "value"), message, ProblemCode.MALFORMED))
    for secret, text in (("username", access.username), ("password", access.password)):
        if text is not None and len(text) > MAX_SECRET:
            faults.append(Fault((secret,), f"It is at most {MAX_SECRET:,} characters.", ProblemCode.TOO_LONG))
    if (access.username is None) != (access.password is None):
        faults.append(Fault(("password",), "A user name and a password go together.", ProblemCode.REQUIRED))
    if access.username is not None and (":" in access.username or not access.username.isprintable()):
        faults.append(Fault(("username",), "A user name has no colon and no control characters.", ProblemCode.MALFORMED))
    if not (access.headers or access.cookies or access.username):
        faults.append(
            Fault((), "Give at least one header, cookie or password; siteAccessClear removes them.", ProblemCode.REQUIRED)
        )
    if faults:
        raise InvalidInput(faults)


def sealed(access: Access, keyring: Keyring) -> bytes:
    plain = {
        "headers": dict(access.headers),
        "cookies": dict(access.cookies),
        "username": access.username,
        "password": access.password,
    }
    return keyring.seal(json.dumps(plain).encode(), ACCESS)


def opened(sealed: bytes, keyring: Keyring) -> Access:
    """Raises Unsealed when it was sealed with secrets that are no longer known."""
    return Access(**json.loads(keyring.open(sealed, ACCESS)))
