"""The metrics and user timings of a Lighthouse result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.measuring import MetricName, RequestSeen, ThrottlingMethod, UserTiming

from .fields import audit, details, items, mapping, number, rows, size, text

MAX_USER_TIMINGS = 500

_AUDITS = {
    MetricName.LCP: "largest-contentful-paint",
    MetricName.FCP: "first-contentful-paint",
    MetricName.TBT: "total-blocking-time",
    MetricName.CLS: "cumulative-layout-shift",
    MetricName.SPEED_INDEX: "speed-index",
    MetricName.TTI: "interactive",
    MetricName.MAX_POTENTIAL_FID: "max-potential-fid",
    MetricName.REDIRECT: "redirects",
}
_BYTES = {
    "total": MetricName.TRANSFER_BYTES,
    "document": MetricName.DOCUMENT_BYTES,
    "script": MetricName.SCRIPT_BYTES,
    "stylesheet": MetricName.STYLESHEET_BYTES,
    "image": MetricName.IMAGE_BYTES,
    "font": MetricName.FONT_BYTES,
    "media": MetricName.MEDIA_BYTES,
    "other": MetricName.OTHER_BYTES,
    "third-party": MetricName.THIRD_PARTY_BYTES,
}
_COUNTS = {"total": MetricName.REQUEST_COUNT, "third-party": MetricName.THIRD_PARTY_COUNT}


def read_metrics(lhr: Mapping[str, Any], requests: Sequence[RequestSeen]) -> dict[MetricName, float]:
    """Every metric that the result holds. Times are those of the run's throttling, as Lighthouse reports them."""
    found: dict[MetricName, float | None] = {
        MetricName.PERFORMANCE_SCORE: number(
            mapping(mapping(lhr.get("categories")).get("performance")).get("score"),
        ),
        MetricName.TTFB: _ttfb(lhr),
        MetricName.DOM_SIZE: _dom_size(lhr),
        MetricName.REDIRECT_COUNT: _redirect_count(lhr),
        MetricName.PAGE_LOAD: _page_load(lhr),
        **{metric: number(audit(lhr, name).get("numericValue")) for metric, name in _AUDITS.items()},
        **_resources(lhr),
    }
    decoded = [request.decoded_bytes for request in requests if request.decoded_bytes is not None]
    if decoded:
        found[MetricName.DECODED_BYTES] = sum(decoded)
    return {metric: value for metric, value in found.items() if value is not None}


def _summary(lhr: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `metrics` audit's numbers, which stand in its first row."""
    return next(iter(items(lhr, "metrics")), {})


def _ttfb(lhr: Mapping[str, Any]) -> float | None:
    """`timeToFirstByte` has the connection in it, as a visitor's wait has; the other is the server's time alone."""
    summary = number(_summary(lhr).get("timeToFirstByte"))
    return summary if summary is not None else number(audit(lhr, "server-response-time").get("numericValue"))


def _dom_size(lhr: Mapping[str, Any]) -> float | None:
    values = (number(audit(lhr, name).get("numericValue")) for name in ("dom-size-insight", "dom-size"))
    return next((value for value in values if value is not None), None)


def _redirect_count(lhr: Mapping[str, Any]) -> float | None:
    """The audit lists every hop, the last being the document itself; without redirects the list is empty."""
    if "items" not in details(lhr, "redirects"):
        return None
    return max(0, len(items(lhr, "redirects")) - 1)


def _page_load(lhr: Mapping[str, Any]) -> float | None:
    """The load event. Lighthouse does not simulate it, so under SIMULATE it was not measured on that network."""
    method = mapping(lhr.get("configSettings")).get("throttlingMethod")
    applied = (ThrottlingMethod.DEVTOOLS.lower(), ThrottlingMethod.PROVIDED.lower())
    return number(_summary(lhr).get("observedLoad")) if method in applied else None


def _resources(lhr: Mapping[str, Any]) -> dict[MetricName, float | None]:
    found: dict[MetricName, float | None] = {}
    for row in items(lhr, "resource-summary"):
        kind = text(row.get("resourceType"), 20)
        if kind in _BYTES:
            found[_BYTES[kind]] = size(row.get("transferSize"))
        if kind in _COUNTS:
            found[_COUNTS[kind]] = size(row.get("requestCount"))
    return found


def read_user_timings(lhr: Mapping[str, Any]) -> tuple[UserTiming, ...]:
    timings = []
    for row in rows(details(lhr, "user-timings").get("items"))[:MAX_USER_TIMINGS]:
        name, start = text(row.get("name"), 200), number(row.get("startTime"))
        if name and start is not None:
            measure = row.get("timingType") == "Measure"
            timings.append(UserTiming(name, start, number(row.get("duration")) if measure else None))
    return tuple(timings)
