"""Who gets which audit next, how long they keep it, and what is left when they lose it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from domain import audits, files, sites, workspaces
from domain.access import SYSTEM
from domain.audits import jobs, rules
from domain.errors import DatabaseAway
from domain.ids import new_id
from domain.measuring import EngineFailure, EngineName, FailureKind, Measured, Order, Phase, Reached
from domain.work import StoredJob
from infra.db.database import SqlDatabase
from tests.domain.audits.benches import Taker, Tenant, sweep, taker, tenant
from tests.domain.audits.engines import ToldEngine, result

URLS = [f"http://127.0.0.1:1/{number}" for number in range(12)]


@pytest.fixture
async def acme(database: SqlDatabase) -> Tenant:
    return await tenant(database)


@pytest.fixture
async def here(database: SqlDatabase, tmp_path: Path) -> Taker:
    return await taker(database, tmp_path / "files")


async def raw(database: SqlDatabase, id: UUID) -> tuple[object, ...]:
    async with database.work(SYSTEM) as work:
        row = await work.db.execute(
            select(audits.Audit.state, StoredJob.claim, StoredJob.claim_until, StoredJob.deliveries)
            .join(StoredJob, StoredJob.subject == audits.Audit.id)
            .where(audits.Audit.id == id)
        )
        return tuple(row.one())


async def test_without_work_there_is_no_claim(here: Taker) -> None:
    assert await here.take() is None


async def test_the_oldest_goes_first(acme: Tenant, here: Taker) -> None:
    ids = await acme.request(*URLS[:4])
    assert [(claim := await here.take()) and claim.audit.id for _ in range(5)] == [*ids, None]


async def test_what_is_more_urgent_goes_first(acme: Tenant, here: Taker) -> None:
    first, second, third = await acme.request(*URLS[:3])
    async with acme.database.work(SYSTEM) as work:
        await work.db.execute(update(StoredJob).where(StoredJob.subject == first).values(priority=20))
        await work.db.execute(update(StoredJob).where(StoredJob.subject == second).values(priority=10))
    assert [(claim := await here.take()) and claim.audit.id for _ in range(3)] == [third, second, first]


async def test_a_tenant_with_many_waiting_does_not_starve_one_with_few(database: SqlDatabase, here: Taker) -> None:
    big, small = await tenant(database, "big"), await tenant(database, "small")
    await big.request(*["http://127.0.0.1:1/"] * 200)
    (late,) = await small.request()
    taken = [await here.take() for _ in range(3)]
    assert late in [claim.audit.id for claim in taken[:2] if claim]


async def test_tenants_take_turns_by_how_many_they_have_running(database: SqlDatabase, here: Taker) -> None:
    one, two = await tenant(database, "one"), await tenant(database, "two")
    await one.request(*URLS)
    await two.request(*URLS[:3])
    taken = [claim.audit.workspace_id for _ in range(6) if (claim := await here.take())]
    assert Counter(taken) == {one.id: 3, two.id: 3}
    assert all(set(taken[at : at + 2]) == {one.id, two.id} for at in (0, 2, 4))


async def test_a_worker_takes_only_what_its_engines_can_do(acme: Tenant, here: Taker) -> None:
    (lighthouse,) = await acme.request(profile_id=await acme.profile("Lighthouse mobile"))
    assert await here.take(EngineName.PROBE, EngineName.PAGESPEED) is None
    claim = await here.take(EngineName.PROBE, EngineName.LIGHTHOUSE)
    assert claim is not None
    assert claim.audit.id == lighthouse


async def test_only_one_audit_can_be_asked_for(acme: Tenant, here: Taker) -> None:
    _, second = await acme.request(*URLS[:2])
    claim = await here.take(only=second)
    assert claim is not None
    assert claim.audit.id == second
    assert await here.take(only=second) is None


async def test_of_twenty_takers_at_once_none_gets_what_another_has(acme: Tenant, here: Taker) -> None:
    ids = await acme.request(*URLS)
    claims = [claim for claim in await asyncio.gather(*(here.take() for _ in range(20))) if claim]
    assert sorted(claim.audit.id for claim in claims) == sorted(ids)
    assert len({claim.token for claim in claims}) == 12
    assert {claim.audit.state for claim in claims} == {"RUNNING"}


async def test_a_claim_says_when_by_whom_and_for_how_long(acme: Tenant, here: Taker) -> None:
    (id,) = await acme.request()
    claim = await here.take()
    assert claim is not None
    assert (claim.audit.runner_id, claim.audit.phase) == (here.runner, Phase.STARTING)
    state, token, until, attempts = await raw(acme.database, id)
    assert (state, token, attempts) == ("RUNNING", claim.token, 1)
    assert claim.audit.started_at is not None
    assert until == claim.audit.started_at + timedelta(seconds=30)


async def test_work_renews_its_claim_while_it_measures(acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.02)
    (id,) = await acme.request()
    engine = ToldEngine((), forever=True)
    working = asyncio.create_task(here.perform(engine))
    await until_ordered(engine)
    before = (await raw(acme.database, id))[2]
    await asyncio.sleep(0.3)
    assert (await raw(acme.database, id))[2] > before  # type: ignore[operator]
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def until_ordered(engine: ToldEngine) -> None:
    async with asyncio.timeout(10):
        while not engine.orders:
            await asyncio.sleep(0.005)


async def test_a_lost_claim_stops_the_engine(acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.05)
    (id,) = await acme.request()
    engine = ToldEngine((), forever=True)
    working = asyncio.create_task(here.perform(engine))
    await until_ordered(engine)
    async with acme.database.work(SYSTEM) as work:
        await work.db.execute(update(StoredJob).values(claim=UUID(int=1)))
    await asyncio.wait_for(working, 5)
    assert engine.stopped
    assert (await raw(acme.database, id))[:2] == ("RUNNING", UUID(int=1))


class Between:
    """Measures one run; `then` happens just before it is handed over."""

    name = EngineName.PROBE

    def __init__(self, then: object) -> None:
        self.then = then

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        await self.then()  # type: ignore[operator]
        yield Measured(0, result())


async def test_the_files_of_a_lost_claim_are_deleted(acme: Tenant, here: Taker) -> None:
    (id,) = await acme.request()

    async def lose() -> None:
        async with acme.database.work(SYSTEM) as work:
            await work.db.execute(update(StoredJob).values(claim=None))

    await here.perform(Between(lose))
    assert here.files() == []
    assert (await files.by_audits(acme.database.reader, acme.actor.reach, [id]))[id] == []


async def test_when_storage_fails_half_way_nothing_is_left_in_it(
    acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id,) = await acme.request()
    put = here.storage.put

    async def fail_at_pictures(key: str, data: bytes, *, content_type: str, content_encoding: str | None = None) -> None:
        if content_type.startswith("image/"):
            raise OSError("the disk is full")
        await put(key, data, content_type=content_type, content_encoding=content_encoding)

    monkeypatch.setattr(here.storage, "put", fail_at_pictures)
    with pytest.raises(OSError, match="the disk is full"):
        await here.perform(ToldEngine((100,)))
    assert here.files() == []
    assert (await acme.read(id)).failure_code == "INTERNAL"


async def test_past_its_deadline_a_measurement_fails_and_its_engine_is_closed(
    acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "deadline", lambda engine, runs: 0.3)
    (id,) = await acme.request()
    engine = ToldEngine((100,), forever=True)
    await asyncio.wait_for(here.perform(engine), 10)
    audit = await acme.read(id)
    assert (audit.state, audit.failure_kind, audit.failure_code) == ("FAILED", "ENGINE", "DEADLINE")
    assert (audit.failure_retryable, engine.stopped) == (True, True)


async def test_an_engines_own_timeout_is_a_bug_and_not_the_deadline(acme: Tenant, here: Taker) -> None:
    (id,) = await acme.request()
    with pytest.raises(TimeoutError):
        await here.perform(ToldEngine((), TimeoutError("inside")))
    assert (await acme.read(id)).failure_code == "INTERNAL"


async def test_work_cancelled_from_outside_stops_its_engine_and_gives_the_audit_back_uncounted(
    acme: Tenant, here: Taker
) -> None:
    (id,) = await acme.request()
    engine = ToldEngine((100,), forever=True)
    working = asyncio.create_task(here.perform(engine))
    await until_ordered(engine)
    began = time.monotonic()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert time.monotonic() - began < 1
    assert engine.stopped
    assert await raw(acme.database, id) == ("QUEUED", None, None, 0)
    assert await here.take() is not None


async def test_a_sweep_leaves_alone_what_is_still_held(acme: Tenant, here: Taker) -> None:
    (id,) = await acme.request()
    assert await here.take() is not None
    assert await sweep(acme.database) == ([], [])
    assert (await acme.read(id)).state == "RUNNING"


async def test_an_audit_whose_site_was_deleted_is_passed_over(acme: Tenant, here: Taker) -> None:
    (gone,) = await acme.request("http://127.0.0.1:2/")
    (kept,) = await acme.request("http://127.0.0.1:1/")
    async with acme.database.work(acme.actor) as work:
        await sites.delete(work, site_id=(await acme.read(gone)).site_id)
    claim = await here.take()
    assert claim is not None
    assert claim.audit.id == kept
    assert await here.take() is None


async def test_what_waits_in_a_deleted_workspace_is_not_measured_not_even_if_it_comes_back(acme: Tenant, here: Taker) -> None:
    waiting = await acme.request(*URLS[:2])
    signed_in = replace(acme.actor, session_id=new_id())
    async with acme.database.work(signed_in) as work:
        await workspaces.delete_workspace(work, workspace_id=acme.id)
    assert await here.take() is None
    async with acme.database.work(signed_in) as work:
        await workspaces.restore(work, workspace_id=acme.id)
    assert [(await acme.read(id)).state for id in waiting] == ["CANCELLED", "CANCELLED"]
    (again,) = await acme.request()
    claim = await here.take()
    assert claim is not None
    assert claim.audit.id == again


class Away:
    """A database whose units of work fail for a while."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database, self.failing = database, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def work(self, *actor: object) -> object:
        if self.failing:
            raise DatabaseAway("the database is away")
        return self._database.work(*actor)  # type: ignore[arg-type]


