"""The report's HTML, and the headers under which it is sent: no scripts, nothing from elsewhere, kept by nobody."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from app.report import chart, words
from app.report.view import View

_STYLE = files("app.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_TEMPLATES = Environment(
    loader=PackageLoader("app.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals.update(style=Markup(_STYLE), chart=chart, ratings=words.RATINGS, count=words.count)  # noqa: S704 - our own file
_TEMPLATES.filters["with_code"] = words.with_code


def report(view: View) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template("report.html").render(view=view), headers=HEADERS)


def missing() -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template("missing.html").render(), status_code=404, headers=HEADERS)
