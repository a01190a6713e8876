"""One Lighthouse per machine: two at once would measure one another."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

from domain.measuring import EngineFailure, FailureKind

RETRY_EVERY = 0.25


class MachineLock:
    """An exclusive flock(2) on a file, which the kernel releases when its holder dies. Used once."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            with contextlib.suppress(PermissionError):
                os.fchmod(self._file, 0o666)  # whatever the umask: it is every user's of the machine, and holds nothing
        except OSError as error:
            message = f"The file that keeps Lighthouse runs of this machine apart cannot be opened: {path.name}."
            raise EngineFailure(FailureKind.CONFIGURATION, "LOCK_FILE_UNUSABLE", message) from error

    def take(self) -> bool:
        """Whether the lock is ours now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def wait(self) -> None:
        while not self.take():  # noqa: ASYNC110 - a blocking flock would need a thread, which cannot be cancelled
            await asyncio.sleep(RETRY_EVERY)

    def close(self) -> None:
        os.close(self._file)
