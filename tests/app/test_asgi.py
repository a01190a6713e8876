"""The doors that are not GraphQL, asked inside this process."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from app import bootstrap
from app.asgi import create_app
from app.wiring import House
from domain import files, workspaces
from domain.ids import new_id
from domain.keyring import LINKS
from graph.transports import graphiql
from infra.db import migrate
from infra.db.database import SqlDatabase
from tests.app.houses import file, opened

HELPERS = {"bus": "ok", "cache": "ok"}
PNG = b"\x89PNG\r\n\x1a\n not really"
REPORT = b'{"hello":"world"}'


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House, None]:
    async with opened(tmp_path) as (made, _):
        yield made


@asynccontextmanager
async def client(house: House) -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(create_app(house))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made


async def kept(house: House, kind: files.FileKind, data: bytes, content_type: str, encoding: str | None = None) -> UUID:
    """A file as a measured run leaves it."""
    found = await workspaces.find(house.database.reader, bootstrap.FIRST)
    assert found is not None
    actor = await bootstrap.owner(house, found.id)
    id = new_id()
    await house.storage.put(f"{id.hex}/x", data, content_type=content_type)
    stored = files.Stored(id, kind, 0, None, f"{id.hex}/x", len(data), content_type, encoding)
    async with house.database.work(actor) as work:
        await files.keep(work, workspace_id=found.id, site_id=new_id(), audit_id=UUID(int=7), run=1, stored=[stored])
    return id


def token(house: House, id: UUID, lasts: timedelta = timedelta(hours=1)) -> str:
    return files.sign(id, datetime.now(UTC) + lasts, house.keyring.derive(LINKS))


async def test_a_picture_is_shown_and_can_do_nothing_else(house: House) -> None:
    id = await kept(house, files.FileKind.SCREENSHOT, PNG, "image/png")
    async with client(house) as http:
        answer = await http.get(f"/files/{token(house, id)}")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == "inline"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"


async def test_a_report_is_unpacked_and_saved_under_a_name(house: House) -> None:
    id = await kept(house, files.FileKind.REPORT, gzip.compress(REPORT), "application/json", "gzip")
    async with client(house) as http:
        answer = await http.get(f"/files/{token(house, id)}")
    assert (answer.status_code, answer.content) == (200, REPORT)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="report-{UUID(int=7).hex}-2.json"'


async def test_an_expired_or_forged_link_and_one_to_what_is_gone_lead_nowhere(house: House) -> None:
    id = await kept(house, files.FileKind.SCREENSHOT, PNG, "image/png")
    expired = token(house, id, -timedelta(seconds=1))
    forged = files.sign(id, datetime.now(UTC) + timedelta(hours=1), b"another secret")
    unknown = token(house, new_id())
    lost = await kept(house, files.FileKind.SCREENSHOT, PNG, "image/png")
    await house.storage.delete([f"{lost.hex}/x"])
    async with client(house) as http:
        for bad in (expired, forged, unknown, token(house, lost)):
            answer = await http.get(f"/files/{bad}")
            assert answer.status_code == 404
            assert "This link leads nowhere" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "x",
        "a.b",
        "...",
        "%00",
        "%ff%fe",
        "%ed%a0%80.1.2",
        "٣" * 32 + ".9.x",
        "a" * 5_000,
        f"{'0' * 32}.9999999999.{'0' * 32}",
    ],
)
async def test_what_is_no_token_at_all_is_not_found_either(house: House, path: str) -> None:
    async with client(house) as http:
        assert (await http.get(f"/files/{path}")).status_code == 404


async def test_assets_never_change_and_the_page_may_do_what_it_needs(house: House) -> None:
    async with client(house) as http:
        page = await http.get("/graphql", headers={"Accept": "text/html"})
        assert page.headers["Content-Security-Policy"] == graphiql.CONTENT_SECURITY_POLICY
        asset = next((graphiql.STATIC / "assets").glob("index-*.js")).name
        assert f"/graphiql/assets/{asset}" in page.text
        served = await http.get(f"/graphiql/assets/{asset}")
        assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "javascript" in served.headers["Content-Type"]
        assert (await http.get("/graphiql/assets/none.js")).status_code == 404
        assert (await http.get("/graphiql/..%2f..%2fstock.py")).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/nothing-here", "/graphql?query={__typename}", "/graphiql/index.html"])
async def test_every_answer_says_that_types_are_not_guessed_and_tells_nobody_where_one_came_from(
    house: House, path: str
) -> None:
    async with client(house) as http:
        answer = await http.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    if answer.headers["Content-Type"].startswith("text/html"):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/graphql/", "/graphiql"])
async def test_there_are_no_other_doors(house: House, path: str) -> None:
    async with client(house) as http:
        assert (await http.get(path)).status_code in (404, 307)


async def test_a_database_at_another_version_is_not_ready(house: House) -> None:
    await migrate.downgrade(house.database.url, "base")
    async with client(house) as http:
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "ready": False,
            "database": "ok",
            "migrations": f"at none, needs {migrate.newest()}",
            **HELPERS,
        }
        assert (await http.get("/healthz")).status_code == 200


async def test_a_database_that_cannot_be_reached_is_not_ready_and_is_not_named(house: House, free_port: int) -> None:
    url = f"postgresql+asyncpg://user:hunter2@127.0.0.1:{free_port}/x"
    lost = SqlDatabase(url)
    async with client(replace(house, database=lost)) as http:
        answer = await http.get("/readyz")
    await lost.close()
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "unreachable", "migrations": "unknown", **HELPERS}


async def test_the_api_answers_whoever_has_the_first_key(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, actor):
        audit = await file(house, actor)
        key = await bootstrap.first_key(house, actor.reach.workspaces[0])
        query = "query ($id: ID!) { audit(id: $id) { state requestedUrl } }"
        async with client(house) as http:
            answer = await http.post(
                "/graphql",
                json={"query": query, "variables": {"id": f"audit_{audit.hex}"}},
                headers={"Authorization": f"Bearer {key}"},
            )
    assert answer.json()["data"] == {"audit": {"state": "QUEUED", "requestedUrl": "http://127.0.0.1/"}}


async def test_the_pages_files_are_compressed_for_those_who_take_it(house: House) -> None:
    async with client(house) as http:
        script = re.findall(r'src="(\S+\.js)"', graphiql.page())[0]
        packed = await http.get(script, headers={"Accept-Encoding": "gzip"})
        plain = await http.get(script, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
