"""What one run saw: the words in which the fetching part speaks to metrics, rules and report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx

from domain.measuring import EngineFailure, ResourceType

from .connection import Connection

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


@dataclass(slots=True)
class Exchange:
    """One request and its answer. Times in ms since the start of the run; sizes in bytes; None = not known.

    `header_bytes` are counted as HTTP/1.1 would send them, for HTTP/2 too, and the framing of chunks is not
    counted: so a page weighs the same whatever carries it. `gzip_bytes` is what gzip would make of the body,
    where that is worth knowing.
    """

    url: str
    start_ms: float
    status: int | None = None
    protocol: str | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    header_bytes: int = 0
    body: bytearray = field(default_factory=bytearray, repr=False)
    body_bytes: int = 0
    decoded_bytes: int | None = None
    gzip_bytes: int | None = None
    first_byte_ms: float | None = None
    end_ms: float | None = None
    connection: Connection | None = None
    reused: bool = True
    failure: EngineFailure | None = None

    @property
    def transfer_bytes(self) -> int:
        return self.header_bytes + self.body_bytes

    @property
    def mime(self) -> str | None:
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()[:100] or None

    @property
    def charset(self) -> str | None:
        """As Content-Type names it."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found[1].lower() if found else None

    @property
    def is_html(self) -> bool:
        """Whether it says that it is HTML, or nothing at all."""
        return self.mime in (None, "text/html", "application/xhtml+xml")

    @property
    def coding(self) -> str:
        return str(self.headers.get("content-encoding", "")).strip().lower()

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")

    @property
    def redirects_to(self) -> str | None:
        if self.status not in (301, 302, 303, 307, 308) or "location" not in self.headers:
            return None
        location = self.headers.get_list("location")[0]
        try:
            return urljoin(self.url, location)
        except ValueError:
            return location


@dataclass(frozen=True, slots=True)
class Reference:
    """A sub-resource as the HTML names it; `url` is absolute."""

    url: str
    type: ResourceType


@dataclass(frozen=True, slots=True)
class Page:
    """What the HTML says. Addresses are absolute; images without one are named by their element.

    `references` are the first of the `referenced` sub-resources, each address once.
    """

    references: tuple[Reference, ...] = ()
    referenced: int = 0
    elements: int = 0
    title: str | None = None
    description: str | None = None
    lang: str | None = None
    viewport: str | None = None
    charset: str | None = None
    refreshes_to: str | None = None
    blocking_scripts: tuple[str, ...] = ()
    blocking_stylesheets: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    images: int = 0
    lazy_images: int = 0
    unsized_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A sub-resource that was asked for: its redirects, and the exchange that ended them."""

    reference: Reference
    exchanges: tuple[Exchange, ...]

    @property
    def final(self) -> Exchange:
        return self.exchanges[-1]

    @property
    def loaded(self) -> bool:
        final = self.final
        return final.failure is None and final.status is not None and 200 <= final.status < 300


@dataclass(frozen=True, slots=True)
class Observation:
    """One run. `hops` are the document's redirects; `page` is None when the document is not HTML."""

    hops: tuple[Exchange, ...]
    document: Exchange
    page: Page | None = None
    resources: tuple[Resource, ...] = ()
    now: float = 0.0
    """When the run ended, in seconds since 1970."""

    @property
    def host(self) -> str:
        return host_of(self.document.url)

    @property
    def loaded(self) -> tuple[Resource, ...]:
        return tuple(resource for resource in self.resources if resource.loaded)

    def is_third_party(self, url: str) -> bool:
        return site_of(host_of(url)) != site_of(self.host)


_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "govt", "net", "ne", "or", "org"})


def host_of(url: str) -> str:
    """Empty for what is not a URL: a page may ask for, or redirect to, anything."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def site_of(host: str) -> str:
    """What two hosts share when they belong together: the last two labels, or three below names such as `co.uk`.

    A heuristic in place of the public suffix list: `a.github.io` and `b.github.io` count as one site.
    """
    if ":" in host or host.replace(".", "").isdigit():
        return host
    labels = host.rstrip(".").split(".")
    long = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if long else -2 :])
