"""`pacemark secrets`: what it takes to replace the installation's secret."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from app.commands import opening
from app.commands.options import Data

if TYPE_CHECKING:
    from app.resealing import Tally
    from app.settings import Settings

app = typer.Typer(name="secrets", help="The installation's secret.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What lies sealed under the installation's secret, PACEMARK_SECRET."""


@app.command()
def reseal(data: Data = None) -> None:
    """Seal anew what was sealed under a former secret. Status 1 where something cannot be opened.

    Sites' access, signing keys and waiting mails, while everything else runs on. Every process is to know the new secret
    before. What was done stays done when this is interrupted; to run it again does no harm.
    """
    from app import settings
    from app.commands import tables

    loaded = settings.load(data=data)
    tallies = asyncio.run(_reseal(loaded))
    tables.show_resealed(tallies, former=bool(loaded.former_secrets))
    if any(tally.lost for tally in tallies):
        raise typer.Exit(1)


async def _reseal(settings: Settings) -> list[Tally]:
    from app import resealing

    async with opening.house(settings) as house:
        with _shown() as told:
            return await resealing.reseal(house.database, house.keyring, told)


@contextmanager
def _shown() -> Generator[Callable[[str, int, int], None], None, None]:
    """A bar for each kind, on standard error and in a terminal alone."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda kind, done, total: None
        return
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = dict[str, TaskID]()

        def told(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = progress.add_task(kind, total=total)
            progress.update(tasks[kind], completed=done, total=max(done, total))

        yield told
