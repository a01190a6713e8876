"""A worker and a scheduler answer nobody but those who watch them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from app import server
from app.doors import health, metrics
from app.headers import SecurityHeaders
from app.tracing import NATIVE
from app.wiring import House


@asynccontextmanager
async def watched(house: House, *, counting: bool = False) -> AsyncGenerator[None, None]:
    """While the block lasts: /metrics, /healthz and /readyz on PACEMARK_METRICS_PORT, if there is one.

    `counting`: what waits is counted for the collector that metrics are sent to; one kind of process is enough for that.
    Raises Unusable when the port is taken.
    """
    async with AsyncExitStack() as closing:
        if house.settings.metrics_port is not None:
            await closing.enter_async_context(_answering(house, house.settings.metrics_port))
        if counting and house.settings.otlp_endpoint is not None:
            await closing.enter_async_context(_counting(house))
        yield


@asynccontextmanager
async def _answering(house: House, port: int) -> AsyncGenerator[None, None]:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry=NATIVE)
    app.add_middleware(SecurityHeaders)
    app.include_router(health.routes(house))
    # No proxy stands before this port, wherever the API's may stand.
    app.include_router(metrics.of(house, behind_proxy=False))
    listening = server.listen(house.settings.host, port, option="PACEMARK_METRICS_PORT=")
    stop, ready = asyncio.Event(), asyncio.Event()
    answering = asyncio.create_task(server.answer(app, listening, stop, ready.set))
    telling = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({answering, telling}, return_when=asyncio.FIRST_COMPLETED)
        yield
    finally:
        telling.cancel()
        stop.set()
        await answering


@asynccontextmanager
async def _counting(house: House) -> AsyncGenerator[None, None]:
    """Nobody comes to ask, so it is counted now and then."""
    task = asyncio.create_task(house.backlog.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
