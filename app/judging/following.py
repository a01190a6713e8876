"""How far a snapshot has come, live on standard error, until there is nothing more to come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.asking import There
from app.errors import Unusable
from app.judging import snapshots

LOOK_SECONDS = 1.0
JUDGED_LOOK_SECONDS = 5.0
"""What is measured again for a confirmation takes minutes."""

UNTOUCHED_SECONDS = 15.0
"""Where nothing was begun after so long, nobody may be there to begin it."""

PATIENCE_SECONDS = 60.0
"""For so long nobody may answer: a build does not fail since a server is started anew."""

NOBODY = "Nothing is begun yet. Is a worker running: `pacemark up`, or `pacemark worker` and `pacemark scheduler`?"

_ORDINALS = ("first", "second", "third", "fourth")

T = TypeVar("T")
Show = Callable[[Mapping[str, Any]], None]


async def follow(there: There, id: str, *, timeout: float | None, errors: Console) -> bool:
    """Whether it was judged, or cancelled, before the time was over (seconds). Raises Unusable."""
    clock = asyncio.get_running_loop().time
    began, asked = clock(), False
    away_since: float | None = None
    with shown(errors) as show:
        while True:
            pause = LOOK_SECONDS
            try:
                about = await snapshots.one(there, id)
            except Unusable:
                away_since = clock() if away_since is None else away_since
                if clock() - away_since >= PATIENCE_SECONDS:
                    raise
            else:
                away_since = None
                show(about)
                if about["judgedAt"] is not None or about["state"] == "CANCELLED":
                    return True
                if about["state"] != "RUNNING":
                    pause = JUDGED_LOOK_SECONDS if clock() - began > UNTOUCHED_SECONDS else LOOK_SECONDS
                elif not asked and clock() - began > UNTOUCHED_SECONDS and _untouched(about):
                    asked = True
                    errors.print(NOBODY, markup=False, soft_wrap=True)
            if timeout is not None:
                left = began + timeout - clock()
                if left <= 0:
                    return False
                pause = min(pause, left)
            await asyncio.sleep(pause)


async def patiently(read: Callable[[], Awaitable[T]]) -> T:
    """What is read, though nobody may answer for a while. Raises Unusable."""
    clock = asyncio.get_running_loop().time
    away_since: float | None = None
    while True:
        try:
            return await read()
        except Unusable:
            away_since = clock() if away_since is None else away_since
            if clock() - away_since >= PATIENCE_SECONDS:
                raise
        await asyncio.sleep(LOOK_SECONDS)


def _untouched(about: Mapping[str, Any]) -> bool:
    progress = about["progress"]
    return bool(progress["queued"] == progress["total"])


def words(about: Mapping[str, Any]) -> str:
    progress = about["progress"]
    if about["judgedAt"] is not None:
        return "judged"
    if about["state"] == "CANCELLED":
        return "cancelled"
    if about["state"] == "FINISHED":
        again = len(about["confirmations"])
        if again and about["confirmations"][-1]["state"] == "RUNNING":
            return f"what is suspected is being measured again ({_ORDINALS[min(again, len(_ORDINALS)) - 1]} time)"
        return "being judged; what is suspected is measured again after a while"
    parts = [f"{progress['finished']:,} of {progress['total']:,} measured"]
    parts += [f"{progress[name]:,} {name}" for name in ("running", "failed") if progress[name]]
    return ", ".join(parts)


@contextmanager
def shown(console: Console) -> Generator[Show, None, None]:
    """Takes the snapshot as often as it is read: a line that moves in a terminal, a line a change elsewhere."""
    if not console.is_terminal:
        last = ""

        def tell(about: Mapping[str, Any]) -> None:
            nonlocal last
            if words(about) != last:
                last = words(about)
                console.print(f"{about['id']}: {last}", markup=False, highlight=False, soft_wrap=True)

        yield tell
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def move(about: Mapping[str, Any]) -> None:
            stands = about["progress"]
            ended = stands["finished"] + stands["failed"] + stands["cancelled"]
            total = stands["total"] if about["state"] == "RUNNING" else None
            progress.update(task, description=words(about), completed=ended, total=total)

        yield move
