"""The catalogue: what each metric means, in which unit, which way is better, and from when on it is good or poor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ..measuring import EngineName, FormFactor, MetricName
from .scoring import curve


class Unit(StrEnum):
    """What a metric is counted in. A SCORE lies between 0 and 1; a BYTE is eight bits, its kB has 1000."""

    MILLISECOND = "MILLISECOND"
    BYTE = "BYTE"
    COUNT = "COUNT"
    SCORE = "SCORE"
    DAY = "DAY"
    UNITLESS = "UNITLESS"


class Direction(StrEnum):
    """Which way a metric improves."""

    LOWER_IS_BETTER = "LOWER_IS_BETTER"
    HIGHER_IS_BETTER = "HIGHER_IS_BETTER"


class Rating(StrEnum):
    """How good a value is against the published thresholds."""

    GOOD = "GOOD"
    NEEDS_IMPROVEMENT = "NEEDS_IMPROVEMENT"
    POOR = "POOR"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """In the metric's unit: a value as good as `good` is good, a value worse than `poor` is poor."""

    good: float
    poor: float


# Where no curve of Lighthouse's speaks.
_PUBLISHED = {
    # web-vitals, onTTFB.ts: for every form factor and every engine alike.
    MetricName.TTFB: Thresholds(800, 1800),
    # Lighthouse, total-byte-weight: the points at which its score is 0.9 and 0.5.
    MetricName.TRANSFER_BYTES: Thresholds(2667 * 1024, 4000 * 1024),
    # Lighthouse's documentation of dom-size: warned of above 800 elements, an error above 1,400.
    MetricName.DOM_SIZE: Thresholds(800, 1400),
    # No standard but the custom of those who run servers: certificates are renewed 30 days ahead, and with less
    # than a week left somebody has to act.
    MetricName.CERTIFICATE_DAYS: Thresholds(30, 7),
}
# Lighthouse's report: green from 0.9 on, orange from 0.5 on.
_SCORE = Thresholds(0.9, 0.5)


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the catalogue; `link` leads to a public explanation."""

    name: MetricName
    title: str
    description: str
    unit: Unit
    direction: Direction
    link: str

    def thresholds(self, engine: EngineName, form_factor: FormFactor) -> Thresholds | None:
        """From when on a value is good and poor; None where nobody has published an honest answer.

        A browser's numbers are judged as Lighthouse judges them, by the points of its curve at 0.9 and 0.5: on mobile
        these are the thresholds of web-vitals for LCP, CLS and FCP, on desktop they are stricter. The probe has no
        browser, so what only a browser can see has no thresholds for it.
        """
        if self.name in _PUBLISHED:
            return _PUBLISHED[self.name]
        if engine is EngineName.PROBE:
            return None
        if self.name is MetricName.PERFORMANCE_SCORE:
            return _SCORE
        points = curve(self.name, form_factor)
        return Thresholds(points.p10, points.median) if points else None


def rating(metric: MetricName, value: float, engine: EngineName, form_factor: FormFactor) -> Rating | None:
    """How good the value is; None for a metric without thresholds."""
    entry = CATALOGUE[metric]
    thresholds = entry.thresholds(engine, form_factor)
    if thresholds is None:
        return None
    # Turned so that for either direction more is worse.
    sign = -1 if entry.direction is Direction.HIGHER_IS_BETTER else 1
    if sign * value <= sign * thresholds.good:
        return Rating.GOOD
    return Rating.POOR if sign * value > sign * thresholds.poor else Rating.NEEDS_IMPROVEMENT


_CHROME = "https://developer.chrome.com/docs/lighthouse/performance/"
_WEB_DEV = "https://web.dev/articles/"
_MDN = "https://developer.mozilla.org/en-US/docs/Web/API/"
_TIMING = _MDN + "Performance_API/Resource_timing"


def _less(name: MetricName, title: str, description: str, unit: Unit, link: str) -> Metric:
    return Metric(name, title, description, unit, Direction.LOWER_IS_BETTER, link)


def _time(name: MetricName, title: str, description: str, link: str) -> Metric:
    return _less(name, title, description, Unit.MILLISECOND, link)


def _weight(name: MetricName, what: str) -> Metric:
    description = f"What all {what} of the page weigh on the wire, headers and compression included."
    return _less(name, f"Transfer Size of {what.title()}", description, Unit.BYTE, _CHROME + "resource-summary")


def _count(name: MetricName, title: str, description: str, link: str) -> Metric:
    return _less(name, title, description, Unit.COUNT, link)


_ENTRIES = (
    Metric(
        MetricName.PERFORMANCE_SCORE,
        "Performance Score",
        "Lighthouse's weighted mean of the scores of the page's lab metrics, from 0 to 1; shown as 0 to 100.",
        Unit.SCORE,
        Direction.HIGHER_IS_BETTER,
        _CHROME + "performance-scoring",
    ),
    _time(
        MetricName.LCP,
        "Largest Contentful Paint",
        "When the largest text or image of the first screen was painted.",
        _WEB_DEV + "lcp",
    ),
    _time(MetricName.FCP, "First Contentful Paint", "When the first text or image was painted.", _WEB_DEV + "fcp"),
    _time(
        MetricName.TBT,
        "Total Blocking Time",
        "How long the main thread was too busy to answer, summed up between First Contentful Paint and Time to "
        "Interactive: of every task the part beyond 50 ms.",
        _WEB_DEV + "tbt",
    ),
    _less(
        MetricName.CLS,
        "Cumulative Layout Shift",
        "How much visible content moved unexpectedly: the largest burst of layout shifts, as a share of the screen.",
        Unit.UNITLESS,
        _WEB_DEV + "cls",
    ),
    _time(
        MetricName.SPEED_INDEX,
        "Speed Index",
        "How quickly the contents of the first screen were visibly filled in.",
        _CHROME + "speed-index",
    ),
    _time(
        MetricName.TTI,
        "Time to Interactive",
        "When the main thread and the network had become quiet enough for the page to answer reliably.",
        _WEB_DEV + "tti",
    ),
    _time(
        MetricName.MAX_POTENTIAL_FID,
        "Max Potential First Input Delay",
        "The longest task: as long as a first click could have had to wait.",
        _CHROME + "lighthouse-max-potential-fid",
    ),
    _time(
        MetricName.TTFB,
        "Time to First Byte",
        "From the start of the navigation, redirects and connecting included, to the document's first byte.",
        _WEB_DEV + "ttfb",
    ),
    _time(
        MetricName.REDIRECT,
        "Redirect Time",
        "What was spent on redirects before the document itself was asked for.",
        _CHROME + "redirects",
    ),
    _time(MetricName.DNS, "DNS Lookup", "How long it took to find the address of the document's host.", _TIMING),
    _time(
        MetricName.CONNECT,
        "TCP Connect",
        "How long it took to open the connection for the document, TLS not included.",
        _TIMING,
    ),
    _time(
        MetricName.TLS,
        "TLS Handshake",
        "How long it took to agree on encryption on the document's connection.",
        _TIMING,
    ),
    _time(MetricName.DOWNLOAD, "Document Download", "From the document's first byte to its last.", _TIMING),
    _time(
        MetricName.PAGE_LOAD,
        "Page Load",
        "From the start of the navigation until the page had loaded: a browser's load event; for the probe, the last "
        "byte of the document and of all that it refers to.",
        _MDN + "Window/load_event",
    ),
    _count(MetricName.REQUEST_COUNT, "Requests", "How many requests the page made.", _CHROME + "resource-summary"),
    _count(MetricName.REDIRECT_COUNT, "Redirects", "How many redirects led to the document.", _CHROME + "redirects"),
    _less(
        MetricName.TRANSFER_BYTES,
        "Transfer Size",
        "What everything the page loads weighs on the wire, headers and compression included.",
        Unit.BYTE,
        _CHROME + "total-byte-weight",
    ),
    _less(
        MetricName.DECODED_BYTES,
        "Decoded Size",
        "What everything the page loads weighs once it is decompressed.",
        Unit.BYTE,
        _MDN + "PerformanceResourceTiming/decodedBodySize",
    ),
    _weight(MetricName.DOCUMENT_BYTES, "documents"),
    _weight(MetricName.SCRIPT_BYTES, "scripts"),
    _weight(MetricName.STYLESHEET_BYTES, "stylesheets"),
    _weight(MetricName.IMAGE_BYTES, "images"),
    _weight(MetricName.FONT_BYTES, "fonts"),
    _weight(MetricName.MEDIA_BYTES, "media files"),
    _weight(MetricName.OTHER_BYTES, "other resources"),
    _weight(MetricName.THIRD_PARTY_BYTES, "third-party resources"),
    _count(
        MetricName.THIRD_PARTY_COUNT,
        "Third-Party Requests",
        "How many requests went to hosts that are not the site's own.",
        _WEB_DEV + "third-party-javascript",
    ),
    Metric(
        MetricName.CERTIFICATE_DAYS,
        "Certificate Validity",
        "How many days the server's certificate is still valid; negative once it has expired.",
        Unit.DAY,
        Direction.HIGHER_IS_BETTER,
        "https://datatracker.ietf.org/doc/html/rfc5280#section-4.1.2.5",
    ),
    _count(
        MetricName.DOM_SIZE,
        "DOM Size",
        "How many elements the page has; the probe counts those of the HTML as it was sent.",
        _CHROME + "dom-size",
    ),
)

CATALOGUE: Mapping[MetricName, Metric] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every metric there is, in the order in which they are shown."""
