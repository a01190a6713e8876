"""`pacemark snapshots`, `verdicts`, `deploys` and `annotations`: what a build asks for, waits for and is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app import cli, worker
from app.asking import There
from app.commands import options
from app.errors import Unusable
from app.judging import following, outcome, screen, verdicts
from app.judging import snapshots as judging_snapshots
from app.judging.snapshots import Whole
from app.wiring import House
from domain import sites, snapshots
from domain.access import Actor
from domain.measuring import EngineFailure, FailureKind
from domain.paging import Window
from domain.verdicts import Judgement, Reason
from tests.app import houses
from tests.app.test_scheduler import eventually_true, quick, scheduling
from tests.databases import new_page
from tests.domain.audits.engines import ToldEngine

__all__ = ["quick"]

Run = Callable[..., tuple[object, str, str]]
SITE = "shop-example"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error of a command in the folder."""

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch([*words, "--data", str(tmp_path)])
        return ended.value.code, *capsys.readouterr()

    return run


@asynccontextmanager
async def at_work(folder: Path, engine: ToldEngine, *paths: str) -> AsyncGenerator[tuple[House, Actor], None]:
    """A site with such pages, and somebody who measures and judges; what is suspected is measured again at once."""
    async with houses.opened(folder, engine) as (house, actor):
        (workspace_id,) = actor.roles
        async with house.database.work(actor) as work:
            for path in paths:
                await new_page(work, workspace_id, f"https://shop.example{path}")
        house = replace(house, settings=house.settings.model_copy(update={"confirm_after_seconds": 0.01}))
        stop = asyncio.Event()
        task = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        try:
            async with scheduling(house):
                yield house, actor
        finally:
            stop.set()
            await task


async def judged(house: House, actor: Actor, number: int) -> bool:
    (workspace_id,) = actor.roles
    every = dict.fromkeys(("cause", "environment", "branch", "commit"))
    found = await snapshots.SNAPSHOTS.of(house.database.reader, actor.reach, workspace_id, Window(number), **every)
    return [row.judged_at is not None for row in found.rows] == [True] * number


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.05)


async def test_a_build_waits_and_is_told_what_regressed(run: Run, tmp_path: Path) -> None:
    engine = ToldEngine((100, 104, 102))
    async with at_work(tmp_path, engine, "/", "/other") as (house, actor):
        (workspace_id,) = actor.roles
        (site,) = (await sites.by_slugs(house.database.reader, actor.reach, [(workspace_id, SITE)])).values()
        for _ in range(4):
            async with house.database.work(actor) as work:
                await snapshots.request(work, site_id=site.id)
        await eventually_true(partial(judged, house, actor, 4))

        async def request(*words: str) -> tuple[object, str, str]:
            return await asyncio.to_thread(run, "snapshots", "request", SITE, "--page", "/", "--wait", *words)

        engine.ttfbs = (401, 404, 402)
        code, out, err = await request("--commit", "bad0001", "--branch", "main", "--author", "Ann")
        assert code == 1
        assert "REGRESSED" in out
        assert err.splitlines()[-1].endswith(": judged")
        assert "measured again" in err
        listed = json.loads(
            (await asyncio.to_thread(run, "snapshots", "list", "--cause", "build", "--limit", "1", "--json"))[1]
        )
        assert (listed[0]["cause"], listed[0]["commit"]["author"], listed[0]["progress"]["total"]) == ("BUILD", "Ann", 1)
        assert listed[0]["judgements"]["regressed"] >= 1
        said = json.loads((await asyncio.to_thread(run, "verdicts", "list", "--site", SITE, "--metric", "ttfb", "--json"))[1])
        assert [(row["judgement"], row["reason"], row["page"]) for row in said] == [
            ("REGRESSED", "CONFIRMED", "https://shop.example/")
        ]
        assert said[0]["changeLow"] > 200
        table = (await asyncio.to_thread(run, "verdicts", "list", "--site", SITE, "--page", "/", "--judgement", "regressed"))[1]
        assert "later" in table
        shown = (await asyncio.to_thread(run, "snapshots", "show", listed[0]["id"]))[1]
        assert "bad0001 · main · Ann" in shown
        assert "REGRESSED" in shown
        first = json.loads((await asyncio.to_thread(run, "snapshots", "list", "--cause", "person", "--json"))[1])[-1]["id"]
        code, out, _ = await asyncio.to_thread(run, "snapshots", "compare", first, listed[0]["id"])
        assert (code, out.splitlines()[-1].split(", ")[0]) == (1, "2 compared: 2 regressed")
        said = json.loads((await asyncio.to_thread(run, "snapshots", "compare", first, first, "--json"))[1])
        assert said["judgements"]["regressed"] == 0
        engine.failure, engine.ttfbs = EngineFailure(FailureKind.PAGE, "GONE", "The page is gone.", retryable=False), ()
        code, out, err = await request()
        assert (code, out) == (3, "Nothing of it was measured, so that there is nothing to judge.\n")
        assert "1 of 1 audits failed" in err


