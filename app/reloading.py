"""`pacemark up --reload`: the same in a child process, started again whenever a Python file of ours changes."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import typer
import watchfiles

from app import server
from app.errors import Unusable
from app.settings import Settings

ROOMS = ("app", "graph", "infra", "domain", "migrations")


def supervise(settings: Settings) -> None:
    """Returns when it is interrupted. Raises Unusable in production."""
    if settings.is_production:
        raise Unusable("PACEMARK_ENV=production runs the code that was started: it forbids --reload.")
    # Every start takes the same port, also where any would do; and a taken one is said once, here.
    listening = server.listen(settings.host, settings.port)
    port = listening.getsockname()[1]
    listening.close()
    root = Path(__file__).parents[1]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "app", "up", "--host", settings.host, "--port", str(port), "--data", str(settings.data)]
    watchfiles.run_process(
        *(root / room for room in ROOMS),
        target=shlex.join(command),
        target_type="command",
        watch_filter=watchfiles.PythonFilter(),
        callback=lambda changes: typer.echo(f"Changed: {_names(changes, root)}. Starting again.", err=True),
    )


def _names(changes: set[tuple[watchfiles.Change, str]], root: Path) -> str:
    return ", ".join(sorted(str(Path(path).relative_to(root)) for _, path in changes)[:3])
