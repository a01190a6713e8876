"""The tables of docs/errors.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .code import ROOT


class Row(NamedTuple):
    """A code and the other cells of its line."""

    code: str
    cells: tuple[str, ...]


def rows(text: str | None = None) -> Iterator[Row]:
    for line in (text if text is not None else (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")).splitlines():
        if match := re.match(r"\| `([A-Z_]+)` \|(.*)\|$", line):
            yield Row(match[1], tuple(cell.strip() for cell in match[2].split("|")))
