"""`pacemark up`, `serve`, `worker` and `scheduler`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from app.commands.options import Data, Host, Port

app = typer.Typer()


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start again whenever the code changes.")] = False,
) -> None:
    """Run everything in one process: the API, GraphiQL, the worker and the scheduler, over files in one folder.

    Prints a key (in production, where it lies), a link and what to do next, and ends with the line
    "ready http://HOST:PORT/graphql". On a loopback address, private targets may be audited.
    """
    from app import logs, processes, settings

    loaded = settings.load(host=host, port=port, data=data)
    if reload:
        from app import reloading

        reloading.supervise(loaded)
        return
    logs.configure(production=loaded.is_production)
    processes.run(partial(processes.up, loaded))


@app.command()
def serve(host: Host = None, port: Port = None, data: Data = None) -> None:
    """Run the API alone, as in production: nothing is migrated and nothing is measured here."""
    from app import logs, processes, settings

    loaded = settings.load(host=host, port=port, data=data)
    logs.configure(production=loaded.is_production)
    processes.run(partial(processes.serve, loaded))


@app.command()
def worker(
    data: Data = None,
    drain: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long running audits may go on after SIGTERM.")
    ] = 25.0,
) -> None:
    """Run the worker alone: it takes audits and measures them. There may be any number of them.

    Private targets are refused unless PACEMARK_ALLOW_PRIVATE_TARGETS says otherwise. On SIGTERM nothing new is taken, and
    what does not end in time is given back.
    """
    from app import logs, processes, settings

    loaded = settings.load(data=data)
    logs.configure(production=loaded.is_production)
    processes.run(partial(processes.worker, loaded, drain_seconds=drain))


@app.command()
def scheduler(data: Data = None) -> None:
    """Run the scheduler alone: it fires schedules and sweeps up after workers that died.

    There may be any number of them: one acts, and another takes over within seconds when it is gone.
    """
    from app import logs, processes, settings

    loaded = settings.load(data=data)
    logs.configure(production=loaded.is_production)
    processes.run(partial(processes.scheduler, loaded))
