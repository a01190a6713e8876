"""The engine: asks within the budget, again when it helps, and never takes a cached answer for a new measurement."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from ipaddress import ip_address
from typing import Any

import httpx

from domain.caching import Cache
from domain.measuring import Access, EngineFailure, EngineName, FailureKind, Measured, Order, Phase, Reached

from ...cache.memory import MemoryCache
from ..guard import check_url, is_public
from ..lhr import read_lhr
from .answers import Failed
from .budget import Budget
from .client import KeyedTransport, run_pagespeed

BASE_URL = "https://pagespeedonline.googleapis.com"
# Google gives itself 120 s for a page.
TIMEOUT = 150.0
# For so long Google answers with the result that it has.
CACHED_FOR = 60.0
CACHE_TRIES = 3
FIRST_BACKOFF = 2.0
MAX_BACKOFF = 60.0

Stamp = tuple[str, str]
Answer = tuple[Mapping[str, Any], Stamp]


class PageSpeedEngine:
    """Measures with Google's machines, which fetch the page themselves: public pages only, without access.

    Its budget is counted in the cache; without one, in this process. `clock` (seconds that never go back), `sleep` and
    `dice` (0 to 1) are the world's, and given by tests.
    """

    name = EngineName.PAGESPEED

    def __init__(
        self,
        key: str | None,
        *,
        base_url: str = BASE_URL,
        per_day: int = 25_000,
        per_minute: int = 240,
        timeout: float = TIMEOUT,
        cache: Cache | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._key = key
        self._base_url = base_url
        self._timeout = timeout
        self._budget = Budget(MemoryCache(clock=clock) if cache is None else cache, key or "", per_minute, per_day)
        self._sleep = sleep
        self._dice = dice
        self._stamps: OrderedDict[tuple[str, str], Stamp] = OrderedDict()

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        key = _usable(self._key, order)
        url = _public(order.url)
        transport = KeyedTransport(httpx.AsyncHTTPTransport(), key)
        # httpx's own limits are for each step; the whole call has one, in `run_pagespeed`.
        async with httpx.AsyncClient(base_url=self._base_url, transport=transport, timeout=self._timeout) as client:
            for run in range(order.runs):
                yield Reached(Phase.STARTING, run)
                async with aclosing(self._fresh(client, url, order, key, run)) as steps:
                    async for step in steps:
                        yield step if isinstance(step, Reached) else Measured(run, read_lhr(step))

    async def _fresh(
        self, client: httpx.AsyncClient, url: str, order: Order, key: str, run: int
    ) -> AsyncGenerator[Reached | Mapping[str, Any], None]:
        """Steps, then a Lighthouse result that this process has not seen before."""
        for attempt in range(CACHE_TRIES):
            if attempt:
                yield Reached(Phase.WAITING, run)
                await self._sleep(CACHED_FOR)
            async with aclosing(self._answer(client, url, order, key, run)) as steps:
                async for step in steps:
                    if isinstance(step, Reached):
                        yield step
                    elif self._is_new((url, order.form_factor), step[1]):
                        yield step[0]
                        return
        message = "PageSpeed Insights kept answering with a result that it had given before."
        raise EngineFailure(FailureKind.ENGINE, "RESULT_CACHED", message, retryable=True)

    async def _answer(
        self, client: httpx.AsyncClient, url: str, order: Order, key: str, run: int
    ) -> AsyncGenerator[Reached | Answer, None]:
        """Steps, then an answer; failures that may pass are tried again. Raises EngineFailure."""
        made = 0
        while True:
            wait = await self._budget.take()
            if wait > 0:
                yield Reached(Phase.WAITING, run)
                await self._sleep(wait)
            yield Reached(Phase.LOADING, run)
            try:
                yield await run_pagespeed(client, url, order.form_factor, key, self._timeout)
                return
            except Failed as failed:
                made += 1
                if made >= failed.tries:
                    raise failed.failure from failed
            yield Reached(Phase.WAITING, run)
            await self._sleep(self._backoff(made))

    def _backoff(self, made: int) -> float:
        """Exponential with full jitter: anywhere between nothing and 2, 4, 8 … seconds (Google never says how long)."""
        return self._dice() * min(MAX_BACKOFF, FIRST_BACKOFF * 2.0 ** (made - 1))

    def _is_new(self, subject: tuple[str, str], stamp: Stamp) -> bool:
        known = self._stamps.pop(subject, None)
        self._stamps[subject] = stamp
        if len(self._stamps) > 10_000:
            self._stamps.popitem(last=False)
        return stamp != known


def _usable(key: str | None, order: Order) -> str:
    if order.access != Access() or order.throttling is not None:
        raise EngineFailure(
            FailureKind.CONFIGURATION,
            "NOT_SUPPORTED",
            "PageSpeed Insights takes neither headers, cookies or passwords nor a throttling of our own; "
            "use the Lighthouse engine for this page.",
        )
    if not key:
        raise EngineFailure(
            FailureKind.CONFIGURATION,
            "KEY_MISSING",
            "PageSpeed Insights needs an API key: without one Google's quota is zero. Make one in the Google Cloud "
            "console (enable the PageSpeed Insights API, then Credentials, API key) and put it into the settings.",
        )
    return key


def _public(address: str) -> str:
    """The URL, normalised. Google cannot reach what is not public: asking would spend budget and tell it the address."""
    url = check_url(address)
    host = url.hostname or ""
    with suppress(ValueError):
        if not is_public(ip_address(host)):
            host = "localhost"
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise EngineFailure(FailureKind.PAGE, "ADDRESS_REFUSED", "PageSpeed Insights can only measure public addresses.")
    return url.geturl()
