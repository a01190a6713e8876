"""Jobs by themselves: who gets which, what is counted, what is sent again, and what a person does with the dead."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import jobs
from domain.access import SYSTEM, Actor, Role
from domain.errors import NotAllowed, NotFound
from domain.ids import new_id
from domain.jobs import Claim, ClaimLost
from domain.paging import Window
from domain.work import Job
from infra.db.database import SqlDatabase
from tests.databases import new_workspace

MAILS, HOOKS = "mails", "hooks"


class Clock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Queue:
    """The jobs of one workspace, and whoever takes them."""

    def __init__(self, database: SqlDatabase, workspace_id: UUID, owner: Actor) -> None:
        self.database, self.workspace_id, self.owner = database, workspace_id, owner
        database._clock = self.clock = Clock()

    async def enqueue(self, number: int = 1, *, kind: str = MAILS, workspace_id: UUID | None = None) -> list[UUID]:
        subjects = [new_id() for _ in range(number)]
        async with self.database.work(SYSTEM) as work:
            for subject in subjects:
                work.enqueue(Job(kind, workspace_id or self.workspace_id, subject))
        return subjects

    async def take(self, *kinds: str) -> Claim | None:
        async with self.database.work(SYSTEM) as work:
            return await jobs.take(work, kinds or (MAILS,))

    async def taken(self) -> Claim:
        claim = await self.take()
        assert claim is not None
        return claim

    async def lapse(self) -> jobs.Lapsed:
        async with self.database.work(SYSTEM) as work:
            return await jobs.lapse(work, [MAILS], 100)

    async def unsent(self) -> list[UUID]:
        async with self.database.work(SYSTEM) as work:
            return [call.job_id for call in await jobs.unsent(work, 100)]

    async def dead(self) -> Sequence[jobs.JobRow]:
        reader, reach = self.database.reader, self.owner.reach
        return (await jobs.DEAD.of(reader, reach, self.workspace_id, Window())).rows

    async def kill(self) -> jobs.JobRow:
        """A job that three workers did not come back from."""
        await self.enqueue()
        for _ in range(3):
            await self.taken()
            self.clock.wait(31)
            await self.lapse()
            self.clock.wait(30)
        return (await self.dead())[0]


@pytest.fixture
async def queue(database: SqlDatabase) -> Queue:
    return Queue(database, *await new_workspace(database))


async def test_a_delivery_is_counted_before_the_work(queue: Queue) -> None:
    await queue.enqueue()
    assert (await queue.taken()).job.deliveries == 1
    queue.clock.wait(31)
    assert [job.deliveries for job in (await queue.lapse()).again] == [1]
    assert (await queue.taken()).job.deliveries == 2


async def test_what_is_given_back_was_never_counted_and_is_called_for_at_once(queue: Queue) -> None:
    await queue.enqueue()
    claim = await queue.taken()
    async with queue.database.work(SYSTEM) as work:
        await jobs.release(work, claim)
        assert [call.job_id for call in work.calls] == [claim.job.id]
    assert (await queue.taken()).job.deliveries == 1


async def test_who_lost_a_claim_can_neither_keep_nor_finish_nor_give_back(queue: Queue) -> None:
    await queue.enqueue()
    old = await queue.taken()
    queue.clock.wait(31)
    await queue.lapse()
    await queue.taken()
    for act in (jobs.hold, jobs.finish, jobs.release):
        with pytest.raises(ClaimLost):
            async with queue.database.work(SYSTEM) as work:
                await act(work, old)


async def test_a_claim_that_ran_out_is_still_good_until_somebody_takes_it_back(queue: Queue) -> None:
    await queue.enqueue()
    claim = await queue.taken()
    queue.clock.wait(3600)
    async with queue.database.work(SYSTEM) as work:
        await jobs.hold(work, claim)
    assert (await queue.lapse()) == ([], [])


async def test_after_a_second_loss_a_job_rests_for_some_seconds(queue: Queue) -> None:
    await queue.enqueue()
    await queue.taken()
    queue.clock.wait(31)
    await queue.lapse()
    await queue.taken()
    queue.clock.wait(31)
    await queue.lapse()
    assert await queue.take() is None
    queue.clock.wait(5)
    assert (await queue.taken()).job.deliveries == 3


async def test_after_three_losses_it_is_given_up_with_a_reason(queue: Queue) -> None:
    row = await queue.kill()
    assert (row.deliveries, row.error) == (3, "Its worker disappeared 3 times while working on it.")
    assert await queue.take() is None
    assert await queue.unsent() == []


async def test_a_revived_job_may_be_lost_three_times_again(queue: Queue) -> None:
    row = await queue.kill()
    async with queue.database.work(queue.owner) as work:
        await jobs.revive(work, job_id=row.id)
        assert [call.job_id for call in work.calls] == [row.id]
    assert await queue.dead() == []
    assert (await queue.taken()).job.deliveries == 1


async def test_a_dropped_job_is_gone(queue: Queue) -> None:
    row = await queue.kill()
    async with queue.database.work(queue.owner) as work:
        await jobs.drop(work, job_id=row.id)
    assert (await queue.dead(), await queue.take()) == ([], None)


@pytest.mark.parametrize("act", [jobs.revive, jobs.drop])
async def test_the_dead_are_for_admins_of_their_workspace(queue: Queue, act: object) -> None:
    row = await queue.kill()
    member = Actor(roles={queue.workspace_id: Role.MEMBER})
    stranger = Actor(roles={new_id(): Role.OWNER})
    for actor, refusal in ((member, NotAllowed), (stranger, NotFound)):
        with pytest.raises(refusal):
            async with queue.database.work(actor) as work:
                await act(work, job_id=row.id)  # type: ignore[operator]
    assert len(await queue.dead()) == 1


@pytest.mark.parametrize("act", [jobs.revive, jobs.drop])
async def test_a_living_job_is_not_among_the_dead(queue: Queue, act: object) -> None:
    await queue.enqueue()
    claim = await queue.taken()
    with pytest.raises(NotFound):
        async with queue.database.work(queue.owner) as work:
            await act(work, job_id=claim.job.id)  # type: ignore[operator]


async def test_a_call_not_known_to_be_sent_is_sent_again_after_some_seconds(queue: Queue) -> None:
    await queue.enqueue(2)
    assert await queue.unsent() == []
    queue.clock.wait(5)
    waiting = await queue.unsent()
    assert len(waiting) == 2
    async with queue.database.work(SYSTEM) as work:
        await jobs.sent(work, (await jobs.unsent(work, 1)))
    assert await queue.unsent() == waiting[1:]
    await queue.taken()
    await queue.taken()
    assert await queue.unsent() == []


async def test_a_worker_takes_only_its_kinds(queue: Queue) -> None:
    await queue.enqueue(kind=HOOKS)
    assert await queue.take(MAILS) is None
    assert await queue.take(MAILS, HOOKS) is not None


async def test_ten_thousand_of_one_do_not_starve_one_of_another(queue: Queue) -> None:
    for _ in range(10):
        await queue.enqueue(1_000)
    other, _ = await new_workspace(queue.database, "small")
    (late,) = await queue.enqueue(workspace_id=other)
    first, second = await queue.taken(), await queue.taken()
    assert late in (first.job.subject, second.job.subject)


async def test_of_many_takers_at_once_each_gets_another_or_none(queue: Queue) -> None:
    subjects = await queue.enqueue(10)
    claims = [claim for claim in await asyncio.gather(*(queue.take() for _ in range(30))) if claim]
    assert sorted(claim.job.subject for claim in claims) == sorted(subjects)


async def test_how_the_queues_stand(queue: Queue) -> None:
    await queue.kill()
    await queue.enqueue(3)
    queue.clock.wait(1)
    await queue.enqueue(kind=HOOKS)
    await queue.taken()
    oldest = queue.clock.now - timedelta(seconds=1)
    assert await jobs.by_kinds(queue.database.reader) == [
        (HOOKS, 1, 0, 0, 1, 0, queue.clock.now),
        (MAILS, 2, 1, 1, 2, 1, oldest),
    ]
