"""Decisions about marks; nothing here reads or writes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ..errors import Fault, ProblemCode

MAX_VERSION = 200
MAX_TEXT = 1_000
AHEAD = timedelta(days=1)
"""Clocks differ; what is farther in the future is a slip."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def check_version(version: str, faults: list[Fault]) -> str:
    kept = _line(version)
    if not 1 <= len(kept) <= MAX_VERSION:
        message = f"A version has 1 to {MAX_VERSION} characters, such as v1.4.2."
        faults.append(Fault(("version",), message, ProblemCode.TOO_LONG if kept else ProblemCode.REQUIRED))
    return kept


def check_text(text: str, faults: list[Fault]) -> str:
    kept = _line(text)
    if not 1 <= len(kept) <= MAX_TEXT:
        message = f"An annotation has 1 to {MAX_TEXT:,} characters."
        faults.append(Fault(("text",), message, ProblemCode.TOO_LONG if kept else ProblemCode.REQUIRED))
    return kept


def check_moment(at: datetime | None, now: datetime, faults: list[Fault]) -> datetime:
    if at is not None and at > now + AHEAD:
        faults.append(Fault(("at",), "This is in the future: say when it happened.", ProblemCode.OUT_OF_RANGE))
    return at if at is not None else now


def _line(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()
