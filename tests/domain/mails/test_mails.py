"""Mails from the transaction that they tell of until they have left, or never will."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import jobs, mails
from domain.access import SYSTEM
from domain.keyring import Keyring
from domain.mails import Mail, MailerAway, MailRefused, Outcome, StoredMail, Template
from domain.mails.rules import pause
from domain.work import Origin, StoredJob
from infra.db.database import SqlDatabase

KEYRING = Keyring([b"a secret of thirty-two characters"])
LINK = "https://pace.example.com/auth/reset?token=pml_secret"
AGENT = Origin("203.0.113.7", "Firefox/130.0")


class Clock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class ToldMailer:
    """Does what it is told: takes a mail, or raises."""

    def __init__(self, *raises: Exception | None) -> None:
        self.raises, self.sent = list(raises), list[Mail]()

    async def send(self, mail: Mail) -> None:
        if self.raises and (error := self.raises.pop(0)) is not None:
            raise error
        self.sent.append(mail)


class Post:
    """A database, its time, and whoever sends."""

    def __init__(self, database: SqlDatabase) -> None:
        self.database = database
        database._clock = self.clock = Clock()

    async def write(self) -> UUID:
        async with self.database.work(SYSTEM, AGENT) as work:
            await mails.send(work, Template.PASSWORD_RESET, "ann@example.org", {"link": LINK}, KEYRING)
        return (await self.job()).subject

    async def perform(self, mailer: mails.Mailer, keyring: Keyring = KEYRING) -> tuple[Outcome, str] | None:
        claim = await mails.take(self.database)
        return await mails.perform(self.database, mailer, keyring, claim) if claim is not None else None

    async def left(self) -> tuple[int, int]:
        """How many mails and jobs there are."""
        async with self.database.work(SYSTEM) as work:
            return (
                len((await work.db.execute(select(StoredMail.id))).all()),
                len((await work.db.execute(select(StoredJob.id))).all()),
            )

    async def job(self) -> StoredJob:
        async with self.database.work(SYSTEM) as work:
            return (await work.db.execute(select(StoredJob))).scalar_one()  # type: ignore[no-any-return]


@pytest.fixture
def post(database: SqlDatabase) -> Post:
    return Post(database)


async def test_a_mail_is_sent_once_and_nothing_is_left_of_it(post: Post) -> None:
    id, mailer = await post.write(), ToldMailer()
    assert await post.perform(mailer) == (Outcome.SENT, "")
    asked = {"address": "203.0.113.7", "agent": "Firefox/130.0", "at": "2026-01-01 08:30 UTC"}
    assert mailer.sent == [Mail(id, Template.PASSWORD_RESET, "ann@example.org", {"link": LINK, **asked})]
    assert "secret" not in repr(mailer.sent)
    assert await post.left() == (0, 0)
    assert await post.perform(mailer) is None


async def test_a_mail_of_a_transaction_that_did_not_happen_is_not_sent(post: Post) -> None:
    async def fail() -> None:
        async with post.database.work(SYSTEM) as work:
            await mails.send(work, Template.PASSWORD_RESET, "ann@example.org", {"link": LINK}, KEYRING)
            await work.db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await post.left() == (0, 0)


async def test_in_the_table_neither_the_address_nor_the_link_can_be_read(post: Post) -> None:
    await post.write()
    async with post.database.work(SYSTEM) as work:
        [row] = (await work.db.execute(select(StoredMail.__table__))).all()
    stored = f"{row}{bytes(row.sealed)!r}"
    for secret in ("ann@", "example.org", "pml_", "203.0"):
        assert secret not in stored


async def test_a_value_that_a_template_needs_is_asked_for_when_the_mail_is_written(post: Post) -> None:
    async with post.database.work(SYSTEM) as work:
        with pytest.raises(ValueError, match=r"^The template INVITATION needs inviter, role, workspace too\.$"):
            await mails.send(work, Template.INVITATION, "ann@example.org", {"link": LINK}, KEYRING)


async def test_a_mail_that_is_refused_for_good_is_given_up_at_once(post: Post) -> None:
    await post.write()
    assert await post.perform(ToldMailer(MailRefused("550 5.1.1"))) == (Outcome.REFUSED, "550 5.1.1")
    assert await post.left() == (0, 0)


async def test_a_mail_that_nobody_takes_now_is_tried_for_a_day_with_growing_pauses_and_then_given_up(post: Post) -> None:
    await post.write()
    began, tries, outcome = post.clock.now, list[float](), None
    while outcome is not Outcome.GIVEN_UP:
        done = await post.perform(ToldMailer(MailerAway("451.")))
        assert done is not None
        outcome, reason = done
        assert reason == "451."
        tries.append((post.clock.now - began).total_seconds())
        job = await post.job()
        assert job.deliveries == (1 if job.dead_at else 0), "a pause is no loss of a worker"
        if outcome is Outcome.PUT_OFF:
            post.clock.now = job.ready_at - timedelta(microseconds=1)
            assert await post.perform(ToldMailer()) is None
            post.clock.now = job.ready_at
    assert tries[:9] == [0, 30, 60, 120, 240, 480, 960, 1920, 3840]
    assert {later - earlier for earlier, later in pairwise(tries[8:])} == {3600}
    assert 82_800 < tries[-1] <= 86_400
    job = await post.job()
    assert (job.dead_at, job.error) == (post.clock.now, "It was tried for a day. 451.")
    assert await post.perform(ToldMailer()) is None


async def test_a_mail_that_was_put_off_is_sent_when_the_server_is_back(post: Post) -> None:
    await post.write()
    mailer = ToldMailer(MailerAway("away"))
    assert await post.perform(mailer) == (Outcome.PUT_OFF, "away")
    async with post.database.work(SYSTEM) as work:
        assert await jobs.unsent(work, 10) == [], "nobody is called before the pause is over"
    post.clock.now += timedelta(seconds=30)
    async with post.database.work(SYSTEM) as work:
        assert [call.kind for call in await jobs.unsent(work, 10)] == [mails.KIND]
    assert await post.perform(mailer) == (Outcome.SENT, "")


async def test_a_mailer_that_takes_too_long_is_one_that_is_away(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.mails.jobs.SEND_SECONDS", 0.05)

    class Slow:
        async def send(self, mail: Mail) -> None:
            await asyncio.Event().wait()

    await post.write()
    assert await post.perform(Slow()) == (Outcome.PUT_OFF, "The server did not answer in time.")


async def test_what_cannot_be_opened_any_more_is_dropped(post: Post) -> None:
    await post.write()
    mailer, other = ToldMailer(), Keyring([b"another secret of thirty-two chars"])
    done = await post.perform(mailer, other)
    assert done is not None
    assert done[0] is Outcome.UNREADABLE
    assert mailer.sent == []
    assert await post.left() == (0, 0)


async def test_what_was_sealed_under_a_former_secret_is_sent(post: Post) -> None:
    await post.write()
    replaced = Keyring([b"another secret of thirty-two chars", b"a secret of thirty-two characters"])
    assert await post.perform(ToldMailer(), replaced) == (Outcome.SENT, "")


async def test_a_bug_gives_the_mail_up_with_a_reason_that_tells_nothing_of_it(post: Post) -> None:
    await post.write()
    with pytest.raises(KeyError):
        await post.perform(ToldMailer(KeyError("ann@example.org")))
    job = await post.job()
    assert job.error == "Something went wrong on our side; it has been logged."
    assert await post.perform(ToldMailer()) is None


async def test_a_worker_that_is_stopped_gives_the_mail_back_at_once(post: Post) -> None:
    sending = asyncio.Event()

    class Held:
        async def send(self, mail: Mail) -> None:
            sending.set()
            await asyncio.Event().wait()

    id = await post.write()
    performing = asyncio.create_task(post.perform(Held()))
    await sending.wait()
    performing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await performing
    mailer = ToldMailer()
    assert await post.perform(mailer) == (Outcome.SENT, "")
    assert [mail.id for mail in mailer.sent] == [id]


async def test_a_mail_whose_worker_vanished_is_sent_by_another_under_the_same_id(post: Post) -> None:
    id = await post.write()
    assert await mails.take(post.database) is not None
    post.clock.now += jobs.CLAIM + timedelta(seconds=1)
    async with post.database.work(SYSTEM) as work:
        assert [job.subject for job in (await mails.sweep(work)).again] == [id]
    mailer = ToldMailer()
    assert await post.perform(mailer) == (Outcome.SENT, "")
    assert [mail.id for mail in mailer.sent] == [id]


async def test_whoever_lost_the_claim_records_nothing(post: Post) -> None:
    await post.write()
    claim = await mails.take(post.database)
    assert claim is not None
    post.clock.now += jobs.CLAIM + timedelta(seconds=1)
    async with post.database.work(SYSTEM) as work:
        await mails.sweep(work)
    with pytest.raises(jobs.ClaimLost):
        await mails.perform(post.database, ToldMailer(), KEYRING, claim)
    assert await post.left() == (1, 1)


async def test_what_was_given_up_is_forgotten_after_a_week_with_its_mail(post: Post) -> None:
    await post.write()
    with pytest.raises(KeyError):
        await post.perform(ToldMailer(KeyError()))
    for days, left in ((7, (1, 1)), (1, (0, 0))):
        post.clock.now += timedelta(days=days)
        async with post.database.work(SYSTEM) as work:
            await mails.forget(work)
        assert await post.left() == left


async def test_dead_mails_are_counted_and_no_workspace_sees_them(post: Post) -> None:
    await post.write()
    with pytest.raises(KeyError):
        await post.perform(ToldMailer(KeyError()))
    [kind] = await jobs.by_kinds(post.database.reader)
    assert (kind.kind, kind.waiting, kind.running, kind.dead) == (mails.KIND, 0, 0, 1)


def test_pauses_double_up_to_an_hour_for_a_day() -> None:
    hours = timedelta(hours=1)
    assert [pause(each) for each in (timedelta(0), timedelta(minutes=5), 5 * hours, 23 * hours, 23.1 * hours)] == [
        timedelta(seconds=30),
        timedelta(minutes=5),
        hours,
        hours,
        None,
    ]
