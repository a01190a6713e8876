"""What `pacemark schema check` found: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.auditing.plain import plain
from graph.broken import Broken, Effect
from graph.changes import Change, Severity

WIDTH = 130
SHOWN_ID = 20
_COLOURS = {
    Severity.BREAKING: "bold red",
    Severity.DANGEROUS: "yellow",
    Effect.BREAKS: "bold red",
    Effect.MAY_BREAK: "yellow",
    Effect.WAS_INVALID: "dim",
}


class Outcome(NamedTuple):
    """`acknowledged` are coordinates. `documents`: how many were looked at; None, when none were asked for."""

    changes: Sequence[Change]
    acknowledged: frozenset[str]
    documents: int | None
    broken: Sequence[Broken]

    def unacknowledged(self, *, strict: bool) -> list[Change]:
        """What a release has to say first."""
        wanted = [change for change in self.changes if strict or change.severity is Severity.BREAKING]
        return [change for change in wanted if change.coordinate not in self.acknowledged]

    @property
    def unexplained(self) -> bool:
        """Fields that may not be merged any more break documents, though no change is breaking by itself."""
        is_breaking = any(change.severity is Severity.BREAKING for change in self.changes)
        return not is_breaking and self.count(Effect.BREAKS) > 0

    def count(self, what: Severity | Effect) -> int:
        if isinstance(what, Severity):
            return sum(change.severity is what for change in self.changes)
        return sum(each.effect is what for each in self.broken)


def show(outcome: Outcome) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    if outcome.changes:
        console.print(_changes(outcome))
        breaking, dangerous = (outcome.count(severity) for severity in Severity)
        console.print(f"{_number(breaking, 'breaking change')}, {dangerous:,} dangerous.", soft_wrap=True)
    else:
        console.print("No change is breaking, and none is dangerous.")
    if outcome.documents is None:
        if outcome.changes:
            hint = "No document was looked at. Name manifests by --documents, or look at those registered here by --registered."
            console.print(hint, soft_wrap=True)
    elif not outcome.broken:
        console.print(f"Of {_number(outcome.documents, 'document')}, none breaks.")
    else:
        console.print(_documents(outcome.broken))
        breaks, may, was = (outcome.count(effect) for effect in Effect)
        console.print(
            f"Of {_number(outcome.documents, 'document')}, {breaks:,} {'breaks' if breaks == 1 else 'break'}, "
            f"{may:,} may break, and {was:,} {'was' if was == 1 else 'were'} invalid before.",
            soft_wrap=True,
        )


def as_json(outcome: Outcome) -> str:
    said: dict[str, Any] = {
        "breaking": outcome.count(Severity.BREAKING),
        "dangerous": outcome.count(Severity.DANGEROUS),
        "changes": [
            {
                "severity": change.severity,
                "kind": change.kind,
                "coordinate": change.coordinate,
                "message": change.message,
                "wasDeprecated": change.deprecated,
                "acknowledged": change.coordinate in outcome.acknowledged,
            }
            for change in outcome.changes
        ],
        "documentsChecked": outcome.documents,
        "documents": [
            {
                "id": each.document.id,
                "name": each.name,
                "clients": each.document.clients,
                "effect": each.effect,
                "reasons": each.reasons,
            }
            for each in outcome.broken
        ],
    }
    return json.dumps(said, indent=2)


def _changes(outcome: Outcome) -> Table:
    table = _table("Severity", "Kind", "Member", "What changes")
    table.columns[2].overflow = "fold"
    for change in outcome.changes:
        told = Text(plain(change.message))
        if change.deprecated is not None:
            told.append(f"\nwas deprecated: {plain(change.deprecated)}", "dim")
        if change.coordinate in outcome.acknowledged:
            told.append("\nacknowledged in the changelog", "dim")
        severity = Text(change.severity.lower(), _COLOURS[change.severity])
        table.add_row(severity, _words(change.kind), Text(change.coordinate), told)
    return table


def _documents(broken: Sequence[Broken]) -> Table:
    table = _table("Document", "Clients", "Effect", "Why")
    for each in broken:
        document = Text(plain(each.name or "without a name", 60)).append(f"\n{plain(each.document.id, SHOWN_ID)}", "dim")
        clients = "\n".join(plain(client, 60) for client in each.document.clients) or "–"
        why = "\n".join(plain(reason) for reason in each.reasons)
        table.add_row(document, Text(clients), Text(_words(each.effect), _COLOURS[each.effect]), Text(why))
    return table


def _number(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"


def _words(name: str) -> str:
    return name.replace("_", " ").lower()


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
