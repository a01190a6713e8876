"""One connection for all calls of a process: commands follow one another without waiting for the answers.

A third of the work of a pool's for each call, and nobody queues for a connection (measured: `docs/decisions/0007`).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from .scripts import Script

# A loop that is itself so late has not read yet what may have come.
LATE = 0.05


class PipelinedConnection:
    """Lives once: from `open` until it fails, by itself or by `fail`. An answer that takes longer than `patience` fails it."""

    def __init__(self, connection: AbstractConnection, patience: float) -> None:
        self._connection: Any = connection
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._asked: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._listening: asyncio.Task[None] | None = None
        self.failed: asyncio.Future[Exception] = self._loop.create_future()

    async def open(self) -> None:
        """Raises RedisError, OSError."""
        await self._connection.connect()
        self._listening = asyncio.create_task(self._listen(), name="redis answers")

    async def ask(self, *command: str | bytes | float) -> Any:
        """The answer. Raises RedisError: that the connection has failed, or the server's refusal, by which it fails too.

        Two refusals are ordinary ones, NoScriptError and what `is_wrong_type`.
        """
        if self.failed.done():
            raise RedisConnectionError("the connection has failed")
        answer = self._loop.create_future()
        self._asked.append((self._loop.time(), answer))
        if self._timer is None:
            self._watch_in(self._patience)
        try:
            # Nothing is awaited before the bytes are in the buffer, so answers come in the order of `_asked`.
            await self._connection.send_command(*command)
        except BaseException as error:
            answer.cancel()
            self.fail(error if isinstance(error, Exception) else RedisConnectionError("a command was broken off"))
            if isinstance(error, RedisError) or not isinstance(error, Exception):
                raise
            raise RedisConnectionError("a command could not be sent") from error
        said = await answer
        if isinstance(said, RedisError):
            if not isinstance(said, NoScriptError) and not is_wrong_type(said):
                self.fail(said)
            raise said
        return said

    async def run(self, script: Script, key: str, *numbers: float) -> tuple[bool, float]:
        """The script's two numbers, in one round trip; in two after the server has forgotten it. Raises RedisError."""
        try:
            said = await self.ask("EVALSHA", script.digest, 1, key, *numbers)
        except NoScriptError:
            said = await self.ask("EVAL", script.text, 1, key, *numbers)
        granted, number = said.split()
        return granted == b"1", float(number)

    def fail(self, error: Exception) -> None:
        """Everybody who waits is told so, and nobody may ask any more."""
        if self.failed.done():
            return
        self.failed.set_result(error)
        while self._asked:
            _, answer = self._asked.popleft()
            if not answer.done():
                # Not as its exception, about which the loop complains when nobody is left to see it.
                answer.set_result(RedisConnectionError("the connection has failed"))

    async def close(self) -> None:
        self.fail(RedisConnectionError("the connection was closed"))
        if self._timer is not None:
            self._timer.cancel()
        try:
            if self._listening is not None:
                self._listening.cancel()
                await asyncio.gather(self._listening, return_exceptions=True)
        finally:  # who closes may be cancelled meanwhile
            with suppress(RedisError, OSError):
                await self._connection.disconnect(nowait=True)

    async def _listen(self) -> None:
        try:
            while True:
                try:
                    said = await self._connection.read_response(timeout=math.inf, disconnect_on_error=False)
                except ResponseError as refusal:
                    said = refusal
                _, answer = self._asked.popleft()
                if not answer.done():
                    answer.set_result(said)
        except Exception as error:
            self.fail(error)

    def _watch_in(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._watch, self._loop.time() + seconds)

    def _watch(self, due: float) -> None:
        self._timer = None
        if not self._asked:
            return
        now = self._loop.time()
        left = self._asked[0][0] + self._patience - now
        if left > 0:
            self._watch_in(left)
        elif now - due > LATE:
            self._watch_in(LATE)
        else:
            self.fail(RedisTimeoutError(f"no answer within {self._patience * 1000:.0f} ms"))


def is_wrong_type(error: RedisError) -> bool:
    """A key holds another thing than it was asked for."""
    return str(error).startswith("WRONGTYPE")
