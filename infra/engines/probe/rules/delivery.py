"""Rules of delivery: how fast and how small what was asked for arrives."""

from __future__ import annotations

from domain.measuring import Severity

from ..metrics import all_exchanges
from ..observation import Exchange, Observation
from .rule import Hit, header, hit_each, note, rule, size

DELIVERY = "delivery"
SLOW_TTFB_MS, POOR_TTFB_MS = 800, 1_800
MANY_HEADER_BYTES = 4_000
MANY_COOKIE_BYTES = 1_000
HEAVY_PAGE_BYTES = 2_500_000
_WORTH_SAVING = 0.1


@rule(
    "redirect-chain",
    DELIVERY,
    Severity.LOW,
    "The page is reached through redirects.",
    "Link to the final address, and let one redirect do the work of several: each costs a round trip or a connection.",
    "https://developer.chrome.com/docs/lighthouse/performance/redirects",
)
def redirect_chain(seen: Observation) -> Hit | None:
    evidence = tuple(note(hop.url, f"{hop.status} to {hop.redirects_to}") for hop in seen.hops)
    severity = Severity.MEDIUM if len(evidence) > 1 else Severity.LOW
    return Hit(evidence, severity, saving_ms=seen.document.start_ms) if evidence else None


@rule(
    "ttfb-slow",
    DELIVERY,
    Severity.MEDIUM,
    "The server takes long to answer.",
    "Cache the page near its readers, or find out what the server waits for; under 800 ms is good.",
    "https://web.dev/articles/ttfb",
)
def ttfb_slow(seen: Observation) -> Hit | None:
    ttfb = seen.document.first_byte_ms or 0.0
    if ttfb <= SLOW_TTFB_MS:
        return None
    severity = Severity.HIGH if ttfb > POOR_TTFB_MS else Severity.MEDIUM
    return Hit((note(seen.document.url, f"{ttfb:,.0f} ms"),), severity, saving_ms=ttfb - SLOW_TTFB_MS)


def _gzip_saving(exchange: Exchange) -> int:
    """The bytes that gzip would save, or 0 when it would be less than a tenth."""
    if exchange.gzip_bytes is None:
        return 0
    saving = exchange.body_bytes - exchange.gzip_bytes
    return saving if saving > exchange.body_bytes * _WORTH_SAVING else 0


@rule(
    "compression-missing",
    DELIVERY,
    Severity.HIGH,
    "The HTML is sent without compression.",
    "Turn on gzip, Brotli or Zstandard for HTML in the server or the CDN.",
    "https://developer.chrome.com/docs/lighthouse/performance/uses-text-compression",
)
def compression_missing(seen: Observation) -> Hit | None:
    saving = _gzip_saving(seen.document)
    detail = f"{size(seen.document.body_bytes)}, {size(saving)} less with gzip"
    return Hit((note(seen.document.url, detail),), saving_bytes=saving) if saving else None


@rule(
    "resource-compression-missing",
    DELIVERY,
    Severity.MEDIUM,
    "Text that the page loads is sent without compression.",
    "Turn on gzip, Brotli or Zstandard for scripts, stylesheets, SVG and JSON.",
    "https://developer.chrome.com/docs/lighthouse/performance/uses-text-compression",
)
def resource_compression_missing(seen: Observation) -> Hit | None:
    savings = [(one.final, _gzip_saving(one.final)) for one in seen.loaded]
    savings = sorted((pair for pair in savings if pair[1]), key=lambda pair: -pair[1])
    evidence = tuple(
        note(exchange.url, f"{size(exchange.body_bytes)}, {size(saving)} less with gzip") for exchange, saving in savings
    )
    return Hit(evidence, saving_bytes=sum(saving for _, saving in savings)) if evidence else None


@rule(
    "http-1-only",
    DELIVERY,
    Severity.LOW,
    "The site speaks HTTP/1.1 only.",
    "Turn on HTTP/2 or later: it carries all requests to a host over one connection.",
    "https://developer.chrome.com/docs/lighthouse/best-practices/uses-http2",
)
def http_1_only(seen: Observation) -> Hit | None:
    old = seen.document.secure and (seen.document.protocol or "").startswith("http/1")
    return Hit((note(seen.host, seen.document.protocol or ""),)) if old else None


@rule(
    "headers-large",
    DELIVERY,
    Severity.LOW,
    "The answer carries large headers.",
    "Shorten policies and cookies, and drop headers that nobody reads: HTTP/1.1 never compresses them.",
    "https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers",
)
def headers_large(seen: Observation) -> Hit | None:
    exchanges = (exchange for exchange, _ in all_exchanges(seen) if exchange.header_bytes > MANY_HEADER_BYTES)
    return hit_each(note(exchange.url, f"{size(exchange.header_bytes)} of headers") for exchange in exchanges)


@rule(
    "cookies-large",
    DELIVERY,
    Severity.LOW,
    "The page sets large cookies.",
    "Keep state on the server and an id in the cookie: cookies travel with every further request.",
    "https://developer.mozilla.org/docs/Web/HTTP/Guides/Cookies",
)
def cookies_large(seen: Observation) -> Hit | None:
    cookies = [line.partition(";")[0] for line in seen.document.headers.get_list("set-cookie")]
    total = sum(map(len, cookies))
    if total <= MANY_COOKIE_BYTES:
        return None
    return Hit(tuple(note(cookie.partition("=")[0], size(len(cookie))) for cookie in cookies), saving_bytes=total)


@rule(
    "page-heavy",
    DELIVERY,
    Severity.MEDIUM,
    "The page is heavy.",
    "Send less: smaller images first, then scripts that are not needed at once.",
    "https://developer.chrome.com/docs/lighthouse/performance/total-byte-weight",
)
def page_heavy(seen: Observation) -> Hit | None:
    exchanges = [exchange for exchange, _ in all_exchanges(seen)]
    if sum(exchange.transfer_bytes for exchange in exchanges) <= HEAVY_PAGE_BYTES:
        return None
    heaviest = sorted(exchanges, key=lambda exchange: -exchange.transfer_bytes)[:10]
    return Hit(tuple(note(exchange.url, size(exchange.transfer_bytes)) for exchange in heaviest))


@rule(
    "resource-failed",
    DELIVERY,
    Severity.MEDIUM,
    "Something that the page asks for cannot be loaded.",
    "Repair or remove the reference: a request that fails costs as much as one that succeeds.",
    "https://developer.mozilla.org/docs/Web/HTTP/Reference/Status",
)
def resource_failed(seen: Observation) -> Hit | None:
    failed = [one for one in seen.resources if not one.loaded]
    return hit_each(
        note(one.reference.url, one.final.failure.message if one.final.failure else f"It answered {one.final.status}.")
        for one in failed
    )


@rule(
    "compression-vary-missing",
    DELIVERY,
    Severity.INFO,
    "A compressed answer does not say that it depends on Accept-Encoding.",
    "Send `Vary: Accept-Encoding` with what is compressed on demand, so that no cache hands it to the wrong client.",
    "https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Vary",
)
def compression_vary_missing(seen: Observation) -> Hit | None:
    exchanges = [seen.document, *(one.final for one in seen.loaded)]
    return hit_each(
        note(exchange.url, f"Content-Encoding: {exchange.coding}")
        for exchange in exchanges
        if exchange.coding and not {"accept-encoding", "*"} & set(header(exchange, "vary").replace(" ", "").split(","))
    )


RULES = (
    redirect_chain,
    ttfb_slow,
    compression_missing,
    resource_compression_missing,
    http_1_only,
    headers_large,
    cookies_large,
    page_heavy,
    resource_failed,
    compression_vary_missing,
)
