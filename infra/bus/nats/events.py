"""The history on its way: published so that nothing can be in the stream twice, and read on from any place."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from uuid import uuid4

import orjson
from nats.aio.msg import Msg

from domain import history
from domain.errors import DatabaseAway
from domain.ports import Reader
from domain.work import EventRow

from . import codec
from .connection import Connection
from .errors import WRONG_LAST_SEQUENCE, BusAway, Refused
from .session import Inbox, Session, status, understood
from .streams import Names

_log = logging.getLogger(__name__)

WINDOW = 500
BATCH = 500
EXPIRES_SECONDS = 30.0
HEARTBEAT_SECONDS = 5.0
FORGOTTEN_SECONDS = 60
RETRY_SECONDS = 0.25
DATABASE_RETRY_SECONDS = 1.0
_SECOND = 1_000_000_000


async def publish(session: Session, names: Names, rows: Sequence[EventRow], seconds: float) -> bool:
    """Whether the stream took them all; else it does not end where one of them begins. Raises BusAway."""
    for start in range(0, len(rows), WINDOW):
        asked = []
        for row in rows[start : start + WINDOW]:
            body = codec.encode(row)
            if len(body) > session.max_body:
                body = b""  # readers will find it in the database
            expected = {"Nats-Expected-Last-Sequence": str(row.sequence - 1)}
            asked.append(await session.ask(names.event(row.workspace_id), body, expected))
        for answer in await session.answers(asked, seconds):
            try:
                understood(answer)
            except Refused as refused:
                if refused.code == WRONG_LAST_SEQUENCE:
                    return False
                raise BusAway(f"The stream {names.events} takes no events: {refused.description}.") from None
    return True


class Follower:
    """Reads the stream from behind `place` on, and from the database what the stream no longer has."""

    def __init__(self, connection: Connection, names: Names, reader: Reader, place: int, seconds: float) -> None:
        self._connection = connection
        self._names = names
        self._reader = reader
        self._place = place
        self._until = place  # up to where the database is read before the stream is read on
        self._end = place  # where the stream ended when it was looked at
        self._seconds = seconds
        self._consumer: _Consumer | None = None
        self._held: Msg | None = None

    async def next(self) -> Sequence[EventRow]:
        """The next events, as many as there are at once. Waits for them through every outage."""
        while True:
            try:
                rows = await (self._from_database() if self._place < self._until else self._from_stream())
            except BusAway as error:
                _log.debug("The events are read on from place %d: %s", self._place, error)
                await self.close()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if rows:
                return rows

    async def close(self) -> None:
        consumer, self._consumer, self._held = self._consumer, None, None
        if consumer is not None:
            await consumer.close()

    async def _from_database(self) -> Sequence[EventRow]:
        """What the database does not have any more is passed over."""
        rows = [row for row in await self._read() if row.sequence <= self._until]
        self._place = rows[-1].sequence if len(rows) == history.BATCH else self._until
        return rows

    async def _from_stream(self) -> Sequence[EventRow]:
        consumer = self._consumer or await self._begin()
        rows: list[EventRow] = []
        while self._place >= self._until and len(rows) < BATCH:
            try:
                msg = self._held or await consumer.next(wait=not rows)
            except BusAway:
                if rows:
                    break  # it is raised once more when these are dealt with
                raise
            self._held = None
            if msg is None:
                break
            sequence, pending = _position(msg.reply)
            if sequence > self._place + 1:
                self._until, self._held = sequence - 1, msg
                break
            if sequence == self._place + 1:
                try:
                    event = codec.decode(msg.data, sequence)
                except ValueError:
                    self._until = sequence
                else:
                    self._place = sequence
                    if event is not None:
                        rows.append(event)
            if pending == 0:
                self._until = max(self._until, self._end)
        return rows

    async def _begin(self) -> _Consumer:
        """A consumer from here on. Sets what has to come from the database first."""
        session = await self._connection.ready(None)
        self._consumer = consumer = await _Consumer.create(session, self._names.events, self._place + 1, self._seconds)
        stream = await session.api(f"STREAM.INFO.{self._names.events}", seconds=self._seconds)
        # A message shows the gap before it. Where none is to come, the gap reaches to the stream's end.
        self._end = int(stream["state"]["last_seq"])
        if consumer.pending == 0:
            self._until = self._end
        return consumer

    async def _read(self) -> Sequence[EventRow]:
        while True:
            try:
                return await history.after(self._reader, self._place)
            except DatabaseAway:
                _log.warning("The database is away; trying again.")
            except Exception:
                _log.exception("The events could not be read from the database; trying again.")
            await asyncio.sleep(DATABASE_RETRY_SECONDS)


class _Consumer:
    """Asks for a batch at a time: who is slow has no more than that waiting, and the server keeps the rest."""

    def __init__(self, stream: str, name: str, inbox: Inbox) -> None:
        self._path = f"{stream}.{name}"
        self._inbox = inbox
        self._batches = 0
        self._left = 0
        self._gone = ""
        self.pending = 0

    @classmethod
    async def create(cls, session: Session, stream: str, first: int, seconds: float) -> _Consumer:
        """An ephemeral one that remembers nothing: whoever has it counts the places."""
        self = cls(stream, f"feed-{uuid4().hex}", await session.inbox())
        config = {
            "name": self._path.rpartition(".")[2],
            "ack_policy": "none",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": first,
            "max_deliver": 1,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": FORGOTTEN_SECONDS * _SECOND,
        }
        try:
            body = {"stream_name": stream, "config": config}
            self.pending = int((await session.api(f"CONSUMER.CREATE.{self._path}", body, seconds=seconds))["num_pending"])
        except BaseException:
            await self.close()
            raise
        return self

    async def next(self, *, wait: bool) -> Msg | None:
        """The next message of the stream; None when there is none yet. Raises BusAway when it is of no more use."""
        while not self._gone:
            if self._left == 0:
                await self._ask()
            msg = await self._inbox.next(2 * HEARTBEAT_SECONDS) if wait else self._inbox.first()
            if msg is None and not wait:
                return None
            word = status(msg) if msg is not None else "silence"
            if word is None or (msg is not None and msg.reply.startswith("$JS.ACK.")):
                self._left -= 1
                return msg
            if word == "408":
                self._left = 0
            elif word != "100":
                self._gone = f"The consumer is gone: {word}."
        raise BusAway(self._gone)

    async def _ask(self) -> None:
        expires, heartbeat = int(EXPIRES_SECONDS * _SECOND), int(HEARTBEAT_SECONDS * _SECOND)
        question = {"batch": BATCH, "expires": expires, "idle_heartbeat": heartbeat}
        self._left = BATCH
        self._batches += 1
        reply = f"{self._inbox.subject}.{self._batches}"
        await self._inbox.session.publish(f"$JS.API.CONSUMER.MSG.NEXT.{self._path}", orjson.dumps(question), reply=reply)

    async def close(self) -> None:
        with contextlib.suppress(BusAway):
            await self._inbox.session.publish(f"$JS.API.CONSUMER.DELETE.{self._path}")
        await self._inbox.close()


def _position(reply: str) -> tuple[int, int]:
    """A delivered message's sequence and how many more there are; zeros where it has none.

    `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<of consumer>.<time>.<pending>`, or with a domain and an account.
    """
    parts = reply.split(".")
    try:
        return (int(parts[5]), int(parts[8])) if len(parts) == 9 else (int(parts[7]), int(parts[10]))
    except (IndexError, ValueError):
        return 0, 0
