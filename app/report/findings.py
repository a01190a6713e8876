"""The findings, the gravest first, with as much of their evidence as a page holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from app.report import words
from domain import audits
from domain.measuring import Evidence, Severity

MOST_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """`saving` says what is estimated to be won; `link` is one of the web, `link_host` its host."""

    title: str
    category: str
    description: str
    evidence: tuple[Evidence, ...]
    more: int
    saving: str | None
    link: str | None
    link_host: str | None


@dataclass(frozen=True, slots=True)
class Gravity:
    """All findings of one severity."""

    severity: Severity
    findings: tuple[Finding, ...]


def by_severity(rows: Iterable[audits.FindingRow], categories: Mapping[str, str]) -> tuple[Gravity, ...]:
    """`rows` are in the order of their severity; `categories` are the titles of those that the engine scored."""
    groups = groupby(rows, key=lambda row: row.severity)
    return tuple(Gravity(severity, tuple(_finding(row, categories) for row in found)) for severity, found in groups)


def _finding(row: audits.FindingRow, categories: Mapping[str, str]) -> Finding:
    pieces = tuple(Evidence(piece.get("subject", ""), piece.get("detail", "")) for piece in row.evidence)
    saving = [words.milliseconds(row.saving_ms)] if row.saving_ms else []
    saving += [words.size(row.saving_bytes)] if row.saving_bytes else []
    link = words.web_link(row.link)
    return Finding(
        title=row.title,
        category=categories.get(row.category) or row.category.replace("-", " ").capitalize(),
        description=row.description,
        evidence=pieces[:MOST_EVIDENCE],
        more=max(0, len(pieces) - MOST_EVIDENCE),
        saving=" and ".join(saving) or None,
        link=link,
        link_host=urlsplit(link).hostname if link else None,
    )
