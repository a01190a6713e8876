"""One audit as a page that a person can look at and print: `/report/{audit}`."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.report import page, view
from app.report.permit import permitted
from app.report.pictures import LINKS_LAST
from app.wiring import House
from domain import files
from domain.keyring import LINKS

__all__ = ["routes"]


def routes(house: House) -> APIRouter:
    """The report's one address, with a signed `?token=` or an API key in `Authorization`."""
    router = APIRouter()

    @router.get("/report/{audit}", response_class=HTMLResponse, include_in_schema=False)
    async def report(request: Request, audit: str, token: str = "") -> HTMLResponse:
        now = datetime.now(UTC)
        row = await permitted(house, audit, token, request.headers.get("authorization", ""), now)
        if row is None:
            return page.missing()

        def sign(file: UUID) -> str:
            return files.sign(file, now + LINKS_LAST, house.keyring.derive(LINKS))

        return page.report(await view.gather(house.database.reader, row, sign))

    return router
