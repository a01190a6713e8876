"""What `pacemark status` does from beginning to end, and what its exit status says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import typer

from app import asking
from app.commands.options import given
from app.status import query, screen
from app.status.query import Stand, Status, Wish

CHANGED = 1
NOTHING_COMPARED = 2


class Where(NamedTuple):
    """Which workspace, of another server or of a data folder."""

    workspace: str
    server: str | None
    data: Path | None


def run(wish: Wish, where: Where, *, top: int | None, as_json: bool, fail_on_change: float | None) -> int:
    """The exit status. Raises Unusable."""
    query.checked_metric(wish.metric)
    status = asyncio.run(_ask(wish, where))
    if as_json:
        typer.echo(screen.as_json(status, top))
    else:
        screen.show(status, top, f"pacemark alerts list{given(where.workspace, where.server, where.data)}")
    return _judged(status, fail_on_change / 100) if fail_on_change is not None else 0


async def _ask(wish: Wish, where: Where) -> Status:
    async with asking.opened(where.workspace, server=where.server, data=where.data) as there:
        return await query.ask(there, wish)


def _judged(status: Status, limit: float) -> int:
    """What could not be looked at is not green."""
    if any(page.stand is Stand.WORSE and page.worse is not None and page.worse > limit for page in status.pages):
        return CHANGED
    if status.compared:
        return 0
    old = f", and {status.tally[Stand.OLD]:,} were not measured for long" if status.tally[Stand.OLD] else ""
    typer.echo(f"Nothing could be compared: no page has a newest audit with two alike before it{old}.", err=True)
    return NOTHING_COMPARED
