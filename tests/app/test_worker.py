from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from app import worker
from app.folder import WorkerLock
from domain.audits import AuditState
from domain.measuring import Measured, Order, Reached
from tests.app.houses import file, opened, state
from tests.app.running import Server, pacemark, staying, until
from tests.domain.audits.engines import ToldEngine, result
from tests.infra.engines.local_site import Page, site

ASK = """mutation ($input: AuditRequestInput!) {
  auditRequest(input: $input) { ... on AuditRequestPayload { audit { id } } } }"""
TELL = "query ($id: ID!) { audit(id: $id) { state failure { kind code } runner { name } } }"


class HeldEngine(ToldEngine):
    """Measures when it is let go."""

    def __init__(self) -> None:
        super().__init__(ttfbs=(100,))
        self.go = asyncio.Event()

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        self.orders.append(order)
        try:
            await self.go.wait()
            yield Measured(0, result(100))
        finally:
            self.stopped = True


async def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_worker_takes_what_waits_and_what_comes(tmp_path: Path) -> None:
    engine = ToldEngine(ttfbs=(100,))
    async with opened(tmp_path, engine) as (house, actor):
        first, stop = await file(house, actor), asyncio.Event()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        await eventually(lambda: len(engine.orders) == 1)
        second = await file(house, actor)
        await eventually(lambda: len(engine.orders) == 2)
        stop.set()
        await working
        assert [await state(house, actor, each) for each in (first, second)] == [AuditState.FINISHED] * 2


async def test_told_to_stop_it_takes_nothing_new_and_lets_what_runs_end(tmp_path: Path) -> None:
    engine = HeldEngine()
    async with opened(tmp_path, engine) as (house, actor):
        running, stop = await file(house, actor), asyncio.Event()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=30))
        await eventually(lambda: len(engine.orders) == 1)
        stop.set()
        late = await file(house, actor)
        await asyncio.sleep(0.3)
        assert not working.done()
        engine.go.set()
        async with asyncio.timeout(5):
            await working
        assert await state(house, actor, running) == AuditState.FINISHED
        assert await state(house, actor, late) == AuditState.QUEUED
        assert len(engine.orders) == 1


async def test_what_does_not_end_in_time_is_stopped_and_given_back(tmp_path: Path) -> None:
    engine = ToldEngine(ttfbs=(100,), forever=True)
    async with opened(tmp_path, engine) as (house, actor):
        audit, stop = await file(house, actor), asyncio.Event()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=0.1))
        await eventually(lambda: len(engine.orders) == 1)
        stop.set()
        async with asyncio.timeout(5):
            await working
        assert engine.stopped
        assert await state(house, actor, audit) == AuditState.QUEUED


async def test_a_worker_stands_by_while_another_process_has_the_folder(tmp_path: Path) -> None:
    engine = ToldEngine(ttfbs=(100,))
    async with opened(tmp_path, engine) as (house, actor):
        other, stop = WorkerLock(tmp_path, shared=False), asyncio.Event()
        assert other.take()
        audit = await file(house, actor)
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        await asyncio.sleep(0.3)
        assert await state(house, actor, audit) == AuditState.QUEUED
        other.close()
        await eventually(lambda: len(engine.orders) == 1)
        stop.set()
        await working
        assert await state(house, actor, audit) == AuditState.FINISHED


async def test_a_worker_that_stands_by_can_be_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, _):
        other, stop = WorkerLock(tmp_path, shared=False), asyncio.Event()
        assert other.take()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        await asyncio.sleep(0.1)
        stop.set()
        async with asyncio.timeout(2):
            await working
        other.close()


async def test_a_bug_in_an_engine_does_not_stop_the_worker(tmp_path: Path) -> None:
    engine = ToldEngine(ttfbs=(100,), failure=ZeroDivisionError("a bug"))
    async with opened(tmp_path, engine) as (house, actor):
        broken, stop = await file(house, actor), asyncio.Event()
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        await eventually(lambda: engine.stopped)
        engine.failure = None
        sound = await file(house, actor)
        await eventually(lambda: len(engine.orders) == 2)
        stop.set()
        await working
        assert await state(house, actor, broken) == AuditState.FAILED
        assert await state(house, actor, sound) == AuditState.FINISHED


def asked(server: Server, url: str) -> str:
    return str(server.query(ASK, input={"target": {"url": url}})["auditRequest"]["audit"]["id"])


@pytest.mark.slow
def test_what_a_killed_process_held_is_taken_up_again_by_the_next(tmp_path: Path) -> None:
    with site() as pages:
        pages.pages["/"] = Page(hangs=True)
        with staying(tmp_path, "up", "--data", "data", runner_name="killed") as first:
            audit = asked(first, pages.origin + "/")
            until(lambda: pages.asked_for("/"))
            assert first.stop(signal.SIGKILL) == -signal.SIGKILL
        pages.pages["/"] = Page(b"<!doctype html><title>t</title>")
        with sqlite3.connect(tmp_path / "data" / "pacemark.db") as database:
            # As if 30 seconds had passed.
            changed = database.execute(
                "UPDATE jobs SET claim_until = '2026-01-01T00:00:00.000000+00:00' WHERE claim IS NOT NULL"
            )
            assert changed.rowcount == 1
        database.close()
        with staying(tmp_path, "up", "--data", "data", runner_name="next") as second:
            found = until(lambda: (told := second.query(TELL, id=audit)["audit"])["state"] == "FINISHED" and told)
            assert found["runner"]["name"] == "next"


@pytest.mark.slow
def test_api_and_worker_run_apart_and_refuse_private_addresses(tmp_path: Path) -> None:
    key = "keys", "create", "k", "--role", "OWNER", "--data", "data"
    with site() as pages, staying(tmp_path, "worker", "--data", "data", answers=False) as unready:
        assert unready.process.wait(20) == 2
        assert unready.errors.read_text().endswith("Run: pacemark migrate\n")
        made = pacemark(tmp_path, *key).stdout.strip()
        with (
            staying(tmp_path, "serve", "--data", "data") as api,
            staying(tmp_path, "worker", "--data", "data", answers=False) as working,
        ):
            answer = api.query(ASK, key=made, input={"target": {"url": pages.origin + "/"}})
            audit = answer["auditRequest"]["audit"]["id"]
            found = until(lambda: (told := api.query(TELL, key=made, id=audit)["audit"])["failure"] and told)
            assert (found["state"], found["failure"]) == ("FAILED", {"kind": "PAGE", "code": "ADDRESS_REFUSED"})
            assert pages.asked == []
            assert (working.stop(), api.stop()) == (0, 0)
