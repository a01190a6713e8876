"""`pacemark status`: what got worse on 40 clients' sites, on one screen."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.status import command, query, screen
from app.status.query import PageStatus, Status
from app.worker import appear
from domain import alerts, sites
from domain.access import SYSTEM
from domain.alerts import AlertKind, AlertSeverity, Condition
from domain.ids import Kind
from domain.measuring import MetricName
from domain.metrics import Rating
from tests.app import houses
from tests.graph.filled import Filled, Sizes, fill
from tests.infra.engines.hostile import Answer, Request, Site

NOW = datetime.now(UTC).isoformat()
LAST = {"hasNextPage": False, "endCursor": None}
FORTY = Sizes(sites=40, pages=2, audits=2, runs=0, requests=0, findings=0)

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Exit status, standard output and standard error of `pacemark status`."""
    monkeypatch.delenv("PACEMARK_KEY", raising=False)

    def run(*words: str) -> tuple[object, str, str]:
        where = [] if "--server" in words else ["--data", str(tmp_path)]
        with pytest.raises(SystemExit) as ended:
            cli.dispatch(["status", "--old-after", "9999d", *words, *where])
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
def test_what_was_not_measured_for_long_is_marked_and_not_fine(run: Run) -> None:
    code, out, err = run("--metric", "TTFB", "--old-after", "8d", "--top", "1", "--fail-on-change", "20")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert (code, err) == (
        2,
        "Nothing could be compared: no page has a newest audit with two alike before it, and 80 were not measured for long.\n",
    )
    (shown,) = [line for line in lines if "▲" in line]
    assert re.fullmatch(r"some site 039 /some/001 -79 ms 1 ms ▲ \+800 % old: [\d,]+ days", shown)
    assert lines[-3:] == [
        "0 got worse, 0 got better, 0 stayed as they were; 80 pages were not measured for 8 days.",
        "79 pages more: --top 80",
        "Of 40 sites it is not known whether a page got worse.",
    ]
    said = json.loads(run("--metric", "TTFB", "--old-after", "8d", "--json")[1])
    assert said["pages"]["old"] == 80
    assert datetime.fromisoformat(said["sites"][0]["pages"][0]["finishedAt"]) < datetime.now(UTC) - timedelta(days=8)


