"""The requests of a run as a waterfall: lines of a table, each with a bar on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.report import words
from domain import audits

MOST = 100
MOST_ADDRESS, MOST_PATH = 300, 60


@dataclass(frozen=True, slots=True)
class Bar:
    """From `start`, `length` long, on an axis from 0 to 100."""

    start: float
    length: float


@dataclass(frozen=True, slots=True)
class RequestLine:
    """`host` is None where it is the page's own."""

    number: int
    address: str
    path: str
    host: str | None
    kind: str
    method: str
    status: str
    failed: bool
    failure: str | None
    protocol: str
    size: str
    time: str
    third_party: bool
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Waterfall:
    lines: tuple[RequestLine, ...]
    more: int
    summary: str
    span: str | None


def waterfall(rows: Sequence[audits.RequestRow], page_url: str) -> Waterfall:
    """The first hundred requests; how many more there were."""
    shown = rows[:MOST]
    end = max((row.end_ms for row in shown if row.end_ms is not None), default=0)
    host = parts(page_url)[0]
    third = sum(row.third_party for row in rows)
    said = [words.count(len(rows), "request")]
    said += [f"{third:,} of them third-party"] if third else []
    return Waterfall(
        lines=tuple(_line(row, host, end) for row in shown),
        more=len(rows) - len(shown),
        summary=", ".join(said),
        span=words.milliseconds(end) if end > 0 else None,
    )


def _line(row: audits.RequestRow, page_host: str, end: float) -> RequestLine:
    host, path = parts(row.url)
    taken = row.end_ms - row.start_ms if row.start_ms is not None and row.end_ms is not None else None
    return RequestLine(
        number=row.position + 1,
        address=row.url[:MOST_ADDRESS],
        path=shortened(path),
        host=host if host != page_host else None,
        kind=row.resource_type.capitalize(),
        method=row.method,
        status=str(row.status) if row.status is not None else "–",
        failed=row.failure is not None or (row.status or 0) >= 400,
        failure=row.failure,
        protocol=row.protocol or "–",
        size=words.size(row.transfer_bytes) if row.transfer_bytes is not None else "–",
        time=words.milliseconds(taken) if taken is not None and taken >= 0 else "–",
        third_party=row.third_party,
        bar=_bar(row, end),
    )


def _bar(row: audits.RequestRow, end: float) -> Bar | None:
    if row.start_ms is None or row.end_ms is None or end <= 0 or row.end_ms < row.start_ms:
        return None
    start = min(max(row.start_ms / end, 0), 1) * 100
    length = min(max((row.end_ms - row.start_ms) / end * 100, 0.5), 100)
    return Bar(round(min(start, 100 - length), 2), round(length, 2))


def shortened(path: str) -> str:
    """Begin and end: a file's name stands last."""
    return path if len(path) <= MOST_PATH else f"{path[: MOST_PATH // 3]}…{path[-(MOST_PATH - MOST_PATH // 3 - 1) :]}"


def parts(url: str) -> tuple[str, str]:
    """Host and path with query; an address that is none is all path."""
    try:
        found = urlsplit(url)
    except ValueError:
        return "", url
    if not found.netloc:
        return "", url
    return found.netloc, (found.path or "/") + (f"?{found.query}" if found.query else "")
