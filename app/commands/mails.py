"""`pacemark mails`: those that wait, and those that were given up."""

from __future__ import annotations

import asyncio
import json as as_json
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.commands import opening
from app.commands.options import Data
from app.errors import Unusable

if TYPE_CHECKING:
    from app.settings import Settings
    from domain import mails

app = typer.Typer(name="mails", help="Mails that are not sent yet.", no_args_is_help=True)

PIECE = 500


@app.callback()
def group() -> None:
    """Mails that are not sent: they wait for their next try, or were given up after a day of them."""


@app.command("list")
def listed(
    dead: Annotated[bool, typer.Option("--dead", help="Those alone that were given up.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
    data: Data = None,
) -> None:
    """List the mails that are not sent, the oldest first: to whom, masked, and what was said when it was tried last."""
    from app import settings
    from app.commands import tables

    rows = [each for each in asyncio.run(_pending(settings.load(data=data))) if each.row.dead_at or not dead]
    if json:
        typer.echo(as_json.dumps([tables.mail_as_json(each) for each in rows], indent=2))
    else:
        tables.show_mails(rows)


@app.command()
def retry(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Mails that were given up, as `pacemark mails list` shows them.", show_default=False
        ),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    data: Data = None,
) -> None:
    """Try mails that were given up for another day.

    A link in a mail is good for as long as it was when the mail was written: an hour for a new password, a day for an
    address, a week for an invitation.
    """
    from app import settings

    if bool(ids) is all:
        raise Unusable("Name mails by their ids, or give --all. They are listed by: pacemark mails list --dead")
    wanted = [_decoded(id) for id in ids] if ids else None
    done = asyncio.run(_retry(settings.load(data=data), wanted))
    number = f"{done:,} {'mail is' if done == 1 else 'mails are'} tried again."
    typer.echo(number if done else "No mail was given up.")


def _decoded(text: str) -> UUID:
    """Raises Unusable."""
    from domain import mails

    id = mails.parse(text)
    if id is None:
        raise Unusable("This is not a mail's id, which looks like mail_018f…, with 32 hex digits.")
    return id


async def _pending(settings: Settings) -> list[mails.Pending]:
    from domain import mails

    async with opening.house(settings) as house:
        return [each async for each in mails.pending(house.database.reader, house.keyring)]


async def _retry(settings: Settings, wanted: list[UUID] | None) -> int:
    """How many are tried again. Raises Unusable, where not all that are named were given up; then none is."""
    from domain import mails
    from domain.access import SYSTEM

    async with opening.house(settings) as house:
        if wanted is not None:
            async with house.database.work(SYSTEM) as work:
                done = await mails.retry(work, wanted)
                if missing := [id for id in wanted if id not in done]:
                    raise Unusable(f"No mail of this id was given up: {', '.join(map(mails.named, missing))}")
            return len(done)
        dead = [each.row.id async for each in mails.pending(house.database.reader, house.keyring) if each.row.dead_at]
        number = 0
        for start in range(0, len(dead), PIECE):
            async with house.database.work(SYSTEM) as work:
                number += len(await mails.retry(work, dead[start : start + PIECE]))
        return number
