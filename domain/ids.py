"""Ids: UUIDv7 inside (time-ordered, made by us before the insert), `site_<32 hex>` outside."""

from __future__ import annotations

import os
import re
import time
from enum import StrEnum
from uuid import UUID

from .errors import InvalidInput, ProblemCode


class Kind(StrEnum):
    """What an id is the id of; the word before the underscore."""

    USER = "user"
    SESSION = "session"
    WORKSPACE = "workspace"
    INVITATION = "invitation"
    KEY = "key"
    RUNNER = "runner"
    PROFILE = "profile"
    SITE = "site"
    PAGE = "page"
    SCHEDULE = "schedule"
    SNAPSHOT = "snapshot"
    VERDICT = "verdict"
    DEPLOY = "deploy"
    ANNOTATION = "annotation"
    AUDIT = "audit"
    BUDGET = "budget"
    BREACH = "breach"
    FINDING = "finding"
    FILE = "file"
    JOB = "job"
    CLIENT = "client"
    DOCUMENT = "document"
    ALERT = "alert"
    CHANNEL = "channel"
    ROUTE = "route"
    DELIVERY = "delivery"


_SHAPE = re.compile(r"([a-z]+)_([0-9a-f]{32})\Z")


_last = 0


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 §5.7): Unix milliseconds, 12 bits of the time below them (§6.2 method 3), 62 random bits.

    Each is greater than all that this process made before, so that what is made together keeps its order.
    """
    global _last
    milliseconds, below = divmod(time.time_ns(), 1_000_000)
    _last = max(_last + 1, milliseconds << 12 | (below << 12) // 1_000_000)
    random = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    return UUID(int=(_last >> 12) << 80 | 7 << 76 | (_last & 0xFFF) << 64 | 2 << 62 | random)


def encode(kind: Kind, id: UUID) -> str:
    return f"{kind}_{id.hex}"


def parse(text: str) -> tuple[Kind, UUID] | None:
    """The kind and UUID of a readable id, or None when it is not one."""
    match = _SHAPE.match(text)
    if match is None or match[1] not in _KINDS:
        return None
    return Kind(match[1]), UUID(hex=match[2])


def decode(kind: Kind, text: str, path: str = "id") -> UUID:
    """The UUID in a readable id of this kind. Raises InvalidInput, naming `path`, for anything else."""
    parsed = parse(text)
    if parsed is None:
        raise InvalidInput.at(
            path,
            f"This is not an id; the one of a thing of this kind looks like {kind}_018f…, with 32 hex digits.",
            ProblemCode.ID_MALFORMED,
        )
    if parsed[0] is not kind:
        raise InvalidInput.at(
            path, f"This id is of the kind {parsed[0]}; here one of the kind {kind} is needed.", ProblemCode.ID_WRONG_KIND
        )
    return parsed[1]


_KINDS = frozenset(Kind)