async def test_a_database_that_is_away_for_some_beats_does_not_end_the_measurement(
    acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.05)
    (id,) = await acme.request()
    claim = await here.take()
    assert claim is not None
    here.database = away = Away(acme.database)  # type: ignore[assignment]
    go = asyncio.Event()
    working = asyncio.create_task(here.perform(Between(go.wait), claim))
    away.failing = True
    await asyncio.sleep(0.2)
    away.failing = False
    go.set()
    await asyncio.wait_for(working, 10)
    assert (await acme.read(id)).state == "FINISHED"


async def test_a_database_that_stays_away_ends_the_measurement_with_its_error(
    acme: Tenant, here: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "AWAY_SECONDS", 0.1)
    await acme.request()
    claim = await here.take()
    assert claim is not None
    here.database = away = Away(acme.database)  # type: ignore[assignment]
    engine = ToldEngine((), forever=True)
    working = asyncio.create_task(here.perform(engine, claim))
    await until_ordered(engine)
    away.failing = True
    with pytest.raises(DatabaseAway, match="the database is away"):
        await asyncio.wait_for(working, 10)
    assert engine.stopped


async def test_a_failures_text_is_made_fit_for_the_database(acme: Tenant, here: Taker) -> None:
    (id,) = await acme.request()
    message = "No \x00 such \ud800 host\x1b[31m." + "x" * 20_000
    await here.perform(ToldEngine((), EngineFailure(FailureKind.PAGE, "DNS_FAILURE", message)))
    told = (await acme.read(id)).failure_message
    assert told is not None
    assert told.startswith("No \ufffd such \ufffd host\ufffd[31m.")
    assert len(told) == rules.MAX_TEXT
