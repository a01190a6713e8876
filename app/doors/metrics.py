"""Metrics for Prometheus; to strangers, there is no such page."""

from __future__ import annotations

import hmac
import ipaddress

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from app.metering import BacklogMeter
from app.wiring import House
from infra.telemetry import Telemetry

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def of(house: House, *, behind_proxy: bool) -> APIRouter:
    """What this process has to show, to whom its settings say."""
    token = house.settings.metrics_token
    bearer = token.get_secret_value() if token else None
    return routes(house.telemetry, house.backlog, token=bearer, behind_proxy=behind_proxy)


def routes(telemetry: Telemetry, backlog: BacklogMeter, *, token: str | None, behind_proxy: bool) -> APIRouter:
    """For bearers of `token`, and for this machine unless `behind_proxy`: there everybody comes from it."""
    router = APIRouter()

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not (_bears(request, token) or (not behind_proxy and _is_local(request))):
            raise HTTPException(404)
        await backlog.refresh()
        content, content_type = telemetry.render()
        return Response(content, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    return router


def _bears(request: Request, token: str | None) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # An empty token is none: it would be borne by everybody.
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), (token or "").encode())


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
