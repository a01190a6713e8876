"""Options that several commands share."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The data folder.  (PACEMARK_DATA; else the user's own)", show_default=False),
]
Host = Annotated[
    str | None,
    typer.Option(help="The address to listen on.  (PACEMARK_HOST; else 127.0.0.1)", show_default=False),
]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="The port; 0 takes a free one.  (PACEMARK_PORT; else 8000)", show_default=False),
]
Workspace = Annotated[str, typer.Option(metavar="SLUG", help="The workspace.")]
Client = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The API client, as `pacemark clients list` shows it.", show_default=False),
]

Server = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Ask the Pacemark whose GraphQL is here, with the key in PACEMARK_KEY.  (else the data folder's)",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


def duration(text: str) -> timedelta | None:
    """Hours or days, such as 12h or 90d; None for what is neither."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([hd])", text, re.ASCII)
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1)) if found is not None else None
