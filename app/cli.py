"""The command `pacemark`: its groups, and what its failures look like from outside."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from app.commands import (
    alerts,
    annotating,
    audit,
    budgets,
    channels,
    clients,
    compare,
    demo,
    deploys,
    doctor,
    documents,
    explain,
    export,
    jobs,
    keys,
    mails,
    processes,
    routes,
    schedules,
    schema,
    secrets,
    security,
    snapshots,
    status,
    upkeep,
    verdicts,
)
from app.errors import Unusable
from domain.errors import DatabaseAway, InvalidInput, Refused

USAGE = 2
INTERRUPTED = 130

app = typer.Typer(
    name="pacemark",
    help="Self-hosted website performance: audits, history and verdicts, spoken to through GraphQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(processes.app)
app.add_typer(demo.app)
app.add_typer(audit.app)
app.add_typer(status.app)
app.add_typer(upkeep.app)
app.add_typer(doctor.app)
app.add_typer(schema.app)
app.add_typer(explain.app)
app.add_typer(export.app)
app.add_typer(compare.app)
app.add_typer(keys.app)
app.add_typer(clients.app)
app.add_typer(documents.app)
app.add_typer(alerts.app)
app.add_typer(channels.app)
app.add_typer(routes.app)
app.add_typer(budgets.app)
app.add_typer(schedules.app)
app.add_typer(snapshots.app)
app.add_typer(verdicts.app)
app.add_typer(deploys.app)
app.add_typer(annotating.app)
app.add_typer(jobs.app)
app.add_typer(mails.app)
app.add_typer(security.app)
app.add_typer(secrets.app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pacemark {version('pacemark')}")
        raise typer.Exit


@app.callback()
def group(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Self-hosted website performance: audits, history and verdicts, spoken to through GraphQL."""


def main() -> None:
    """What a user did wrong, or can mend, is one sentence and status 2; only bugs show a traceback."""
    from app import logs
    from infra.storage import settle_at_exit

    os.umask(0o077)  # what we write is for whoever runs us
    logs.configure(level=logging.WARNING)
    settle_at_exit()
    dispatch()


def dispatch(words: Sequence[str] | None = None) -> NoReturn:
    """Run one command, by default that of the command line. Raises SystemExit."""
    try:
        app(words)
    except (Unusable, Refused) as error:
        sentences = [fault.message for fault in error.faults] if isinstance(error, InvalidInput) else [str(error)]
        typer.echo("\n".join(sentences), err=True)
        raise SystemExit(USAGE) from None
    except DatabaseAway as error:
        typer.echo(f"{error} See that it runs where PACEMARK_DATABASE_URL says.", err=True)
        raise SystemExit(USAGE) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise SystemExit(INTERRUPTED) from None
    raise AssertionError("Typer leaves by SystemExit")
