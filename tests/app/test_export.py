"""A page's history as a file: over HTTP for whoever may ask over GraphQL, and on the command line."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from app import bootstrap, cli, exporting
from app.asgi import create_app
from app.bootstrap import embedded
from app.cells import cell
from app.doors import export as door
from app.settings import load
from app.wiring import House
from domain import accounts, documents, runners, sites, workspaces
from domain.access import SYSTEM, Actor, Role
from domain.documents import ClientMode
from domain.ids import Kind, encode
from domain.measuring import EngineName
from graph.execution.deadlines import Deadlines
from tests.app.test_auth_doors import Browser, browsing
from tests.databases import everybodys, new_workspace
from tests.graph.filled import Filled, Sizes, fill

BASE = "http://127.0.0.1:8123"
NASTY = '=HYPERLINK("http://evil.example"),+1'


@dataclass
class Desk:
    house: House
    workspace_id: UUID
    there: Filled
    key: str
    http: httpx.AsyncClient

    @property
    def page(self) -> str:
        return self.there.readable(Kind.PAGE)[0]

    async def get(self, form: str = "csv", key: str | None = None, **given: Any) -> httpx.Response:
        return await self.http.get(
            f"/export/series.{form}", params=given, headers={"Authorization": f"Bearer {key or self.key}"}
        )


async def filled(house: House, workspace_id: UUID, sizes: Sizes, mark: str = "some") -> Filled:
    async with house.database.work(SYSTEM) as work:
        runner = await runners.appear(work, name="here", location="local", pool="default", engines=[EngineName.PROBE])
    return await fill(house.database, workspace_id, runner, sizes, mark)


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Desk, None]:
    async with embedded(load(data=folder, port=8123), live=False) as (house, workspace_id):
        there = await filled(house, workspace_id, Sizes(1, 1, 3, 0, 0, 0))
        key = await bootstrap.issue_key(house, workspace_id, name="export", role=Role.VIEWER)
        transport = httpx.ASGITransport(create_app(house), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
            yield Desk(house, workspace_id, there, key, http)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk, None]:
    async with opened(tmp_path) as desk:
        yield desk


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_csv_has_a_row_a_point_and_says_what_it_is(desk: Desk) -> None:
    answer = await desk.get(page=desk.page, metrics="TTFB", interval="DAY")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == f'attachment; filename="series-{desk.page}.csv"'
    assert answer.headers["cache-control"] == "no-store"
    heading, row, end = answer.text.split("\r\n")
    assert heading == (
        "page,url,profile,metric,unit,environment,profile_version,engine,engine_major,form_factor,throttling_method,rtt_ms,"
        "throughput_kbps,cpu_slowdown,runner_pool,interval,at,value,low,high,samples,audit"
    )
    audit = desk.there.readable(Kind.AUDIT)[-1]
    assert row == (
        f"{desk.page},https://some-0.example/some/000,Probe,TTFB,MILLISECOND,production,1,PROBE,1,DESKTOP,,,,,default,"
        f"DAY,2026-01-01T00:00:00.000Z,1,0,2,3,{audit}"
    )
    assert end == ""


async def test_json_has_the_same_series_found_by_address_and_by_the_profiles_name(desk: Desk) -> None:
    given = {"url": "https://some-0.example/some/000", "profile": "Probe", "metrics": ["ttfb,LCP", "TTFB"]}
    answer = await desk.get("json", **given, **{"from": "2026-01-01T01:00:00Z", "to": "2026-01-02"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found = answer.json()
    assert found["page"] == {"id": desk.page, "name": "some page 000", "url": "https://some-0.example/some/000"}
    ttfb, lcp = found["series"]
    assert (ttfb["metric"], ttfb["unit"], ttfb["interval"], ttfb["conditions"]["engine_major"]) == (
        "TTFB",
        "MILLISECOND",
        "NONE",
        1,
    )
    audits = desk.there.readable(Kind.AUDIT)
    assert ttfb["points"] == [
        {"at": f"2026-01-01T0{hour}:01:00.000Z", "value": hour, "low": hour, "high": hour, "samples": 1, "audit": audits[hour]}
        for hour in (1, 2)
    ]
    assert (lcp["metric"], lcp["conditions"], lcp["points"]) == ("LCP", None, [])


async def test_what_a_spreadsheet_would_take_for_a_formula_is_a_text(desk: Desk) -> None:
    default = desk.there.ids[Kind.PROFILE][0]
    async with everybodys(desk.house.database) as connection:
        await connection.execute(update(sites.Profile).where(sites.Profile.id == default).values(name=NASTY))
    text = (await desk.get(page=desk.page, metrics="TTFB")).text
    assert '"\'=HYPERLINK(""http://evil.example""),+1"' in text
    assert [row["profile"] for row in table(text)] == [f"'{NASTY}"] * 3
    assert (await desk.get("json", page=desk.page, metrics="TTFB")).json()["profile"]["name"] == NASTY


async def test_nobody_and_others_get_nothing(desk: Desk) -> None:
    assert (await desk.http.get("/export/series.csv", params={"page": desk.page})).status_code == 401
    assert (await desk.get(key="pmk_wrong", page=desk.page)).status_code == 401
    other, _ = await new_workspace(desk.house.database, "other")
    theirs = await fill(desk.house.database, other, UUID(int=1), Sizes(1, 1, 0, 0, 0, 0, 0), "theirs")
    for given in ({"page": theirs.readable(Kind.PAGE)[0]}, {"url": "https://theirs-0.example/theirs/000"}):
        answer = await desk.get(**given)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
    assert (await desk.get(page=desk.page, profile=theirs.readable(Kind.PROFILE)[0])).status_code == 404


async def test_whoever_is_kept_to_registered_documents_gets_nothing_by_another_door(desk: Desk) -> None:
    owner = await bootstrap.owner(desk.house, desk.workspace_id)
    for mode, status in ((ClientMode.OPEN, 200), (ClientMode.SAFELIST, 403), (ClientMode.REGISTERED_ONLY, 403)):
        async with desk.house.database.work(owner) as work:
            id = await documents.create_client(work, workspace_id=desk.workspace_id, name=mode, mode=mode)
        key = await bootstrap.issue_key(desk.house, desk.workspace_id, name=mode, role=Role.VIEWER, client_id=id)
        assert (await desk.get(key=key, page=desk.page)).status_code == status


async def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    given = {"metrics": "LCP,SPEED", "from": "yesterday", "interval": "DAYS", "timeZone": "Mars/Olympus", "first": "3"}
    answer = await desk.get(**given)
    faults = answer.json()["errors"][0]["extensions"]["fields"]
    assert answer.status_code == 400
    assert sorted(fault["path"][0] for fault in faults) == ["first", "from", "interval", "metrics", "page", "timeZone"]
    assert (await desk.get(page=desk.page, **{"from": "2026-01-02", "to": "2026-01-01"})).status_code == 400
    assert (await desk.get(page="x")).json()["errors"][0]["extensions"]["code"] == "ID_MALFORMED"


async def test_a_day_begins_by_the_zones_clock(desk: Desk) -> None:
    given = {"metrics": "TTFB", "timeZone": "America/New_York", "from": "2026-01-01"}
    assert table((await desk.get(page=desk.page, **given)).text) == []
    given["from"] = "2025-12-31"
    assert len(table((await desk.get(page=desk.page, **given)).text)) == 3


async def test_an_export_pays_for_its_points_and_gets_the_rest_back(desk: Desk) -> None:
    assert (await desk.get(page=desk.page, metrics="TTFB,LCP")).headers["x-ratelimit-used"] == "3"


async def test_an_export_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(exporting, "gather", never)
    monkeypatch.setattr(door, "Deadlines", lambda _: Deadlines(0.05))
    async with opened(tmp_path) as desk:
        answer = await desk.get(page=desk.page)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mobile 4G", "mobile 4G"),
        ("a - b; c = d", "a - b; c = d"),
        ("-1", "'-1"),
        ("\u00a0\u200b=1", "'\u00a0\u200b=1"),
        ("\ufeff\u3000@sum", "'\ufeff\u3000@sum"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ('"=1', "'\"=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "+1', "a;' \"+1"),
        ("a\n@b", "a\n'@b"),
        (1.0, 1),
        (-1.5, -1.5),
        (None, None),
    ],
    ids=range(15),
)
def test_what_begins_as_a_formula_does_not(text: object, shown: object) -> None:
    """However blank what stands before it, and where a semicolon begins a cell."""
    assert cell(text) == shown


async def test_a_browser_that_is_signed_in_gets_it_from_our_own_pages_alone(tmp_path: Path) -> None:
    async with browsing(tmp_path) as browser:
        page = await own_page(browser)
        for site, status in (("same-origin", 200), ("none", 200), ("cross-site", 403)):
            answer = await browser.http.get("/export/series.csv", params={"page": page}, headers={"Sec-Fetch-Site": site})
            assert answer.status_code == status, answer.text


async def own_page(browser: Browser) -> str:
    """Of a workspace of somebody who is signed in."""
    await browser.sign_in()
    assert (await browser.http.post("/auth/refresh")).status_code == 200
    async with everybodys(browser.house.database) as connection:
        user_id = (await connection.execute(select(accounts.User.id).where(accounts.User.name == "Jane"))).scalar_one()
    async with browser.house.database.work(SYSTEM) as work:
        id = await workspaces.create(work, name="Own", slug="own", owner_id=user_id)
        work.actor = Actor(roles={id: Role.OWNER}, user_id=user_id)
        await sites.seed_profiles(work, workspace_id=id)
    return (await filled(browser.house, id, Sizes(1, 1, 1, 0, 0, 0))).readable(Kind.PAGE)[0]


def run(capfdbinary: pytest.CaptureFixture[bytes], folder: Path, *words: str) -> tuple[object, bytes, bytes]:
    with pytest.raises(SystemExit) as ended:
        cli.dispatch(["export", *words, "--data", str(folder)])
    out, err = capfdbinary.readouterr()
    return ended.value.code, out, err


def test_the_command_writes_the_same_to_a_file_or_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    async def make() -> tuple[str, str]:
        async with opened(tmp_path) as desk:
            return desk.page, (await desk.get(page=desk.page, metrics="TTFB", interval="DAY")).text

    page, text = asyncio.run(make())
    file = tmp_path / "history.json"
    asked = ["--metric", "ttfb", "--interval", "day"]
    assert run(capfdbinary, tmp_path, page, *asked) == (0, text.encode(), b"")
    assert run(capfdbinary, tmp_path, "https://some-0.example/some/000", *asked, "-o", str(file)) == (0, b"", b"")
    assert json.loads(file.read_bytes())["series"][0]["points"][0]["samples"] == 3
    assert run(capfdbinary, tmp_path, encode(Kind.PAGE, UUID(int=1))) == (
        2,
        b"",
        b"There is no such page, or it is not yours.\n",
    )
    status, out, err = run(capfdbinary, tmp_path, page, "--metric", "SPEED", "--from", "soon")
    assert (status, out, len(err.splitlines())) == (2, b"", 2)
