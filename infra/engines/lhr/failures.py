"""A run-level error of Lighthouse as a failure of the page or of the engine. Codes: its `core/lib/lh-error.js`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.measuring import EngineFailure, FailureKind

from .fields import mapping, text

# Chromium or its trace failed, not the page: another try may well succeed.
ENGINE_CODES = frozenset(
    {
        "CRI_TIMEOUT",
        "ERRORED_REQUIRED_ARTIFACT",
        "INVALID_SPEEDLINE",
        "MISSING_REQUIRED_ARTIFACT",
        "NO_DCL",
        "NO_NAVSTART",
        "NO_RESOURCE_REQUEST",
        "NO_SCREENSHOTS",
        "NO_SPEEDLINE_FRAMES",
        "NO_TRACING_STARTED",
        "PARSING_PROBLEM",
        "PROTOCOL_TIMEOUT",
        "READ_FAILED",
        "SPEEDINDEX_OF_ZERO",
        "TARGET_CRASHED",
        "TRACING_ALREADY_STARTED",
        "UNKNOWN_ERROR",
        "UNSUPPORTED_OLD_CHROME",
    }
)
PAGE_CODES = frozenset(
    {
        "CHROME_INTERSTITIAL_ERROR",
        "DNS_FAILURE",
        "ERRORED_DOCUMENT_REQUEST",
        "FAILED_DOCUMENT_REQUEST",
        "INSECURE_DOCUMENT_REQUEST",
        "INVALID_URL",
        "NOT_HTML",
        "NO_DOCUMENT_REQUEST",
        "NO_FCP",
        "NO_LCP",
        "NO_LCP_ALL_FRAMES",
        "NO_TTI_CPU_IDLE_PERIOD",
        "NO_TTI_NETWORK_IDLE_PERIOD",
        "PAGE_HUNG",
    }
)

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,59}\Z")


def failure_of(code: str, message: str) -> EngineFailure:
    """The failure for a code of Lighthouse. One that we do not know is the engine's, under UNKNOWN_ERROR."""
    sentence = text(message, 500)
    if code in PAGE_CODES:
        return EngineFailure(FailureKind.PAGE, code, sentence or "Lighthouse could not load the page.")
    known = code if code in ENGINE_CODES else "UNKNOWN_ERROR"
    if known != code and _CODE.match(code):
        sentence = f"{sentence} ({code})".strip()
    return EngineFailure(FailureKind.ENGINE, known, sentence or "Lighthouse failed.", retryable=True)


def raise_failure(lhr: Mapping[str, Any]) -> None:
    """Raises EngineFailure when the result holds a run-level error, or nothing else."""
    error = mapping(lhr.get("runtimeError"))
    code = text(error.get("code"), 60)
    if code and code != "NO_ERROR":
        raise failure_of(code, text(error.get("message"), 500))
    if not mapping(lhr.get("audits")):
        raise failure_of("UNKNOWN_ERROR", "The Lighthouse result holds no audits.")
