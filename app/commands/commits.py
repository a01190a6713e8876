"""Options by which commands are told what Git knows."""

from __future__ import annotations

from typing import Annotated

import typer

Hash = Annotated[str | None, typer.Option("--commit", metavar="HASH", help="The commit's hash.", show_default=False)]
Branch = Annotated[str | None, typer.Option(metavar="NAME", help="The branch that it is on.", show_default=False)]
Author = Annotated[str | None, typer.Option(metavar="NAME", help="Who wrote it.", show_default=False)]
Message = Annotated[str | None, typer.Option(metavar="TEXT", help="What they said of it.", show_default=False)]
Site = Annotated[str, typer.Argument(metavar="SITE", help="The site: its slug, address or id.", show_default=False)]
Environment = Annotated[str | None, typer.Option(metavar="NAME", help="The environment.  (production)", show_default=False)]