async def test_what_is_asked_for_may_be_stopped_and_bad_usage_is_a_sentence(run: Run, tmp_path: Path) -> None:
    async with houses.opened(tmp_path) as (house, actor):
        (workspace_id,) = actor.roles
        async with house.database.work(actor) as work:
            await new_page(work, workspace_id, "https://shop.example/")

    async def told(*words: str) -> tuple[object, str]:
        code, out, err = await asyncio.to_thread(run, *words)
        return code, out + err

    code, out = await told("snapshots", "request", "https://shop.example", "--wait", "--timeout", "1")
    where = f" --data {tmp_path}"
    sentence, _, snapshot = out.splitlines()[-1].removesuffix(where).rpartition(" ")
    assert (code, sentence) == (4, "The time is over; it goes on: pacemark snapshots show")
    assert out.endswith(f"{where}\n")
    assert await told("snapshots", "cancel", snapshot) == (0, "It is cancelled; what of it was measured stays.\n")
    assert await told("snapshots", "cancel", snapshot) == (2, "This snapshot is cancelled already.\n")
    assert "cancelled" in (await told("snapshots", "list"))[1]
    for words, sentence in (
        (("request", "none"), "There is no site 'none' in this workspace: give its slug, its address or its id.\n"),
        (
            ("request", SITE, "--page", "/none"),
            "There is no page '/none' in this site: give its path, such as /pricing, or its id.\n",
        ),
        (("request", SITE, "--branch", "main"), "What belongs to a commit needs its hash: --commit HASH.\n"),
        (
            ("request", SITE, "--commit", "x", "--name", "x" * 201),
            "A name has at most 200 characters.\nA commit's hash is 7 to 64 hex digits.\n",
        ),
        (
            ("show", "snapshot_" + "0" * 32),
            f"There is no such snapshot, or it is not yours. They are listed by: pacemark snapshots list{where}\n",
        ),
    ):
        assert await told("snapshots", *words) == (2, sentence)
    assert await told("verdicts", "list") == (0, "Nothing regressed or improved. All verdicts: --all\n")


async def test_deploys_and_annotations_are_written_and_listed(run: Run, tmp_path: Path) -> None:
    async with houses.opened(tmp_path) as (house, actor):
        (workspace_id,) = actor.roles
        async with house.database.work(actor) as work:
            await new_page(work, workspace_id, "https://shop.example/pricing")
            await sites.create(work, workspace_id=workspace_id, origin="https://blog.example")

    async def told(*words: str) -> str:
        code, out, err = await asyncio.to_thread(run, *words)
        assert (code, err) == (0, "")
        return out

    mark = ("deploys", "mark", SITE, "--version", "v1.4.2", "--commit", "abcdef1", "--branch", "main", "--snapshot")
    assert "It waits to be measured. See: pacemark snapshots show snapshot_" in await told(*mark)
    assert "v1.4.2" in await told("deploys", "list", SITE)
    (deploy,) = json.loads(await told("deploys", "list", SITE, "--json"))
    assert (deploy["commitHash"], deploy["branch"], deploy["snapshot"]["state"]) == ("abcdef1", "main", "RUNNING")
    assert (await told("deploys", "list", "blog-example")).startswith("No deploy of this site is known.")
    await told("annotations", "add", SITE, "[b]The campaign\x1b", "--page", "/pricing", "--at", "2026-11-01T08:00:00Z")
    listed = await told("annotations", "list", SITE)
    assert "2026-11-01 08:00   /pricing   [b]The campaign" in listed
    assert "\x1b" not in listed
    assert (await told("annotations", "list", "blog-example")).startswith("Nothing is written to this site.")


