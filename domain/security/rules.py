"""Decisions about the security log; nothing here reads or writes."""

from __future__ import annotations

from typing import Any


def as_text(value: Any) -> str:
    """A detail for people."""
    if isinstance(value, list):
        return ", ".join(map(as_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
