"""`pacemark status`: what got worse on 40 clients' sites, on one screen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.status import query, screen
from app.status.query import PageStatus, Status
from app.worker import appear
from domain.ids import Kind
from domain.measuring import MetricName
from domain.metrics import Rating
from tests.app import houses
from tests.graph.filled import Filled, Sizes, fill
from tests.infra.engines.hostile import Answer, Request, Site

LAST = {"hasNextPage": False}
FORTY = Sizes(sites=40, pages=2, audits=2, runs=0, requests=0, findings=0)

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Exit status, standard output and standard error of `pacemark status`."""
    monkeypatch.delenv("PACEMARK_KEY", raising=False)

    def run(*words: str) -> tuple[object, str, str]:
        where = [] if "--server" in words else ["--data", str(tmp_path)]
        with pytest.raises(SystemExit) as ended:
            cli.dispatch(["status", *words, *where])
        return ended.value.code, *capsys.readouterr()

    return run


def filled(folder: Path, sizes: Sizes) -> Filled:
    async def make() -> Filled:
        async with houses.opened(folder) as (house, actor):
            (workspace_id,) = actor.roles
            return await fill(house.database, workspace_id, await appear(house), sizes)

    return asyncio.run(make())


@pytest.fixture
def forty(tmp_path: Path) -> Filled:
    """Of the n-th page of 80 the newest audit is by n tenths slower than those before it."""
    return filled(tmp_path, FORTY)


@pytest.mark.usefixtures("forty")
def test_forty_sites_are_one_screen(run: Run) -> None:
    code, out, err = run("--metric", "ttfb")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100
    assert lines[0] == "Default  Time to First Byte · 40 sites"
    shown = [" ".join(line.split()) for line in lines if "▲" in line]
    assert shown[:2] == ["some site 039 /some/001 -79 ms 1 ms ▲ +800 % good", "/some/000 -78 ms 1 ms ▲ +790 % good"]
    assert len(shown) == 40
    assert [line.strip() for line in lines[-2:]] == [
        "80 got worse, 0 got better, 0 stayed as they were.",
        "40 pages more: --top 80",
    ]


@pytest.mark.usefixtures("forty")
def test_programs_get_json_and_an_exit_status(run: Run) -> None:
    code, out, _ = run("--metric", "TTFB", "--json", "--top", "3", "--fail-on-change", "799.9")
    said = json.loads(out)
    assert code == 1
    assert said["pages"] == {"worse": 80, "better": 0, "same": 0, "unknown": 0}
    assert [(site["name"], len(site["pages"])) for site in said["sites"]] == [("some site 039", 2), ("some site 038", 1)]
    assert said["sites"][0]["pages"][0]["change"] == 8.0
    assert run("--metric", "TTFB", "--fail-on-change", "800")[0] == 0


def test_what_is_asked_for_alone_is_shown(run: Run, tmp_path: Path) -> None:
    filled(tmp_path, Sizes(sites=2, pages=1, runs=0, requests=0, findings=0))
    assert "2 sites\n" in run("--metric", "TTFB", "--tags", "some")[1]
    assert "0 sites\n\nThere is no such site in it." in run("--metric", "TTFB", "--tags", "some,other")[1]
    assert run("--profile", "Mine")[2].startswith("There is no profile 'Mine' there. There are: Probe, ")
    assert "2 pages cannot be compared yet." in run("--metric", "LCP")[1]
    assert "2 pages cannot be compared yet." in run("--metric", "TTFB", "--profile", "Lighthouse mobile")[1]
    assert "2 pages cannot be compared yet." in run("--metric", "TTFB", "--environment", "preview")[1]


def test_what_cannot_be_asked_is_a_sentence(run: Run, tmp_path: Path) -> None:
    filled(tmp_path, Sizes(sites=0))
    assert run("--metric", "DNS")[::2] == (
        2,
        "--metric is one of PERFORMANCE_SCORE, LCP, FCP, TBT, CLS, SPEED_INDEX, TTFB, PAGE_LOAD, REQUEST_COUNT, "
        "TRANSFER_BYTES.\n",
    )
    assert run("--workspace", "other")[::2] == (2, "There is no workspace 'other' here.\n")
    assert run("--server", "http://127.0.0.1:1/graphql")[2].startswith("Set PACEMARK_KEY to an API key")


