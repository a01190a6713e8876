"""GraphiQL from our own files: the built page, its assets, and the content policy under which it works."""

from functools import cache
from importlib import resources
from pathlib import Path

STATIC = Path(str(resources.files(__name__) / "static"))
"""The folder to be mounted at `/graphiql`; names under `assets/` carry a hash of their content."""

# Monaco writes style elements and attributes; nothing else needs more than this origin.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@cache
def page() -> str:
    """The HTML of the page; it may be served at any path of the origin that has `/graphql` and `/graphiql`."""
    return (STATIC / "index.html").read_text(encoding="utf-8")
