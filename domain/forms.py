"""Rows as a driver gives them. Whoever only writes them out again needs not have made of them what they are to others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum


class Form(Enum):
    """What stands for a value in such a row; or None, where that is the value."""

    SAME = "the value"
    TEXT = "the value, which is a str"
    NUMBER = "the value, which is a float"
    MOMENT = "PostgreSQL's text of it in UTC: 2026-11-22 08:09:11.87+00, of six decimals without the last noughts"
    NAME = "the name of an enum's member"


def forms_of(row: type) -> Mapping[str, Form]:
    """By column, in the order in which such a row is unpacked; without those that no form is known of.

    Its attributes are as with any other row. Empty where unpacking gives the same as they do.
    """
    found: Mapping[str, Form] = getattr(row, "forms", {})
    return found


def moment(text: str) -> datetime:
    """PostgreSQL's infinities, as which asyncpg stores the first and the last moment that there are, are those."""
    if text.endswith("infinity"):
        return datetime.min.replace(tzinfo=UTC) if text.startswith("-") else datetime.max.replace(tzinfo=UTC)
    return datetime.fromisoformat(text)
