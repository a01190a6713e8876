"""The five ways in which the product says no. Each is a sentence for a user and a code for a program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ProblemCode(StrEnum):
    """Which rule refused. Values are stable: clients switch on them."""

    REQUIRED = "REQUIRED"
    TOO_LONG = "TOO_LONG"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    MALFORMED = "MALFORMED"
    URL_INVALID = "URL_INVALID"
    URL_NOT_ALLOWED = "URL_NOT_ALLOWED"
    ID_MALFORMED = "ID_MALFORMED"
    ID_WRONG_KIND = "ID_WRONG_KIND"
    CURSOR_INVALID = "CURSOR_INVALID"
    NOT_FOUND = "NOT_FOUND"
    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    PERMISSION_MISSING = "PERMISSION_MISSING"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    KEY_REUSED = "KEY_REUSED"
    STATE_CHANGED = "STATE_CHANGED"
    IN_USE = "IN_USE"
    TOO_MANY = "TOO_MANY"
    INVALID = "INVALID"


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """The base of every expected refusal. `message` is a sentence for a user, `code` names the rule."""

    def __init__(self, message: str, code: ProblemCode) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input; `path` leads to it in the input's own names."""

    path: tuple[str, ...]
    message: str
    code: ProblemCode


class InvalidInput(Refused):
    """The input cannot be used; `faults` has everything that is wrong with it, at once."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        message = first.message if len(self.faults) == 1 else f"{len(self.faults)} things are wrong with this input."
        super().__init__(message, first.code if len(self.faults) == 1 else ProblemCode.INVALID)

    @classmethod
    def at(cls, path: str, message: str, code: ProblemCode = ProblemCode.MALFORMED) -> InvalidInput:
        """`path` is dotted: target.page leads to the field `page` of the field `target`."""
        return cls([Fault(tuple(path.split(".")), message, code)])


class NotFound(Refused):
    """It is not there, or not yours: the answer is the same."""

    def __init__(self, message: str, id: str | None = None) -> None:
        super().__init__(message, ProblemCode.NOT_FOUND)
        self.id = id


class NotAllowed(Refused):
    """You may see it, but not do this with it. `permission` names what is missing."""

    def __init__(self, message: str, permission: str, code: ProblemCode = ProblemCode.PERMISSION_MISSING) -> None:
        super().__init__(message, code)
        self.permission = permission


class Conflict(Refused):
    """It cannot be done beside what is there already. `existing` is (kind, id) of that, where it is one thing."""

    def __init__(self, message: str, code: ProblemCode, existing: tuple[str, UUID] | None = None) -> None:
        super().__init__(message, code)
        self.existing = existing


class LimitReached(Refused):
    """More than `limit` is not allowed; `retry_at` says when it may be tried again, if waiting helps."""

    def __init__(self, message: str, limit: int, retry_at: datetime | None = None) -> None:
        super().__init__(message, ProblemCode.TOO_MANY)
        self.limit = limit
        self.retry_at = retry_at


class DatabaseAway(Exception):  # noqa: N818 - the field's word for it
    """The database could not be reached, or went away in the middle: what was to be written may or may not have been."""
