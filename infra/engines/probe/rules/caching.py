"""Rules of caching: what a reader who comes back has to load again."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from domain.measuring import ResourceType, Severity

from ..observation import Exchange, Observation
from .rule import Hit, header, hit_each, note, rule

CACHING = "caching"
LONG_SECONDS = 7 * 86_400
_STATIC = frozenset({ResourceType.SCRIPT, ResourceType.STYLESHEET, ResourceType.IMAGE, ResourceType.FONT, ResourceType.MEDIA})
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})")


def lifetime(exchange: Exchange) -> float | None:
    """For how many seconds a browser may use the answer without asking again; None when nothing says so (RFC 9111 §4.2)."""
    control = header(exchange, "cache-control")
    if "no-store" in control or "no-cache" in control:
        return 0.0
    age = _MAX_AGE.search(control)
    if age is not None:
        return float(age[1])
    try:
        expires = parsedate_to_datetime(exchange.headers["expires"])
        return max(0.0, expires.timestamp() - parsedate_to_datetime(exchange.headers["date"]).timestamp())
    except KeyError:
        return None
    except (ValueError, OverflowError):
        return 0.0


@rule(
    "cache-lifetime-short",
    CACHING,
    Severity.MEDIUM,
    "Static resources are kept for less than a week, or not at all.",
    "Put a hash of the content in their names and send `Cache-Control: public, max-age=31536000, immutable`.",
    "https://web.dev/articles/uses-long-cache-ttl",
)
def cache_lifetime_short(seen: Observation) -> Hit | None:
    short = []
    for one in seen.loaded:
        seconds = lifetime(one.final)
        if one.reference.type in _STATIC and (seconds is None or seconds < LONG_SECONDS):
            short.append((one.final, "no lifetime given" if seconds is None else f"kept for {seconds:,.0f} s"))
    short.sort(key=lambda pair: -pair[0].transfer_bytes)
    evidence = tuple(note(exchange.url, detail) for exchange, detail in short)
    return Hit(evidence, saving_bytes=sum(exchange.transfer_bytes for exchange, _ in short)) if evidence else None


@rule(
    "validator-missing",
    CACHING,
    Severity.LOW,
    "Static resources cannot be checked for changes.",
    "Send an ETag or Last-Modified, so that a stale copy is confirmed by a short 304 and not loaded again.",
    "https://developer.mozilla.org/docs/Web/HTTP/Guides/Conditional_requests",
)
def validator_missing(seen: Observation) -> Hit | None:
    return hit_each(
        note(one.final.url, "neither ETag nor Last-Modified")
        for one in seen.loaded
        if one.reference.type in _STATIC and not {"etag", "last-modified"} & set(one.final.headers)
    )


@rule(
    "cache-control-missing",
    CACHING,
    Severity.LOW,
    "The page does not say how it may be cached.",
    "Send Cache-Control with the HTML, `no-cache` at least: without it every cache guesses.",
    "https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Cache-Control",
)
def cache_control_missing(seen: Observation) -> Hit | None:
    says = {"cache-control", "expires"} & set(seen.document.headers)
    return None if says else Hit((note(seen.document.url, "no Cache-Control"),))


RULES = (cache_lifetime_short, validator_missing, cache_control_missing)