NAMES = {"REGRESSED": "regressed", "IMPROVED": "improved", "NO_EVIDENCE": "noEvidence", "INCOMPARABLE": "incomparable"}


def whole(*judgements: str, state: str = "FINISHED", failure: str | None = None, left_out: int = 0, **progress: int) -> Whole:
    """Each judgement with its reason behind a slash, else with none that matters; `left_out` more regressed."""
    progress = {"total": 2, "finished": 2, "failed": failure is not None, "cancelled": 0, **progress}
    about = {"id": "snapshot_1", "state": state, "judgedAt": "2026-11-23T00:00:00Z", "progress": progress}
    pages = [{"audits": [{"failure": {"kind": failure} if failure else None}]}]
    said = [each.partition("/")[::2] for each in judgements]
    counts = {name: [word for word, _ in said].count(key) for key, name in NAMES.items()}
    counts["regressed"] += left_out
    return Whole(about, pages, [{"judgement": word, "reason": reason or "WITHIN_NOISE"} for word, reason in said], counts)


@pytest.mark.parametrize(
    ("found", "in_time", "status", "sentence"),
    [
        (whole("NO_EVIDENCE", "IMPROVED"), True, 0, ""),
        (whole("NO_EVIDENCE/TOO_FEW"), True, 0, ""),
        (whole("NO_EVIDENCE", "INCOMPARABLE"), True, 0, ""),
        (whole("REGRESSED", failure="PAGE"), True, 1, ""),
        (whole("REGRESSED"), False, 1, ""),
        (whole("NO_EVIDENCE", left_out=1), True, 1, ""),
        (whole("INCOMPARABLE", "NO_EVIDENCE/TOO_FEW"), True, 2, outcome.INCOMPARABLE),
        (whole(failure="PAGE", finished=0), True, 3, "1 of 2 audits failed: what they would have shown is not known."),
        (whole(failure="ENGINE", finished=0), True, 4, "1 of 2 audits failed: what they would have shown is not known."),
        (whole(state="CANCELLED"), True, 4, "The snapshot was cancelled, and is not judged."),
        (
            whole("NO_EVIDENCE", cancelled=1),
            True,
            4,
            "1 of 2 audits was cancelled: what they would have shown is not known.",
        ),
        (whole(), True, 4, "Nothing of it was judged: judging it was given up."),
        (whole(finished=0, total=0), True, 4, "Nothing of it was measured, and nothing judged."),
        (
            whole("NO_EVIDENCE", "NO_EVIDENCE/SUSPECTED"),
            True,
            4,
            "1 stayed suspected: measuring and judging them again was given up.",
        ),
        (whole("NO_EVIDENCE"), False, 4, "The time is over; it goes on: show it"),
    ],
    ids=[
        "nothing",
        "first",
        "some-incomparable",
        "regressed",
        "regressed-late",
        "regressed-behind",
        "incomparable",
        "page-failed",
        "engine-failed",
        "cancelled",
        "some-cancelled",
        "not-judged",
        "not-there",
        "suspected",
        "late",
    ],
)
def test_the_exit_status_says_what_it_came_to(found: Whole, in_time: bool, status: int, sentence: str) -> None:
    came_to = outcome.of_waiting(found, in_time, "show it")
    assert came_to.status == status
    assert sentence in ("", *came_to.sentences)
    assert bool(came_to.sentences) == (sentence != "") or status == 1


