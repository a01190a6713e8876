"""What the report says, state by state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from domain import audits, files
from domain.access import SYSTEM
from domain.measuring import EngineFailure, EngineName, FailureKind
from tests.databases import Counter

from .results import Page, crowded, loaded, probed
from .shelf import SECRET, URL, Replay, Shelf


def probe(*runs: float) -> Replay:
    return Replay(EngineName.PROBE, [probed(ttfb) for ttfb in runs])


async def test_a_probes_report_says_what_was_measured_and_how_good_it_is(everywhere: Shelf) -> None:
    page = Page(await everywhere.open(await everywhere.measure(probe(120, 100, 110))))
    for said in (
        "127.0.0.1:1 /pricing http://127.0.0.1:1/pricing Finished",
        "Environment production Profile Probe, version 1 Engine Probe 1.0 Form factor Desktop Throttling None Runs 5",
        "Runner fra-1, Frankfurt",
        "Numbers are medians of 3 runs; findings and requests are of run",
        "Time to First Byte 110 ms Good ≤ 800 ms > 1,800 ms 100 ms – 120 ms",
        "Page Load 550 ms Not rated – – 500 ms – 600 ms",
        "Transfer Size 3.0 MB Needs improvement ≤ 2.7 MB > 4.1 MB No spread",
        "Certificate Validity 3 days Poor ≥ 30 days < 7 days No spread",
        "High 1 Files are not cached. Delivery · saves about 1,200 ms and 45.6 kB",
        "Send Cache-Control: max-age=31536000 .",
        "/file-5.js no-store and 2 more",
        "Low 1 Something small. Delivery",
        "2 requests, 1 of them third-party",
        "1 /pricing 200 Document h2 900 B 100 ms",
        "2 /app.js cdn.example It answered 404. 404 Script – – 300 ms",
        "The page made no marks and no measures.",
        "This is the only result of this page under this profile so far.",
    ):
        assert said in page.text
    assert "Performance" not in page.text
    assert page.all("img") == []


async def test_a_browsers_report_has_scores_pictures_and_timings(shelf: Shelf) -> None:
    id = await shelf.measure(Replay(EngineName.LIGHTHOUSE, [loaded()]), "Lighthouse mobile")
    html = await shelf.open(id)
    page = Page(html)
    for said in (
        "84 Performance 84 of 100: Needs improvement Largest Contentful Paint 2,600 ms Needs improvement",
        "100 SEO 100 of 100: Good – PWA Not computed",
        "Everything here is of one run.",
        "Total Blocking Time 700 ms Poor ≤ 200 ms > 600 ms One run",
        "Cumulative Layout Shift 0.051 Good ≤ 0.100 > 0.250 One run",
        "The engine warned The page was redirected.",
        "ready 90 ms Mark hydrate 500 ms 120 ms",
        "Throttling The form factor’s preset",
        "Nothing was found that could be better.",
        "No requests were recorded.",
    ):
        assert said in page.text
    assert html.count('stroke-dasharray="84 100"') == 1
    assert [image["alt"] for image in page.all("img")] == [
        "The page 300 ms after it began to load",
        "The page 12.0 s after it began to load",
        "The page as it looked in the end",
    ]


async def test_pictures_stand_behind_links_that_last_a_day(shelf: Shelf) -> None:
    runs = [loaded(0.9, 1000), loaded(0.8, 2000), loaded(0.7, 3000)]
    id = await shelf.measure(Replay(EngineName.LIGHTHOUSE, runs), "Lighthouse mobile")
    sources = [image["src"] or "" for image in Page(await shelf.open(id)).all("img")]
    tokens = [source.removeprefix("/files/") for source in sources]
    now = datetime.now(UTC)
    ids = [files.signed_id(token, now + timedelta(hours=23, minutes=59), SECRET) for token in tokens]
    assert [files.signed_id(token, now + timedelta(hours=25), SECRET) for token in tokens] == [None] * 3
    reader = shelf.house.database.reader
    kept = (await files.by_audits(reader, shelf.actor.reach, [id]))[id]
    assert ids == [file.id for kind in ("FILMSTRIP", "SCREENSHOT") for file in kept if (file.run, file.kind) == (1, kind)]


async def test_a_failed_audit_says_why_and_what_to_do(shelf: Shelf) -> None:
    failure = EngineFailure(FailureKind.PAGE, "DNS_FAILURE", "There is no such host.", retryable=True)
    id = await shelf.measure(Replay(EngineName.PROBE, [], failure))
    page = Page(await shelf.open(id))
    assert "There is no such host. What failed Page Code DNS_FAILURE Trying again May help The page itself could" in page.text
    assert "Metrics" not in page.text
    assert not [meta for meta in page.all("meta") if meta.get("http-equiv")]


async def test_an_audit_that_is_not_over_says_how_far_it_is_and_looks_again(shelf: Shelf) -> None:
    id = await shelf.request()
    waiting = Page(await shelf.open(id))
    assert "Waiting Waiting for a runner. This page looks again every three seconds." in waiting.text
    assert {"http-equiv": "refresh", "content": "3"} in waiting.all("meta")
    claim = await shelf.take(EngineName.PROBE)
    async with shelf.house.database.work(SYSTEM) as work:
        await work.db.execute(update(audits.Audit).where(audits.Audit.id == claim.audit.id).values(phase="RESOURCES", run=1))
    running = Page(await shelf.open(id))
    assert "Running Run 2 of 5, loading what the page refers to." in running.text
    assert {"http-equiv": "refresh", "content": "3"} in running.all("meta")


async def test_a_cancelled_audit_says_so_and_does_not_look_again(shelf: Shelf) -> None:
    id = await shelf.request()
    async with shelf.house.database.work(shelf.actor) as work:
        await audits.cancel(work, audit_id=id)
    page = Page(await shelf.open(id))
    assert "This audit was stopped before it had a result." in page.text
    assert not [meta for meta in page.all("meta") if meta.get("http-equiv")]


async def test_the_history_has_a_point_for_each_audit_and_marks_this_one(shelf: Shelf) -> None:
    ids = [await shelf.measure(probe(100 + number)) for number in range(40)]
    html = await shelf.open(ids[29])
    assert "40 audits: lowest 100 ms, highest 139 ms, this one 129 ms." in html
    assert html.count('<circle class="dot"') == 39 * 2
    assert html.count('<circle class="dot current"') == 2
    assert html.count('<path class="line"') == 2
    assert "The line breaks" not in html


async def test_the_history_breaks_where_an_audit_failed_or_the_engine_changed(shelf: Shelf) -> None:
    profile = "Lighthouse mobile"
    for version in ("12.8.0", "12.8.2"):
        await shelf.measure(Replay(EngineName.LIGHTHOUSE, [loaded(version=version)]), profile)
    id = await shelf.measure(Replay(EngineName.LIGHTHOUSE, [loaded()]), profile)
    await shelf.measure(Replay(EngineName.LIGHTHOUSE, [], EngineFailure(FailureKind.PAGE, "TLS", "No.")), profile)
    for _ in range(2):
        await shelf.measure(Replay(EngineName.LIGHTHOUSE, [loaded()]), profile)
    html = await shelf.open(id)
    assert "The line breaks where an audit failed" in html
    assert html.count('<circle class="dot other"') == 2 * 2
    assert html.count('<path class="line"') == 2 * 2


async def test_another_pages_profiles_and_environments_audits_are_not_its_history(shelf: Shelf) -> None:
    await shelf.measure(probe(100), url=URL + "/other")
    await shelf.request(environment="ci")
    await shelf.perform(probe(300))
    assert "1 audit: lowest 200 ms, highest 200 ms, this one 200 ms." in await shelf.open(await shelf.measure(probe(200)))


async def test_a_long_list_is_cut_and_says_by_how_much(shelf: Shelf) -> None:
    page = Page(await shelf.open(await shelf.measure(Replay(EngineName.PROBE, [crowded(probed(), 130)]))))
    assert "100 /99.js" in page.text
    assert "/100.js" not in page.text
    assert "And 30 more requests." in page.text
    assert "And 80 more." in page.text
    assert "Findings 130" in page.text


@pytest.mark.parametrize("profile", ["Probe", "Lighthouse mobile"])
async def test_a_report_takes_the_same_number_of_statements_whatever_it_shows(shelf: Shelf, profile: str) -> None:
    engine = EngineName.PROBE if profile == "Probe" else EngineName.LIGHTHOUSE
    result = probed() if profile == "Probe" else loaded()
    counted = []
    for number in (1, 150):
        id = await shelf.measure(Replay(engine, [crowded(result, number)] * 3), profile)
        counter = Counter(shelf.house.database)
        await shelf.open(id)
        counted.append(len([text for text in counter.statements if text.startswith("SELECT")]))
    assert counted == [16, 16]
