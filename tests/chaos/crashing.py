"""`python -m tests.chaos.crashing serve …`: a `pacemark` that can be told to die between a commit and its publishing.

Once the file that CHAOS_DOOM names is there, the next unit of work that leaves work to others is the process's last: it
is committed, nothing of it is published, and the file is gone. SIGUSR2 prints how many tasks the event loop has.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from app import cli
from domain.work import Work
from infra.bus.relay import Relay

_PR_SET_PDEATHSIG = 1


def arm(doom: Path) -> None:
    publish = Relay.committed

    def committed(self: Relay, work: Work) -> None:
        if work.calls and doom.exists():
            doom.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        publish(self, work)

    Relay.committed = committed  # type: ignore[method-assign]


def die_with_the_trial() -> None:
    """Whatever ends the trial, nothing of it stays behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def count_tasks(*_: Any) -> None:
    names = Counter(_name(task) for task in asyncio.all_tasks())
    print(f"tasks {names.total()} {dict(names.most_common(12))}", flush=True)


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "?")


if __name__ == "__main__":
    die_with_the_trial()
    arm(Path(os.environ["CHAOS_DOOM"]))
    signal.signal(signal.SIGUSR2, count_tasks)
    cli.main()
