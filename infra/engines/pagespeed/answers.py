"""What Google answered: a result, or one of three kinds of failure (the page's, our configuration's, Google's)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.measuring import EngineFailure, FailureKind

from ..lhr import failure_of, mapping, rows, text

# One more try for a page that failed: it may have been Google's own hiccup, but a dead page is a dead page.
PAGE_TRIES = 2
TRIES = 5

_CODE = re.compile(r"Lighthouse returned error: (?:(net::ERR_[A-Z0-9_]+)|([A-Z][A-Z0-9_]+))\b")


class Failed(Exception):  # noqa: N818 - one answer, of which more may follow
    """An answer that is no result, and how many times at most the call is made when it comes."""

    def __init__(self, failure: EngineFailure, tries: int) -> None:
        super().__init__(failure.code)
        self.failure = failure
        self.tries = tries


def failed_answer(status: int, body: Mapping[str, Any], key: str) -> Failed:
    """The failure in an answer other than 200: the status alone cannot tell a dead page from a dead key."""
    error = mapping(body.get("error"))
    message = text(error.get("message"), 400).replace(key, "…")
    first = next(iter(rows(error.get("errors"))), {})
    reason = text(first.get("reason"), 60)
    if reason in ("lighthouseUserError", "lighthouseError"):
        return _lighthouse(message, page_by_default=reason == "lighthouseUserError")
    info = next((detail for detail in rows(error.get("details")) if "reason" in detail), {})
    if status == 429:
        return _quota(info)
    if status in (400, 401, 403):
        return Failed(_refused(status, text(info.get("reason"), 60), message), 1)
    if status >= 500:
        return google_failed("GOOGLE_FAILED", f"PageSpeed Insights answered {status}: {message or 'no reason given'}")
    return google_failed("ANSWER_UNKNOWN", f"PageSpeed Insights answered {status}, which it does not document.", tries=1)


def result_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Lighthouse result in a 200. Raises Failed."""
    captcha = text(body.get("captchaResult"), 60)
    if captcha not in ("", "CAPTCHA_NOT_NEEDED"):
        raise google_failed("CAPTCHA_NEEDED", "PageSpeed Insights asked for a captcha instead of measuring.")
    lhr = mapping(body.get("lighthouseResult"))
    if not lhr:
        raise google_failed("ANSWER_MALFORMED", "PageSpeed Insights answered without a Lighthouse result.")
    code = text(mapping(lhr.get("runtimeError")).get("code"), 60)
    if code and code != "NO_ERROR":
        raise _by_kind(failure_of(code, text(mapping(lhr["runtimeError"]).get("message"), 400)))
    return lhr


def _lighthouse(message: str, *, page_by_default: bool) -> Failed:
    """Both reasons stand for failed pages and for faults at Google: the code in the message decides."""
    match = _CODE.match(message)
    code = (match[2] or "FAILED_DOCUMENT_REQUEST") if match else ""
    if not code and not page_by_default:
        return google_failed("GOOGLE_FAILED", f"PageSpeed Insights failed: {message or 'no reason given'}")
    failure = failure_of(code or "FAILED_DOCUMENT_REQUEST", message)
    if page_by_default and failure.code == "UNKNOWN_ERROR":
        failure = EngineFailure(FailureKind.PAGE, "FAILED_DOCUMENT_REQUEST", message)
    return _by_kind(failure)


def _by_kind(failure: EngineFailure) -> Failed:
    return Failed(failure, PAGE_TRIES if failure.kind is FailureKind.PAGE else TRIES)


def _quota(info: Mapping[str, Any]) -> Failed:
    unit = text(mapping(info.get("metadata")).get("quota_unit"), 60)
    what = "The daily quota" if unit.startswith("1/d") else "The quota"
    message = f"{what} of this key for PageSpeed Insights is spent; the Google Cloud console shows and raises it."
    return Failed(EngineFailure(FailureKind.CONFIGURATION, "QUOTA_EXCEEDED", message, retryable=True), TRIES)


def _refused(status: int, reason: str, message: str) -> EngineFailure:
    said = f" Google said: {message}" if message else ""
    if reason.startswith("API_KEY_INVALID") or (status == 400 and message.startswith("API key")):
        return _ours("KEY_INVALID", f"Google does not know this API key for PageSpeed Insights.{said}")
    if status == 400:
        return _ours("BAD_REQUEST", f"PageSpeed Insights did not accept the request.{said}")
    return _ours("KEY_REFUSED", f"Google refused this API key: is the PageSpeed Insights API enabled for it?{said}")


def _ours(code: str, message: str) -> EngineFailure:
    return EngineFailure(FailureKind.CONFIGURATION, code, message)


def google_failed(code: str, message: str, tries: int = TRIES) -> Failed:
    """A failure of Google or of the way there."""
    return Failed(EngineFailure(FailureKind.ENGINE, code, message, retryable=True), tries)
