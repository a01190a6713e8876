"""Which media type a client wants most, by its Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..execution import Shape

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
PARTS = "multipart/mixed"
ANSWERS = (JSON, RESPONSE)
"""What one result can be sent as; the first for who takes anything."""


class Range(NamedTuple):
    """One of the things that a client accepts, how much, and what else it says of it."""

    type: str
    quality: float
    parameters: frozenset[str] = frozenset()

    def matches(self, offer: str) -> bool:
        return self.type in ("*/*", offer) or self.type == offer.partition("/")[0] + "/*"

    @property
    def exactness(self) -> int:
        return 2 - self.type.count("*")


def wanted(accept: str | None, offers: Sequence[str]) -> str | None:
    """The offer that is accepted most, and of equals the one that the header names first; None when none is accepted."""
    ranges = list(_ranges(accept)) if accept and accept.strip() else [Range("*/*", 1.0)]
    found: list[tuple[float, int, int, str]] = []
    for place, offer in enumerate(offers):
        matching = [(each.exactness, -number, each.quality) for number, each in enumerate(ranges) if each.matches(offer)]
        if matching:
            exactness, number, quality = max(matching)
            if quality > 0:
                found.append((quality, number if exactness == 2 else -len(ranges), -place, offer))
    return max(found)[-1] if found else None


@lru_cache(maxsize=256)
def taken(accept: str | None) -> tuple[str | None, Streaming]:
    """What one result is sent as, if it may be one, and what of several is taken. Few headers are sent again and again."""
    return wanted(accept, ANSWERS), streaming(accept)


def accepts(accept: str | None, type: str, *, named: bool = False) -> bool:
    """Whether it takes this type; `named`: only when it says so by its name."""
    if named:
        return any(each.type == type and each.quality > 0 for each in _ranges(accept or ""))
    return wanted(accept, (type,)) is not None


class Streaming(NamedTuple):
    """What a client takes of several results: server-sent events, Apollo's multipart events, deferred parts."""

    events: bool = False
    multipart: bool = False
    deferring: Shape | None = None


def streaming(accept: str | None) -> Streaming:
    """Only what it names: who takes anything takes one result."""
    found = Streaming()
    for each in _ranges(accept or ""):
        if each.type == EVENTS and each.quality > 0:
            found = found._replace(events=True)
        elif each.type == PARTS and each.quality > 0:
            if "subscriptionspec=1.0" in each.parameters:
                found = found._replace(multipart=True)
            elif found.deferring is None:
                current = Shape.CURRENT.lower() in each.parameters
                found = found._replace(deferring=Shape.CURRENT if current else Shape.LEGACY)
    return found


def takes_gzip(codings: str | None) -> bool:
    """By its Accept-Encoding, to which the same rules apply; who says nothing takes what was said as it is."""
    named = (each.strip().partition(";") for each in (codings or "").split(","))
    types = ",".join(f"{coding}/{coding};{parameters}" for coding, _, parameters in named if coding)
    return bool(types) and wanted(types, ("gzip/gzip",)) is not None


def _ranges(accept: str) -> Iterator[Range]:
    for part in accept.split(","):
        type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                quality = _quality(value)
        if type:
            yield Range(type.lower(), quality, frozenset(each.lower().replace('"', "").replace(" ", "") for each in parameters))


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0
