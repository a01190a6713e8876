"""The report's HTML, and the headers under which it is sent: no scripts, nothing from elsewhere, kept by nobody."""

from __future__ import annotations

from importlib.resources import files

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app import pages
from app.report import chart, slots, words
from app.report.view import View

_STYLE = pages.STYLE + files("app.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
HEADERS = pages.headers(f"style-src {pages.only(_STYLE)}; img-src 'self'")

_TEMPLATES = pages.templates("app.report")
_TEMPLATES.globals.update(style=Markup(_STYLE), chart=chart, slots=slots, ratings=words.RATINGS, count=words.count)  # noqa: S704 - our own file
_TEMPLATES.filters["with_code"] = words.with_code


def report(view: View) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template("report.html").render(view=view), headers=HEADERS)


def missing() -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template("missing.html").render(), status_code=404, headers=HEADERS)
