"""What an audit of Lighthouse rests on, from the many shapes of its `details`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from domain.measuring import Evidence

from .fields import mapping, number, rows, text

MAX_EVIDENCE = 20

_UNITS = {"bytes": "bytes", "ms": "ms", "timespanMs": "ms"}
_SUBJECTS = ("url", "node", "sourceLocation", "location", "source")


def read_evidence(audit: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """At most twenty rows, elements or failed checks of the audit, in its own order."""
    return tuple(islice(_walk(mapping(audit.get("details")), depth=0), MAX_EVIDENCE))


def _walk(details: Mapping[str, Any], depth: int) -> Iterator[Evidence]:
    kind = details.get("type")
    if depth > 3:
        return
    if kind in ("table", "opportunity"):
        yield from _table(details)
    elif kind == "list":
        for section in rows(details.get("items")):
            yield from _walk(mapping(section.get("value")) or section, depth + 1)
    elif kind == "checklist":
        checks = rows(mapping(details.get("items")).values())
        yield from (Evidence(text(check.get("label"), 500)) for check in checks if check.get("value") is False)
    elif kind == "node":
        yield Evidence(*_node(details))


def _table(details: Mapping[str, Any]) -> Iterator[Evidence]:
    headings = rows(details.get("headings"))
    for item in rows(details.get("items")):
        evidence = _row(item, headings)
        if evidence is not None:
            yield evidence


def _row(item: Mapping[str, Any], headings: list[Mapping[str, Any]]) -> Evidence | None:
    """The row's address, element or place is the subject; its other columns, with their labels, are the detail."""
    subject, detail, used = "", "", ""
    for used in _SUBJECTS:
        subject, detail = _subject(item.get(used))
        if subject:
            break
    columns = [column for heading in headings if (column := _column(item, heading, used if subject else ""))]
    if not subject and columns:
        subject = columns.pop(0)
    if not subject:
        return None
    return Evidence(subject, "; ".join(part for part in (detail, *columns) if part)[:1000])


def _subject(value: object) -> tuple[str, str]:
    if isinstance(value, str):
        return text(value, 2048), ""
    cell = mapping(value)
    match cell.get("type"):
        case "node":
            return _node(cell)
        case "source-location":
            line = number(cell.get("line"))
            return text(cell.get("url"), 2048), "" if line is None else f"line {line + 1:.0f}"
        case _:
            return text(cell.get("value") or cell.get("url"), 2048), ""


def _node(cell: Mapping[str, Any]) -> tuple[str, str]:
    explanation = text(cell.get("explanation"), 500)
    snippet = text(cell.get("snippet"), 500)
    selector = text(cell.get("selector") or cell.get("path"), 500)
    return selector or snippet, "; ".join(filter(None, (snippet, explanation)))


def _column(item: Mapping[str, Any], heading: Mapping[str, Any], used: str) -> str:
    key, label = text(heading.get("key"), 60), text(heading.get("label"), 100)
    value = item.get(key)
    if not key or key == used:
        return ""
    amount = number(mapping(value).get("value") if isinstance(value, Mapping) else value)
    if amount is not None:
        return " ".join(filter(None, (label, f"{amount:,.10g}" if amount < 10 else f"{amount:,.0f}", _unit(heading))))
    return _subject(value)[0]


def _unit(heading: Mapping[str, Any]) -> str:
    return _UNITS.get(text(heading.get("valueType") or heading.get("itemType"), 20), "")
