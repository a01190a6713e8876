"""What `pacemark status` does from beginning to end, and what its exit status says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from app import remote, settings
from app.asgi import services_of
from app.auditing.plain import plain
from app.bootstrap import owner
from app.commands import opening
from app.errors import Unusable
from app.remote import KEY
from app.settings import Settings
from app.status import query, screen
from app.status.query import Status, Wish
from graph.callers import Caller
from graph.execution import Operations
from graph.operations import Asked, Rejected
from graph.schema import schema

CHANGED = 1


def run(wish: Wish, *, server: str | None, data: Path | None, top: int, as_json: bool, fail_on_change: float | None) -> int:
    """The exit status. Raises Unusable."""
    query.checked_metric(wish.metric)
    asking = _here(settings.load(data=data), wish) if server is None else _there(server, wish)
    status = asyncio.run(asking)
    if as_json:
        typer.echo(screen.as_json(status, top))
    else:
        screen.show(status, top)
    limit = fail_on_change / 100 if fail_on_change is not None else None
    too_bad = limit is not None and any(page.worse is not None and page.worse > limit for page in status.pages)
    return CHANGED if too_bad else 0


async def _there(url: str, wish: Wish) -> Status:
    async with remote.opened(url, os.environ.get(KEY), option="--server") as there:
        where = f"that the key in {KEY} opens. Name its own: --workspace SLUG"
        return await query.ask(there.ask, wish, where)


async def _here(settings: Settings, wish: Wish) -> Status:
    async with opening.house(settings) as house:
        actor = await owner(house, await opening.find(house.database.reader, wish.workspace))
        operations = Operations(schema, services_of(house))

        async def ask(text: str, **variables: Any) -> Mapping[str, Any]:
            try:
                prepared = await operations.prepare(Asked(text, variables=variables), Caller(actor, "command line"))
                result = await operations.result(prepared)
            except Rejected as refused:
                raise Unusable(plain(str(refused), 500)) from None
            if result.errors or result.data is None:
                raise Unusable(plain(result.errors[0].message if result.errors else "There is no answer.", 500))
            return result.data

        return await query.ask(ask, wish, "here.")