async def test_another_server_is_asked_with_the_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("PACEMARK_KEY", "pmk_12345678_secret")
    site = {"id": "site_1", "name": "[bold]Shop\x1b[31m"}
    change = {"value": 1500, "baseline": 1200, "change": 0.25, "audits": 5, "rating": "NEEDS_IMPROVEMENT"}
    node = {"id": "page_1", "name": "Home", "path": "/", "url": "https://shop.example/", "site": site, "change": change}
    there = {"name": "Acme", "sites": {"nodes": [site], "pageInfo": LAST}, "pages": {"nodes": [node], "pageInfo": LAST}}
    answers = [{"data": {"workspace": None}}, {"data": {"workspace": there}}]

    def answer(_request: Request) -> Answer:
        return Answer(json.dumps(answers.pop()).encode(), "application/json")

    async with Site({"/graphql": answer}) as house:
        words = ("--server", house.at("/graphql"), "--metric", "LCP", "--workspace", "acme")
        code, out, err = await asyncio.to_thread(run, *words)
        missing = await asyncio.to_thread(run, *words)
    assert (code, err) == (0, "")
    assert "[bold]Shop�[31m   /      1,200 ms   1,500 ms   ▲ +25 %   needs improvement" in out
    assert house.requests[0].headers["authorization"] == "Bearer pmk_12345678_secret"
    sentence = "There is no workspace 'acme' that the key in PACEMARK_KEY opens. Name its own: --workspace SLUG\n"
    assert missing == (2, "", sentence)


def page(number: int, worse: float | None, **given: Any) -> PageStatus:
    known: dict[str, Any] = {"site_id": f"site_{number % 2}", "site": f"Site {number % 2}", "value": 1.0, "baseline": 1.0}
    known |= {"change": worse, "worse": worse, "audits": 5, "rating": Rating.POOR, **given}
    return PageStatus(id=f"page_{number}", path=f"/{number}", url=f"https://acme.example/{number}", **known)


def test_sites_come_in_the_order_of_their_worst_page() -> None:
    pages = [page(1, 0.5), page(2, 0.4), page(3, 0.3), page(4, 0.0), page(5, -0.1), page(6, None)]
    status = Status("Acme", MetricName.LCP, pages, more_pages=False, sites=3, more_sites=False)
    assert [[each.path for each in own] for own in status.by_site(100)] == [["/1", "/3", "/5"], ["/2", "/4"]]
    assert [[each.path for each in own] for own in status.by_site(2)] == [["/1"], ["/2"]]
    last = [str(part) for part in screen._parts(status, 2)][-3:]
    assert last == [
        "3 got worse, 1 got better, 1 stayed as they were; 1 page cannot be compared yet.",
        "3 pages more: --top 5",
        "No page of 1 site got worse.",
    ]


@pytest.mark.parametrize(("last", "known"), [(0.1, False), (0.0, True), (None, True)])
def test_of_sites_behind_the_first_pages_only_what_is_known_is_said(last: float | None, known: bool) -> None:
    status = Status("Acme", MetricName.LCP, [page(1, 0.5), page(2, last)], more_pages=True, sites=9, more_sites=False)
    said = [str(part) for part in screen._parts(status, 40)]
    assert any(line.endswith("sites got worse.") for line in said) == known
    assert any(line.startswith("Of the 2 pages that got worse most, ") for line in said)


def test_an_arrow_says_where_the_number_went_and_its_colour_what_that_means() -> None:
    score = {"name": "Acme", "sites": {"nodes": [], "pageInfo": {"hasNextPage": False}}}
    node = {"id": "page_1", "path": "/", "url": "https://acme.example/", "site": {"id": "site_1", "name": "Acme"}}
    node["change"] = {"value": 0.5, "baseline": 0.9, "change": -0.4, "audits": 5, "rating": "NEEDS_IMPROVEMENT"}  # type: ignore[assignment]
    score["pages"] = {"nodes": [node], "pageInfo": {"hasNextPage": False}}
    (found,) = query._told(score, MetricName.PERFORMANCE_SCORE).pages
    assert found.worse == 0.4
    shown = [screen._change(each) for each in (found, page(1, 0.051), page(2, -0.5), page(3, 0.0))]
    assert [(str(each), str(each.style)) for each in shown] == [
        ("▼ -40 %", "red"),
        ("▲ +5.1 %", "red"),
        ("▼ -50 %", "green"),
        ("= 0 %", "dim"),
    ]


def test_ids_are_of_this_house(forty: Filled, run: Run) -> None:
    said = json.loads(run("--metric", "TTFB", "--json", "--top", "1")[1])
    assert said["sites"][0]["id"] == forty.readable(Kind.SITE)[-1]
    assert said["sites"][0]["pages"][0]["id"] == forty.readable(Kind.PAGE)[-1]
