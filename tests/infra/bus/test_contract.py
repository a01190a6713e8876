"""What both buses promise: every job is called for until it is dealt with, every event arrives once and in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from domain import jobs
from domain.access import SYSTEM
from domain.ids import new_id
from domain.ports import Missed
from infra.bus import hub as hubs
from infra.db.database import SqlDatabase
from tests.domain.audits.benches import lapse
from tests.infra.bus.carriers import (
    KIND,
    KINDS,
    Carrier,
    carrier,
    embedded,
    event,
    heard,
    over_nats,
    prefix,
    silent,
)

__all__ = ["carrier", "prefix"]
OTHER = KINDS[1]


async def take(carrier: Carrier, kind: str = KIND) -> jobs.Claim | None:
    async with carrier.database.work(SYSTEM) as work:
        return await jobs.take(work, [kind])


async def finish(carrier: Carrier, claim: jobs.Claim) -> None:
    async with carrier.database.work(SYSTEM) as work:
        await jobs.finish(work, claim)


@asynccontextmanager
async def another(carrier: Carrier, request: pytest.FixtureRequest, prefix: str) -> AsyncGenerator[Carrier, None]:
    """A second process over the same database."""
    database = SqlDatabase(carrier.database.url)
    url = request.getfixturevalue("nats_url") if not database.is_sqlite else ""
    opened = (
        embedded(database, carrier.workspace_id)
        if database.is_sqlite
        else over_nats(database, carrier.workspace_id, url, prefix, "there")
    )
    async with opened as second:
        yield second
    await database.close()


async def test_a_job_is_called_for_and_once_it_is_done_no_more(carrier: Carrier) -> None:
    async with carrier.bus.calls(KIND) as calls:
        await carrier.enqueue()
        call = await calls.next(10)
        assert call is not None
        claim = await take(carrier)
        assert claim is not None
        await call.working()
        await finish(carrier, claim)
        await call.done()
        assert await calls.next(0.6) is None


async def test_a_job_that_nobody_waited_for_is_called_for_when_somebody_comes(carrier: Carrier) -> None:
    await carrier.enqueue()
    await asyncio.sleep(0.3)
    async with carrier.bus.calls(KIND) as calls:
        assert await calls.next(10) is not None


async def test_a_worker_hears_only_of_its_kind_of_work(carrier: Carrier) -> None:
    async with carrier.bus.calls(KIND) as ours, carrier.bus.calls(OTHER) as theirs:
        await carrier.enqueue(kind=OTHER)
        assert await theirs.next(10) is not None
        assert await ours.next(0.5) is None


async def test_a_call_that_is_not_dealt_with_is_repeated(carrier: Carrier) -> None:
    async with carrier.bus.calls(KIND) as calls:
        await carrier.enqueue()
        for _ in range(3):
            call = await calls.next(10)
            assert call is not None
            await call.again(0.05)


async def test_eight_waiters_do_sixty_jobs_once_each(carrier: Carrier) -> None:
    subjects = [new_id() for _ in range(60)]
    done: list[UUID] = []

    async def work() -> None:
        async with carrier.bus.calls(KIND) as calls:
            while len(done) < len(subjects):
                call = await calls.next(0.5)
                claim = await take(carrier)
                if claim is not None:
                    await asyncio.sleep(random.random() / 200)
                    await finish(carrier, claim)
                    done.append(claim.job.subject)
                if call is not None:
                    await call.done()

    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work())
        for start in range(0, 60, 5):
            await carrier.enqueue(*subjects[start : start + 5])
    assert sorted(done) == sorted(subjects)


async def test_what_is_given_back_is_called_for_again(carrier: Carrier) -> None:
    async with carrier.bus.calls(KIND) as calls:
        await carrier.enqueue()
        call, claim = await calls.next(10), await take(carrier)
        assert call is not None
        assert claim is not None
        await call.done()
        async with carrier.database.work(SYSTEM) as work:
            await jobs.release(work, claim)
        assert await calls.next(10) is not None


async def test_what_a_dead_worker_had_is_called_for_again(carrier: Carrier) -> None:
    async with carrier.bus.calls(KIND) as calls:
        await carrier.enqueue()
        call = await calls.next(10)
        assert call is not None
        assert await take(carrier) is not None
        await call.done()
        await lapse(carrier.database)
        async with carrier.database.work(SYSTEM) as work:
            assert len((await jobs.lapse(work, KINDS, 10)).again) == 1
        assert await calls.next(10) is not None


async def test_events_come_in_the_order_of_their_commits_to_every_process(
    carrier: Carrier, request: pytest.FixtureRequest, prefix: str
) -> None:
    async with another(carrier, request, prefix) as second:
        with carrier.hub.follow(carrier.workspace_id) as near, second.hub.follow(carrier.workspace_id) as far:
            for number in range(0, 60, 3):
                await (carrier if number % 2 else second).say(number, number + 1, number + 2)
            assert await heard(near, 60) == list(range(60))
            assert await heard(far, 60) == list(range(60))
            assert await silent(near)
            assert await silent(far)


async def test_writers_that_commit_out_of_order_leave_no_gap_and_no_repeat(carrier: Carrier) -> None:
    writers, each = 12, 25
    with carrier.hub.follow(carrier.workspace_id) as follower:

        async def write(writer: int) -> None:
            for number in range(each):
                async with carrier.database.work(SYSTEM) as work:
                    work.say(event(writer * 1000 + number, carrier.workspace_id))
                    await work.db.flush()
                    if not carrier.database.is_sqlite:  # there they take turns
                        await asyncio.sleep(random.random() / 50)

        async with asyncio.TaskGroup() as group:
            for writer in range(writers):
                group.create_task(write(writer))
        numbers = await heard(follower, writers * each)
        assert await silent(follower)
    for writer in range(writers):
        of_writer = [number % 1000 for number in numbers if number // 1000 == writer]
        assert of_writer == list(range(each))
    assert len(numbers) == writers * each


async def test_places_in_the_history_are_counted_through(carrier: Carrier) -> None:
    with carrier.hub.follow(carrier.workspace_id) as follower:
        for number in range(5):
            await carrier.say(number, number)
        places = [(await follower.next(10)).sequence for _ in range(10)]  # type: ignore[union-attr]
    assert places == list(range(places[0], places[0] + 10))
    assert carrier.hub.position == places[-1]


async def test_a_follower_hears_its_own_workspace_and_its_own_subject(carrier: Carrier) -> None:
    subject, elsewhere = new_id(), new_id()
    with (
        carrier.hub.follow(carrier.workspace_id) as all_of_it,
        carrier.hub.follow(carrier.workspace_id, subject) as one,
    ):
        await carrier.say(1)
        await carrier.say(2, subject=subject)
        await carrier.say(3, workspace_id=elsewhere, subject=subject)
        await carrier.say(4, subject=subject)
        assert await heard(all_of_it, 3) == [1, 2, 4]
        assert await heard(one, 2) == [2, 4]
        assert await silent(one)
        assert one.position == all_of_it.position == carrier.hub.position


async def test_what_was_taken_back_is_never_heard(carrier: Carrier) -> None:
    async def fail() -> None:
        async with carrier.database.work(SYSTEM) as work:
            work.say(event(1, carrier.workspace_id))
            await work.db.flush()
            raise ZeroDivisionError

    with carrier.hub.follow(carrier.workspace_id) as follower:
        with pytest.raises(ZeroDivisionError):
            await fail()
        await carrier.say(2)
        assert await heard(follower, 1) == [2]


async def test_a_slow_follower_is_told_what_it_missed_and_keeps_nobody_waiting(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "QUEUE", 5)
    with carrier.hub.follow(carrier.workspace_id) as slow, carrier.hub.follow(carrier.workspace_id) as quick:
        for number in range(12):
            await carrier.say(number)
            assert await heard(quick, 1) == [number]
        first = carrier.hub.position - 11
        missed = await slow.next(1)
        assert missed == Missed(10, first - 1, first + 9)
        assert await heard(slow, 2) == [10, 11]


async def test_who_left_is_forgotten(carrier: Carrier) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), carrier.hub.follow(carrier.workspace_id):
            raise ZeroDivisionError
    assert carrier.hub._followers == {}


async def test_nothing_within_the_patience_is_none(carrier: Carrier) -> None:
    with carrier.hub.follow(carrier.workspace_id) as follower:
        assert await follower.next(0.05) is None


async def test_stopping_leaves_no_task_and_no_connection_behind(
    database: SqlDatabase, request: pytest.FixtureRequest, prefix: str
) -> None:
    before = asyncio.all_tasks()
    url = request.getfixturevalue("nats_url") if not database.is_sqlite else ""
    opened = embedded(database, new_id()) if database.is_sqlite else over_nats(database, new_id(), url, prefix)
    async with opened as carrier:
        await carrier.say(1)
        with carrier.hub.follow(carrier.workspace_id) as follower:
            await carrier.say(2)
            await follower.next(5)
    async with asyncio.timeout(5):
        while asyncio.all_tasks() != before:  # a connection whose read was given up is closed in its own time
            await asyncio.sleep(0.01)
    assert database.reads.counts.used == 0
    assert database.writes.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]
