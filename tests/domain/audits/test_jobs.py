"""What happens to an audit between its request and its record, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import bindparam, select

from domain import audits, files, jobs, runners, sites
from domain.access import SYSTEM, Actor
from domain.base import Query
from domain.keyring import Keyring
from domain.measuring import Access, EngineFailure, EngineName, FailureKind, Measured, Order, Phase, Reached
from domain.paging import Window
from domain.work import StoredEvent
from infra.db.database import SqlDatabase
from infra.storage.disk import DiskStorage
from tests.databases import new_workspace
from tests.domain.audits.benches import lapse, sweep
from tests.domain.audits.engines import ToldEngine, result

SEAL = Keyring([b"secret"])


class Bench:
    """One workspace, one runner, one storage."""

    def __init__(self, database: SqlDatabase, storage: DiskStorage, workspace: UUID, actor: Actor, runner: UUID) -> None:
        self.database, self.storage, self.workspace, self.actor, self.runner = database, storage, workspace, actor, runner

    async def request(self, url: str = "http://127.0.0.1:1/page", **given: object) -> UUID:
        async with self.database.work(self.actor) as work:
            return (await audits.request(work, workspace_id=self.workspace, url=url, **given)).id  # type: ignore[arg-type]

    async def take(self) -> audits.Claim | None:
        return await audits.take(self.database, runner_id=self.runner, pool="default", engines=[EngineName.PROBE])

    async def perform(self, engine: ToldEngine, claim: audits.Claim | None = None) -> None:
        claim = claim or await self.take()
        assert claim is not None
        await audits.perform(self.database, self.storage, engine, SEAL, claim)

    async def read(self, id: UUID) -> audits.AuditRow:
        return (await audits.by_ids(self.database.reader, self.actor.reach, [id]))[id]


@pytest.fixture
async def bench(database: SqlDatabase, tmp_path: Path) -> Bench:
    workspace, actor = await new_workspace(database)
    async with database.work(SYSTEM) as work:
        runner = await runners.appear(work, name="here", location="local", pool="default", engines=[EngineName.PROBE])
    return Bench(database, DiskStorage(tmp_path / "files"), workspace, actor, runner)


async def test_an_audit_is_measured_and_recorded_with_all_that_was_seen(bench: Bench) -> None:
    id = await bench.request()
    await bench.perform(ToldEngine())
    audit = await bench.read(id)
    assert (audit.state, audit.phase, audit.representative_run) == (audits.AuditState.FINISHED, Phase.ENDED, 2)
    assert (audit.ttfb_ms, audit.request_count, audit.lcp_ms) == (110, 2, None)
    assert (audit.final_url, audit.engine_version) == ("http://127.0.0.1/final", "1.0")
    assert audit.scores == [{"category": "delivery", "title": "Delivery", "score": 0.5}]
    reader, reach = bench.database.reader, bench.actor.reach
    runs = (await audits.runs_by_audits(reader, reach, [id]))[id]
    assert [(run.index, run.ttfb_ms) for run in runs] == [(0, 120), (1, 100), (2, 110)]
    kept = (await files.by_audits(reader, reach, [id]))[id]
    assert [(file.run, file.kind, file.at_ms) for file in kept[:2]] == [(0, "REPORT", None), (0, "FILMSTRIP", 300)]
    assert (await files.fetch(reader, bench.storage, kept[0].id) or (None, b""))[1] == b'{"hello":"world"}'


async def test_a_page_failure_is_recorded_as_the_audits_failure(bench: Bench) -> None:
    id = await bench.request()
    await bench.perform(ToldEngine((), EngineFailure(FailureKind.PAGE, "DNS_FAILURE", "No such host.", retryable=True)))
    audit = await bench.read(id)
    assert (audit.state, audit.failure_kind, audit.failure_code) == ("FAILED", "PAGE", "DNS_FAILURE")
    assert (audit.failure_message, audit.failure_retryable, audit.ttfb_ms) == ("No such host.", True, None)


async def test_a_bug_of_an_engine_fails_the_audit_without_telling_its_text(bench: Bench) -> None:
    id = await bench.request()
    with pytest.raises(RuntimeError, match="secret"):
        await bench.perform(ToldEngine((), RuntimeError("secret")))
    audit = await bench.read(id)
    assert (audit.failure_kind, audit.failure_code) == ("ENGINE", "INTERNAL")
    assert "secret" not in (audit.failure_message or "")


async def test_an_audit_is_taken_by_exactly_one_of_many_workers(bench: Bench) -> None:
    ids = {await bench.request(f"http://127.0.0.1:1/{number}") for number in range(5)}
    claims = await asyncio.gather(*(bench.take() for _ in range(12)))
    assert sorted(claim.audit.id for claim in claims if claim) == sorted(ids)


async def test_a_cancelled_audit_stops_its_engine_and_stays_cancelled(bench: Bench) -> None:
    id = await bench.request()
    engine = ToldEngine((100,), forever=True)
    working = asyncio.create_task(bench.perform(engine))
    while not engine.orders:
        await asyncio.sleep(0.01)
    async with bench.database.work(bench.actor) as work:
        await audits.cancel(work, audit_id=id)
    await asyncio.wait_for(working, 5)
    assert engine.stopped
    assert (await bench.read(id)).state == "CANCELLED"


async def test_what_a_dead_worker_held_is_taken_up_again_and_its_late_record_is_refused(bench: Bench) -> None:
    id = await bench.request()
    dead = await bench.take()
    assert dead is not None
    await lapse(bench.database)
    assert [job.subject for job in (await sweep(bench.database)).again] == [id]
    second = await bench.take()
    assert second is not None
    await bench.perform(ToldEngine((50,)), dead)
    assert (await bench.read(id)).state == "RUNNING"
    assert (await audits.runs_by_audits(bench.database.reader, bench.actor.reach, [id]))[id] == []
    await bench.perform(ToldEngine((70,)), second)
    assert ((await bench.read(id)).state, (await bench.read(id)).ttfb_ms) == ("FINISHED", 70)


async def test_files_of_an_earlier_attempt_and_of_a_deleted_page_are_swept_away(bench: Bench, tmp_path: Path) -> None:
    id = await bench.request()
    first = await bench.take()
    assert first is not None
    lost = asyncio.create_task(bench.perform(ToldEngine((100,), forever=True), first))
    reader, reach = bench.database.reader, bench.actor.reach
    while not (await files.by_audits(reader, reach, [id]))[id]:
        await asyncio.sleep(0.01)
    lost.cancel()
    await asyncio.wait([lost])
    await bench.perform(ToldEngine((70,)))
    assert [file.kind for file in (await files.by_audits(reader, reach, [id]))[id]] == ["REPORT", "FILMSTRIP"]
    assert await audits.sweep_files(bench.database, bench.storage) == 2
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 2
    page = (await bench.read(id)).page_id
    async with bench.database.work(bench.actor) as work:
        await sites.delete_page(work, page_id=page)
    assert await audits.sweep_files(bench.database, bench.storage) == 2
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


async def test_an_audit_that_killed_three_workers_is_given_up(bench: Bench) -> None:
    id = await bench.request()
    for _ in range(3):
        assert await bench.take() is not None
        await lapse(bench.database)
        await sweep(bench.database)
    audit = await bench.read(id)
    assert (audit.state, audit.failure_code) == ("FAILED", "WORKER_LOST")
    dead = (await jobs.DEAD.of(bench.database.reader, bench.actor.reach, bench.workspace, Window())).rows
    assert [(job.subject, job.deliveries) for job in dead] == [(id, 3)]
    assert await bench.take() is None
    async with bench.database.work(bench.actor) as work:
        await audits.revive(work, (await jobs.revive(work, job_id=dead[0].id)).subject)
    await bench.perform(ToldEngine((100,)))
    revived = await bench.read(id)
    assert (revived.state, revived.failure_code, revived.failure_kind) == ("FINISHED", None, None)


class Payload(NamedTuple):
    payload: dict[str, Any]


async def test_every_step_is_said_in_order(bench: Bench) -> None:
    id = await bench.request()
    await bench.perform(ToldEngine((100,)))
    said = select(StoredEvent.payload).where(
        StoredEvent.workspace_id == bindparam("workspace_id"), StoredEvent.subject == bindparam("id")
    )
    in_order = Query(Payload, said.order_by(StoredEvent.id))
    rows = await bench.database.reader.all(in_order, workspace_id=bench.workspace, id=id)
    assert [(row[0]["state"], row[0]["phase"], row[0]["run"]) for row in rows] == [
        ("QUEUED", "QUEUED", None),
        ("RUNNING", "STARTING", None),
        ("RUNNING", "LOADING", 0),
        ("RUNNING", "RECORDING", 0),
        ("FINISHED", "ENDED", None),
    ]


async def test_the_sites_secrets_go_to_the_site_and_not_to_another_base_url(bench: Bench) -> None:
    await bench.request("http://127.0.0.1:1/page")
    async with bench.database.work(bench.actor) as work:
        site = await work.db.first(sites_first(), workspace_id=bench.workspace)
        assert site is not None
        await sites.set_access(work, site_id=site.id, access=Access(headers={"X-Secret": "s3cret"}), keyring=SEAL)
    await bench.request("http://127.0.0.1:1/page", base_url="http://127.0.0.1:2")
    engine = ToldEngine()
    await bench.perform(engine)
    await bench.perform(engine)
    assert [order.url for order in engine.orders] == ["http://127.0.0.1:1/page", "http://127.0.0.1:2/page"]
    assert [dict(order.access.headers) for order in engine.orders] == [{"X-Secret": "s3cret"}, {}]


def sites_first() -> Query[sites.SiteRow]:
    from domain.base import query

    return query(sites.SiteRow, sites.Site).where(sites.Site.workspace_id == bindparam("workspace_id"))


async def test_secrets_that_cannot_be_opened_any_more_are_a_failure_of_configuration(bench: Bench) -> None:
    id = await bench.request()
    async with bench.database.work(bench.actor) as work:
        site_id = (await bench.read(id)).site_id
        other = Keyring([b"another"])
        await sites.set_access(work, site_id=site_id, access=Access(headers={"X-Secret": "s3cret"}), keyring=other)
    await bench.perform(ToldEngine())
    audit = await bench.read(id)
    assert (audit.state, audit.failure_kind, audit.failure_code) == ("FAILED", "CONFIGURATION", "ACCESS_UNREADABLE")


class WaitingEngine(ToldEngine):
    """Waits for its turn longer than an audit may take, and then measures."""

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        yield Reached(Phase.WAITING, 0)
        await asyncio.sleep(0.6)
        yield Reached(Phase.STARTING, 0)
        yield Measured(0, result(100))


async def test_waiting_for_a_turn_does_not_count_against_the_deadline(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.audits.rules.deadline", lambda engine, runs: 0.5)
    id = await bench.request()
    await bench.perform(WaitingEngine())
    assert (await bench.read(id)).state == "FINISHED"
