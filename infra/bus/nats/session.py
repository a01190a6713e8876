"""One established connection, until it is lost: what was begun on it ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from .addresses import Server
from .errors import NO_RESPONDERS, BusAway, Refused, plain
from .wire import Wire

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 2
GOODBYE_SECONDS = 2.0

Answer = asyncio.Future[Msg | None]


class Session:
    """nats-py carries what is given to it here, and neither reconnects nor keeps anything for later by itself.

    What it kept would arrive late and in the middle of something else. So nothing is ever resent behind its caller's back.
    """

    def __init__(self, server: Server) -> None:
        self.lost = asyncio.Event()
        self._wire = Wire(secure=server.secure, lost=self._over)
        self._client = Client()
        self._client._transport = self._wire
        self._inbox = ""
        self._tokens = itertools.count()
        self._answers: dict[str, Answer] = {}
        self._inboxes: set[Inbox] = set()
        self._error: Exception | None = None

    @classmethod
    async def open(cls, server: Server, *, name: str, ping: int) -> Session:
        """Connect. Raises whatever the reason is that it cannot."""
        self = cls(server)
        try:
            await self._client.connect(
                [f"nats://{server}"],
                name=name,
                error_cb=self._report,
                user=server.user,
                password=server.password,
                token=server.token,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_SECONDS,
                ping_interval=ping,
                max_outstanding_pings=1_000_000,  # `silent_for` tells more
                pending_size=0,
            )
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)
        except BaseException as error:
            await self.close()
            raise (self._error if isinstance(error, nats.errors.NoServersError) and self._error else error) from None
        return self

    @property
    def version(self) -> tuple[int, int] | None:
        """Of the server; None when it does not tell in the usual way."""
        try:
            return self._client.connected_server_version.major, self._client.connected_server_version.minor
        except ValueError:
            return None

    @property
    def max_body(self) -> int:
        """The largest body that leaves room for headers."""
        return self._client.max_payload - 1_024

    def silent_for(self) -> float:
        return asyncio.get_running_loop().time() - self._wire.heard

    async def publish(
        self, subject: str, body: bytes = b"", *, reply: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Hand it to the connection, without waiting. Raises BusAway."""
        if self.lost.is_set():
            raise BusAway("The connection to NATS was lost.")
        try:
            await self._client.publish(subject, body, reply=reply, headers=dict(headers) if headers else None)
        except (nats.errors.ConnectionClosedError, nats.errors.ConnectionDrainingError, nats.errors.OutboundBufferLimitError):
            raise BusAway("The connection to NATS was lost.") from None

    async def ask(self, subject: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Publish it, and the answer to come: None when the connection was lost. Raises BusAway."""
        token = str(next(self._tokens))
        answer = self._answers[token] = asyncio.get_running_loop().create_future()
        try:
            await self.publish(subject, body, reply=f"{self._inbox}.{token}", headers=headers)
        except BaseException:
            del self._answers[token]
            raise
        return answer

    async def answers(self, asked: Sequence[Answer], seconds: float) -> list[Msg]:
        """What was answered, in the order of the questions. Raises BusAway."""
        if not asked:
            return []
        try:
            await asyncio.wait(asked, timeout=seconds)
        finally:
            if not all(answer.done() for answer in asked):
                self._give_up(asked)
        if any(answer.cancelled() for answer in asked):
            raise BusAway(f"NATS did not answer within {seconds:g} s.")
        found = [msg for answer in asked if (msg := answer.result()) is not None]
        if len(found) < len(asked):
            raise BusAway("The connection to NATS was lost.")
        return found

    async def api(self, subject: str, body: Mapping[str, Any] | None = None, *, seconds: float) -> dict[str, Any]:
        """Ask the JetStream API. Raises Refused, and BusAway."""
        asked = await self.ask(f"$JS.API.{subject}", orjson.dumps(body) if body is not None else b"")
        return understood((await self.answers([asked], seconds))[0])

    async def inbox(self, received: Callable[[Msg], Awaitable[None]] | None = None) -> Inbox:
        """Somewhere to be answered more than once. `received` takes each message first, when given."""
        inbox = Inbox(self, self._client.new_inbox())
        await inbox.open(received or inbox.put)
        self._inboxes.add(inbox)
        return inbox

    async def subscribe(self, subject: str, received: Callable[[Msg], Awaitable[None]]) -> Subscription:
        """Raises BusAway."""
        if self.lost.is_set():
            raise BusAway("The connection to NATS was lost.")
        try:
            return await self._client.subscribe(subject, cb=received)
        except nats.errors.Error:
            raise BusAway("The connection to NATS was lost.") from None

    def forget(self, inbox: Inbox) -> None:
        self._inboxes.discard(inbox)

    def abort(self) -> None:
        self._wire.abort()

    async def close(self, *, flush: bool = False) -> None:
        """`flush`: what was handed to the connection leaves first, if the server takes it."""
        if flush and not self.lost.is_set():
            flushing = asyncio.create_task(self._client.flush())
            await asyncio.wait({flushing}, timeout=GOODBYE_SECONDS)
            self.abort()
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
        self.abort()
        with contextlib.suppress(Exception):
            await self._client.close()

    async def _answered(self, msg: Msg) -> None:
        answer = self._answers.pop(msg.subject.rpartition(".")[2], None)
        if answer is not None and not answer.done():
            answer.set_result(msg)

    async def _report(self, error: Exception) -> None:
        self._error = error
        if "permissions violation" in str(error).lower():
            _log.warning("NATS does not allow something that Pacemark needs: %s", plain(error).removeprefix("nats: "))

    def _give_up(self, asked: Sequence[Answer]) -> None:
        for answer in asked:
            answer.cancel()
        self._answers = {token: answer for token, answer in self._answers.items() if not answer.done()}

    def _over(self) -> None:
        self.lost.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)
        self._answers.clear()
        for inbox in self._inboxes:
            inbox.end()


class Inbox:
    """A subject of one's own, and what came there. Each question may give it a last part of its own."""

    def __init__(self, session: Session, subject: str) -> None:
        self.session = session
        self.subject = subject
        self._queue: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._subscription: Subscription | None = None

    async def open(self, received: Callable[[Msg], Awaitable[None]]) -> None:
        self._subscription = await self.session.subscribe(f"{self.subject}.*", received)

    async def put(self, msg: Msg) -> None:
        self._queue.put_nowait(msg)

    def end(self) -> None:
        self._queue.put_nowait(None)

    def first(self) -> Msg | None:
        """What is there already, one at a time; None when nothing is."""
        while not self._queue.empty():
            if (msg := self._queue.get_nowait()) is not None:
                return msg
        return None

    async def next(self, seconds: float) -> Msg | None:
        """None when nothing came for so long. Raises BusAway."""
        if (msg := self.first()) is not None:
            return msg
        if not self.session.lost.is_set():
            try:
                async with asyncio.timeout(seconds):
                    msg = await self._queue.get()
            except TimeoutError:
                return None
        if msg is None:
            raise BusAway("The connection to NATS was lost.")
        return msg

    async def close(self, *, drain: bool = False) -> None:
        """`drain`: what the server has sent by now is still received, and then no more."""
        self.session.forget(self)
        if self._subscription is None or self.session.lost.is_set():
            return
        if not drain:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()
            return
        draining = asyncio.create_task(self._subscription.drain())  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait({draining}, timeout=GOODBYE_SECONDS)
        finally:
            if not draining.done():
                # nats-py trips over an answer to a question that was given up: no more of this connection.
                self.session.abort()
                draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)


def status(msg: Msg) -> str | None:
    """Of a message that the server itself wrote; None when it is one that was published."""
    return msg.headers.get("Status") if msg.headers and not msg.data else None


def understood(msg: Msg) -> dict[str, Any]:
    """An answer of JetStream. Raises Refused, and BusAway when it is none."""
    if status(msg) is not None:
        raise Refused(NO_RESPONDERS, "there is no such stream, or no JetStream")
    try:
        answer = orjson.loads(msg.data)
        error = answer.get("error")
        if error is None:
            return dict(answer)
        code, description = int(error.get("err_code") or error.get("code")), plain(error.get("description", ""))
    except (ValueError, TypeError, AttributeError):
        raise BusAway("NATS answered something that is not JetStream's.") from None
    raise Refused(code, description)
