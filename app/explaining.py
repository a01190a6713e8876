"""How an operation is executed, as `pacemark explain` shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from graphql import OperationType
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.base import Query
from graph.execution.explaining import AWAITED, RESOLVED, Batch, Explanation, Line
from graph.operations import Limits, Operation

WIDTH = 120
INDENT = " " * 3
MOST_OF_A_PLACE = 48

_STYLES = {"inline": "green", "read": "green", "loader": "bold cyan", AWAITED: "yellow", RESOLVED: "yellow"}


class Shown(NamedTuple):
    """`cost` is what it may come to at most; `texts` gives queries as they are sent to the `database` of this name."""

    explanation: Explanation
    operation: Operation
    cost: float
    limits: Limits
    database: str
    texts: Callable[[Query[Any]], str]


def show(shown: Shown, *, code: bool) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    explanation, operation = shown.explanation, shown.operation
    console.print(Text(f"{operation.kind.value} {operation.name or 'without a name'}", "bold"))
    for sentence in _sentences(shown):
        console.print(sentence)
    if explanation.lines:
        _head(console, "Plan", "what is inline is read by the Python that is written for its selection set")
        console.print(_plan(explanation.lines))
    if explanation.batches:
        _head(console, "Batches", "each loader is asked once for all objects of its level")
        console.print(_batches(explanation.batches))
        _head(console, "SQL", f"as it is sent to {shown.database}")
        for line in _statements(explanation.batches, shown.texts, console.width):
            console.print(line, soft_wrap=True)
    _head(console, "Cost")
    console.print(_cost(shown))
    if shown.cost > shown.limits.cost:
        console.print("It costs too much, and is refused before it reads anything: ask for fewer at once.")
    if code:
        _head(console, "Python", "what reads the fields that are inline, for each selection set")
        for each in explanation.code:
            console.print(Text(f"\n# {each.type} at {each.place or 'the root'!r}\n{each.source}".rstrip()), soft_wrap=True)


def _sentences(shown: Shown) -> Iterator[str]:
    explanation = shown.explanation
    if explanation.missing:
        names = ", ".join(f"${name}" for name in explanation.missing)
        yield f"Not given by --variables, so that others stand in for it here: {names}."
    if explanation.by_core is not None:
        yield explanation.by_core
    if explanation.lines:
        yield _who(explanation, shown.operation.kind)
    if explanation.lines and shown.operation.kind is OperationType.MUTATION:
        yield "Its root fields are executed one after the other: each is complete, with all below it, before the next begins."
    if any(line.how in (AWAITED, RESOLVED) for line in _all(explanation.lines)):
        yield "What resolvers and coroutines ask of the database themselves is not known beforehand, and not shown."


def _who(explanation: Explanation, kind: OperationType) -> str:
    if kind is OperationType.SUBSCRIPTION:
        return "graphql-core opens its stream; this is read for each event, from the second on by this plan."
    who = "Who takes one answer gets it by this plan" if explanation.by_core else "It is executed by this plan"
    return f"{who}, from the second time on that the document is asked for."


def _head(console: Console, title: str, more: str = "") -> None:
    console.print(Text.assemble("\n", (title, "bold"), (f"  {more}" if more else "", "dim")))


def _plan(lines: Sequence[Line]) -> Table:
    table = _table("Field", "Type", "How it is read")
    table.columns[0].no_wrap = True  # the tree would be cut
    table.add_column("At most", justify="right")
    for before, line in _drawn(lines, ""):
        how = Text.assemble((line.how, _STYLES.get(line.how, "")), f" {line.what}" if line.what else "")
        if line.batch is not None:
            how.append(f", batch {line.batch}")
        most = f"{line.most:,}" if line.most is not None else ""
        table.add_row(Text.assemble((before, "dim"), line.name), Text(line.type, "dim"), how, most)
    return table


def _drawn(lines: Sequence[Line], before: str, *, root: bool = True) -> Iterator[tuple[str, Line]]:
    """Each with the branches of the tree that stand before it."""
    for place, line in enumerate(lines, start=1):
        is_last = place == len(lines)
        yield before if root else f"{before}{'└' if is_last else '├'} ", line
        yield from _drawn(line.below, before if root else f"{before}{' ' if is_last else '│'} ", root=False)


def _all(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        yield line
        yield from _all(line.below)


def _batches(batches: Sequence[Batch]) -> Table:
    table = _table()
    table.add_column("Batch", justify="right")
    table.add_column("Loader")
    longest = max(len(each.place) for each in batches)
    table.add_column("For", overflow="fold", min_width=min(longest, MOST_OF_A_PLACE))
    table.add_column("At most", justify="right")
    table.add_column("Read")
    table.add_column("Columns")
    for each in batches:
        after = f"{'with' if each.together else 'after'} {each.after}" if each.after is not None else ""
        columns = "all" if each.columns is None else " ".join(each.columns)
        table.add_row(
            str(each.number), each.loader, each.place, f"{each.keys:,} {'key' if each.keys == 1 else 'keys'}", after, columns
        )
    return table


def _statements(batches: Sequence[Batch], texts: Callable[[Query[Any]], str], width: int) -> Iterator[Text]:
    """Each text once, folded where there is a space."""
    known: dict[str, int] = {}
    for batch in batches:
        yield Text.assemble("\n" if batch is not batches[0] else "", (f"{batch.number}  {batch.loader}", "cyan"))
        if batch.refused is not None:
            yield Text(f"{INDENT}nothing: {batch.refused}")
        elif not batch.queries:
            yield Text(f"{INDENT}nothing")
        for query in batch.queries:
            text = texts(query)
            first = known.setdefault(text, batch.number)
            if first != batch.number:
                yield Text(f"{INDENT}the same as batch {first}", "dim")
                continue
            yield Text("\n".join(_folded(text, width)))
        if batch.goes_on:
            yield Text(f"{INDENT}What it asks then depends on the answer.", "dim")


def _folded(text: str, width: int) -> Iterator[str]:
    for line in text.splitlines():
        yield textwrap.fill(
            line.strip(),
            width,
            initial_indent=INDENT,
            subsequent_indent=INDENT * 2,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _cost(shown: Shown) -> Table:
    """What is asked for beside what is allowed."""
    measures, limits = shown.operation.measures, shown.limits
    table = _table("")
    table.add_column("This", justify="right")
    table.add_column("The most", justify="right")
    table.add_row("cost", Text(f"{shown.cost:,.0f}", "bold red" if shown.cost > limits.cost else ""), f"{limits.cost:,}")
    for name, value in measures._asdict().items():
        table.add_row(name.replace("_", " "), f"{value:,}", f"{getattr(limits, name):,}")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
