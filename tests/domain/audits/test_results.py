"""What pages and engines make up is stored without harm: too much of it, texts no database takes, numbers that are none."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from domain import audits
from domain.access import Actor
from domain.audits import jobs, recording, rules
from domain.errors import DatabaseAway
from domain.measuring import (
    EngineName,
    Evidence,
    FindingSeen,
    ImageKind,
    ImageSeen,
    Measured,
    MetricName,
    Order,
    Reached,
    RequestSeen,
    ResourceType,
    RunResult,
    Score,
    Severity,
    UserTiming,
)
from domain.paging import Window
from domain.work import Work
from infra.db.database import SqlDatabase
from tests.domain.audits.benches import Taker, Tenant, taker, tenant

NASTY = "a\x00b\ud800c\udfff\x1b[31m \U0001f680 é \u202e 'quoted\" \\u0000"
CLEAN = "a\ufffdb\ufffdc\ufffd\ufffd[31m \U0001f680 é \u202e 'quoted\" \\u0000"
PLAIN = RunResult(metrics={MetricName.TTFB: 1}, final_url="http://127.0.0.1/", engine_version="1")


class Says:
    """An engine that gives these results."""

    name = EngineName.PROBE

    def __init__(self, *results: RunResult) -> None:
        self.results = results

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        for run, result in enumerate(self.results):
            yield Measured(run, result)


@pytest.fixture
async def acme(database: SqlDatabase) -> Tenant:
    return await tenant(database)


@pytest.fixture
async def here(database: SqlDatabase, tmp_path: Path) -> Taker:
    return await taker(database, tmp_path / "files")


async def measured(acme: Tenant, here: Taker, *results: RunResult) -> UUID:
    (id,) = await acme.request()
    await here.perform(Says(*results))
    assert (await acme.read(id)).state == "FINISHED"
    return id


async def run_of(acme: Tenant, id: UUID) -> audits.RunRow:
    return (await audits.runs_by_audits(acme.database.reader, acme.actor.reach, [id]))[id][0]


async def requests_of(acme: Tenant, id: UUID, size: int = 5_000) -> list[audits.RequestRow]:
    run = (await run_of(acme, id)).id
    found = await audits.REQUESTS.under(acme.database.reader, acme.actor.reach, [run], Window(size))
    return [*found[run].rows]


async def findings_of(acme: Tenant, id: UUID, size: int = 5_000) -> list[audits.FindingRow]:
    found = await audits.FINDINGS.under(acme.database.reader, acme.actor.reach, [id], Window(size))
    return [*found[id].rows]


async def test_of_very_many_requests_and_findings_the_first_and_the_gravest_are_kept(acme: Tenant, here: Taker) -> None:
    requests = tuple(RequestSeen(f"http://127.0.0.1/{number}", ResourceType.OTHER) for number in range(3_000))
    findings = tuple(
        FindingSeen(f"rule-{number:03}", "T", Severity.HIGH if number == 499 else Severity.LOW, "c") for number in range(500)
    )
    id = await measured(
        acme, here, RunResult({MetricName.TTFB: 1}, "http://127.0.0.1/", "1", requests=requests, findings=findings)
    )
    kept = await requests_of(acme, id)
    assert [row.url for row in kept] == [f"http://127.0.0.1/{number}" for number in range(recording.MAX_REQUESTS)]
    assert [row.position for row in kept] == [*range(recording.MAX_REQUESTS)]
    rules_kept = [row.rule for row in await findings_of(acme, id)]
    assert rules_kept == ["rule-499", *(f"rule-{number:03}" for number in range(recording.MAX_FINDINGS - 1))]


async def test_texts_that_no_database_takes_are_made_fit_wherever_a_page_can_put_them(acme: Tenant, here: Taker) -> None:
    nasty = RunResult(
        metrics={MetricName.TTFB: 1},
        final_url=NASTY,
        engine_version=NASTY,
        requests=(
            RequestSeen(NASTY, ResourceType.DOCUMENT, method=NASTY, status=200, protocol=NASTY, mime_type=NASTY, failure=NASTY),
        ),
        findings=(FindingSeen(NASTY, NASTY, Severity.LOW, NASTY, NASTY, (Evidence(NASTY, NASTY),), link=NASTY),),
        scores=(Score(NASTY, NASTY, 0.5),),
        user_timings=(UserTiming(NASTY, 1.0, None),),
        warnings=(NASTY,),
        report={"text": NASTY},
    )
    id = await measured(acme, here, nasty)
    audit, run = await acme.read(id), await run_of(acme, id)
    (request,), (finding,) = await requests_of(acme, id), await findings_of(acme, id)
    assert (audit.final_url, audit.engine_version, run.warnings) == (CLEAN, CLEAN, [CLEAN])
    assert audit.scores == [{"category": CLEAN, "title": CLEAN, "score": 0.5}]
    assert audit.user_timings == [{"name": CLEAN, "start_ms": 1.0, "duration_ms": None}]
    assert {request.url, request.method, request.protocol, request.mime_type, request.failure} == {CLEAN}
    assert {finding.rule, finding.title, finding.category, finding.description, finding.link} == {CLEAN}
    assert finding.evidence == [{"subject": CLEAN, "detail": CLEAN}]


async def test_an_endless_text_is_cut(acme: Tenant, here: Taker) -> None:
    long = RunResult({MetricName.TTFB: 1}, "http://127.0.0.1/" + "a" * 1_000_000, "1")
    audit = await acme.read(await measured(acme, here, long))
    assert len(audit.final_url or "") == rules.MAX_TEXT


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf, 10**400, -(10**30)], ids=str)
async def test_a_number_that_is_none_was_not_measured(acme: Tenant, here: Taker, nothing: float) -> None:
    result = RunResult(
        metrics={MetricName.TTFB: nothing, MetricName.PAGE_LOAD: 5.0, MetricName.TRANSFER_BYTES: nothing},
        final_url="http://127.0.0.1/",
        engine_version="1",
        requests=(
            RequestSeen(
                "u",
                ResourceType.OTHER,
                status=nothing,  # type: ignore[arg-type]
                start_ms=nothing,
                end_ms=nothing,
                transfer_bytes=nothing,  # type: ignore[arg-type]
            ),
        ),
        findings=(FindingSeen("r", "t", Severity.LOW, "c", saving_ms=nothing, saving_bytes=nothing),),  # type: ignore[arg-type]
        scores=(Score("c", "t", nothing),),
        user_timings=(UserTiming("gone", nothing, None), UserTiming("kept", 1.0, nothing)),
        benchmark_index=nothing,
    )
    id = await measured(acme, here, result, result)
    audit, run = await acme.read(id), await run_of(acme, id)
    assert (audit.ttfb_ms, audit.page_load_ms, audit.transfer_bytes) == (None, 5.0, None)
    assert (run.ttfb_ms, run.page_load_ms, run.benchmark_index) == (None, 5.0, None)
    (request,), (finding,) = await requests_of(acme, id), await findings_of(acme, id)
    assert request[5:12] == (None,) * 2 + (None, None, None, None, None)
    assert (finding.saving_ms, finding.saving_bytes) == (None, None)
    assert audit.scores == [{"category": "c", "title": "t", "score": None}]
    assert audit.user_timings == [{"name": "kept", "start_ms": 1.0, "duration_ms": None}]


@pytest.mark.parametrize(("status", "kept"), [(0, 0), (200, 200), (999, 999), (1_000, None), (2**40, None), (-1, None)])
async def test_a_status_that_is_none_is_not_kept(status: int, kept: int | None) -> None:
    requests = (RequestSeen("u", ResourceType.OTHER, status=status),)
    assert rules.storable(RunResult({}, "", "", requests=requests)).requests[0].status == kept


async def test_numbers_as_great_as_a_float_holds_exactly_are_kept_and_small_ones_to_six_places(
    acme: Tenant, here: Taker
) -> None:
    result = RunResult({MetricName.TRANSFER_BYTES: 2**53, MetricName.TTFB: 0.0, MetricName.CLS: 0.0000123}, "u", "1")
    audit = await acme.read(await measured(acme, here, result))
    assert (audit.transfer_bytes, audit.ttfb_ms, audit.cls) == (2.0**53, 0.0, 0.000012)


async def test_what_is_fit_already_stays_as_it_is() -> None:
    fit = RunResult(
        {MetricName.TTFB: 1.5},
        "http://127.0.0.1/",
        "13.0",
        requests=(RequestSeen("u", ResourceType.FONT, status=304, transfer_bytes=7, third_party=True),),
        findings=(FindingSeen("r", "line\n\tnext", Severity.HIGH, "c"),),
        report={"any": "thing"},
    )
    assert rules.storable(fit) == fit


async def test_an_engine_that_measured_nothing_has_failed(acme: Tenant, here: Taker) -> None:
    (id,) = await acme.request()
    await here.perform(Says())
    audit = await acme.read(id)
    assert (audit.state, audit.failure_kind, audit.failure_code) == ("FAILED", "ENGINE", "NO_RUNS")


async def test_a_run_without_any_metric_is_still_a_run(acme: Tenant, here: Taker) -> None:
    id = await measured(acme, here, RunResult({}, "http://127.0.0.1/", "1"), PLAIN)
    audit = await acme.read(id)
    assert (audit.representative_run, audit.ttfb_ms) == (0, 1)


class Unheard:
    """A database whose commits are done, and every second of them not heard of."""

    def __init__(self, database: SqlDatabase) -> None:
        self.reader = database.reader
        self._database = database
        self._number = 0

    @asynccontextmanager
    async def work(self, actor: Actor) -> AsyncGenerator[Work, None]:
        async with self._database.work(actor) as work:
            yield work
        self._number += 1
        if self._number % 2:
            raise DatabaseAway("The database went away.")


async def test_what_was_recorded_and_not_heard_of_is_recorded_once(
    acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    (id,) = await acme.request(runs=2)
    claim = await here.take()
    assert claim is not None
    here.database = Unheard(acme.database)  # type: ignore[assignment]
    shot = ImageSeen(ImageKind.SCREENSHOT, "image/jpeg", b"jpeg", 1.0)
    await here.perform(Says(replace(PLAIN, images=(shot,)), replace(PLAIN, images=(shot,))), claim)
    row = await acme.read(id)
    assert (row.state, row.representative_run) == ("FINISHED", 0)
    runs = (await audits.runs_by_audits(acme.database.reader, acme.actor.reach, [id]))[id]
    assert [run.index for run in runs] == [0, 1]
    assert len([path for path in here.folder.rglob("*") if path.is_file()]) == 2
