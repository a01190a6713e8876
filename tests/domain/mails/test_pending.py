"""Mails that are not sent: an operator sees them, without what is in them, and has those tried again that were given up."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import jobs, mails
from domain.access import SYSTEM
from domain.ids import new_id
from domain.keyring import Keyring
from domain.mails import MailerAway, Outcome, Template, rules
from tests.domain.mails.test_mails import KEYRING, Post, ToldMailer, post

__all__ = ["post"]

AWAY = "451."


async def listed(post: Post, keyring: Keyring = KEYRING) -> list[mails.Pending]:
    return [each async for each in mails.pending(post.database.reader, keyring)]


async def retry(post: Post, *ids: UUID) -> list[UUID]:
    async with post.database.work(SYSTEM) as work:
        return list(await mails.retry(work, ids))


async def give_up(post: Post) -> None:
    """The mail that waits, after a day."""
    post.clock.now += rules.GIVEN_UP_AFTER
    done = await post.perform(ToldMailer(MailerAway(AWAY)))
    assert done == (Outcome.GIVEN_UP, AWAY)


async def test_a_mail_is_listed_until_it_is_sent_with_what_was_said_last(post: Post) -> None:
    id, began = await post.write(), post.clock.now
    [waiting] = await listed(post)
    assert (waiting.row.id, waiting.row.template, waiting.row.at) == (id, Template.PASSWORD_RESET, began)
    assert (waiting.row.ready_at, waiting.row.claim_until, waiting.row.dead_at, waiting.row.error) == (began, None, None, None)
    await post.perform(ToldMailer(MailerAway(AWAY)))
    [resting] = await listed(post)
    assert (resting.row.ready_at, resting.row.error) == (began + timedelta(seconds=30), AWAY)
    assert (resting.row.claim_until, resting.row.dead_at) == (None, None)
    post.clock.now = resting.row.ready_at
    claim = await mails.take(post.database)
    assert claim is not None
    [running] = await listed(post)
    assert running.row.claim_until == post.clock.now + jobs.CLAIM
    assert await mails.perform(post.database, ToldMailer(), KEYRING, claim) == (Outcome.SENT, "")
    assert await listed(post) == []


async def test_of_the_address_enough_is_shown_to_recognise_it_and_of_the_link_nothing(post: Post) -> None:
    await post.write()
    [mail] = await listed(post)
    assert mail.to == "a***@example.org"
    assert not {"ann", "pml_secret"} & set(repr(mail))
    [sealed] = await listed(post, Keyring([b"another secret of thirty-two chars"]))
    assert sealed.to is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann@example.org", "a***@example.org"),
        ("a@b@c.example", "a***@c.example"),
        ("@x.example", "***"),
        ("ann", "***"),
        ("", "***"),
    ],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert rules.masked(address) == shown


async def test_what_was_given_up_is_tried_for_another_day(post: Post) -> None:
    id = await post.write()
    await give_up(post)
    [dead] = await listed(post)
    assert (dead.row.dead_at, dead.row.error) == (post.clock.now, f"It was tried for a day. {AWAY}")
    post.clock.now += timedelta(hours=5)
    assert await retry(post, id) == [id]
    [waiting] = await listed(post)
    assert (waiting.row.ready_at, waiting.row.dead_at, waiting.row.error) == (post.clock.now, None, None)
    async with post.database.work(SYSTEM) as work:
        assert await jobs.unsent(work, 10) == [], "its call is on its way"
    mailer = ToldMailer(MailerAway(AWAY))
    assert await post.perform(mailer) == (Outcome.PUT_OFF, AWAY), "its day has begun anew"
    post.clock.now += timedelta(seconds=30)
    assert await post.perform(mailer) == (Outcome.SENT, "")
    assert await post.left() == (0, 0)


async def test_the_call_of_a_mail_that_is_tried_again_is_sent_again(post: Post) -> None:
    id = await post.write()
    await give_up(post)
    async with post.database.work(SYSTEM) as work:
        await mails.retry(work, [id])
        assert [call.kind for call in work.calls] == [mails.KIND]
    post.clock.now += jobs.rules.RESEND
    async with post.database.work(SYSTEM) as work:
        assert [call.kind for call in await jobs.unsent(work, 10)] == [mails.KIND], "whoever said so may be gone by now"


async def test_what_waits_is_on_its_way_or_was_sent_is_not_tried_again(post: Post) -> None:
    id = await post.write()
    assert await retry(post, id, new_id()) == []
    claim = await mails.take(post.database)
    assert claim is not None
    assert await retry(post, id) == []
    assert await mails.perform(post.database, ToldMailer(), KEYRING, claim) == (Outcome.SENT, "")
    assert await retry(post, id) == []


async def test_a_mail_is_tried_again_once_whoever_asks_twice(post: Post) -> None:
    id = await post.write()
    await give_up(post)
    assert await retry(post, id, id) == [id]
    assert await retry(post, id) == []
    assert await post.left() == (1, 1)


async def test_a_list_of_several_batches_has_each_mail_once_and_in_order(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    number = mails.queries.BATCH + 1
    async with post.database.work(SYSTEM) as work:
        for each in range(number):
            await mails.send(work, Template.NEW_SIGN_IN, f"{each % 10}@example.org", {}, KEYRING)
    assert [mail.to for mail in await listed(post)] == [f"{each % 10}***@example.org" for each in range(number)]


def test_a_mail_is_named_by_its_id() -> None:
    id = new_id()
    assert mails.parse(mails.named(id)) == id
    for text in ("", id.hex, f"mail_{id}", f"MAIL_{id.hex}", f"mail_{id.hex}\n", f"job_{id.hex}"):
        assert mails.parse(text) is None
