"""The connection of a process to NATS: made anew for ever, on whichever of its servers answers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from . import addresses
from .addresses import Server
from .errors import BusAway, NatsUnusable
from .session import Session
from .wire import NoTlsError

_log = logging.getLogger(__name__)

RETRY_SECONDS = 0.25
UNUSABLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds: until a silent server counts as away; between pings; until a call that nobody deals with goes to another."""

    answer: float = 5.0
    ping: int = 5
    ack: float = 30.0


class Connection:
    """`began` is called with each new session before anybody else has it, and may raise: then nobody gets it."""

    def __init__(self, url: str, *, name: str, patience: Patience, began: Callable[[Session], Awaitable[None]]) -> None:
        self._servers = addresses.read(url)
        self._name = name
        self._patience = patience
        self._began = began
        self._session: Session | None = None
        self._unusable: NatsUnusable | None = None
        self._known = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._told = False

    @property
    def connected(self) -> bool:
        return self._session is not None and not self._session.lost.is_set()

    @property
    def session(self) -> Session:
        """The present one. Raises BusAway."""
        if self._session is None or self._session.lost.is_set():
            raise BusAway("NATS is away.")
        return self._session

    async def ready(self, seconds: float | None) -> Session:
        """The present session, or the next that comes within so long. Raises BusAway."""
        try:
            async with asyncio.timeout(seconds):
                while not self.connected:
                    await self._news()
        except TimeoutError:
            raise BusAway("NATS is away.") from None
        return self.session

    async def usable(self, seconds: float) -> Session:
        """The same, but raises NatsUnusable as soon as it is known that people have to act first."""
        try:
            async with asyncio.timeout(seconds):
                while not self.connected:
                    if self._unusable is not None:
                        raise NatsUnusable(str(self._unusable))
                    await self._news()
        except TimeoutError:
            raise BusAway("NATS is away.") from None
        return self.session

    async def _news(self) -> None:
        self._known.clear()
        await self._known.wait()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name="NATS connection")

    async def stop(self) -> None:
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        first = random.randrange(len(self._servers))  # noqa: S311 - it spreads the load
        for server in itertools.islice(itertools.cycle(self._servers), first, None):
            try:
                session = await Session.open(server, name=self._name, ping=self._patience.ping)
                await self._serve(session, server)
            except NatsUnusable as error:
                self._refuse(server, error)
            except Exception as error:
                self._away(server, _reason(error))
            # nats-py may swallow a cancellation that comes together with an answer.
            if self._stopping:
                return
            pause = UNUSABLE_SECONDS if self._unusable is not None else RETRY_SECONDS
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that not all come at once

    async def _serve(self, session: Session, server: Server) -> None:
        try:
            await self._began(session)
            self._session, self._unusable = session, None
            self._known.set()
            if self._told:
                _log.info("NATS at %s is back.", server)
                self._told = False
            while not self._stopping and not session.lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._patience.ping):
                        await session.lost.wait()
                if session.silent_for() > 2 * self._patience.ping:
                    self._away(server, "it does not answer")
                    return
            if not self._stopping:
                self._away(server, "the connection ended")
        finally:
            await session.close(flush=self._stopping)
            self._session = None

    def _refuse(self, server: Server, error: NatsUnusable) -> None:
        if self._unusable is None or str(self._unusable) != str(error):
            _log.error("NATS at %s cannot be used. %s", server, error)
        self._unusable, self._told = error, True
        self._known.set()

    def _away(self, server: Server, reason: str) -> None:
        if not self._told:
            _log.warning("NATS at %s is away (%s); trying again until it is back.", server, reason)
            self._told = True


def _reason(error: Exception) -> str:
    """Why there is no connection, in words that quote nothing."""
    if "authorization" in str(error).lower() or "authentication" in str(error).lower():
        return "it refuses the user, the password or the token"
    if isinstance(error, BusAway):
        return str(error).rstrip(".")
    if isinstance(error, NoTlsError):
        return "it offers no TLS, which tls:// asks for"
    return type(error).__name__
