"""The probe: measures a page over HTTP alone, without a browser."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections.abc import AsyncGenerator, Collection

import httpx

from domain.measuring import Access, EngineName, Measured, Order, Phase, Reached, RunResult, ThrottlingMethod

from ..guard import Guard, check_url
from .bodies import gzip_size, is_compressible
from .identity import Identity, origin_of
from .limits import Limits
from .loading import load_document, load_resources
from .metrics import all_exchanges, metrics_of
from .observation import Exchange, Observation, Page, Resource
from .parsing import read_page
from .report import report_of, requests_of
from .rules import findings_of
from .session import open_session

VERSION = "1.0"
_SMALLEST_WORTH_COMPRESSING = 1_400


class ProbeEngine:
    """Each run loads the document and the sub-resources that its HTML names, on connections of its own.

    Not followed: what stylesheets and scripts ask for in their turn, frames, and images that load lazily.
    Throttling does not apply: a run measures the network as it is.
    """

    name = EngineName.PROBE

    def __init__(self, guard: Guard, *, limits: Limits | None = None, ssl_context: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._limits = limits or Limits()
        self._context = ssl_context or httpx.create_ssl_context()

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        site = origin_of(check_url(order.url))
        reader = _Reader(order)
        for run in range(order.runs):
            identity = Identity(order.access, site, order.form_factor)
            warnings = _unasked(order)
            async with open_session(self._guard, self._context, identity, self._limits) as session:
                yield Reached(Phase.LOADING, run)
                session.clock.start()
                *hops, document = await load_document(session, order.url, self._limits)
                session.clock.stop()
                page = await reader.read(document, warnings)
                yield Reached(Phase.RESOURCES, run)
                resources: tuple[Resource, ...] = ()
                if page is not None:
                    session.clock.start()
                    resources, left_out = await load_resources(session, page, self._limits)
                    session.clock.stop()
                    warnings += left_out
            yield Reached(Phase.ANALYSING, run)
            seen = Observation(tuple(hops), document, page, resources, time.time())
            yield Measured(run, await _result(seen, warnings, secrets_of(order.access)))


class _Reader:
    """Reads the HTML of an order's runs, once for as long as they get the same."""

    def __init__(self, order: Order) -> None:
        self._form_factor = order.form_factor
        self._last: tuple[tuple[str, bytes], Page | None] | None = None

    async def read(self, document: Exchange, warnings: list[str]) -> Page | None:
        if not document.is_html:
            warnings.append("The document is not HTML: it has no sub-resources that could be measured.")
            return None
        if document.decoded_bytes is None:
            warnings.append("The document is compressed in a way that was not asked for; its HTML could not be read.")
            return None
        key = document.url, hashlib.sha256(document.body).digest()
        if self._last is None or self._last[0] != key:
            self._last = key, await self._page(document)
        if self._last[1] is None:
            warnings.append("The HTML is too large or nested too deeply to be read; its sub-resources were not measured.")
        return self._last[1]

    async def _page(self, document: Exchange) -> Page | None:
        return await read_page(bytes(document.body), document.url, document.charset, self._form_factor)


async def _result(seen: Observation, warnings: list[str], secrets: Collection[str]) -> RunResult:
    for exchange, _ in all_exchanges(seen):
        await _weigh(exchange)
    return RunResult(
        metrics=metrics_of(seen),
        final_url=seen.document.url,
        engine_version=VERSION,
        requests=requests_of(seen),
        findings=findings_of(seen),
        warnings=tuple(warnings),
        report=report_of(seen, VERSION, secrets),
    )


async def _weigh(exchange: Exchange) -> None:
    """Finds out what gzip would have made of a body that came without it, and lets go of the body."""
    worth = len(exchange.body) >= _SMALLEST_WORTH_COMPRESSING and not exchange.coding and is_compressible(exchange.mime)
    if worth and exchange.failure is None:
        exchange.gzip_bytes = await asyncio.to_thread(gzip_size, bytes(exchange.body))
    exchange.body.clear()


def _unasked(order: Order) -> list[str]:
    throttled = order.throttling is not None and order.throttling.method is not ThrottlingMethod.PROVIDED
    return ["The probe does not throttle: it measures the network as it is."] if throttled else []


def secrets_of(access: Access) -> tuple[str, ...]:
    """The values of an access that a page could send back; shorter ones would blot out innocent text."""
    values = (*access.headers.values(), *access.cookies.values(), access.password or "")
    return tuple(value for value in values if len(value) >= 4)
