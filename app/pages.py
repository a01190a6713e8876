"""What our pages for people have in common: their look, and the headers under which they are sent; nobody keeps them."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

STYLE = files("app").joinpath("pages.css").read_text(encoding="utf-8")


def headers(policy: str) -> dict[str, str]:
    """Those of a page with this Content-Security-Policy."""
    return {
        "Content-Security-Policy": f"default-src 'none'; {policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }


def only(text: str) -> str:
    """What allows exactly this style or script in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def templates(package: str) -> Environment:
    """Those of a package: every value is escaped, and one that is missing is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
