"""What the report says of verdicts: real ones, of snapshots that were measured and judged."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.report import judging
from domain import audits, jobs, marks, sites, snapshots, verdicts
from domain.access import SYSTEM
from domain.audits import Audit
from domain.measuring import EngineName, RequestSeen, ResourceType, RunResult
from domain.snapshots import Commit
from domain.verdicts import Judgement, Reason, Verdict, VerdictRow
from infra.db.database import SqlDatabase
from tests.databases import Counter, everybodys, new_workspace

from .results import Page, probed
from .shelf import URL, Replay, Shelf
from .test_markup import EVIL

NOISE = (0.0, 4.0, -6.0, 9.0, -3.0)
STEADY = (250, 252, 249, 251, 250)


async def take(shelf: Shelf, *ttfbs: float, **given: Any) -> list[UUID]:
    """Snapshots of the page's site, each measured and judged, and confirmed at once where that is asked for: their audits."""
    page = await page_of(shelf)
    return [await _take(shelf, ttfb, page.site_id, **given) for ttfb in ttfbs]


async def page_of(shelf: Shelf) -> sites.PageRow:
    async with shelf.house.database.work(shelf.actor) as work:
        return await sites.find_or_create_page(work, workspace_id=shelf.workspace, url=URL)


async def _take(
    shelf: Shelf,
    ttfb: float,
    site: UUID,
    *,
    made: Callable[[float], RunResult] = probed,
    confirming: float | None = None,
    **given: Any,
) -> UUID:
    database = shelf.house.database
    async with database.work(shelf.actor) as work:
        id = (await snapshots.request(work, site_id=site, runs=len(NOISE), **given)).id
    engine = Replay(EngineName.PROBE, [made(ttfb + noise) for noise in NOISE])
    while await _measured(shelf, engine):
        engine = engine if confirming is None else Replay(EngineName.PROBE, [made(confirming + noise) for noise in NOISE])
        async with database.work(SYSTEM) as work:
            await snapshots.close_ended(work)
        for kind in verdicts.KINDS:
            while (claim := await jobs.take_next(database, kind)) is not None:
                await verdicts.perform(database, claim, timedelta(0))
    return (await _audits(database, id))[0]


async def _measured(shelf: Shelf, engine: Replay) -> bool:
    """Whether there was something to measure."""
    claim = await audits.take(shelf.house.database, runner_id=shelf.runner, pool="default", engines=[engine.name])
    if claim is not None:
        await audits.perform(shelf.house.database, shelf.house.storage, engine, shelf.house.keyring, claim)
    return claim is not None


async def _audits(database: SqlDatabase, snapshot: UUID) -> Sequence[UUID]:
    """Those of the snapshot, and then those that confirm it."""
    own = select(snapshots.Snapshot.id).where(
        (snapshots.Snapshot.id == snapshot) | (snapshots.Snapshot.confirms_id == snapshot)
    )
    async with everybodys(database) as connection:
        return list((await connection.execute(select(Audit.id).where(Audit.snapshot_id.in_(own)).order_by(Audit.id))).scalars())


async def test_a_confirmed_regression_is_said_with_all_that_it_rests_on(everywhere: Shelf) -> None:
    *_, slow = await take(everywhere, *STEADY, 450)
    page = Page(await everywhere.open(slow))
    for said in (
        "Verdicts Time to First Byte REGRESSED 251 ms → 450 ms The first snapshot showed it, and so did 1 snapshot taken",
        "Change +200 ms, +79 % With 95 % probability +193 ms to +206 ms",
        "Smallest detectable change ",
        "Compared 4 snapshots before with 2 since",
    ):
        assert said in page.text
    (label,) = (str(svg["aria-label"]) for svg in page.all("svg") if "Byte, snapshot by" in str(svg.get("aria-label")))
    assert label == (
        "Time to First Byte, snapshot by snapshot. Before: 252 ms, 250 ms, 252 ms, 250 ms. Since: 450 ms, 450 ms. "
        "1 snapshot not compared."
    )
    classes = [group["class"] for group in page.all("g")][:7]
    assert classes == ["snapshot other", *["snapshot before"] * 4, *["snapshot since"] * 2]


