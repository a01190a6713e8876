"""How far an audit has come, live on standard error: a line that moves in a terminal, a line a change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.auditing.plain import plain
from domain import audits
from domain.measuring import Phase

_PHASES = {
    Phase.QUEUED: "waiting for a worker",
    Phase.STARTING: "starting",
    Phase.LOADING: "loading the page",
    Phase.RESOURCES: "loading what the page refers to",
    Phase.ANALYSING: "looking at what came",
    Phase.WAITING: "waiting for its turn",
    Phase.RECORDING: "recording",
    Phase.ENDED: "done",
}

Show = Callable[[audits.AuditRow], None]


def phase_of(audit: audits.AuditRow) -> str:
    run = f"run {audit.run + 1} of {audit.runs}: " if audit.run is not None else ""
    return run + _PHASES[audit.phase]


@contextmanager
def shown(url: str, console: Console) -> Generator[Show, None, None]:
    """Takes the audit's row as often as it is read."""
    with _moving(console) if console.is_terminal else _told(url, console) as show:
        yield show


@contextmanager
def _moving(console: Console) -> Generator[Show, None, None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(_PHASES[Phase.QUEUED], total=None)

        def show(audit: audits.AuditRow) -> None:
            progress.update(task, description=phase_of(audit), total=audit.runs, completed=audit.run or 0)

        yield show


@contextmanager
def _told(url: str, console: Console) -> Generator[Show, None, None]:
    last = ""

    def show(audit: audits.AuditRow) -> None:
        nonlocal last
        if phase_of(audit) != last:
            last = phase_of(audit)
            console.print(f"{plain(url)}: {last}", markup=False, highlight=False, soft_wrap=True)

    yield show
