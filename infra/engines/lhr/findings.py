"""The findings of a Lighthouse result: its audits that did not pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from domain.measuring import FindingSeen, Severity

from .evidence import read_evidence
from .fields import mapping, number, rows, size, text, texts

PASSED = 0.9
MAX_FINDINGS = 200

# Numbers, not advice: they are the run's metrics.
_METRIC_GROUPS = frozenset({"metrics", "hidden"})
_NOT_JUDGED = frozenset({"informative", "manual", "notApplicable", "error"})
_TIMES = ("FCP", "LCP", "TBT", "INP")
_LINK = re.compile(r"\[([^\]]*)\]\((https?://[^\s)]+)\)")
_IMPACT = {
    "critical": Severity.HIGH,
    "serious": Severity.MEDIUM,
    "moderate": Severity.LOW,
    "minor": Severity.LOW,
}


def read_findings(lhr: Mapping[str, Any]) -> tuple[FindingSeen, ...]:
    """Each audit that failed once, under the first category that has it, in Lighthouse's order.

    An audit is left out when it is a metric, was not judged, is hidden in Lighthouse's own report, or is replaced by
    an insight that also failed (12.x holds both).
    """
    failed = dict(_failed(lhr))
    replaced = {name for audit, _, _ in failed.values() for name in texts(audit.get("replacesAudits"), 50, 60)}
    kept = [(id, *parts) for id, parts in failed.items() if id not in replaced]
    return tuple(_finding(*parts) for parts in kept[:MAX_FINDINGS])


def _failed(lhr: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Mapping[str, Any], str, float]]]:
    """Audits by id, with their category and the part (0 to 1) that they have in its score."""
    seen: set[str] = set()
    audits = mapping(lhr.get("audits"))
    for category, content in mapping(lhr.get("categories")).items():
        references = rows(mapping(content).get("auditRefs"))
        total = sum(number(reference.get("weight")) or 0 for reference in references)
        for reference in references:
            id = text(reference.get("id"), 60)
            audit = mapping(audits.get(id))
            if id in seen:
                continue
            seen.add(id)
            score = number(audit.get("score"))
            judged = text(audit.get("scoreDisplayMode"), 60) not in _NOT_JUDGED and score is not None and score < PASSED
            if judged and text(reference.get("group"), 60) not in _METRIC_GROUPS:
                part = (number(reference.get("weight")) or 0) / total if total else 0
                yield id, (audit, text(category, 60), part)


def _finding(id: str, audit: Mapping[str, Any], category: str, part: float) -> FindingSeen:
    saving_ms, saving_bytes = _saving_ms(audit), _saving_bytes(audit)
    described = text(audit.get("description"), 2000)
    link = _LINK.search(described)
    return FindingSeen(
        rule=id,
        title=text(audit.get("title"), 300).replace("`", "") or id,
        severity=_severity(audit, part, saving_ms or 0, saving_bytes or 0),
        category=category,
        description=_LINK.sub(r"\1", described).replace("`", ""),
        evidence=read_evidence(audit),
        saving_ms=saving_ms,
        saving_bytes=saving_bytes,
        link=link[2] if link else None,
    )


def _saving_ms(audit: Mapping[str, Any]) -> float | None:
    """The largest of the savings in FCP, LCP, TBT and INP (`metricSavings`), or the older `overallSavingsMs`."""
    by_metric = mapping(audit.get("metricSavings"))
    savings = [saving for name in _TIMES if (saving := number(by_metric.get(name))) is not None]
    older = number(mapping(audit.get("details")).get("overallSavingsMs"))
    largest = max(savings or ([older] if older is not None else []), default=0)
    return largest if largest > 0 else None


def _saving_bytes(audit: Mapping[str, Any]) -> int | None:
    details = mapping(audit.get("details"))
    debug = mapping(details.get("debugData"))
    return size(details.get("overallSavingsBytes")) or size(debug.get("wastedBytes")) or None


def _severity(audit: Mapping[str, Any], part: float, saving_ms: float, saving_bytes: int) -> Severity:
    """By what would be won; where nothing can be computed, by axe's impact, the part in the score, and the score."""
    impact = mapping(mapping(audit.get("details")).get("debugData")).get("impact")
    if isinstance(impact, str) and impact in _IMPACT:
        return _IMPACT[impact]
    if saving_ms >= 500 or saving_bytes >= 500_000 or part >= 0.2:
        return Severity.HIGH
    if saving_ms >= 100 or saving_bytes >= 100_000 or part >= 0.05:
        return Severity.MEDIUM
    return Severity.LOW
