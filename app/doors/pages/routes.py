"""One page each. Opening one changes nothing, since what scans mails opens links: the page's script asks GraphQL to."""

from __future__ import annotations

from importlib.resources import files
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app import pages
from app.doors.paths import ours
from app.settings import Settings
from app.wiring import House
from domain import accounts
from domain.accounts import Registration
from domain.errors import NotAllowed

_TITLES = {
    "sign-in": "Sign in",
    "sign-up": "Sign up",
    "forgot": "Choose another password",
    "verify": "Confirm your address",
    "reset": "Choose another password",
    "invitation": "Join a workspace",
}

_OWN = files("app.doors.pages").joinpath("templates")
_STYLE = pages.STYLE + _OWN.joinpath("pages.css").read_text(encoding="utf-8")
_SCRIPT = _OWN.joinpath("pages.js").read_text(encoding="utf-8")
HEADERS = pages.headers(f"style-src {pages.only(_STYLE)}; script-src {pages.only(_SCRIPT)}; connect-src 'self'")

_TEMPLATES = pages.templates("app.doors.pages")
_TEMPLATES.globals.update(style=Markup(_STYLE), script=Markup(_SCRIPT))  # noqa: S704 - our own files


def routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/auth", default_response_class=HTMLResponse, include_in_schema=False)
    for name, title in _TITLES.items():
        router.add_api_route(f"/{name}", _Page(name, title, house.settings), methods=["GET"])
    return router


class _Page:
    """A token in the address is the script's alone, and is not written into the page."""

    def __init__(self, name: str, title: str, settings: Settings) -> None:
        self._template = _TEMPLATES.get_template(f"{name.replace('-', '_')}.html")
        self._said = {
            "name": name,
            "title": title,
            "registration": settings.registration,
            "closed": _closed(settings.registration),
            "may_sign_up": settings.registration is not Registration.CLOSED,
            "issuer": urlsplit(settings.oidc_issuer).hostname if settings.oidc_issuer else None,
            "graphiql": settings.graphiql,
        }

    async def __call__(self, to: str = "") -> HTMLResponse:
        return HTMLResponse(self._template.render(self._said, to=ours(to, "")), headers=HEADERS)


def _closed(registration: Registration) -> str:
    """Why nobody signs up here without an invitation."""
    try:
        accounts.may_sign_up(registration, invited=False)
    except NotAllowed as refused:
        return refused.message
    return ""