@pytest.mark.parametrize(
    ("judgements", "status"),
    [
        (("REGRESSED", "INCOMPARABLE"), 1),
        (("NO_EVIDENCE", "NO_EVIDENCE/TOO_FEW"), 0),
        (("IMPROVED", "INCOMPARABLE"), 0),
        (("NO_EVIDENCE/TOO_FEW", "INCOMPARABLE"), 2),
        (("INCOMPARABLE",), 2),
        ((), 2),
    ],
    ids=["regressed", "some-too-few", "improved", "too-few", "incomparable", "nothing-shared"],
)
def test_two_snapshots_that_cannot_be_compared_are_not_said_to_be_alike(judgements: tuple[str, ...], status: int) -> None:
    found = whole(*judgements)
    came_to = outcome.of_comparison({"judgements": found.judgements}, found.verdicts)
    assert came_to.status == status
    assert bool(came_to.sentences) == (status == 2)


async def test_what_changed_is_not_among_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three verdicts two are looked at, of which none is the one that regressed."""
    rows = [{"id": str(number), "judgement": word} for number, word in enumerate(("NO_EVIDENCE", "NO_EVIDENCE", "REGRESSED"))]

    async def ask(_text: str, *, first: int, judgement: str | None = None, **_variables: Any) -> dict[str, Any]:
        meant = [row for row in rows if judgement in (None, row["judgement"])]
        page = {"hasNextPage": len(meant) > first, "endCursor": None}
        return {"snapshot": {"found": {"nodes": meant[:first], "pageInfo": page}}}

    monkeypatch.setattr(verdicts, "LOOKED_AT", 2)
    assert await verdicts.of_snapshot(There(ask, "default", "here."), "snapshot_1") == rows
    rest = whole("NO_EVIDENCE", left_out=3)
    assert list(screen._sentences(rest)) == [
        "4 compared: 3 regressed, 0 improved, 1 without evidence of a change.",
        "Of 3 of them the rows are left out here.",
    ]


async def test_who_waits_bears_a_server_that_is_away_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0)
    monkeypatch.setattr(following, "UNTOUCHED_SECONDS", -1)
    waits = {"id": "snapshot_1", "state": "RUNNING", "judgedAt": None, "progress": {"total": 1, "queued": 1, "finished": 0}}
    waits["progress"] |= {"running": 0, "failed": 0, "cancelled": 0}  # type: ignore[operator]
    judged = {**waits, "judgedAt": "now", "state": "FINISHED"}
    away = Unusable("away")
    answers: list[Any] = [waits, *[away] * 7, judged, *[away] * 7, judged]

    async def ask(_text: str, **_variables: Any) -> dict[str, Any]:
        answer = answers.pop(0) if answers else away
        if isinstance(answer, Unusable):
            raise answer
        return {"snapshot": answer}

    there, errors = (
        There(ask, "default", "here."),
        Console(record=True, width=200, file=None, quiet=False, force_terminal=False),
    )
    assert await following.follow(there, "snapshot_1", timeout=None, errors=errors) is True
    assert errors.export_text().count(following.NOBODY) == 1
    assert await following.patiently(partial(judging_snapshots.one, there, "snapshot_1")) == judged
    monkeypatch.setattr(following, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(Unusable, match="away"):
        await following.follow(there, "snapshot_1", timeout=None, errors=errors)
    with pytest.raises(Unusable, match="away"):
        await following.patiently(partial(judging_snapshots.one, there, "snapshot_1"))


def test_a_hint_leads_to_where_one_is() -> None:
    assert options.given("default", None, None) == ""
    assert options.given("acme", "https://pacemark.example/graphql", Path("/unmeant")) == (
        " --server https://pacemark.example/graphql --workspace acme"
    )
    assert options.given("default", None, Path("/my data")) == " --data '/my data'"


def test_there_are_words_for_whatever_is_said() -> None:
    assert set(verdicts._WHY) == set(Reason)
    assert set(verdicts._SAID) == set(Judgement)


def test_what_was_measured_otherwise_and_what_is_too_new_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(screen._sentences(whole("NO_EVIDENCE/TOO_FEW")))[1].startswith("There are too few snapshots before it")
    assert list(screen._sentences(whole("INCOMPARABLE", "REGRESSED")))[-1] == (
        "1 could not be compared: they were measured otherwise than before."
    )
