"""The requests of a Lighthouse result: the rows of its `network-requests` audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from domain.measuring import RequestSeen, ResourceType

from .fields import items, number, rows, size, text

MAX_REQUESTS = 2000

_TYPES = {kind.value: kind for kind in ResourceType}


def read_requests(lhr: Mapping[str, Any]) -> tuple[RequestSeen, ...]:
    """At most 2,000 requests, in the order of the load. `data:` and other addresses without a network are left out."""
    first_parties = _FirstParties(lhr)
    found = []
    for row in items(lhr, "network-requests"):
        url = text(row.get("url"), 2048)
        if url.startswith(("http://", "https://", "ws://", "wss://")):
            found.append(_request(row, url, first_parties))
    return tuple(found[:MAX_REQUESTS])


def _request(row: Mapping[str, Any], url: str, first_parties: _FirstParties) -> RequestSeen:
    status = size(row.get("statusCode"))
    return RequestSeen(
        url=url,
        resource_type=_TYPES.get(text(row.get("resourceType"), 20).upper(), ResourceType.OTHER),
        method=text(row.get("requestMethod"), 16) or "GET",
        status=status if status is not None and 100 <= status <= 599 else None,
        protocol=text(row.get("protocol"), 16) or None,
        mime_type=text(row.get("mimeType"), 100) or None,
        start_ms=number(row.get("networkRequestTime", row.get("startTime"))),
        end_ms=number(row.get("networkEndTime", row.get("endTime"))),
        transfer_bytes=size(row.get("transferSize")),
        decoded_bytes=size(row.get("resourceSize")),
        third_party=not first_parties.own(url, row.get("entity")),
        failure="The request did not finish." if row.get("finished") is False else None,
    )


class _FirstParties:
    """Who belongs to the page: as Lighthouse's entities say, or (before 10.1) its host and those above and below it."""

    def __init__(self, lhr: Mapping[str, Any]) -> None:
        entities = rows(lhr.get("entities"))
        self._names = {text(entity.get("name"), 200) for entity in entities if entity.get("isFirstParty") is True}
        final = text(lhr.get("mainDocumentUrl") or lhr.get("finalUrl"), 2048)
        self._host = _host(final)

    def own(self, url: str, entity: object) -> bool:
        if self._names and isinstance(entity, str):
            return text(entity, 200) in self._names
        host = _host(url)
        return host == self._host or host.endswith(f".{self._host}") or self._host.endswith(f".{host}")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
