"""`pacemark audit`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.commands.options import Data
from domain.measuring import EngineName, FormFactor

app = typer.Typer()


class FailOn(StrEnum):
    """From which rating on the exit status is 1."""

    POOR = "poor"
    NEEDS_IMPROVEMENT = "needs-improvement"


@app.command()
def audit(
    url: Annotated[str, typer.Argument(metavar="URL", help="The page, such as https://example.com/.", show_default=False)],
    engine: Annotated[
        EngineName,
        typer.Option(case_sensitive=False, help="PROBE needs no browser; LIGHTHOUSE a local one; PAGESPEED Google's."),
    ] = EngineName.PROBE,
    form_factor: Annotated[
        FormFactor | None,
        typer.Option(
            case_sensitive=False,
            help="The device.  (else DESKTOP for PROBE, MOBILE for the others)",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, max=20, help="How often to measure.  (else the profile's)", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 when a metric is rated so, or worse.", show_default=False)
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=1, metavar="SECONDS", help="Give up, and cancel the audit, after so long.", show_default=False),
    ] = None,
    data: Data = None,
) -> None:
    """Measure one page, show how it goes, and print what was found. Private addresses are allowed,
    unless a worker of its own does the work.

    The audit is kept in the workspace "default". Where `pacemark up` or a worker runs on the same folder, it does the
    work and this command watches.

    Exit status: 0 measured; 1 a metric as bad as --fail-on; 2 bad usage, address or settings; 3 the page failed;
    4 the engine failed or is not installed; 130 interrupted.
    """
    from app.auditing import command, order

    if form_factor is None:
        form_factor = FormFactor.DESKTOP if engine is EngineName.PROBE else FormFactor.MOBILE
    wish = order.Wish(url, engine, form_factor, runs, timeout)
    raise typer.Exit(command.run(wish, data=data, as_json=json, fail_on=fail_on))
