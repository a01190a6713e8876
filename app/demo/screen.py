"""What the demo shows: what it does, as it does it, and in the end a table and addresses; or JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.auditing.table import console
from app.demo.story import Ending
from domain import metrics
from domain.measuring import MetricName

_WORDS = {
    "REGRESSED": ("REGRESSED", "bold red"),
    "IMPROVED": ("IMPROVED", "bold green"),
    "NO_EVIDENCE": ("NO EVIDENCE", "dim"),
    "INCOMPARABLE": ("INCOMPARABLE", "yellow"),
}


def telling(out: Console) -> Callable[[str], None]:
    """Prints each sentence with how long it has been since this was called."""
    began = time.monotonic()

    def tell(sentence: str) -> None:
        passed = int(time.monotonic() - began)
        out.print(Text(f"{passed // 60}:{passed % 60:02} ", "dim").append(f" {sentence}", "not dim"), soft_wrap=True)

    return tell


def show(ending: Ending, url: str, key: str, folder: str, *, stays: bool, kept: bool) -> None:
    out = console()
    out.print()
    out.print(_table(ending))
    out.print()
    lines = Text()
    if not ending.is_found:
        lines.append("That is not what was to be found: this machine is too restless just now. Try again.\n", "bold red")
    lines.append(f"Report    {ending.report}\nGraphiQL  {url}/graphql#key={key}\n")
    lines.append(f"Data      {folder}" + ("" if kept else " (thrown away in the end)") + "\n")
    if stays:
        lines.append("\nOpen the report to see it drawn. Everything stays up until you press Ctrl+C.")
    else:
        lines.right_crop(1)
    out.print(lines, soft_wrap=True)


def as_json(ending: Ending, url: str, key: str, folder: str) -> None:
    document = {
        "found": ending.is_found,
        "snapshots": ending.snapshots,
        "verdicts": list(ending.verdicts),
        "report": ending.report,
        "graphql": f"{url}/graphql",
        "key": key,
        "data": folder,
    }
    typer.echo(json.dumps(document, indent=2))


def _table(ending: Ending) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("Page")
    table.add_column("Metric")
    table.add_column("Verdict", no_wrap=True)
    for heading in ("Before", "After", "Change, 95 %", "Detectable"):
        table.add_column(heading, justify="right", no_wrap=True)
    last = ""
    for each in sorted(ending.verdicts, key=lambda each: (each["page"]["path"], each["metric"]["title"])):
        path = each["page"]["path"]
        table.add_row("" if path == last else path, each["metric"]["title"], Text(*_WORDS[each["judgement"]]), *_numbers(each))
        last = path
    return table


def _numbers(each: Any) -> tuple[str, str, str, str]:
    name = MetricName[each["metric"]["name"]]

    def value(field: str) -> str:
        return metrics.format_value(name, each[field]) if each[field] is not None else "–"

    interval = "–"
    if each["changeLow"] is not None:
        interval = " to ".join(metrics.format_change(name, each[end]) for end in ("changeLow", "changeHigh"))
    return value("before"), value("after"), interval, value("detectable")
