"""Calls: to be worked on by one of those who wait."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

import orjson
from nats.aio.msg import Msg

from domain.work import Call

from .connection import Connection
from .errors import BusAway, Refused
from .session import Inbox, Session, status, understood
from .streams import Names

_log = logging.getLogger(__name__)

WINDOW = 500
RETRY_SECONDS = 0.1
PAUSE_SECONDS = 1.0
_SECOND = 1_000_000_000


async def send(session: Session, names: Names, calls: Sequence[Call], seconds: float) -> None:
    """Returns when the stream has them all. Raises BusAway."""
    for start in range(0, len(calls), WINDOW):
        asked = [
            # The job is named for people who look into the stream: whoever is called asks the database.
            await session.ask(
                names.job(call.kind), call.job_id.hex.encode(), {"traceparent": call.trace} if call.trace else None
            )
            for call in calls[start : start + WINDOW]
        ]
        for answer in await session.answers(asked, seconds):
            try:
                understood(answer)
            except Refused as refused:
                raise BusAway(f"The stream {names.jobs} takes no calls: {refused.description}.") from None


class NatsCalls:
    """One waiting worker: it asks for one call at a time, and has none that it did not ask for."""

    def __init__(self, connection: Connection, names: Names, kind: str) -> None:
        self._connection = connection
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{names.jobs}.{names.consumer(kind)}"
        self._inbox: Inbox | None = None
        self._asked = 0
        self._waiting = False

    async def next(self, seconds: float) -> NatsDelivery | None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            try:
                msg = await self._pull(await self._connection.ready(left), end)
            except BusAway:
                await asyncio.sleep(min(RETRY_SECONDS, max(0.0, end - loop.time())))
                continue
            if msg is None:
                return None
            if status(msg) is None:
                return NatsDelivery(self._connection, msg)
            if status(msg) != "408":
                # No such consumer, or it was just deleted: people have to act, or it is about to be made again.
                _log.debug("There are no calls to be had: status %s.", status(msg))
                await asyncio.sleep(min(PAUSE_SECONDS, max(0.0, end - loop.time())))
        return None

    async def _pull(self, session: Session, end: float) -> Msg | None:
        """A call, or what the server says instead; None when neither came."""
        if self._inbox is None or self._inbox.session is not session:
            self._inbox = await session.inbox(self._received)
        inbox, loop = self._inbox, asyncio.get_running_loop()
        self._asked += 1
        reply = f"{inbox.subject}.{self._asked}"
        self._waiting = True
        try:
            expires = max(1, int((end - loop.time()) * _SECOND))
            await session.publish(self._subject, orjson.dumps({"batch": 1, "expires": expires}), reply=reply)
            while True:
                msg = await inbox.next(end - loop.time())
                # What the server says about an earlier question, which was given up, is of no use any more.
                if msg is None or status(msg) is None or msg.subject == reply:
                    return msg
        finally:
            self._waiting = False
            while (late := inbox.first()) is not None:
                await self._return(late)

    async def close(self) -> None:
        """Nobody waits here any more: what still comes goes to others."""
        if self._inbox is not None:
            await self._inbox.close(drain=True)

    async def _received(self, msg: Msg) -> None:
        if self._waiting and self._inbox is not None:
            await self._inbox.put(msg)
        else:
            await self._return(msg)

    async def _return(self, msg: Msg) -> None:
        if status(msg) is None:
            await NatsDelivery(self._connection, msg).again(0)


class NatsDelivery:
    """What is told to a server that is away is lost: then somebody is called once more, and finds nothing to do."""

    def __init__(self, connection: Connection, msg: Msg) -> None:
        self._connection = connection
        self._reply = msg.reply
        self.trace = (msg.headers or {}).get("traceparent")

    async def working(self) -> None:
        await self._tell(b"+WPI")

    async def done(self) -> None:
        await self._tell(b"+ACK")

    async def again(self, seconds: float) -> None:
        await self._tell(b"-NAK " + orjson.dumps({"delay": int(seconds * _SECOND)}) if seconds > 0 else b"-NAK")

    async def _tell(self, word: bytes) -> None:
        with contextlib.suppress(BusAway):
            await self._connection.session.publish(self._reply, word)