async def test_the_report_of_a_confirmation_and_of_a_lone_audit_tell_of_the_snapshot_that_was_judged(shelf: Shelf) -> None:
    *_, slow = await take(shelf, *STEADY, 450)
    async with everybodys(shelf.house.database) as connection:
        ids = list((await connection.execute(select(Audit.id).order_by(Audit.id))).scalars())
    lone = await shelf.measure(Replay(EngineName.PROBE, [probed(250)]))
    for audit in (ids[-1], lone):
        assert audit != slow
        assert "Verdicts on the snapshot of " in (text := Page(await shelf.open(audit)).text)
        assert "REGRESSED 251 ms → 450 ms" in text


async def test_what_is_as_before_says_how_small_a_change_would_have_been_seen(shelf: Shelf) -> None:
    *_, last = await take(shelf, *STEADY)
    text = Page(await shelf.open(last)).text
    assert "Time to First Byte NO EVIDENCE" in text
    assert "It differs no more than snapshots of this page do by themselves." in text
    assert "Smallest detectable change" in text


async def test_before_there_is_a_verdict_the_report_says_what_is_missing(shelf: Shelf) -> None:
    lone = await shelf.measure(Replay(EngineName.PROBE, [probed(250)]))
    assert "There is no verdict on this page under this profile yet." in Page(await shelf.open(lone)).text
    (first,) = await take(shelf, 250)
    assert "NO EVIDENCE 250 ms There are too few snapshots before it to tell." in Page(await shelf.open(first)).text
    page = await page_of(shelf)
    async with shelf.house.database.work(shelf.actor) as work:
        await snapshots.request(work, site_id=page.site_id)
    await _measured(shelf, Replay(EngineName.PROBE, [probed(250)]))
    async with everybodys(shelf.house.database) as connection:
        last = (await connection.execute(select(Audit.id).order_by(Audit.id.desc()).limit(1))).scalar_one()
    assert "This snapshot is not judged yet." in Page(await shelf.open(last)).text


async def test_what_is_suspected_is_not_the_last_word(shelf: Shelf) -> None:
    (first,) = await take(shelf, 250)
    async with everybodys(shelf.house.database) as connection:
        await connection.execute(update(Verdict).values(reason=Reason.SUSPECTED))
        await connection.execute(update(snapshots.Snapshot).values(judged_at=None))
    text = Page(await shelf.open(first)).text
    assert "These are not the last words: what is suspected is measured again first." in text
    assert "The first snapshot shows a change. It is measured again before anybody is told." in text


async def test_another_branchs_snapshots_are_drawn_but_not_as_what_it_is_compared_with(shelf: Shelf) -> None:
    await take(shelf, *STEADY[:2], commit=Commit("c0ffee1", "main"))
    await take(shelf, 900, commit=Commit("c0ffee2", "other"))
    (last,) = await take(shelf, 250, commit=Commit("c0ffee3", "main"))
    classes = [group["class"] for group in Page(await shelf.open(last)).all("g")]
    assert classes[:4] == ["snapshot before", "snapshot before", "snapshot other", "snapshot since"]


async def test_what_looked_into_an_earlier_suspicion_is_not_what_it_is_compared_with(shelf: Shelf) -> None:
    await take(shelf, *STEADY)
    await take(shelf, 450, confirming=250)
    (last,) = await take(shelf, 250)
    shown = Page(await shelf.open(last))
    assert "Compared 4 snapshots before with 1 since" in shown.text
    classes = [str(group["class"]).removeprefix("snapshot ") for group in shown.all("g")][:8]
    assert classes == ["other", "other", *["before"] * 4, "other", "since"]


async def test_of_many_marks_those_nearest_to_what_was_judged_are_shown(shelf: Shelf) -> None:
    _, judged, last = await take(shelf, 250, 251, 250)
    page = await page_of(shelf)
    async with shelf.house.database.work(shelf.actor) as work:
        rows = await audits.by_ids(work.db, shelf.actor.reach, [judged, last])
        for id, text in ((judged, "Until then"), (last, "Since")):
            end = rows[id].finished_at or work.now
            for number in range(8):
                at = end - timedelta(microseconds=number + 1)
                await marks.annotate(work, site_id=page.site_id, text=f"{text} {8 - number}.", at=at)
    shown = Page(await shelf.open(judged))
    assert re.findall(r"Note (\w.*?)\.", shown.text) == [
        *(f"Until then {number}" for number in range(3, 9)),
        *(f"Since {number}" for number in range(1, 4)),
    ]
    assert "And 7 more, farther from the snapshot that was judged." in shown.text
    history = [group for group in shown.all("g") if group["class"] == "happened"]
    assert len(history) == 2 * 16  # in both of its charts


