"""Options that several commands share."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.auditing.plain import plain

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


_LONGEST = 4_096
DEFAULT = "default"
"""The workspace that is meant where none is named."""


def given(workspace: str, server: str | None, data: Path | None) -> str:
    """What leads another command to the same place, to be written behind it: nothing where nothing was said."""
    named = workspace if workspace != DEFAULT else None
    said = {"--server": server, "--workspace": named, "--data": str(data) if data is not None and server is None else None}
    return "".join(f" {option} {shlex.quote(plain(value, _LONGEST))}" for option, value in said.items() if value is not None)


def duration(text: str) -> timedelta | None:
    """Hours or days, such as 12h or 90d; None for what is neither."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([hd])", text, re.ASCII)
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1)) if found is not None else None
