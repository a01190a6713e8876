"""`pacemark demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of Pacemark; 0 takes a free one.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The data folder, which is kept; else one is made, and thrown away in the end.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="Stay up in the end, for the report to be read, or end.  (--wait; with --json --no-wait)",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
) -> None:
    """See Pacemark find out that a site has become slow, in under two minutes.

    It serves a small site of three pages on this machine, measures it until a baseline stands, makes two of the pages
    200 ms slower, measures again, and waits until that is confirmed. Everything is really measured, by the same processes
    as those of `pacemark up`; the settings in the environment do not count.

    Exit status: 0 the slowness was found, there and nowhere else; 1 it was not; 2 it could not be tried; 130 interrupted.
    """
    from app.demo import command

    raise typer.Exit(command.run(command.Wish(port, data, stays=not json if wait is None else wait, as_json=json)))
