"""A local PageSpeed Insights: takes what Google documents and answers with the documented shapes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "AIzaSyLocalTestKey-0123456789"
LHR: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "lighthouse-13.5.0.json").read_text())

_PATH = "/pagespeedonline/v5/runPagespeed"
_URL = re.compile(r"(?i)(url:|origin:)?http(s)?://.*")
_STRATEGIES = {"DESKTOP", "MOBILE", "STRATEGY_UNSPECIFIED"}
_CATEGORIES = {"ACCESSIBILITY", "BEST_PRACTICES", "PERFORMANCE", "SEO", "PWA", "CATEGORY_UNSPECIFIED"}


@dataclass
class Answer:
    status: int
    body: Any
    after: float = 0
    raw: bytes | None = None


def success(fetched: str = "2026-11-20T10:00:00.000Z", **changes: Any) -> Answer:
    lhr = {**LHR, "fetchTime": fetched, **changes}
    body = {
        "captchaResult": "CAPTCHA_NOT_NEEDED",
        "kind": "pagespeedonline#result",
        "id": lhr["finalUrl"],
        "loadingExperience": {"initial_url": lhr["requestedUrl"]},
        "lighthouseResult": lhr,
        "analysisUTCTimestamp": fetched,
        "version": {"major": 5, "minor": 0},
    }
    return Answer(200, body)


def error(http: int, message: str, reason: str, domain: str = "global", **more: Any) -> Answer:
    first = {"message": message, "domain": domain, "reason": reason}
    return Answer(http, {"error": {"code": http, "message": message, "errors": [first], **more}})


def error_info(reason: str, **metadata: str) -> list[dict[str, Any]]:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return [{"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata}]


def page_failed(code: str, words: str = "Lighthouse was unable to reliably load the page you requested.") -> Answer:
    return error(400, f"Lighthouse returned error: {code}. {words}", "lighthouseUserError", "lighthouse")


def lighthouse_error(message: str) -> Answer:
    return error(500, message, "lighthouseError", "lighthouse")


def key_invalid() -> Answer:
    message = "API key not valid. Please pass a valid API key."
    return error(400, message, "badRequest", status="INVALID_ARGUMENT", details=error_info("API_KEY_INVALID"))


def quota() -> Answer:
    message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of service."
    details = error_info(
        "RATE_LIMIT_EXCEEDED",
        quota_metric="pagespeedonline.googleapis.com/default",
        quota_limit="defaultPerDayPerProject",
        quota_unit="1/d/{project}",
    )
    return error(429, message, "rateLimitExceeded", status="RESOURCE_EXHAUSTED", details=details)


def internal_error() -> Answer:
    return error(500, "Unable to process request. Please wait a while and try again.", "internalError")


@dataclass
class PsiServer:
    """`answers` are given in turn, the last one again and again; `asked` has the query of every call."""

    base_url: str
    answers: list[Answer] = field(default_factory=lambda: [success()])
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def answer(self, target: str) -> Answer:
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        if parts.path != _PATH:
            return Answer(404, {"error": {"code": 404, "message": "Not found."}})
        self.asked.append(query)
        if "key" not in query:
            return quota()
        if query["key"] != [KEY]:
            return key_invalid()
        valid = (
            len(query.get("url", [])) == 1
            and _URL.match(query["url"][0])
            and set(query.get("strategy", [])) <= _STRATEGIES
            and set(query.get("category", [])) <= _CATEGORIES
        )
        if not valid:
            return error(400, "Request contains an invalid argument.", "badRequest", status="INVALID_ARGUMENT")
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.status == 200 and answer.raw is None:
            return Answer(200, _masked(answer.body, query.get("fields", ["*"])[0]), answer.after)
        return answer


def _masked(body: Any, mask: str) -> Any:
    """The parts of the body that a `fields` mask names: `a,b(c,d)`."""
    if mask == "*" or not isinstance(body, dict):
        return body
    kept: dict[str, Any] = {}
    for name, inner in re.findall(r"([A-Za-z]+)(?:\(([^()]*)\))?", mask):
        if name in body:
            kept[name] = _masked(body[name], inner) if inner else body[name]
    return kept


@contextmanager
def psi_server() -> Iterator[PsiServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = psi.answer(self.path)
            psi.stopped.wait(answer.after)
            data = answer.raw if answer.raw is not None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True  # the client gave up, as the tests of slow answers make it

        def log_message(self, format: str, *args: Any) -> None:
            """Silent: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    psi = PsiServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield psi
    finally:
        psi.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
