"""Which breaking changes a changelog owns up to, in the part about what is not released yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.errors import Unusable

_UNRELEASED = re.compile(r"##?\s+\[?unreleased\b", re.IGNORECASE)
_PART = re.compile(r"##?\s")
_HEADING = re.compile(r"#{1,6}\s")
_BEGINS = re.compile(r"(?P<indent>\s*)(?P<item>[-*+]\s+)?(?:\*\*)?Breaking:")
_ITEM = re.compile(r"\s*[-*+]\s")


def acknowledged(changelog: str, coordinates: Iterable[str]) -> frozenset[str]:
    """Those of the coordinates that are named under a line that begins with "Breaking:".

    A type, whose name may be any word of the language, only as `code`. Raises Unusable where nothing is unreleased.
    """
    said = "\n".join(_under_breaking(_unreleased(changelog)))
    return frozenset(each for each in coordinates if _names(said, each))


def _names(said: str, coordinate: str) -> bool:
    if coordinate.isidentifier():
        return f"`{coordinate}`" in said
    return re.search(rf"(?<![\w.@]){re.escape(coordinate)}(?![\w(]|\.\w)", said) is not None


def _unreleased(changelog: str) -> list[str]:
    lines = iter(changelog.splitlines())
    if not any(_UNRELEASED.match(line) for line in lines):
        raise Unusable('The changelog has no part that begins with "## [Unreleased]".')
    found = []
    for line in lines:
        if _PART.match(line):
            break
        found.append(line)
    return found


def _under_breaking(lines: Iterable[str]) -> Iterator[str]:
    """Such a line and all below it, up to the next heading; where it is the item of a list, up to the item's end."""
    item: int | None = None  # how far the item is indented
    inside = after_blank = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        is_outside = item is not None and bool(line.strip()) and indent <= item and (after_blank or _ITEM.match(line))
        if _HEADING.match(line) or is_outside:
            inside = False
        if begins := _BEGINS.match(line):
            inside, item = True, len(begins["indent"]) if begins["item"] else None
        if inside:
            yield line
        after_blank = not line.strip()
