"""What the operator's commands list, as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.auditing.plain import plain
from domain import audits, jobs, keys
from domain.ids import Kind, encode

WIDTH = 130
_WHOLE = {"Job", "Key", "Given up (UTC)", "Issued (UTC)"}
"""What stands in these columns is to be copied, and never folded."""


def show_kinds(kinds: Sequence[jobs.KindRow], *, calls_are_sent: bool) -> None:
    """`calls_are_sent`: workers are called over a bus, which may be away."""
    if not kinds:
        _console().print("There is no background work: nothing waits, runs or was given up.")
        return
    table = _table("Kind")
    for heading in ("Waiting", "Running", "Dead", *(["Unsent"] if calls_are_sent else []), "Oldest waits"):
        table.add_column(heading, justify="right")
    for row in kinds:
        age = _age(datetime.now(UTC) - row.oldest_at) if row.oldest_at else "–"
        dead = Text(f"{row.dead:,}", "bold red" if row.dead else "")
        unsent = [f"{row.unsent:,}"] if calls_are_sent else []
        table.add_row(plain(row.kind), f"{row.waiting:,}", f"{row.running:,}", dead, *unsent, age)
    _console().print(table)
    if any(row.dead for row in kinds):
        _console().print("What is dead: pacemark jobs dead", soft_wrap=True)


def show_dead(rows: Sequence[jobs.JobRow]) -> None:
    if not rows:
        _console().print("No job is dead.")
        return
    table = _table("Job", "Given up (UTC)", "Error")
    for row in rows:
        job = Text(encode(Kind.JOB, row.id)).append(f"\n{_subject(row) or row.subject.hex}\n{plain(row.kind)}", "dim")
        times = f"taken {row.deliveries} {'time' if row.deliveries == 1 else 'times'}"
        table.add_row(job, Text(_moment(row.dead_at)).append(f"\n{times}", "dim"), Text(plain(row.error or "")))
    _console().print(table)
    _console().print("Try again: pacemark jobs replay ID    Forget: pacemark jobs drop ID    (or --all)", soft_wrap=True)


def dead_as_json(rows: Sequence[jobs.JobRow]) -> str:
    return json.dumps([_document(row) for row in rows], indent=2)


def _document(row: jobs.JobRow) -> dict[str, Any]:
    return {
        "id": encode(Kind.JOB, row.id),
        "kind": row.kind,
        "subject": _subject(row),
        "requestedAt": row.at.isoformat(),
        "deadAt": row.dead_at.isoformat() if row.dead_at else None,
        "deliveries": row.deliveries,
        "error": row.error,
    }


def _subject(row: jobs.JobRow) -> str | None:
    """The readable id of what the job is about."""
    return encode(Kind.AUDIT, row.subject) if row.kind in audits.KINDS.values() else None


def show_keys(rows: Sequence[keys.ApiKeyRow]) -> None:
    if not rows:
        _console().print("There is no API key in this workspace. Make one: pacemark keys create NAME")
        return
    table = _table("Key", "Name", "Role", "Issued (UTC)")
    for row in rows:
        key = Text(plain(row.prefix)).append(f"\n{encode(Kind.KEY, row.id)}", "dim")
        table.add_row(key, Text(plain(row.name, 100)), row.role.capitalize(), _moment(row.created_at))
    _console().print(table)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading in _WHOLE)
    return table


def _console() -> Console:
    """As wide as the terminal; where there is none, wide enough for the tables."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=WIDTH)


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else "–"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"