async def test_marks_stand_beside_it_and_show_no_more_than_what_happened_when(shelf: Shelf) -> None:
    first, last = await take(shelf, 250, 251)
    page = await page_of(shelf)
    other = URL + "/other"
    async with shelf.house.database.work(shelf.actor) as work:
        at = (await audits.by_ids(work.db, shelf.actor.reach, [first]))[first].finished_at
        commit = Commit("c0ffee1", "secret-branch", None, "Secret Author", "secret message")
        site: dict[str, Any] = {"site_id": page.site_id, "at": at}
        await marks.record(work, **site, version=EVIL, commit=commit, url="https://ci.example/secret")
        await marks.record(work, **site, version="staged", environment="staging")
        await marks.annotate(work, **site, text="The campaign begins")
        elsewhere = await sites.find_or_create_page(work, workspace_id=shelf.workspace, url=other)
        await marks.annotate(work, **site, page_id=elsewhere.id, text="Of another page")
        await marks.annotate(work, site_id=page.site_id, text="Before all that", at=(at or work.now) - timedelta(days=1))
    html = await shelf.open(last)
    shown = Page(html)
    assert not {tag for tag, _ in shown.tags} & {"script", "img", "b"}
    assert f"Deploy {EVIL} " in shown.text
    assert "Note The campaign begins " in shown.text
    assert [
        text for text in ("staged", "Of another page", "Before all that", "secret", "Secret", "c0ffee1") if text in html
    ] == []
    assert html.count('class="flag"') == 2 * len(
        [svg for svg in shown.all("svg") if "snapshot by" in str(svg.get("aria-label"))]
    )


def heavier(ttfb: float) -> RunResult:
    """With another script, and without the finding that was there."""
    result = probed(ttfb)
    script = RequestSeen(f"http://127.0.0.1:1/{EVIL}.js", ResourceType.SCRIPT, status=200, transfer_bytes=5_000)
    other = RequestSeen("https://me:word@cdn.example/more.js?key=secret", ResourceType.SCRIPT, status=200, transfer_bytes=4_000)
    return dataclasses.replace(result, requests=(*result.requests, script, other), findings=result.findings[:1])


async def test_what_changed_stands_below_the_gravest_and_largest_first_with_paths_alone(shelf: Shelf) -> None:
    await take(shelf, 250, 251)
    (last,) = await take(shelf, 250, made=heavier)
    shown = Page(await shelf.open(last))
    assert "What changed Removed Files are not cached. High Added /<script>" in shown.text
    assert " 5.0 kB Added /more.js cdn.example 4.0 kB Each dot is a run" in shown.text
    assert "script" not in {tag for tag, _ in shown.tags}
    (same,) = await take(shelf, 250, made=heavier)
    assert "the same findings and requests as in the audit before" in Page(await shelf.open(same)).text


def test_all_that_a_verdict_may_say_has_words() -> None:
    fields = dict.fromkeys(VerdictRow._fields, None) | {"metric": "ttfb_ms", "snapshots_after": 3}
    for reason in Reason:
        assert judging.reason(VerdictRow(**fields | {"reason": reason})).endswith(".")  # type: ignore[arg-type]
    assert set(judging.JUDGEMENTS) == set(Judgement)


async def test_another_workspaces_verdicts_and_marks_are_not_in_it(everywhere: Shelf) -> None:
    database = everywhere.house.database
    first, _ = await take(everywhere, 250, 251)
    workspace, rival = await new_workspace(database, "rival")
    async with database.work(rival) as work:
        theirs = await sites.find_or_create_page(work, workspace_id=workspace, url=URL)
        await marks.annotate(work, site_id=theirs.site_id, text="Theirs")
    assert "Theirs" not in await everywhere.open(first)


async def test_it_takes_the_same_number_of_statements_however_many_snapshots_there_are(shelf: Shelf) -> None:
    counted = []
    for number in (2, 4):
        *_, last = await take(shelf, *[250] * number)
        counter = Counter(shelf.house.database)
        await shelf.open(last)
        counted.append(len([text for text in counter.statements if text.startswith("SELECT")]))
    assert counted[0] == counted[1]
