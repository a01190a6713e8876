"""An outcome as JSON: the names are those of the GraphQL API."""

from __future__ import annotations

import json
from typing import Any

from app.auditing.outcome import Measurement, Outcome
from domain import audits
from domain.ids import Kind, encode
from domain.measuring import MetricName


def as_json(outcome: Outcome) -> str:
    """ASCII alone: whatever a page wrote, no terminal obeys it."""
    return json.dumps(_document(outcome), indent=2)


def _document(outcome: Outcome) -> dict[str, Any]:
    audit = outcome.audit
    return {
        "id": encode(Kind.AUDIT, audit.id),
        "page": encode(Kind.PAGE, audit.page_id),
        "url": audit.requested_url,
        "finalUrl": audit.final_url,
        "state": audit.state,
        "engine": audit.engine,
        "engineVersion": audit.engine_version,
        "formFactor": audit.form_factor,
        "runs": audit.runs,
        "failure": _failure(audit),
        "metrics": {_camel(name.value): _number(getattr(audit, name.value)) for name in MetricName},
        "measurements": [_measurement(each) for each in outcome.measurements],
        "scores": [{"category": score["category"], "title": score["title"], "score": score["score"]} for score in audit.scores],
        "findings": [_finding(each) for each in outcome.findings],
        "report": outcome.report,
    }


def _failure(audit: audits.AuditRow) -> dict[str, Any] | None:
    if audit.failure_kind is None:
        return None
    return {
        "kind": audit.failure_kind,
        "code": audit.failure_code,
        "message": audit.failure_message,
        "retryable": audit.failure_retryable,
    }


def _measurement(each: Measurement) -> dict[str, Any]:
    return {
        "metric": each.metric.name.name,
        "title": each.metric.title,
        "unit": each.metric.unit,
        "value": _number(each.value),
        "rating": each.rating,
        "good": _number(each.thresholds.good) if each.thresholds else None,
        "poor": _number(each.thresholds.poor) if each.thresholds else None,
        "low": _number(each.spread.low),
        "high": _number(each.spread.high),
        "samples": each.spread.samples,
    }


def _finding(row: audits.FindingRow) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "title": row.title,
        "description": row.description,
        "severity": row.severity,
        "category": row.category,
        "savingMs": _number(row.saving_ms),
        "savingBytes": _number(row.saving_bytes),
        "evidence": row.evidence,
        "link": row.link,
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _number(value: float | None) -> float | int | None:
    """A whole number without a point, as GraphQL's Int has it."""
    return int(value) if value is not None and value == int(value) else value
