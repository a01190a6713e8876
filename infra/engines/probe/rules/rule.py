"""What a rule is: a pure question to an observation, and what is said when it hits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from domain.measuring import Evidence, FindingSeen, Severity

from ..observation import Exchange, Observation
from ..text import shown

MAX_EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found. `severity` is given where it depends on how bad it is."""

    evidence: tuple[Evidence, ...] = ()
    severity: Severity | None = None
    saving_ms: float | None = None
    saving_bytes: int | None = None


Check = Callable[[Observation], Hit | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`title` says what is wrong in a sentence, `advice` what to do about it; `link` leads to public documentation."""

    id: str
    category: str
    severity: Severity
    title: str
    advice: str
    link: str
    check: Check

    def apply(self, seen: Observation) -> FindingSeen | None:
        hit = self.check(seen)
        if hit is None:
            return None
        return FindingSeen(
            rule=self.id,
            title=self.title,
            severity=hit.severity or self.severity,
            category=self.category,
            description=self.advice,
            evidence=hit.evidence[:MAX_EVIDENCE],
            saving_ms=hit.saving_ms,
            saving_bytes=hit.saving_bytes,
            link=self.link,
        )


def rule(id: str, category: str, severity: Severity, title: str, advice: str, link: str) -> Callable[[Check], Rule]:
    """Makes a rule of the check below it."""

    def make(check: Check) -> Rule:
        return Rule(id, category, severity, title, advice, link, check)

    return make


def note(subject: str, detail: str = "") -> Evidence:
    return Evidence(shown(subject), shown(detail))


def hit_each(evidence: Iterable[Evidence], *, at_least: int = 1, severity: Severity | None = None) -> Hit | None:
    """A hit when there is enough evidence."""
    found = tuple(evidence)
    return Hit(found, severity) if len(found) >= at_least else None


def header(exchange: Exchange, name: str) -> str:
    """A header's value in lower case, several joined by a comma; empty when it was not sent."""
    return str(exchange.headers.get(name, "")).strip().lower()


def size(count: float) -> str:
    return f"{count / 1000:,.1f} kB" if count >= 1000 else f"{count:.0f} bytes"
