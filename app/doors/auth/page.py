"""The two pages of a sign-in by another issuer: that it was refused, and on to where somebody wanted to go."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, Response

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>{head}"
    "<title>{title}</title><h1>{title}</h1><p>{text}"
)


def refused(message: str, status: int) -> Response:
    text = _PAGE.format(head="", title="You are not signed in", text=f"{escape(message)} <p><a href=/auth/sign-in>Sign in</a>")
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


def onwards(to: str) -> Response:
    """By a page of ours, since cookies that are strictly our own would not follow a redirect that another site began."""
    there = escape(to, quote=True)
    head = f'<meta http-equiv=refresh content="0;url={there}">'
    text = _PAGE.format(head=head, title="Signed in", text=f'<a href="{there}">Go on</a>')
    return HTMLResponse(text, 200, {"Cache-Control": "no-store"})
