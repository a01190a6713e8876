"""The socket under the client of nats-py: known when it was last heard, and let go of without waiting for the other side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import ParseResult

from nats.aio.transport import TcpTransport
from nats.errors import Error


class NoTlsError(Error):
    """The address begins with tls://, and the server offers none."""


class Wire(TcpTransport):
    """`lost` is called once, when the connection is over, whoever ends it.

    A frozen server leaves its buffers full. What nats-py does itself about a connection that is no good waits until they
    are sent, for as long as the server is frozen.
    """

    def __init__(self, *, secure: bool, lost: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._secure = secure
        self._lost: Callable[[], None] | None = lost
        self._aborted = False
        self.heard = 0.0

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        await super().connect(uri, buffer_size, connect_timeout)
        self.heard = asyncio.get_running_loop().time()

    async def read(self, buffer_size: int) -> bytes:
        try:
            data: bytes = await super().read(buffer_size)
        except OSError:
            self._over()
            raise
        if not data:
            self._over()
        self.heard = asyncio.get_running_loop().time()
        return data

    def write(self, payload: bytes) -> None:
        """What nats-py still has when the connection is over goes nowhere: uvloop would raise, in the middle of closing."""
        if self._io_writer is None or self._lost is None or self._io_writer.is_closing():
            return
        if self._secure and self._io_writer.get_extra_info("ssl_object") is None:
            # The first thing written is what one logs in with.
            raise NoTlsError
        self._io_writer.write(payload)

    def writelines(self, payload: list[bytes]) -> None:
        self.write(b"".join(payload))

    async def drain(self) -> None:
        """A connection that ends is the reader's to notice: an error here would stop nats-py in the middle of closing."""
        if not self._aborted and self._lost is not None:
            with contextlib.suppress(OSError):
                await super().drain()  # type: ignore[no-untyped-call]

    async def wait_closed(self) -> None:
        with contextlib.suppress(OSError):
            await super().wait_closed()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._over()
        super().close()  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """Let go at once, and of what was not sent yet."""
        self._aborted = True
        self._over()
        for writer in (self._io_writer, self._bare_io_writer):
            if writer is not None:
                writer.transport.abort()

    def _over(self) -> None:
        if self._lost is not None:
            lost, self._lost = self._lost, None
            lost()

    def __bool__(self) -> bool:
        # nats-py makes a transport of its own where there is none, or a false one.
        return True
