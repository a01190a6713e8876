"""The catalogue of rules, and what they find in a run."""

from __future__ import annotations

from domain.measuring import FindingSeen, Severity

from ..observation import Observation
from . import caching, delivery, html, security, third_party
from .rule import Rule

CATALOGUE: tuple[Rule, ...] = (*delivery.RULES, *caching.RULES, *security.RULES, *html.RULES, *third_party.RULES)
_ORDER = list(reversed(Severity))


def findings_of(seen: Observation) -> tuple[FindingSeen, ...]:
    """What the rules find, the gravest first, and within a severity in the catalogue's order."""
    found = [finding for rule in CATALOGUE if (finding := rule.apply(seen)) is not None]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


__all__ = ["CATALOGUE", "Rule", "findings_of"]
