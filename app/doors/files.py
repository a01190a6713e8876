"""Reports and pictures, for whoever holds a signed link to one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import HTMLResponse, Response

from app.wiring import House
from domain import files
from domain.errors import NotFound
from domain.keyring import LINKS

MAX_TOKEN = 200
_GONE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Not found</title>"
    "<h1>This link leads nowhere</h1><p>It has expired, or it was never one of ours. Ask the API for a new one."
)


def routes(house: House) -> APIRouter:
    router = APIRouter()

    @router.get("/files/{token}")
    async def fetch(token: Annotated[str, Path()]) -> Response:
        found = await _find(house, token)
        if found is None:
            return HTMLResponse(_GONE, 404)
        row, data = found
        return Response(data, media_type=row.content_type, headers=_headers(row))

    return router


async def _find(house: House, token: str) -> tuple[files.FileRow, bytes] | None:
    id = files.signed_id(token, datetime.now(UTC), house.keyring.derive(LINKS)) if len(token) <= MAX_TOKEN else None
    if id is None:
        return None
    try:
        return await files.fetch(house.database.reader, house.storage, id)
    except NotFound:
        return None


def _headers(row: files.FileRow) -> dict[str, str]:
    is_picture = row.content_type.startswith("image/")
    name = f"{row.kind.lower()}-{row.audit_id.hex}-{row.run + 1}.json"
    return {
        "Content-Disposition": "inline" if is_picture else f'attachment; filename="{name}"',
        # A file is what some page made of it: it may show itself, and do nothing.
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=3600",
    }
