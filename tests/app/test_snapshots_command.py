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
from app.commands import snapshots as command
from app.errors import Unusable
from app.judging import following, screen, verdicts
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
        for _ in range(3):
            async with house.database.work(actor) as work:
                await snapshots.request(work, site_id=site.id)
        await eventually_true(partial(judged, house, actor, 3))

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
    sentence, _, snapshot = out.splitlines()[-1].rpartition(" ")
    assert (code, sentence) == (4, "The time is over; it goes on: pacemark snapshots show")
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
            "There is no such snapshot, or it is not yours. They are listed by: pacemark snapshots list\n",
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


def whole(*judgements: str, state: str = "FINISHED", failure: str | None = None) -> Whole:
    about = {"id": "snapshot_1", "state": state, "judgedAt": "2026-11-23T00:00:00Z", "progress": {"failed": 1, "total": 2}}
    pages = [{"audits": [{"failure": {"kind": failure} if failure else None}]}]
    return Whole(about, pages, [{"judgement": each, "reason": "TOO_FEW"} for each in judgements])


@pytest.mark.parametrize(
    ("found", "in_time", "status"),
    [
        (whole("NO_EVIDENCE", "IMPROVED"), True, 0),
        (whole("REGRESSED", failure="PAGE"), True, 1),
        (whole("REGRESSED"), False, 1),
        (whole(failure="PAGE"), True, 3),
        (whole(failure="ENGINE"), True, 4),
        (whole(state="CANCELLED"), True, 4),
        (whole("NO_EVIDENCE"), False, 4),
    ],
    ids=["nothing", "regressed", "regressed-late", "page-failed", "engine-failed", "cancelled", "late"],
)
def test_the_exit_status_says_what_it_came_to(found: Whole, in_time: bool, status: int) -> None:
    assert command._status(found, in_time) == status


async def test_who_waits_bears_a_server_that_is_away_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0)
    monkeypatch.setattr(following, "UNTOUCHED_SECONDS", -1)
    waits = {"id": "snapshot_1", "state": "RUNNING", "judgedAt": None, "progress": {"total": 1, "queued": 1, "finished": 0}}
    waits["progress"] |= {"running": 0, "failed": 0, "cancelled": 0}  # type: ignore[operator]
    answers: list[Any] = [
        waits,
        *[Unusable("away")] * 4,
        {**waits, "judgedAt": "now", "state": "FINISHED"},
        *[Unusable("away")] * 5,
    ]

    async def ask(_text: str, **_variables: Any) -> dict[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, Unusable):
            raise answer
        return {"snapshot": answer}

    there, errors = (
        There(ask, "default", "here."),
        Console(record=True, width=200, file=None, quiet=False, force_terminal=False),
    )
    assert await following.follow(there, "snapshot_1", timeout=None, errors=errors) is True
    assert errors.export_text().count(following.NOBODY) == 1
    with pytest.raises(Unusable, match="away"):
        await following.follow(there, "snapshot_1", timeout=None, errors=errors)


def test_there_are_words_for_whatever_is_said() -> None:
    assert set(verdicts._WHY) == set(Reason)
    assert set(verdicts._SAID) == set(Judgement)


def test_what_was_measured_otherwise_and_what_is_too_new_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(screen._sentences(whole("NO_EVIDENCE")))[1].startswith("There are too few snapshots before it")
    assert list(screen._sentences(whole("INCOMPARABLE", "REGRESSED")))[-1] == (
        "1 could not be compared: they were measured otherwise than before."
    )
