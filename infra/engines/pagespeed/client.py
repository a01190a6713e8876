"""The one call of the API: `runPagespeed`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from domain.measuring import FormFactor

from ..lhr import parse_object
from .answers import failed_answer, google_failed, result_of

PATH = "/pagespeedonline/v5/runPagespeed"
CATEGORIES = ("ACCESSIBILITY", "BEST_PRACTICES", "PERFORMANCE", "SEO")
MAX_ANSWER_BYTES = 32 * 1024 * 1024

# What is read or kept; texts for other languages and the full-page screenshot stay with Google.
FIELDS = (
    "captchaResult,analysisUTCTimestamp,id,lighthouseResult(requestedUrl,finalUrl,mainDocumentUrl,finalDisplayedUrl,"
    "lighthouseVersion,userAgent,fetchTime,environment,runWarnings,configSettings,audits,categories,categoryGroups,"
    "runtimeError,timing,entities)"
)


class KeyedTransport(httpx.AsyncBaseTransport):
    """Adds the key on the way out: httpx writes its requests' addresses into the log."""

    def __init__(self, inner: httpx.AsyncBaseTransport, key: str) -> None:
        self._inner = inner
        self._key = key

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_add_param("key", self._key)
        keyed = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return await self._inner.handle_async_request(keyed)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def run_pagespeed(
    client: httpx.AsyncClient, url: str, form_factor: FormFactor, key: str, timeout: float
) -> tuple[Mapping[str, Any], tuple[str, str]]:
    """The Lighthouse result and its stamp (two equal stamps are one result). Raises Failed."""
    # Without a strategy Google measures a desktop; categories are repeated, a list with commas is not understood.
    query = [("url", url), ("strategy", form_factor.value), *(("category", name) for name in CATEGORIES)]
    try:
        async with asyncio.timeout(timeout):
            status, data = await _get(client, httpx.QueryParams([*query, ("fields", FIELDS)]))
    except (TimeoutError, httpx.TimeoutException) as error:
        raise google_failed("TIMEOUT", f"PageSpeed Insights did not answer within {timeout:g} s.", tries=2) from error
    except httpx.HTTPError as error:
        raise google_failed("UNREACHABLE", "PageSpeed Insights could not be reached.") from error
    body = parse_object(data)
    if status != 200:
        raise failed_answer(status, body or {}, key)
    if body is None:
        raise google_failed("ANSWER_MALFORMED", "PageSpeed Insights answered with something that is not JSON.")
    lhr = result_of(body)
    return lhr, (str(lhr.get("fetchTime")), str(body.get("analysisUTCTimestamp")))


async def _get(client: httpx.AsyncClient, query: httpx.QueryParams) -> tuple[int, bytes]:
    data = bytearray()
    async with client.stream("GET", PATH, params=query) as response:
        async for piece in response.aiter_bytes():
            data += piece
            if len(data) > MAX_ANSWER_BYTES:
                raise google_failed("ANSWER_TOO_LARGE", "PageSpeed Insights answered with more than 32 MB.")
        return response.status_code, bytes(data)
