"""One HTTP/1.1 connection: h11's state machine over a pair of streams."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import h11

# As large a block of headers as Chromium itself takes.
MAX_HEADERS = 256 * 1024
CHUNK = 64 * 1024

Sent = h11.Request | h11.Response | h11.InformationalResponse | h11.Data | h11.EndOfMessage


class Wire:
    """One side's connection, in one of h11's two roles."""

    def __init__(
        self, role: type[h11.CLIENT] | type[h11.SERVER], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connection = h11.Connection(role, max_incomplete_event_size=MAX_HEADERS)
        self.reader = reader
        self.writer = writer

    async def event(self) -> object:
        """The next event that the other side sent. Raises h11.RemoteProtocolError, OSError."""
        while True:
            event = self.connection.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.connection.receive_data(await self.reader.read(CHUNK))

    async def send(self, event: Sent) -> None:
        data = self.connection.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self, status: int) -> None:
        """An answer of our own without a body, after which the connection ends."""
        await self.send(h11.Response(status_code=status, headers=[("Content-Length", "0"), ("Connection", "close")]))
        await self.send(h11.EndOfMessage())

    def next_cycle(self) -> bool:
        """Makes ready for another request; False when this connection cannot carry one."""
        if self.connection.our_state is not h11.DONE or self.connection.their_state is not h11.DONE:
            return False
        self.connection.start_next_cycle()
        return True

    def close(self) -> None:
        self.writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies bytes until the end of the stream, and hands that end on."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
