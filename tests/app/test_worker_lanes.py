"""What nobody expected, wherever in a worker's lane it is met, ends neither the lane nor the worker."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from structlog.testing import capture_logs

from app import bootstrap, worker
from app.settings import Settings
from app.wiring import House
from domain.access import SYSTEM, Actor
from domain.audits import AuditState
from domain.measuring import EngineName
from domain.work import StoredJob
from infra.bus import relay
from infra.bus.nats.calls import NatsCalls, NatsDelivery
from tests.app.houses import file, state
from tests.app.test_worker import eventually
from tests.domain.audits.engines import ToldEngine
from tests.servers import PostgresServer


@asynccontextmanager
async def opened(
    folder: Path, engine: ToldEngine, server: PostgresServer, nats_url: str
) -> AsyncGenerator[tuple[House, Actor], None]:
    """With one lane: when that is gone, nobody else measures."""
    name = f"lanes_{secrets.token_hex(6)}"
    settings = Settings(
        _env_file=None,
        data=folder,
        **await server.create_installation(name),  # type: ignore[arg-type]
        nats_url=nats_url,
        nats_prefix=name,
        engines=(engine.name,),
        probes_at_once=1,
    )
    async with bootstrap.embedded(settings) as (house, workspace_id):
        await eventually(lambda: house.bus.connected)
        yield replace(house, engines={EngineName.PROBE: engine}), await bootstrap.owner(house, workspace_id)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.1)
    # What is lost is not made good before the test ends, by looking or by sending it again.
    monkeypatch.setattr(worker, "LOOK_SECONDS", 60.0)
    monkeypatch.setattr(relay, "RESEND_SECONDS", 60.0)
    # Nobody takes a job while it is marked as sent.
    monkeypatch.setattr(relay, "MARK_SECONDS", 60.0)


def stumbling(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """What this method does first is raise."""
    sound, fell = getattr(owner, name), asyncio.Event()

    async def method(self: object, *arguments: Any) -> Any:
        if fell.is_set():
            return await sound(self, *arguments)
        fell.set()
        raise RuntimeError("a bug")

    monkeypatch.setattr(owner, name, method)


async def two_audits(house: House, actor: Actor, engine: ToldEngine) -> list[str]:
    """One after the other is filed and measured; what was logged as an error meanwhile."""
    filed, stop = [], asyncio.Event()
    with capture_logs() as logs:
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        try:
            for _ in range(2):
                filed.append(await file(house, actor))
                await eventually(lambda: len(engine.orders) == len(filed))
        finally:
            stop.set()
            await working
    assert [await state(house, actor, each) for each in filed] == [AuditState.FINISHED] * 2
    return [entry["event"] for entry in logs if entry["log_level"] == "error"]


@pytest.mark.parametrize(("owner", "name"), [(NatsCalls, "next"), (NatsDelivery, "done")], ids=["waiting", "answering"])
async def test_a_lane_goes_on_after_a_bug_in_what_calls_it(
    tmp_path: Path,
    postgres_server: PostgresServer,
    nats_url: str,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
) -> None:
    engine = ToldEngine(ttfbs=(100,))
    async with opened(tmp_path, engine, postgres_server, nats_url) as (house, actor):
        stumbling(monkeypatch, owner, name)
        assert await two_audits(house, actor, engine) == ["A turn of the worker failed."]


async def test_a_lane_goes_on_after_a_bug_in_taking_an_audit_and_is_called_for_it_again(
    tmp_path: Path, postgres_server: PostgresServer, nats_url: str
) -> None:
    engine, failed = ToldEngine(ttfbs=(100,)), asyncio.Event()

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE jobs SET claim=") and not failed.is_set():
            failed.set()
            raise RuntimeError("a bug")

    async with opened(tmp_path, engine, postgres_server, nats_url) as (house, actor):
        event.listen(house.database.writes.sync_engine, "before_cursor_execute", fail)
        assert await two_audits(house, actor, engine) == ["A job could not be worked."]


async def test_a_job_that_somebody_writes_to_when_it_is_called_for_is_taken_a_moment_later(
    tmp_path: Path, postgres_server: PostgresServer, nats_url: str
) -> None:
    engine = ToldEngine(ttfbs=(100,))
    async with opened(tmp_path, engine, postgres_server, nats_url) as (house, actor):
        audit, stop = await file(house, actor), asyncio.Event()
        async with house.database.work(SYSTEM) as work:  # as the relay holds the row while it marks that its call was sent
            await work.db.execute(select(StoredJob.id).with_for_update())
            working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
            await asyncio.sleep(0.3)
        try:
            await eventually(lambda: len(engine.orders) == 1, seconds=5)
        finally:
            stop.set()
            await working
        assert await state(house, actor, audit) == AuditState.FINISHED
