"""Rows as a driver gives them. Whoever only writes them out again needs not have made of them what they are to others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Of PostgreSQL's times: https://www.postgresql.org/docs/current/datatype-datetime.html"""


class Form(Enum):
    """What stands for a value in such a row; or None, where that is the value."""

    SAME = "the value"
    TEXT = "the value, which is a str"
    NUMBER = "the value, which is a float"
    MICROSECONDS = "a moment's microseconds since EPOCH"
    NAME = "the name of an enum's member"


def forms_of(row: type) -> Mapping[str, Form]:
    """By column, in the order in which such a row is unpacked; without those that no form is known of.

    Its attributes are as with any other row. Empty where unpacking gives the same as they do.
    """
    found: Mapping[str, Form] = getattr(row, "forms", {})
    return found


def moment(microseconds: int) -> datetime:
    """PostgreSQL's infinities, as which asyncpg stores the first and the last moment that there are, are those."""
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if microseconds > 0 else datetime.min.replace(tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
