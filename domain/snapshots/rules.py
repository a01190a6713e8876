"""Decisions about snapshots; nothing here reads or writes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from ..errors import Fault, ProblemCode

MAX_AUDITS = 1_000
"""So many audits are asked for in one transaction; the schedules of larger sites go piece by piece."""

MAX_NAME = 200
MAX_LINE = 256
MAX_MESSAGE = 1_000
MAX_URL = 2_048

SHORTEST_HASH = 7

_HASH = re.compile(rf"[0-9a-fA-F]{{{SHORTEST_HASH},64}}\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Commit(NamedTuple):
    """What Git knows of the code that was measured; `ancestor` is the commit that it is to be compared with."""

    hash: str
    branch: str | None = None
    ancestor: str | None = None
    author: str | None = None
    message: str | None = None
    committed_at: datetime | None = None


def check_commit(commit: Commit, faults: list[Fault]) -> Commit:
    """As it is kept: hashes in lower case, texts on one line and no longer than there is room for."""
    for name, value in (("hash", commit.hash), ("ancestor", commit.ancestor)):
        if value is not None and not _HASH.match(value):
            message = f"A commit's hash is {SHORTEST_HASH} to 64 hex digits."
            faults.append(Fault(("commit", name), message, ProblemCode.MALFORMED))
    if commit.branch is not None and not _line(commit.branch, MAX_LINE):
        faults.append(Fault(("commit", "branch"), "A branch has a name.", ProblemCode.REQUIRED))
    return commit._replace(
        hash=commit.hash.lower(),
        branch=_line(commit.branch, MAX_LINE),
        ancestor=commit.ancestor.lower() if commit.ancestor is not None else None,
        author=_line(commit.author, MAX_LINE),
        message=_line(commit.message, MAX_MESSAGE),
    )


def check_name(name: str | None, faults: list[Fault]) -> str | None:
    kept = _line(name, MAX_NAME + 1)
    if kept is not None and len(kept) > MAX_NAME:
        faults.append(Fault(("name",), f"A name has at most {MAX_NAME} characters.", ProblemCode.TOO_LONG))
    return kept


def check_link(url: str | None, faults: list[Fault], path: str) -> str | None:
    """An address for people to follow; it is shown as a link, so that it must be one of the web."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or len(url) > MAX_URL or not url.isprintable() or " " in url:
        message = f"This is no link: it begins with http:// or https:// and has at most {MAX_URL:,} characters."
        faults.append(Fault((path,), message, ProblemCode.URL_INVALID))
    return url


def _line(text: str | None, most: int) -> str | None:
    """On one line and cut off; None where nothing is left."""
    return (_UNPRINTABLE.sub(" ", text).strip()[:most] or None) if text is not None else None
