"""How pages stand, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from app.auditing.plain import plain
from app.auditing.table import RATINGS
from app.status.query import LEAST_SHOWN, AlertStatus, PageStatus, Stand, Status
from domain import metrics

WIDTH = 100
TOP = 40
MOST_ALERTS = 10


def show(status: Status, top: int | None, alerts: str) -> None:
    """`alerts`: the command that lists all of these."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    for part in _parts(status, top or TOP, alerts):
        console.print(part, soft_wrap=isinstance(part, Text))  # what is to be copied stays in one line


def _parts(status: Status, top: int, alerts: str) -> Iterator[RenderableType]:
    """From top to bottom: what is urgent comes first."""
    yield _heading(status).append("\n")
    if status.alerts:
        yield _alerts(status)
        if len(status.alerts) > MOST_ALERTS:
            more = f"{_counted(len(status.alerts) - MOST_ALERTS, 'alert')} more"
            yield Text(f"{more}: {alerts}", "dim")
        yield Text("")
    sites = status.by_site(top)
    if sites:
        yield _changes(status, sites)
    yield from _rest(status, sum(map(len, sites)))


def _heading(status: Status) -> Text:
    title = metrics.CATALOGUE[status.metric].title
    number = _counted(len(status.sites), "site")
    return Text(plain(status.name, 40), "bold").append(f"  {title} · {number}", "not bold")


def _alerts(status: Status) -> Table:
    table = _table()
    table.add_column("Alert", no_wrap=True, max_width=50)
    table.add_column("Site", no_wrap=True, max_width=28)
    table.add_column("Since (UTC)", no_wrap=True)
    for alert in status.alerts[:MOST_ALERTS]:
        style = "bold red" if alert.severity == "ERROR" else "yellow"
        since = alert.opened_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(Text(plain(alert.title, 100), style), Text(plain(alert.site + (alert.path or ""), 100)), since)
    return table


def _changes(status: Status, sites: list[list[PageStatus]]) -> Table:
    table = _table()
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
            told = Text(words, style)
            if page.stand is Stand.OLD:
                style, told = "dim", Text(_age(page), "yellow")
            table.add_row(site, Text(plain(page.path, 60)), before, Text(now, style), _change(page), told)
    return table


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def _value(status: Status, value: float | None) -> str:
    return metrics.format_value(status.metric, value) if value is not None else "–"


def _change(page: PageStatus) -> Text:
    """An arrow the way that the number went, in the colour of what that means."""
    if page.change is None or page.worse is None:
        return Text("–", "dim")
    if abs(page.change) < LEAST_SHOWN:
        return Text("= 0 %", "dim")
    digits = 1 if abs(page.change) < 0.1 else 0
    style = "dim" if page.is_old else "red" if page.worse > 0 else "green"
    return Text(f"{'▲' if page.change > 0 else '▼'} {page.change * 100:+,.{digits}f} %", style)


def _age(page: PageStatus) -> str:
    assert page.finished_at is not None
    return f"old: {_days(datetime.now(UTC) - page.finished_at)}"


def _rest(status: Status, shown: int) -> Iterator[Text]:
    if not status.pages:
        yield Text("There is no page in it yet." if status.sites else "There is no such site in it.")
        return
    tally = status.tally
    line = Text(
        f"{tally[Stand.WORSE]:,} got worse, {tally[Stand.BETTER]:,} got better, {tally[Stand.SAME]:,} stayed as they were"
    )
    if old := tally[Stand.OLD]:
        was = "was" if old == 1 else "were"
        line.append(f"; {_counted(old, 'page')} {was} not measured for {_days(status.old_after)}", "yellow")
    if unknown := tally[Stand.UNKNOWN]:
        line.append(f"; {_counted(unknown, 'page')} cannot be compared yet")
    yield line.append(".")
    hidden = len(status.pages) - unknown - shown
    if hidden > 0:
        yield Text(f"{_counted(hidden, 'page')} more: --top {shown + hidden}", "dim")
    if not status.is_whole:
        yield Text("There is more than is asked for at once: say which sites, by --tags.", "yellow")
        return
    fine, unsure = status.fine_and_unsure()
    if fine:
        yield Text(f"No page of {_counted(fine, 'site')} got worse.", "green")
    if unsure:
        yield Text(f"Of {_counted(unsure, 'site')} it is not known whether a page got worse.", "yellow")


def _days(age: timedelta) -> str:
    return _counted(age.days, "day") if age.days else _counted(age.seconds // 3600, "hour")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def as_json(status: Status, top: int | None) -> str:
    """ASCII alone: whatever a name holds, no terminal obeys it. Without `top` nothing is left out."""
    groups = status.by_site(top)
    sites = [{"id": own[0].site_id, "name": own[0].site, "pages": [_document(page) for page in own]} for own in groups]
    if top is None:
        shown = {site["id"] for site in sites}
        sites += [{"id": id, "name": name, "pages": []} for id, name in status.sites.items() if id not in shown]
    document = {
        "workspace": status.name,
        "metric": status.metric.name,
        "pages": {stand.value: number for stand, number in status.tally.items()},
        "leftOut": len(status.pages) - sum(map(len, groups)),
        "complete": status.is_whole,
        "alerts": [_alert(each) for each in status.alerts],
        "sites": sites,
    }
    return json.dumps(document, indent=2)


def _document(page: PageStatus) -> dict[str, Any]:
    names = ("id", "url", "value", "baseline", "change", "audits", "rating")
    at = page.finished_at.isoformat() if page.finished_at else None
    return {**{name: getattr(page, name) for name in names}, "finishedAt": at, "stands": page.stand.value}


def _alert(alert: AlertStatus) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "title": alert.title,
        "site": alert.site,
        "page": alert.path,
        "environment": alert.environment,
        "openedAt": alert.opened_at.isoformat(),
    }
