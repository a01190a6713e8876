"""Patterns of paths as robots.txt has them, and budget.json with it (RFC 9309, 2.2.2 and 2.2.3)."""

from __future__ import annotations

MAX_PATH = 500


def matches(pattern: str | None, path: str) -> bool:
    """`*` stands for anything, `$` at the end for the end; else the path begins with the pattern. None matches all.

    Piece by piece from the left, each where it is first found: no pattern takes longer than its pieces times the path.
    """
    if pattern is None:
        return True
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not ends or path == first
    place = len(first)
    *middle, last = others
    for piece in middle:
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return path.endswith(last) and len(path) - len(last) >= place if ends else last in path[place:]


def fault_of(pattern: str) -> str | None:
    """What is wrong with a pattern, as a sentence; None when nothing is."""
    if not pattern.startswith(("/", "*")):
        return "A path's pattern begins with / or *, such as /blog/* or /$."
    if len(pattern) > MAX_PATH or not pattern.isprintable():
        return f"A path's pattern is at most {MAX_PATH} printable characters."
    if "$" in pattern[:-1]:
        return "A $ stands at the end of a path's pattern, and means its end."
    return None
