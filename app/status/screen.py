"""How pages stand, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from app.auditing.plain import plain
from app.auditing.table import RATINGS
from app.status.query import PageStatus, Status
from domain import metrics

WIDTH = 100
LEAST_SHOWN = 0.0005
"""What is less is shown as nothing."""


def show(status: Status, top: int) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    for part in _parts(status, top):
        console.print(part)


def _parts(status: Status, top: int) -> Iterator[RenderableType]:
    """From top to bottom: what is urgent comes first."""
    yield _heading(status).append("\n")
    sites = status.by_site(top)
    if sites:
        yield _changes(status, sites)
    yield from _rest(status, sum(map(len, sites)))


def _heading(status: Status) -> Text:
    title = metrics.CATALOGUE[status.metric].title
    number = f"more than {status.sites:,} sites" if status.more_sites else _counted(status.sites, "site")
    return Text(plain(status.name, 40), "bold").append(f"  {title} · {number}", "not bold")


def _changes(status: Status, sites: list[list[PageStatus]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("Site", no_wrap=True, max_width=28)
    table.add_column("Page", no_wrap=True, max_width=30)
    for heading in ("Before", "Now", "Change"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Rating", no_wrap=True)
    for pages in sites:
        for page in pages:
            words, style = RATINGS[page.rating] if page.rating else ("", "")
            site = Text(plain(page.site, 60), "bold") if page is pages[0] else ""
            before, now = (_value(status, value) for value in (page.baseline, page.value))
            table.add_row(site, Text(plain(page.path, 60)), before, Text(now, style), _change(page), Text(words, style))
    return table


def _value(status: Status, value: float | None) -> str:
    return metrics.format_value(status.metric, value) if value is not None else "–"


def _change(page: PageStatus) -> Text:
    """An arrow the way that the number went, in the colour of what that means."""
    change, worse = page.change or 0, page.worse or 0
    if abs(change) < LEAST_SHOWN:
        return Text("= 0 %", "dim")
    digits = 1 if abs(change) < 0.1 else 0
    return Text(f"{'▲' if change > 0 else '▼'} {change * 100:+,.{digits}f} %", "red" if worse > 0 else "green")


def _rest(status: Status, shown: int) -> Iterator[Text]:
    if not status.pages:
        yield Text("There is no page in it yet." if status.sites else "There is no such site in it.")
        return
    worse, better, same, unknown = _tally(status)
    whose = f"Of the {_counted(len(status.pages), 'page')} that got worse most, " if status.more_pages else ""
    line = Text(f"{whose}{worse:,} got worse, {better:,} got better, {same:,} stayed as they were")
    yield line.append(f"; {_counted(unknown, 'page')} cannot be compared yet." if unknown else ".")
    hidden = worse + better + same - shown
    if hidden > 0:
        yield Text(f"{_counted(hidden, 'page')} more: --top {shown + hidden}", "dim")
    if status.knows_all_worse and not status.more_sites:
        fine = status.sites - len({page.site_id for page in status.pages if (page.worse or 0) > 0})
        if fine:
            yield Text(f"No page of {_counted(fine, 'site')} got worse.", "green")


def _tally(status: Status) -> tuple[int, int, int, int]:
    known = [page.worse for page in status.pages if page.worse is not None]
    worse, better = sum(each > 0 for each in known), sum(each < 0 for each in known)
    return worse, better, len(known) - worse - better, len(status.pages) - len(known)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def as_json(status: Status, top: int) -> str:
    """ASCII alone: whatever a name holds, no terminal obeys it."""
    sites = [
        {"id": own[0].site_id, "name": own[0].site, "pages": [_document(page) for page in own]} for own in status.by_site(top)
    ]
    worse, better, same, unknown = _tally(status)
    counts = {"worse": worse, "better": better, "same": same, "unknown": unknown}
    return json.dumps({"workspace": status.name, "metric": status.metric.name, "pages": counts, "sites": sites}, indent=2)


def _document(page: PageStatus) -> dict[str, Any]:
    names = ("id", "url", "value", "baseline", "change", "audits", "rating")
    return {name: getattr(page, name) for name in names}
