"""Everything that a run saw, as JSON for the archive and as the requests that the graph shows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from domain.measuring import RequestSeen, ResourceType

from .metrics import all_exchanges
from .observation import Exchange, Observation
from .text import shown

_MAX_HEADERS = 100


def requests_of(seen: Observation) -> tuple[RequestSeen, ...]:
    return tuple(
        RequestSeen(
            url=shown(exchange.url, 4096),
            resource_type=kind,
            status=exchange.status,
            protocol=exchange.protocol,
            mime_type=shown(exchange.mime or "", 100) or None,
            start_ms=exchange.start_ms,
            end_ms=exchange.end_ms,
            transfer_bytes=None if exchange.status is None else exchange.transfer_bytes,
            decoded_bytes=exchange.decoded_bytes,
            third_party=seen.is_third_party(exchange.url),
            failure=_failure(exchange),
        )
        for exchange, kind in all_exchanges(seen)
    )


def _failure(exchange: Exchange) -> str | None:
    if exchange.failure is not None:
        return exchange.failure.message
    if exchange.status is not None and exchange.status >= 400:
        return f"It answered {exchange.status}."
    return None


def report_of(seen: Observation, version: str, secrets: Collection[str]) -> dict[str, Any]:
    """A page may send back in a header what was sent to it: the values in `secrets` are blotted out wherever they are."""
    page = seen.page
    return {
        "engine": "PROBE",
        "version": version,
        "requests": [_exchange(exchange, kind, secrets) for exchange, kind in all_exchanges(seen)],
        "page": None
        if page is None
        else {
            "title": shown(page.title or "") or None,
            "lang": shown(page.lang or "", 50) or None,
            "elements": page.elements,
            "subResources": page.referenced,
            "images": page.images,
            "lazyImages": page.lazy_images,
        },
    }


def _exchange(exchange: Exchange, kind: ResourceType, secrets: Collection[str]) -> dict[str, Any]:
    connection = exchange.connection
    return {
        "url": shown(exchange.url, 4096),
        "type": kind.value,
        "status": exchange.status,
        "protocol": exchange.protocol,
        "failure": _failure(exchange),
        "startMs": exchange.start_ms,
        "firstByteMs": exchange.first_byte_ms,
        "endMs": exchange.end_ms,
        "headerBytes": exchange.header_bytes,
        "bodyBytes": exchange.body_bytes,
        "decodedBytes": exchange.decoded_bytes,
        "headers": _headers(exchange, secrets),
        "connection": None
        if connection is None
        else {
            "address": connection.address,
            "reused": exchange.reused,
            "dnsMs": connection.dns_ms,
            "connectMs": connection.connect_ms,
            "tlsMs": connection.tls_ms,
            "tlsVersion": connection.tls_version,
        },
    }


def _headers(exchange: Exchange, secrets: Collection[str]) -> list[list[str]]:
    return [
        [shown(name, 100), "…" if name == "set-cookie" or any(one in value for one in secrets) else shown(value, 1000)]
        for name, value in exchange.headers.multi_items()[:_MAX_HEADERS]
    ]
