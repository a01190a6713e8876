"""The representative run's pictures, behind links that expire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.report import words
from domain import files

LINKS_LAST = timedelta(hours=24)

Sign = Callable[[UUID], str]
"""A file's id becomes a token that opens it for a while."""


@dataclass(frozen=True, slots=True)
class Picture:
    source: str
    alt: str
    time: str | None


@dataclass(frozen=True, slots=True)
class Pictures:
    screenshot: Picture | None
    frames: tuple[Picture, ...]


def pictures(rows: Sequence[files.FileRow], run: int, sign: Sign) -> Pictures:
    """`rows` are the files of all runs, in their order."""
    own = [row for row in rows if row.run == run]
    screenshots = [_picture(row, sign) for row in own if row.kind is files.FileKind.SCREENSHOT]
    frames = tuple(_picture(row, sign) for row in own if row.kind is files.FileKind.FILMSTRIP)
    return Pictures(screenshots[0] if screenshots else None, frames)


def _picture(row: files.FileRow, sign: Sign) -> Picture:
    source = f"/files/{sign(row.id)}"
    if row.kind is files.FileKind.SCREENSHOT:
        return Picture(source, "The page as it looked in the end", None)
    if row.at_ms is None:
        return Picture(source, "The page while it was loading", None)
    time = words.milliseconds(row.at_ms)
    return Picture(source, f"The page {time} after it began to load", time)
