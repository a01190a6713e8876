"""The data folder: its private files, and how several processes keep out of one another's way in it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from app.errors import Unusable


def make(folder: Path) -> None:
    """The folder, for its owner alone where it is new. Raises Unusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unusable(f"The data folder {str(folder)!r} cannot be made: {error.strerror}.") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Unusable(f"The data folder {str(folder)!r} cannot be written to.")


def kept_text(path: Path, make_text: Callable[[], str]) -> str:
    """The text of a private file, made by whoever comes first: linked into place whole, so that nobody reads half."""
    make(path.parent)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make_text())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


@asynccontextmanager
async def alone(folder: Path) -> AsyncGenerator[None, None]:
    """No other process is in such a block for this folder meanwhile."""
    make(folder)
    with (folder / "setup.lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


class WorkerLock:
    """Who holds it works the folder's audits: one process, or several at once where the database is a server (`shared`).

    The file's text is the address at which the holder answers, empty when it has none. The system lets go of the
    lock when its holder dies.
    """

    def __init__(self, folder: Path, *, shared: bool) -> None:
        make(folder)
        self._shared = shared
        self._file = (folder / "worker.lock").open("a+")

    def take(self, address: str = "") -> bool:
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._file.truncate(0)
        self._file.write(address)
        self._file.flush()
        return True

    def held_elsewhere(self) -> bool:
        """Whether another process works this folder's audits right now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return False

    def address(self) -> str:
        """Where the holder answers."""
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Lets go."""
        self._file.close()
