"""What was measured, for people: tables on standard output that stay readable in a log."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from bench import figures
from bench.figures import OURS, YARDSTICK, Rounds, Taken
from bench.servers import CONTROLS

WIDTH = 120


def headline(connections: int, given: argparse.Namespace) -> str:
    """What the figures are of, in a line."""
    rounds = "one round" if given.rounds == 1 else f"medians of {given.rounds} rounds"
    measured = f"{rounds} of {given.seconds} s; Python {platform.python_version()}"
    return f"Answers a second at {connections} connections over {given.audits:,} audits; {measured}"


def show(taken: Mapping[int, Rounds], memory: Mapping[str, int], chosen: int, given: argparse.Namespace) -> None:
    """Every workload at every number of connections, and at the chosen one what it comes to."""
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    for connections, rounds in taken.items():
        console.print(f"\n{headline(connections, given)}", style="bold")
        for workload, servers in rounds.items():
            console.print(f"\n{workload}", style="bold")
            console.print(_workload(servers, memory))
    if figures.targets(figures.ratios(taken[chosen])):
        console.print("\nWhat Pacemark has to be", style="bold")
        console.print(_targets(taken[chosen]))
    if figures.beside(taken[chosen]):
        console.print(f"\nThe peers' rates as shares of {YARDSTICK}'s, and what they were when measured before on two cores")
        console.print(_beside(taken[chosen]))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _workload(servers: Mapping[str, Sequence[Taken]], memory: Mapping[str, int]) -> Table:
    columns = ("answers/s", "p50, ms", "p99, ms", "busy", "µs/answer", "PostgreSQL's", "MiB", "Pacemark is")
    table = _table("", *columns)
    for name, taken in servers.items():
        one = figures.middle(taken)
        times = "" if name == OURS else f"{figures.ratio(servers[OURS], taken):.2f} ×"
        table.add_row(
            f"  {name}" if name in CONTROLS else name,
            f"{one.rate:,.0f}",
            f"{one.p50_ms:.1f}",
            f"{one.p99_ms:.1f}",
            f"{one.busy:.0%}",
            f"{one.server_us:,.0f}",
            f"{one.database_us:,.0f}",
            f"{memory[name] / 2**20:.0f}",
            times,
            style="bold" if name == OURS else "dim" if name in CONTROLS else None,
        )
    return table


def _targets(rounds: Rounds) -> Table:
    table = _table("", "workload", "at least", "is", "")
    for each in figures.targets(figures.ratios(rounds)):
        words = "kept" if each.is_kept else "MISSED"
        table.add_row(each.peer, each.workload, f"{each.wanted:.1f} ×", f"{each.found:.2f} ×", words)
    return table


def _beside(rounds: Rounds) -> Table:
    table = _table("", "workload", "now", "before")
    for each in figures.beside(rounds):
        table.add_row(each.peer, each.workload, f"{each.now:.2f}", f"{each.before:.2f}")
    return table
