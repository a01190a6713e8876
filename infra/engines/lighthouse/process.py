"""A child process in a process group of its own, which ends as a whole."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

GRACE = 2.0


@asynccontextmanager
async def process_group(
    argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], stderr: IO[bytes]
) -> AsyncIterator[Process]:
    """Starts a program with piped stdin and stdout; leaving ends it and everything that it started."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        cwd=cwd,
        env=env,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        await _end(process, cwd)


async def _end(process: Process, folder: Path) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        if process.returncode is None:
            _signal(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE)
    finally:
        # Also when this very wait is cancelled: nothing may stay behind.
        _signal(process.pid, signal.SIGKILL)
        for stray in _strays(folder):
            with suppress(ProcessLookupError):
                os.kill(stray, signal.SIGKILL)
    await process.wait()
    for _ in range(round(GRACE / 0.02)):
        if not _signal(process.pid, 0):
            return
        await asyncio.sleep(0.02)


def _strays(folder: Path) -> list[int]:
    """Processes that left the group but were told to work in the folder: Chromium's crash handlers, on Linux."""
    option = f"={folder}/".encode()
    found = []
    for entry in Path("/proc").glob("[1-9]*/cmdline"):
        with suppress(OSError):
            if any(word.startswith(b"--") and option in word for word in entry.read_bytes().split(b"\0")):
                found.append(int(entry.parent.name))
    return found


def _signal(group: int, number: int) -> bool:
    """Whether the group had a process to signal. Its id is not given to another process while it has one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
