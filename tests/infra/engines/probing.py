"""How the tests of the probe ask for measurements."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain.measuring import (
    EngineFailure,
    FormFactor,
    Measured,
    Order,
    RequestSeen,
    RunResult,
)
from infra.engines.guard import Guard
from infra.engines.probe import ProbeEngine
from tests.infra.engines.hostile import (
    Answer,
    Site,
)

OPEN = Guard(allow_private=True)
DEFAULT_CONTEXT = ssl.create_default_context()
SCRIPT, STYLE, PNG = "text/javascript", "text/css", "image/png"


def order(url: str, runs: int = 1, **more: Any) -> Order:
    return Order(url, FormFactor.MOBILE, runs, **more)


async def measured(engine: ProbeEngine, wanted: Order) -> list[RunResult]:
    return [step.result async for step in engine.measure(wanted) if isinstance(step, Measured)]


async def measure(url: str, *, guard: Guard = OPEN, context: ssl.SSLContext | None = None, **more: Any) -> RunResult:
    limits = more.pop("limits", None)
    return (await measured(ProbeEngine(guard, limits=limits, ssl_context=context or DEFAULT_CONTEXT), order(url, **more)))[0]


async def failure(url: str, **more: Any) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        await measure(url, **more)
    return caught.value


def page(*elements: str, head: Sequence[str] = ()) -> Answer:
    return Answer(
        f"<!doctype html><html lang=en><head><title>T</title>{''.join(head)}</head>{''.join(elements)}</html>".encode()
    )


def by_path(site: Site, result: RunResult) -> dict[str, RequestSeen]:
    return {request.url.removeprefix(site.at("")): request for request in result.requests}


def rules(result: RunResult) -> set[str]:
    return {finding.rule for finding in result.findings}


@asynccontextmanager
async def speaking(words: bytes | None) -> AsyncIterator[str]:
    """The https URL of a server that answers any bytes with these words and hangs up; None: it just stays silent."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(10_000):
            if words is not None:
                writer.write(words)
                break
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