def test_nothing_is_left_out_of_json_in_silence(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages there are, and what cannot be compared too; what somebody wants less of is counted."""
    monkeypatch.setattr(query, "EACH", 2)
    filled(tmp_path, Sizes(sites=3, pages=2, audits=2, runs=0, requests=0, findings=0))
    said = json.loads(run("--metric", "TTFB", "--json")[1])
    assert (sum(len(site["pages"]) for site in said["sites"]), said["leftOut"], said["complete"]) == (6, 0, True)
    unknown = json.loads(run("--metric", "LCP", "--json")[1])
    assert (sum(len(site["pages"]) for site in unknown["sites"]), unknown["leftOut"]) == (6, 0)
    few = json.loads(run("--metric", "TTFB", "--json", "--top", "1")[1])
    assert (sum(len(site["pages"]) for site in few["sites"]), few["leftOut"]) == (1, 5)
    monkeypatch.setattr(query, "MOST", 4)
    most = json.loads(run("--metric", "TTFB", "--json")[1])
    assert (sum(len(site["pages"]) for site in most["sites"]), most["complete"]) == (4, False)
    assert "There is more than is asked for at once: say which sites, by --tags." in run("--metric", "TTFB")[1]


def test_where_nothing_can_be_compared_nothing_is_green(run: Run, tmp_path: Path) -> None:
    filled(tmp_path, Sizes(sites=1, pages=1, runs=0, requests=0, findings=0))
    assert run("--metric", "LCP")[0] == 0
    code, _, err = run("--metric", "LCP", "--fail-on-change", "20")
    assert (code, err) == (2, "Nothing could be compared: no page has a newest audit with two alike before it.\n")


def test_open_alerts_come_first(run: Run, tmp_path: Path) -> None:
    async def make() -> None:
        async with houses.opened(tmp_path) as (house, actor):
            (workspace_id,) = actor.roles
            async with house.database.work(actor) as work:
                made = [
                    (await sites.create(work, workspace_id=workspace_id, origin=f"https://{name}.example", tags=[name])).id
                    for name in ("shop", "blog")
                ]
            said = {"kind": AlertKind.FAILURE, "severity": AlertSeverity.ERROR}
            elsewhere = {"title": "Staging is away", "environment": "staging"}
            async with house.database.work(SYSTEM) as work:
                for number in range(12):
                    title = f"Page {number} cannot be measured"
                    await alerts.hold(work, Condition(workspace_id, made[0], f"{number}", title=title, **said))  # type: ignore[arg-type]
                await alerts.hold(work, Condition(workspace_id, made[0], "staging", **elsewhere, **said))  # type: ignore[arg-type]

    asyncio.run(make())
    lines = [line.strip() for line in run()[1].splitlines()]
    assert lines[2].split("  ")[0] == "Alert"
    assert lines[4].startswith("Page 11 cannot be measured")
    assert lines[14] == f"2 alerts more: pacemark alerts list --data {tmp_path}"
    assert [each["site"] for each in json.loads(run("--json", "--tags", "shop")[1])["alerts"]] == ["shop.example"] * 12
    assert json.loads(run("--json", "--tags", "blog")[1])["alerts"] == []
    of_staging = [each["environment"] for each in json.loads(run("--json", "--environment", "staging")[1])["alerts"]]
    assert sorted(of_staging, key=str) == [None] * 12 + ["staging"]


@pytest.mark.usefixtures("forty")
def test_programs_get_json_and_an_exit_status(run: Run) -> None:
    code, out, _ = run("--metric", "TTFB", "--json", "--top", "3", "--fail-on-change", "799.9")
    said = json.loads(out)
    assert code == 1
    assert said["pages"] == {"worse": 80, "better": 0, "same": 0, "old": 0, "unknown": 0}
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
    change = {"value": 1500, "baseline": 1200, "change": 0.25, "audits": 5, "rating": "NEEDS_IMPROVEMENT", "finishedAt": NOW}
    node = {"id": "page_1", "name": "Home", "path": "/", "url": "https://shop.example/", "site": site, "change": change}
    there = {"name": "Acme", "sites": {"nodes": [site], "pageInfo": LAST}, "pages": {"nodes": [node], "pageInfo": LAST}}
    there["alerts"] = {"nodes": [], "pageInfo": LAST}
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
    known |= {
        "change": worse,
        "worse": worse,
        "audits": 5,
        "rating": Rating.POOR,
        "finished_at": None,
        "is_old": False,
        **given,
    }
    return PageStatus(id=f"page_{number}", path=f"/{number}", url=f"https://acme.example/{number}", **known)


def status_of(*pages: PageStatus) -> Status:
    sites = {f"site_{number}": f"Site {number}" for number in range(3)}
    return Status("Acme", MetricName.LCP, pages, sites, [])


def test_sites_come_in_the_order_of_their_worst_page() -> None:
    status = status_of(page(1, 0.5), page(2, 0.4), page(3, 0.3), page(4, 0.0), page(5, -0.1), page(6, None))
    assert [[each.path for each in own] for own in status.by_site(100)] == [["/1", "/3", "/5"], ["/2", "/4"]]
    assert [[each.path for each in own] for own in status.by_site(2)] == [["/1"], ["/2"]]
    last = [str(part) for part in screen._parts(status, 2, "list")][-3:]
    assert last == [
        "3 got worse, 1 got better, 1 stayed as they were; 1 page cannot be compared yet.",
        "3 pages more: --top 5",
        "Of 1 site it is not known whether a page got worse.",
    ]


def test_a_site_is_fine_where_all_of_it_is_known_and_none_of_it_worse() -> None:
    old = page(3, 0.5, is_old=True, finished_at=datetime.now(UTC) - timedelta(days=30))
    assert status_of(page(1, 0.5), page(2, -0.1)).fine_and_unsure() == (1, 1)
    assert status_of(page(1, 0.0), page(2, -0.1)).fine_and_unsure() == (2, 1)
    assert status_of(page(1, 0.0), page(2, -0.1), old).fine_and_unsure() == (1, 2)
    assert status_of(page(1, 0.0), page(2, None)).fine_and_unsure() == (1, 2)


def test_what_is_shown_as_nothing_counts_as_nothing() -> None:
    status = status_of(page(1, 0.0004), page(2, -0.0004), page(3, 0.0005))
    assert [str(screen._change(each)) for each in status.pages] == ["= 0 %", "= 0 %", "▲ +0.1 %"]
    assert str(list(screen._parts(status, 40, "list"))[-3]) == "1 got worse, 0 got better, 2 stayed as they were."
    assert [command._judged(each, 0.0) for each in (status_of(page(1, 0.0004)), status)] == [0, 1]


def test_what_is_old_comes_behind_what_is_not() -> None:
    old = page(1, 9.0, is_old=True, finished_at=datetime.now(UTC))
    assert [[each.path for each in own] for own in status_of(old, page(2, 0.1)).by_site(40)] == [["/2"], ["/1"]]


def test_an_arrow_says_where_the_number_went_and_its_colour_what_that_means() -> None:
    node = {"id": "page_1", "path": "/", "url": "https://acme.example/", "site": {"id": "site_1", "name": "Acme"}}
    stands = {"value": 0.5, "baseline": 0.9, "change": -0.4, "audits": 5, "rating": "NEEDS_IMPROVEMENT", "finishedAt": NOW}
    found = query._page({**node, "change": stands}, MetricName.PERFORMANCE_SCORE, datetime.now(UTC) - timedelta(days=1))
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
