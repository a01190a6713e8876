"""The bus over NATS JetStream: two streams, and a ping that wakes whoever publishes the events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from nats.aio.msg import Msg

from domain import history
from domain.ports import Reader
from domain.work import Call, EventRow

from .calls import NatsCalls, send
from .connection import Connection, Patience
from .errors import BusAway, OutOfStep
from .events import Follower, publish
from .session import Session
from .streams import Names, Streams

RING_SECONDS = 0.005  # what is said meanwhile goes together

_log = logging.getLogger(__name__)


class NatsBus:
    """Start it once a process, inside the event loop: it connects by itself, and again whenever it has to.

    `url` may name several servers, separated by commas. What needs the server raises BusAway when it is not there.
    Streams of our names that belong to another database count as a server that is not there: nothing of them is touched.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "pacemark",
        name: str = "pacemark",
        reader: Reader,
        patience: Patience | None = None,
    ) -> None:
        self._names = Names(prefix)
        self._reader = reader
        self._patience = patience or Patience()
        self._connection = Connection(url, name=name, patience=self._patience, began=self._begin)
        self._history_id: UUID | None = None
        self._whosever = False
        self._me = uuid4().bytes
        self._rung = asyncio.Event()
        self._woken = asyncio.Event()
        self._ringing: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._connection.connected

    async def start(self, *, whosever: bool = False) -> None:
        """Returns at once: a server that is away is no error. `whosever`: streams of another database will do too."""
        self._whosever = whosever
        await self._connection.start()
        self._ringing = asyncio.create_task(self._ring(), name="NATS wake")

    async def stop(self) -> None:
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)
        await self._connection.stop()

    async def declare(self, history_id: UUID, first: int, kinds: Sequence[str]) -> None:
        """Make the streams and consumers, or bring them up to date. `first`: the place where a new stream of events begins.

        Raises NatsUnusable, and BusAway.
        """
        await self._streams(await self._connection.usable(self._patience.answer)).declare(history_id, first, kinds)

    async def check(self, history_id: UUID, kinds: Sequence[str]) -> None:
        """Raises NatsUnusable when the streams are not as this version of this installation needs them, and BusAway."""
        await self._streams(await self._connection.usable(self._patience.answer)).check(history_id, kinds)

    async def start_over(self, history_id: UUID, first: int) -> None:
        """Make the stream of events anew from this place on: it was lost, or holds another past. Raises BusAway.

        The streams keep what the history was called when this process found them, so that a new name may be given to it
        before or after.
        """
        streams = self._streams(await self._connection.ready(self._patience.answer))
        assert self._history_id is not None  # no session begins without
        await streams.start_over(history_id, first, self._history_id)

    async def last(self) -> int:
        """The last place of the stream of events; -1 when there is no such stream. Raises BusAway."""
        return await self._streams(await self._connection.ready(self._patience.answer)).last()

    async def send(self, calls: Sequence[Call]) -> None:
        await send(self._connection.session, self._names, calls, self._patience.answer)

    @asynccontextmanager
    async def calls(self, kind: str) -> AsyncGenerator[NatsCalls, None]:
        waiting = NatsCalls(self._connection, self._names, kind)
        try:
            yield waiting
        finally:
            await waiting.close()

    async def publish(self, rows: Sequence[EventRow]) -> None:
        """Returns when the stream has them all. Raises OutOfStep when it does not end where they begin, and BusAway."""
        if not await publish(self._connection.session, self._names, rows, self._patience.answer):
            raise OutOfStep(await self.last())

    async def events(self, after: int) -> AsyncGenerator[EventRow, None]:
        follower = Follower(self._connection, self._names, self._reader, after, self._patience.answer)
        try:
            while True:
                for row in await follower.next():
                    yield row
        finally:
            await follower.close()

    def wake(self) -> None:
        """There are events to publish: whichever process does that, here or elsewhere, need not wait any longer."""
        self._woken.set()
        self._rung.set()

    async def wait_woken(self, seconds: float) -> None:
        """Until somebody has said `wake` since the last time, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    async def _ring(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            try:
                await self._connection.session.publish(self._names.wake, self._me)
            except BusAway:
                pass  # who leads looks by itself
            except Exception:
                _log.exception("The relay could not be woken.")
            await asyncio.sleep(RING_SECONDS)

    async def _begin(self, session: Session) -> None:
        """Nobody is to have a session before it is known whose streams these are."""
        try:
            self._history_id = (await history.state(self._reader)).id
        except Exception:
            if self._history_id is None:
                raise BusAway("It is used when the database is there.") from None
        if not self._whosever:
            await self._streams(session).verify(self._history_id)
        await session.subscribe(self._names.wake, self._heard)

    async def _heard(self, msg: Msg) -> None:
        if msg.data != self._me:
            self._woken.set()

    def _streams(self, session: Session) -> Streams:
        return Streams(session, self._names, ack=self._patience.ack, answer=self._patience.answer)
