"""Passwords: argon2id (RFC 9106), a few at once, and as long for an account that is not there as for one that is."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from ..errors import InvalidInput, LimitReached, ProblemCode

T = TypeVar("T")

SHORTEST = 10
LONGEST = 256
"""Characters of a password."""

AT_ONCE = 2
WAITING = 64
"""So many are looked at, each on a thread of its own with 19 MiB; so many more wait, and the others are sent away."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
"""The parameters are OWASP's (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html)."""

_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$tjr9xyJhAebcIx7antQ6Ug$hNslCPS2YMXpg1wbKCjXPU873RTbBRhojdbHag9zKBQ"
"""Made with these parameters, so that it takes as long to look at as anybody's."""


class Passwords:
    """One for a process. `close` it in the end."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._room = at_once + waiting
        self._working = 0

    async def hash(self, password: str) -> str:
        """What is stored of a good one. Raises LimitReached when too many are being looked at."""
        if (wrong := fault(password)) is not None:
            raise ValueError(wrong)
        return await self._work(_HASHER.hash, prepared(password))

    async def verify(self, password: str, hash: str | None) -> bool:
        """Whether it is the one; None is the hash of an account that is not there. Raises LimitReached."""
        found = await self._work(_verified, _NOBODYS if hash is None else hash, prepared(password[: LONGEST + 1]))
        return found and hash is not None

    async def _work(self, function: Callable[..., T], *given: str) -> T:
        if self._working >= self._room:
            raise LimitReached("Too many are signing in at once: try again in a moment.", self._room)
        self._working += 1
        working = asyncio.get_running_loop().run_in_executor(self._threads, function, *given)
        # A thread cannot be stopped: whoever leaves meanwhile keeps their place until it is done.
        working.add_done_callback(self._done)
        return await asyncio.shield(working)

    def _done(self, _working: asyncio.Future[T]) -> None:
        self._working -= 1

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)


def prepared(password: str) -> str:
    """The same however it was typed (RFC 8265, 4.2: spaces are spaces, and Unicode's composed form)."""
    return unicodedata.normalize("NFC", "".join(" " if unicodedata.category(each) == "Zs" else each for each in password))


def fault(password: str) -> str | None:
    """What is wrong with a new one: its length alone; nobody asks for kinds of characters (NIST SP 800-63B-4, 3.1.1.2)."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters."
    return None


def check_password(password: str, path: str) -> None:
    """Raises InvalidInput for one that is not fit to be a new one."""
    if (wrong := fault(password)) is not None:
        raise InvalidInput.at(path, wrong, ProblemCode.OUT_OF_RANGE)


def is_outdated(hash: str) -> bool:
    """Whether it was made with other parameters than are used now: then it is made anew at the next sign-in."""
    return _HASHER.check_needs_rehash(hash)


def _verified(hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(hash, password)
    except (Argon2Error, InvalidHashError):
        return False
