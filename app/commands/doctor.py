"""`pacemark doctor`."""

from __future__ import annotations

import asyncio

import typer

from app.commands.options import Data

app = typer.Typer()


@app.command()
def doctor(data: Data = None) -> None:
    """Name what is unsafe about the settings, and what would be right. Status 1 where something is.

    Reads the settings as `pacemark serve` would, and asks the database what its role may do. Changes nothing.
    """
    from app import settings
    from app.commands import tables
    from app.doctor import Gravity, faults
    from app.errors import Unusable
    from infra.db.roles import standing_of_role

    loaded = settings.load(data=data)
    try:
        role = asyncio.run(standing_of_role(loaded.database))
    # Whatever goes wrong here, and each driver has its own words for it, we could not get in.
    except Exception as error:
        raise Unusable("The database cannot be reached: see that it runs where PACEMARK_DATABASE_URL says.") from error
    found = list(faults(loaded, role))
    tables.show_faults(found)
    if any(each.gravity is Gravity.UNSAFE for each in found):
        raise typer.Exit(1)
