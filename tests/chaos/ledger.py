"""What the trial knows by itself: what clients were promised, what was done to the servers, and what went wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

AFTERMATH_SECONDS = 5.0
"""So long after PostgreSQL is back, a process may not have noticed yet."""


class Kind(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"


class Fault(NamedTuple):
    kind: Kind
    text: str


class Refusal(NamedTuple):
    """An answer of the API that is none: the request is repeated."""

    at: float
    text: str


@dataclass
class Ledger:
    """`accepted` is the audit's id by idempotency key; `cancels` are the audits that clients asked to be stopped."""

    accepted: dict[str, str] = field(default_factory=dict)
    cancels: set[str] = field(default_factory=set)
    done_to: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _away: list[tuple[float, float]] = field(default_factory=list)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def say(self, text: str) -> None:
        print(f"{self.elapsed:7.1f}  {text}", flush=True)

    def fault(self, kind: Kind, text: str) -> None:
        self.faults.append(Fault(kind, text))
        self.say(f"{kind.upper()}: {text[:300]}")

    def accept(self, key: str, audit: str) -> None:
        known = self.accepted.setdefault(key, audit)
        if known != audit:
            self.fault(Kind.DOUBLED, f"The idempotency key {key} was answered with {known} and with {audit}.")

    @contextmanager
    def database_away(self) -> Generator[None, None, None]:
        """While PostgreSQL is away, and for a moment after, the API may fail."""
        began = self.elapsed
        self._away.append((began, float("inf")))
        try:
            yield
        finally:
            self._away[-1] = (began, self.elapsed + AFTERMATH_SECONDS)

    def refused(self, text: str) -> None:
        self.refusals.append(Refusal(self.elapsed, text))

    def unexcused(self) -> list[Refusal]:
        """Refusals that no outage of PostgreSQL explains: nothing else may make the API refuse anything."""
        return [each for each in self.refusals if not any(since <= each.at <= until for since, until in self._away)]
