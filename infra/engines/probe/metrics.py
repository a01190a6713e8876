"""The numbers of one run, by the catalogue's names."""

from __future__ import annotations

from collections.abc import Iterable

from domain.measuring import MetricName, ResourceType

from .observation import Exchange, Observation

_BY_TYPE = {
    ResourceType.DOCUMENT: MetricName.DOCUMENT_BYTES,
    ResourceType.SCRIPT: MetricName.SCRIPT_BYTES,
    ResourceType.STYLESHEET: MetricName.STYLESHEET_BYTES,
    ResourceType.IMAGE: MetricName.IMAGE_BYTES,
    ResourceType.FONT: MetricName.FONT_BYTES,
    ResourceType.MEDIA: MetricName.MEDIA_BYTES,
    ResourceType.OTHER: MetricName.OTHER_BYTES,
}


def all_exchanges(seen: Observation) -> list[tuple[Exchange, ResourceType]]:
    """Every request of the run, redirects too, with the type of what it was made for."""
    documents = [(exchange, ResourceType.DOCUMENT) for exchange in (*seen.hops, seen.document)]
    return documents + [(exchange, one.reference.type) for one in seen.resources for exchange in one.exchanges]


def metrics_of(seen: Observation) -> dict[MetricName, float]:
    """TTFB is counted from the start of the navigation, redirects, DNS, connect and TLS included, to the end of the
    document's response headers (as `responseStart` in https://www.w3.org/TR/navigation-timing-2/). DNS, CONNECT and TLS
    are those of the connection that carried the document. What was not measured is absent.
    """
    return {**_times(seen), **_sizes(seen)}


def _times(seen: Observation) -> dict[MetricName, float]:
    document, connection = seen.document, seen.document.connection
    first_byte, end = document.first_byte_ms or 0.0, document.end_ms or 0.0
    times = {
        MetricName.TTFB: first_byte,
        MetricName.DOWNLOAD: end - first_byte,
        MetricName.REDIRECT_COUNT: float(len(seen.hops)),
        MetricName.REDIRECT: document.start_ms if seen.hops else 0.0,
        MetricName.PAGE_LOAD: max(exchange.end_ms or 0.0 for exchange, _ in all_exchanges(seen)),
    }
    if connection is not None:
        times |= {MetricName.DNS: connection.dns_ms, MetricName.CONNECT: connection.connect_ms}
        if connection.tls_ms is not None:
            times[MetricName.TLS] = connection.tls_ms
        if connection.certificate_expires is not None:
            times[MetricName.CERTIFICATE_DAYS] = (connection.certificate_expires - seen.now) / 86_400
    return times


def _sizes(seen: Observation) -> dict[MetricName, float]:
    requests = all_exchanges(seen)
    sizes = {
        MetricName.REQUEST_COUNT: float(len(requests)),
        MetricName.TRANSFER_BYTES: _transfer(exchange for exchange, _ in requests),
        MetricName.DOCUMENT_BYTES: _transfer(exchange for exchange, kind in requests if kind is ResourceType.DOCUMENT),
    }
    decoded = [exchange.decoded_bytes for exchange, _ in requests if exchange.decoded_bytes is not None]
    if decoded:
        sizes[MetricName.DECODED_BYTES] = float(sum(decoded))
    if seen.page is None:
        return sizes
    for wanted, metric in _BY_TYPE.items():
        sizes[metric] = _transfer(exchange for exchange, kind in requests if kind is wanted)
    foreign = [exchange for exchange, _ in requests if seen.is_third_party(exchange.url)]
    sizes[MetricName.THIRD_PARTY_COUNT] = float(len(foreign))
    sizes[MetricName.THIRD_PARTY_BYTES] = _transfer(foreign)
    sizes[MetricName.DOM_SIZE] = float(seen.page.elements)
    return sizes


def _transfer(exchanges: Iterable[Exchange]) -> float:
    return float(sum(exchange.transfer_bytes for exchange in exchanges))
