"""The real application, traced whole: once, and without a secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from opentelemetry.trace import SpanKind

from app import bootstrap
from app.asgi import create_app
from domain import files
from domain.ids import new_id
from domain.keyring import LINKS
from infra.telemetry import Telemetry
from tests.app.houses import opened
from tests.telemetry import Spans, spans, telemetry

__all__ = ["spans", "telemetry"]

SECRET = "hunter2"


async def test_the_real_application_is_traced_once_and_shows_no_secret(
    spans: Spans, telemetry: Telemetry, tmp_path: Path
) -> None:
    async with opened(tmp_path) as (house, actor):
        key = await bootstrap.first_key(house, actor.reach.workspaces[0])
        token = files.sign(new_id(), datetime.now(UTC) + timedelta(hours=1), house.keyring.derive(LINKS))
        spans.clear()
        transport = httpx.ASGITransport(create_app(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            await client.get(f"/files/{token}")
            await client.get(f"/report/audit_{new_id().hex}?token={token}")
            asked = {"query": f'query Named {{ viewer {{ key {{ name }} }} site(id: "{SECRET}") {{ id }} }}'}
            answer = await client.post("/graphql", json=asked, headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["data"]["site"] is None
    servers = [span for span in spans.ended if span.kind is SpanKind.SERVER and span.parent is None]
    assert [span.name for span in servers] == ["GET /files/{token}", "GET /report/{audit}", "POST /graphql"]
    operation = spans.one("query Named")
    assert operation.parent == spans.one("POST /graphql").context
    statements = [span for span in spans.ended if span.kind is SpanKind.CLIENT]
    assert operation.context in [span.parent for span in statements]
    for secret in (token, key, key.rpartition("_")[2], SECRET, "fastapi"):
        assert secret not in spans.text()
    assert b"http_server_active_requests" not in telemetry.render()[0]
