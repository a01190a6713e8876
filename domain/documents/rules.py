"""Decisions about clients, ids and durations; nothing here reads or writes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from ..errors import InvalidInput, ProblemCode

MAX_CLIENTS = 500
MAX_ALIASES = 100_000
MAX_PUSHED = 1_000
MAX_NAME = 100
MAX_ID = 200
MAX_VERSION = 50
MAX_BYTES = 64 * 1024
"""Of a document's text in UTF-8: what the pipeline takes at most."""

_ALIAS = re.compile(rf"[A-Za-z0-9._~:/-]{{1,{MAX_ID}}}\Z")
_VERSION = re.compile(rf"[A-Za-z0-9._+-]{{1,{MAX_VERSION}}}\Z")
_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})\Z")
_BY_HASH = "sha256:"
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class ClientMode(StrEnum):
    """Which operations a client's keys may send."""

    OPEN = "OPEN"
    LOG_UNKNOWN = "LOG_UNKNOWN"
    SAFELIST = "SAFELIST"
    REGISTERED_ONLY = "REGISTERED_ONLY"


class Checked(NamedTuple):
    """A document under the id that a client gave it, and what the pipeline says of it: `problem` is why it is refused.

    `names` are those of its operations, `operation` is the first one's kind, `cost` what it may cost at most.
    """

    alias: str
    text: str
    names: Sequence[str] = ()
    operation: str = ""
    cost: float = 0.0
    problem: str | None = None


def check_name(name: str) -> str:
    """A client's name, without the spaces around it. Raises InvalidInput."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        message = f"A client's name is 1 to {MAX_NAME} printable characters."
        raise InvalidInput.at("name", message, ProblemCode.OUT_OF_RANGE)
    return name


def is_version(text: str) -> bool:
    return _VERSION.match(text) is not None


def is_id(text: str) -> bool:
    """Whether a document could have been pushed under this id."""
    return _ALIAS.match(text) is not None


def hash_of(text: str) -> str:
    """The document's SHA-256, as 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def hash_in(id: str) -> str | None:
    """The hash that this id says outright, with sha256: before it or bare."""
    match = _HASH.match(id)
    return match[1] if match else None


def refusal(document: Checked) -> str | None:
    """Why this document cannot be stored under this id, whatever is stored already."""
    if not is_id(document.alias):
        return f"An id is 1 to {MAX_ID} letters, digits and . _ ~ : / -"
    if document.problem is not None:
        return document.problem
    if _UNSTORABLE.search(document.text):
        return "The text holds a character that no document may hold."
    if not 1 <= len(document.text.encode()) <= MAX_BYTES:
        return f"A document's text is 1 to {MAX_BYTES:,} bytes of UTF-8."
    # Whoever asks by hash must get this very text: a safelist relies on it.
    if document.alias.startswith(_BY_HASH) and document.alias != _BY_HASH + hash_of(document.text):
        return f"An id that begins with {_BY_HASH} is the SHA-256 of the text, in 64 hex digits; this one is not."
    return None


def _boundaries(least: float, most: float, steps: int) -> tuple[float, ...]:
    return tuple(least * (most / least) ** (step / steps) for step in range(steps + 1))


BOUNDARIES = _boundaries(0.001, 60.0, 60)
"""In seconds, each 1.2 times the one before; stored histograms are counted in these, so they never change."""

BUCKETS = len(BOUNDARIES) + 1
ERROR = (BOUNDARIES[-1] / BOUNDARIES[0]) ** (1 / (2 * (len(BOUNDARIES) - 1))) - 1
"""How far p95 may be from the true one, either way: 9.6 % of it, where that is between 1 ms and 60 s."""


def bucket(seconds: float) -> int:
    return bisect_left(BOUNDARIES, seconds)


def p95(durations: Sequence[int]) -> float | None:
    """The 95th percentile by the nearest rank, in seconds, at most ERROR of it away; None of nothing.

    It is the middle of its bucket by ratio; what took less than 1 ms reads as 1 ms, and more than 60 s as 60 s.
    """
    rank = -(-95 * sum(durations) // 100)
    for place, number in enumerate(durations):
        rank -= number
        if number and rank <= 0:
            least, most = BOUNDARIES[max(place - 1, 0)], BOUNDARIES[min(place, len(BOUNDARIES) - 1)]
            return float((least * most) ** 0.5)
    return None
