"""Which media type a client wants most, by its Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
PARTS = "multipart/mixed"
ANSWERS = (JSON, RESPONSE)
"""What one result can be sent as; the first for who takes anything."""


class Range(NamedTuple):
    """One of the things that a client accepts, and how much."""

    type: str
    quality: float

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


def names(accept: str | None, offers: Sequence[str]) -> bool:
    """Whether one of these is asked for by its name, and not only let pass."""
    return any(each.type in offers and each.quality > 0 for each in _ranges(accept or ""))


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
            yield Range(type.lower(), quality)


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0
