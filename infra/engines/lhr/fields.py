"""Tolerant access to a document from outside: a value of the wrong type counts as absent."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")


def number(value: object) -> float | None:
    """A finite number as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def size(value: object) -> int | None:
    """A count or a number of bytes: a number that is not negative, rounded to a whole."""
    found = number(value)
    return round(found) if found is not None and found >= 0 else None


def text(value: object, limit: int) -> str:
    """At most `limit` characters of a string, its blanks and control characters made single spaces; else ""."""
    if not isinstance(value, str):
        return ""
    # A lone surrogate is legal in JSON and cannot be stored as UTF-8.
    printable = value[: limit * 2].encode("utf-8", "replace").decode()
    return _BLANK.sub(" ", printable).strip()[:limit]


def texts(value: object, count: int, limit: int) -> list[str]:
    """The first `count` strings of a list."""
    strings = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return [text(item, limit) for item in strings[:count]]


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list (or of another iterable that is no string and no object)."""
    if not isinstance(value, Iterable) or isinstance(value, str | Mapping):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def audit(lhr: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return mapping(mapping(lhr.get("audits")).get(name))


def details(lhr: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return mapping(audit(lhr, name).get("details"))


def items(lhr: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return rows(details(lhr, name).get("items"))
