"""What the server makes of connections: heads are bounded, in bytes and in time, and who leaves is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import server

HERE = PlainTextResponse("here")
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@asynccontextmanager
async def connected(app: ASGIApp = HERE) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
    """One connection to the server as it is shipped."""
    listening = server.listen("127.0.0.1", 0)
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(server.answer(app, listening, stop, ready.set))
    await ready.wait()
    reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        stop.set()
        await serving


async def test_heads_that_come_in_pieces_are_answered_one_after_the_other() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            for piece in (REQUEST[:9], REQUEST[9:20], REQUEST[20:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            assert (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_head_without_end_is_not_taken() -> None:
    async with connected() as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\n")

        async def pour() -> None:
            while True:
                writer.write(b"X-Filler: " + b"x" * 1_000 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)

        with pytest.raises(ConnectionError):
            async with asyncio.timeout(5):
                await pour()


@pytest.mark.parametrize("begun", [b"", REQUEST[:9], REQUEST + REQUEST[:9]])
async def test_a_head_that_does_not_come_is_not_waited_for(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    async with connected() as (reader, writer):
        writer.write(begun)
        async with asyncio.timeout(3):
            said = await reader.read()
    assert said.count(b"here") == begun.count(REQUEST)


async def test_who_leaves_is_missed_by_the_request_that_is_answered_and_not_by_the_last_alone() -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/healthz":
            await HERE(scope, receive, send)
            return
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with connected(slow) as (_, writer):
        writer.write(REQUEST + REQUEST)
        await begun.wait()
        writer.close()
        async with asyncio.timeout(3):
            await left.wait()
