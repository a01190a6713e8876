"""Reads a Lighthouse result (LHR), versions 10 to 13, from a file, a process or PageSpeed Insights.

The shape is Lighthouse's own (`types/lhr/*.d.ts`). Fields that are missing, unknown or of another type are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.measuring import RunResult

from .failures import failure_of, raise_failure
from .fields import mapping, number, rows, text, texts
from .findings import read_findings
from .images import read_images
from .metrics import read_metrics, read_user_timings
from .parse import parse_object
from .report import read_report
from .requests import read_requests
from .scores import read_scores

__all__ = ["failure_of", "mapping", "parse_object", "read_lhr", "rows", "text"]


def read_lhr(lhr: Mapping[str, Any]) -> RunResult:
    """One run, from Lighthouse's result. Raises EngineFailure when the result says that the run failed."""
    raise_failure(lhr)
    requests = read_requests(lhr)
    return RunResult(
        metrics=read_metrics(lhr, requests),
        final_url=_final_url(lhr),
        engine_version=text(lhr.get("lighthouseVersion"), 40),
        requests=requests,
        findings=read_findings(lhr),
        scores=read_scores(lhr),
        user_timings=read_user_timings(lhr),
        images=read_images(lhr),
        warnings=_warnings(lhr),
        report=read_report(lhr),
        benchmark_index=number(mapping(lhr.get("environment")).get("benchmarkIndex")),
    )


def _final_url(lhr: Mapping[str, Any]) -> str:
    names = ("mainDocumentUrl", "finalUrl", "finalDisplayedUrl", "requestedUrl")
    return next((text(lhr[name], 4096) for name in names if isinstance(lhr.get(name), str)), "")


def _warnings(lhr: Mapping[str, Any]) -> tuple[str, ...]:
    """What Lighthouse warned of, and the audits that it could not compute (an old Node.js lacks what some need)."""
    broken = [
        text(audit.get("id"), 60)
        for audit in rows(mapping(lhr.get("audits")).values())
        if audit.get("scoreDisplayMode") == "error"
    ]
    missing = [f"Lighthouse could not compute: {', '.join(broken[:20])}."] if broken else []
    return (*texts(lhr.get("runWarnings"), 20, 500), *missing)
