"""What a file with budgets says: drafts of budgets, what of it is skipped and why, and where it is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, NoReturn

from ..errors import InvalidInput, ProblemCode
from .words import Aggregation, BudgetSeverity, SubjectKind

MAX_TEXT = 200_000


class Draft(NamedTuple):
    """A budget as a file has it; `position` is the entry that it stands in, `at` the place."""

    at: str
    position: int
    path: str | None
    url_pattern: str | None
    subject_kind: SubjectKind
    subject: str
    limit_value: float
    tolerance: float
    aggregation: Aggregation
    severity: BudgetSeverity


class Skipped(NamedTuple):
    """What of the file was not taken over, or not as it stands, and why."""

    place: str
    reason: str


class Drafts(NamedTuple):
    """`silent` are the paths of entries that limit nothing, by their positions."""

    budgets: list[Draft]
    skipped: list[Skipped]
    silent: list[tuple[int, str | None]]


def parsed(text: str) -> Any:
    """The file's JSON. Raises InvalidInput."""
    if len(text) > MAX_TEXT:
        message = f"A file with budgets is at most {MAX_TEXT:,} characters."
        raise InvalidInput.at("text", message, ProblemCode.TOO_LONG)
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise InvalidInput.at("text", f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise InvalidInput.at("text", "This is no JSON that can be read.") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def wrong(place: str, message: str) -> InvalidInput:
    """The refusal of a file: where it is wrong, and what would be right."""
    return InvalidInput.at("text", f"{place or 'The file'}: {message}")


def an_object(value: Any, place: str, known: Collection[str], what: str) -> Mapping[str, Any]:
    """Raises InvalidInput for what is no object, and for a field that nobody knows: it may be a slip of the pen."""
    if not isinstance(value, dict):
        raise wrong(place, f"{what} is an object {{…}}.")
    for name in value:
        if name not in known:
            raise wrong(
                f"{place}.{clipped(name)}".lstrip("."), f"there is no such field; there are {', '.join(sorted(known))}."
            )
    return value


def a_list(value: Any, place: str, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(place, f"{what} is a list […].")
    return value


def a_number(value: Any, place: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value) or value < 0:
        raise wrong(place, f"{what} is a number, not less than 0.")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value) and abs(value) <= 2**53
    except OverflowError:
        return False


def one_of(value: Any, place: str, known: Collection[str], what: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise wrong(place, f"{what} is one of {', '.join(known)}.")
    return value


def clipped(text: str) -> str:
    """A name of the file's own in a sentence: not all of it, and nothing that does not print."""
    return "".join(char for char in text[:60] if char.isprintable())
