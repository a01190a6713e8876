"""Audits that Lighthouse 13 has no more, and the insights that took their place: of what is not run nothing is found."""

from __future__ import annotations

from collections.abc import Mapping

REPLACED: Mapping[str, str | None] = {
    "critical-request-chains": "network-dependency-tree-insight",
    "dom-size": "dom-size-insight",
    "duplicated-javascript": "duplicated-javascript-insight",
    "efficient-animated-content": "image-delivery-insight",
    "first-meaningful-paint": None,
    "font-display": "font-display-insight",
    "font-size": None,
    "largest-contentful-paint-element": "lcp-breakdown-insight",
    "layout-shifts": "cls-culprits-insight",
    "lcp-lazy-loaded": "lcp-discovery-insight",
    "legacy-javascript": "legacy-javascript-insight",
    "modern-image-formats": "image-delivery-insight",
    "no-document-write": None,
    "offscreen-images": None,
    "preload-fonts": None,
    "prioritize-lcp-image": "lcp-discovery-insight",
    "render-blocking-resources": "render-blocking-insight",
    "third-party-facades": None,
    "third-party-summary": "third-parties-insight",
    "uses-http2": "modern-http-insight",
    "uses-long-cache-ttl": "cache-insight",
    "uses-optimized-images": "image-delivery-insight",
    "uses-passive-event-listeners": None,
    "uses-rel-preconnect": "network-dependency-tree-insight",
    "uses-rel-preload": None,
    "uses-responsive-images": "image-delivery-insight",
    "uses-text-compression": "document-latency-insight",
    "viewport": "viewport-insight",
}


def said_of(audit: str) -> str | None:
    """What whoever asserts it is to know; None for what Lighthouse still runs."""
    if audit not in REPLACED:
        return None
    insight = REPLACED[audit]
    instead = f": assert {insight} too" if insight else ""
    return f"Lighthouse 13 has no such audit, so that it is never found there; with older ones it is{instead}."
