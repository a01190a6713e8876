"""What changed with a verdict: findings and requests of the audit, beside those of the newest one before it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from app.report import requests, words
from domain import audits
from domain.access import Reach
from domain.audits import DifferenceKind
from domain.ports import Reader

MOST_FINDINGS, MOST_REQUESTS = 6, 8

_KINDS = {
    DifferenceKind.ADDED: "Added",
    DifferenceKind.REMOVED: "Removed",
    DifferenceKind.GROWN: "Grown",
    DifferenceKind.SHRUNK: "Shrunk",
    DifferenceKind.CHANGED: "Changed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One finding or request that is not what it was. `host` is None where it is the page's own."""

    kind: str
    text: str
    detail: str
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The weightiest come first; `more` says how many of each are not shown."""

    findings: tuple[Line, ...]
    requests: tuple[Line, ...]
    more_findings: int
    more_requests: int

    @property
    def is_nothing(self) -> bool:
        return not self.findings and not self.requests


async def changed(reader: Reader, reach: Reach, before_id: UUID | None, after_id: UUID) -> Changed | None:
    """None where there is nothing to be set beside it."""
    if before_id is None:
        return None
    pair = (await audits.pairs(reader, reach, [two := audits.Two(before_id, after_id)])).get(two)
    if pair is None:
        return None
    own = {requests.parts(origin)[0].rpartition("@")[2] for origin in (*pair.own_before, *pair.own_after)}
    findings = (await audits.finding_differences(reader, reach, [pair]))[pair]
    asked = (await audits.request_differences(reader, reach, [pair]))[pair]
    return Changed(
        tuple(_finding(each) for each in findings.some(None, MOST_FINDINGS)),
        tuple(_request(each, own) for each in asked.some(None, MOST_REQUESTS)),
        max(0, sum(findings.counts.values()) - MOST_FINDINGS),
        max(0, sum(asked.counts.values()) - MOST_REQUESTS),
    )


def _finding(each: audits.FindingDifference) -> Line:
    return Line(_KINDS[each.kind], each.finding.title, each.finding.severity.capitalize())


def _request(each: audits.RequestDifference, own: Collection[str]) -> Line:
    there = [words.size(value) for value in (each.bytes_before, each.bytes_after) if value is not None]
    moved = " → ".join(there)
    if each.requests_before and each.requests_after and each.requests_before != each.requests_after:
        moved = f"{each.requests_before} → {words.count(each.requests_after, 'request')}, {moved}".rstrip(", ")
    host, path = _place(each.url)
    return Line(_KINDS[each.kind], requests.shortened(path), moved, None if not host or host.lower() in own else host)


def _place(url: str) -> tuple[str, str]:
    """Host and path. Some of it is another audit's, and no more of it is for whoever has the link: no query, no password."""
    host, path = requests.parts(url)
    if not host:  # it holds what it is the address of
        return "", re.split(r"[,;]", url, maxsplit=1)[0] if url.startswith("data:") else url.partition(":")[0]
    return host.rpartition("@")[2], path.partition("?")[0]
