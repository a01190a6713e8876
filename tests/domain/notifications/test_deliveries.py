"""Deliveries: from the transaction that they tell of until a channel has them, or never will."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import jobs, notifications, workspaces
from domain.access import SYSTEM
from domain.base import Base
from domain.errors import Conflict
from domain.ids import Kind as IdKind
from domain.ids import encode, new_id
from domain.keyring import Keyring
from domain.mails import Mail, MailerAway, MailRefused, Template
from domain.notifications import Answer, ChannelKind, DeliveryState, Outcome, PauseReason, Unreached
from domain.notifications.rules import PAUSES
from domain.work import EventKind
from tests.databases import everybodys
from tests.domain.notifications.benches import KEYRING, NOON, URL, Bench, Told, bench
from tests.hooks import Post

__all__ = ["bench"]

NO = Answer(500, "no\r\n", None)


def post(told: Told, place: int = -1) -> Post:
    sent = told.posts[place]
    return Post(sent.url, sent.headers, sent.body)


async def test_a_webhook_gets_a_signed_message_once(bench: Bench) -> None:
    made, told = await bench.made(), Told()
    held = await bench.hold(page_id=await bench.page("/cart"), details={"code": "TLS_FAILURE"})
    assert await bench.perform(told) == (Outcome.SENT, "")
    assert await bench.perform(told) is None
    sent = post(told)
    assert sent.path == URL
    assert made.secret is not None
    assert sent.is_signed_by(made.secret)
    assert not sent.is_signed_by("whsec_" + "A" * 44)
    [delivery] = await bench.deliveries(made.promised.id)
    assert sent.headers["webhook-id"] == f"msg_{delivery.id.hex}"
    assert sent.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert (sent.json["type"], sent.json["timestamp"]) == ("alert.opened", "2026-05-13T12:00:00+00:00")
    data = sent.json["data"]
    assert data["alert"] == {
        "id": encode(IdKind.ALERT, held.alert_id),
        "kind": "FAILURE",
        "severity": "ERROR",
        "state": "OPEN",
        "title": "The page / cannot be measured",
        "details": {"code": "TLS_FAILURE"},
        "environment": None,
        "auditId": None,
        "openedAt": "2026-05-13T12:00:00+00:00",
        "lastSeenAt": "2026-05-13T12:00:00+00:00",
        "occurrences": 1,
        "resolvedAt": None,
        "resolution": None,
        "url": "https://pace.example/graphql",
    }
    assert (data["workspace"]["slug"], data["site"]["origin"]) == ("acme", "https://shop.example")
    assert data["page"]["url"] == "https://shop.example/cart"
    assert (delivery.state, delivery.tries, delivery.next_at) == (DeliveryState.SENT, 1, None)
    [attempt] = await bench.attempts(delivery.id)
    assert (attempt.number, attempt.at, attempt.status, attempt.error) == (1, NOON, 204, None)


async def test_what_was_seen_in_an_audit_leads_to_its_report_and_says_so_each_time(bench: Bench) -> None:
    await bench.channel()
    audit, told = new_id(), Told(NO)
    await bench.hold(audit_id=audit)
    await bench.perform(told)
    await bench.until_ready()
    await bench.perform(told)
    links = [post(told, place).json["data"]["alert"]["url"] for place in (0, 1)]
    assert links[0].startswith(f"https://pace.example/report/{encode(IdKind.AUDIT, audit)}?token=")
    assert links[0] == links[1]


async def test_while_a_secret_is_replaced_both_sign_and_after_a_day_the_new_one_alone(bench: Bench) -> None:
    made, told = await bench.made(), Told()
    assert made.secret is not None
    rotated = await bench.do(notifications.rotate_secret, channel_id=made.promised.id, keyring=KEYRING)
    assert rotated.former_until == NOON + timedelta(days=1)
    for hours, former in ((23.9, True), (0.2, False)):
        bench.clock.now += timedelta(hours=hours)
        await bench.hold(f"after {hours}")
        await bench.perform(told)
        signed = [post(told).is_signed_by(secret) for secret in (rotated.secret, made.secret)]
        assert signed == [True, former]
        assert len(post(told).headers["webhook-signature"].split(" ")) == sum(signed)


async def test_what_is_not_taken_is_tried_with_growing_pauses_under_one_id_and_then_given_up(bench: Bench) -> None:
    channel, told = await bench.channel(), Told(*[NO] * 9, Unreached("hooks.example refused the connection."))
    await bench.hold()
    rests = []
    while (done := await bench.perform(told)) == (Outcome.PUT_OFF, "The server answered 500."):
        bench.clock.now -= timedelta(microseconds=1)
        assert await bench.perform(told) is None, "before its time"
        bench.clock.now += timedelta(microseconds=1)
        rests.append(await bench.until_ready())
    assert done == (Outcome.FAILED, "hooks.example refused the connection.")
    assert [least <= rest <= least * 1.1 for least, rest in zip(PAUSES, rests, strict=True)] == [True] * 9
    assert len({each.headers["webhook-id"] for each in told.posts}) == 1
    assert len({each.headers["webhook-timestamp"] for each in told.posts}) == 10, "that of each try"
    [delivery] = await bench.deliveries(channel)
    assert (delivery.state, delivery.tries, delivery.ended_at) == (DeliveryState.FAILED, 10, bench.clock.now)
    first, *_, last = await bench.attempts(delivery.id)
    assert (first.status, first.error, first.answer) == (500, "The server answered 500.", "no")
    assert (last.number, last.status, last.error) == (10, None, "hooks.example refused the connection.")
    assert await bench.jobs() == []
    assert (await bench.read(channel)).failing_since == NOON


async def test_a_server_that_says_later_is_left_alone_for_so_long(bench: Bench) -> None:
    await bench.channel()
    await bench.hold()
    await bench.perform(Told(Answer(429, "", "3600")))
    assert await bench.until_ready() == timedelta(hours=1)


async def test_a_channel_that_is_gone_is_paused_at_once_and_its_other_deliveries_end(bench: Bench) -> None:
    channel, told = await bench.channel(), Told(Answer(410, "", None))
    await bench.hold("a")
    await bench.hold("b")
    assert await bench.perform(told) == (Outcome.FAILED, "The server answered 410.")
    assert await bench.perform(told) == (Outcome.FAILED, "The channel is paused.")
    row = await bench.read(channel)
    assert (row.paused_at, row.paused_reason) == (NOON, PauseReason.GONE)
    assert await bench.said(EventKind.CHANNEL_PAUSED) == [(EventKind.CHANNEL_PAUSED, {"reason": "GONE"})]
    await bench.hold("c")
    assert (len(await bench.deliveries(channel)), len(told.posts)) == (2, 1)
    await bench.do(notifications.resume, channel_id=channel)
    await bench.hold("d")
    assert await bench.perform(told) == (Outcome.SENT, "")


async def test_a_channel_that_takes_nothing_for_five_days_is_paused(bench: Bench) -> None:
    channel, days = await bench.channel(), 0
    told = Told(*[NO] * 40)
    while (row := await bench.read(channel)).paused_at is None:
        await bench.hold(f"day {days}")
        while await bench.perform(told) is not None:
            pass
        days, bench.clock.now = days + 1, bench.clock.now + timedelta(days=1)
    assert (row.paused_reason, row.failing_since, days) == (PauseReason.FAILING, NOON, 6)
    assert row.paused_at == NOON + timedelta(days=5)
    assert await bench.said(EventKind.CHANNEL_PAUSED) == [(EventKind.CHANNEL_PAUSED, {"reason": "FAILING"})]


async def test_one_that_takes_something_again_is_well(bench: Bench) -> None:
    channel, told = await bench.channel(), Told(NO)
    await bench.hold()
    await bench.perform(told)
    assert (await bench.read(channel)).failing_since == NOON
    await bench.until_ready()
    assert await bench.perform(told) == (Outcome.SENT, "")
    assert (await bench.read(channel)).failing_since is None


async def test_a_test_is_tried_once_also_where_the_channel_is_paused(bench: Bench) -> None:
    channel, told = await bench.channel(), Told(NO)
    await bench.do(notifications.update, channel_id=channel, changes={"paused": True}, keyring=KEYRING)
    await bench.do(notifications.test, channel_id=channel)
    with pytest.raises(Conflict, match=r"^A test of this channel is on its way\.$"):
        await bench.do(notifications.test, channel_id=channel)
    assert await bench.perform(told) == (Outcome.FAILED, "The server answered 500.")
    assert await bench.jobs() == []
    sent = post(told).json
    assert (sent["type"], sent["data"]["channel"]["name"]) == ("channel.test", "here")
    await bench.do(notifications.test, channel_id=channel)
    assert await bench.perform(told) == (Outcome.SENT, "")


async def test_what_failed_is_tried_again_when_somebody_wants_it_and_as_often_as_if_it_were_new(bench: Bench) -> None:
    channel, told = await bench.channel(), Told(*[NO] * 11)
    await bench.hold()
    while await bench.perform(told) != (Outcome.FAILED, "The server answered 500."):
        await bench.until_ready()
    [delivery] = await bench.deliveries(channel)
    await bench.do(notifications.retry, delivery_id=delivery.id)
    assert await bench.perform(told) == (Outcome.PUT_OFF, "The server answered 500.")
    await bench.do(notifications.retry, delivery_id=delivery.id)  # one that waits, at once
    assert await bench.perform(told) == (Outcome.SENT, "")
    assert [each.number for each in await bench.attempts(delivery.id)] == list(range(1, 13))
    with pytest.raises(Conflict, match=r"^This was sent already\.$"):
        await bench.do(notifications.retry, delivery_id=delivery.id)


async def test_slack_gets_a_text_and_blocks_and_nothing_in_them_is_markup_of_somebody_elses(bench: Bench) -> None:
    await bench.channel(ChannelKind.SLACK)
    told = Told()
    await bench.hold(title="<!channel> & co @all [x](https://evil.example)", details={"limit": "2 < 3"})
    await bench.perform(told)
    sent = post(told)
    assert not any(name.startswith("webhook-") for name in sent.headers)
    # Mattermost calls all that an @all calls, and both make links of addresses.
    plain = "Alert: &lt;!channel&gt; &amp; co @\u2060all [x]\u2060(https://\u2060evil.example)"
    assert (sent.json["text"], sent.json["unfurl_links"]) == (plain, False)
    section, context = sent.json["blocks"]
    assert section["text"]["verbatim"]
    assert "<https://pace.example/graphql|Open Pacemark>" in section["text"]["text"]
    assert context["elements"][0]["text"] == "Acme › shop.example\nlimit: 2 &lt; 3"


async def test_each_address_gets_one_mail_however_often_it_is_tried(bench: Bench) -> None:
    channel = await bench.channel(ChannelKind.EMAIL, emails=["a@example.org", "b@example.org"])
    told = Told(MailerAway("The mail server is away."), Answer(0, "", None))
    await bench.hold(details={"limit": 1})
    assert await bench.perform(told) == (Outcome.PUT_OFF, "The mail server is away.")
    assert (await bench.read(channel)).failing_since is None, "it is no fault of the channel's"
    await bench.until_ready()
    assert await bench.perform(told) == (Outcome.SENT, "")
    assert [mail.to for mail in told.mails] == ["b@example.org", "a@example.org"]
    assert len({mail.id for mail in told.mails}) == 2
    [mail, _] = told.mails
    assert (mail.template, mail.values["said"], mail.values["details"]) == (Template.ALERT, "Alert", "limit: 1")
    assert [each.error for each in await bench.attempts((await bench.deliveries(channel))[0].id)] == [
        "The mail server is away.",
        None,
    ]


async def test_an_address_that_is_refused_for_good_is_tried_when_somebody_wants_it_and_the_others_have_theirs(
    bench: Bench,
) -> None:
    channel = await bench.channel(ChannelKind.EMAIL, emails=["a@example.org", "b@example.org"])
    told = Told(MailRefused("550 5.1.1"))
    await bench.hold()
    assert await bench.perform(told) == (Outcome.FAILED, "a***@example.org: 550 5.1.1")
    assert [mail.to for mail in told.mails] == ["b@example.org"]
    assert (await bench.jobs(), (await bench.read(channel)).failing_since) == ([], None), "one that takes it is enough"
    await bench.do(notifications.retry, delivery_id=(await bench.deliveries(channel))[0].id)
    assert await bench.perform(told) == (Outcome.SENT, "")
    assert [mail.to for mail in told.mails] == ["b@example.org", "a@example.org"]


async def test_one_address_that_is_refused_and_one_that_hangs_keep_nothing_from_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.notifications.jobs.MAIL_SECONDS", 0.05)
    emails = [f"{name}@example.org" for name in ("refused", "hangs", "well")]
    channel = await bench.channel(ChannelKind.EMAIL, emails=emails)

    class Partly(Told):
        hangs = True

        async def send(self, mail: Mail) -> None:
            if mail.to == "refused@example.org":
                raise MailRefused("550 5.1.1")
            if mail.to == "hangs@example.org" and self.hangs:
                await asyncio.Event().wait()
            await super().send(mail)

    told = Partly()
    await bench.hold()
    assert await bench.perform(told) == (Outcome.PUT_OFF, "The mail server did not answer in time.")
    assert [mail.to for mail in told.mails] == ["well@example.org"]
    told.hangs = False
    await bench.until_ready()
    assert await bench.perform(told) == (Outcome.FAILED, "r***@example.org: 550 5.1.1")
    assert [mail.to for mail in told.mails] == ["well@example.org", "hangs@example.org"]
    assert (await bench.read(channel)).failing_since is None


async def test_nobody_is_told_of_a_workspace_that_is_deleted(bench: Bench) -> None:
    channel, told = await bench.channel(), Told()
    await bench.hold("before")
    async with bench.database.work(bench.actor) as work:
        await workspaces.delete_workspace(work, workspace_id=bench.workspace_id)
    await bench.hold("after")
    assert await bench.perform(told) == (Outcome.FAILED, "The workspace is deleted.")
    assert (told.posts, await bench.jobs()) == ([], [])
    async with everybodys(bench.database) as connection:
        rows = await connection.execute(select(notifications.Delivery.channel_id))
        assert list(rows.scalars()) == [channel]


async def test_what_cannot_be_opened_any_more_fails_and_is_no_fault_of_the_channels(bench: Bench) -> None:
    channel, told = await bench.channel(), Told()
    await bench.hold()
    outcome = await bench.perform(told, Keyring([b"another secret of thirty-two chars"]))
    assert outcome is not None
    assert outcome[0] is Outcome.FAILED
    assert (told.posts, (await bench.read(channel)).failing_since) == ([], None)


async def test_a_bug_fails_the_delivery_with_a_reason_that_tells_nothing_of_it(bench: Bench) -> None:
    channel = await bench.channel()
    await bench.hold()
    with pytest.raises(KeyError):
        await bench.perform(Told(KeyError("whsec_secret")))
    [delivery] = await bench.deliveries(channel)
    [attempt] = await bench.attempts(delivery.id)
    assert (delivery.state, attempt.error) == (DeliveryState.FAILED, "Something went wrong on our side; it has been logged.")


async def test_a_worker_that_is_stopped_gives_it_back_at_once(bench: Bench) -> None:
    sending = asyncio.Event()

    class Held(Told):
        async def post(self, url: str, headers: Any, body: bytes) -> Answer:
            sending.set()
            await asyncio.Event().wait()
            raise AssertionError

    await bench.channel()
    await bench.hold()
    performing = asyncio.create_task(bench.perform(Held()))
    await sending.wait()
    performing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await performing
    assert await bench.perform(Told()) == (Outcome.SENT, "")


async def test_what_a_vanished_worker_had_is_sent_by_another_and_given_up_after_three(bench: Bench) -> None:
    channel = await bench.channel()
    await bench.hold()
    for lost in range(jobs.MAX_DELIVERIES):
        assert await notifications.take(bench.database) is not None
        bench.clock.now += jobs.CLAIM + timedelta(seconds=1)
        async with bench.database.work(SYSTEM) as work:
            lapsed = await notifications.sweep(work)
        assert (len(lapsed.again), len(lapsed.dead)) == ((1, 0) if lost < jobs.MAX_DELIVERIES - 1 else (0, 1))
        bench.clock.now += timedelta(minutes=1)
    [delivery] = await bench.deliveries(channel)
    assert delivery.state is DeliveryState.FAILED
    await bench.do(notifications.retry, delivery_id=delivery.id)
    assert await bench.perform(Told()) == (Outcome.SENT, "")


async def test_a_deleted_channel_gets_nothing_any_more(bench: Bench) -> None:
    channel, told = await bench.channel(), Told()
    await bench.hold()
    await bench.do(notifications.delete, channel_id=channel)
    assert await bench.perform(told) == (Outcome.GONE, "It is not there any more.")
    assert (told.posts, await bench.jobs()) == ([], [])


async def test_a_route_narrows_what_a_channel_gets(bench: Bench) -> None:
    channel = await bench.channel()
    conditions = notifications.Conditions(tags=["shop"], severity=notifications.AlertSeverity.ERROR)
    route = await bench.do(notifications.create_route, channel_id=channel, conditions=conditions)
    await bench.hold("a")
    await bench.hold("b", severity=notifications.AlertSeverity.WARNING)
    await bench.do(notifications.update_route, route_id=route.id, changes={"tags": ["other"]})
    await bench.hold("c")
    await bench.do(notifications.delete_route, route_id=route.id)
    await bench.hold("d")
    await bench.do(notifications.update, channel_id=channel, changes={"everything": True}, keyring=KEYRING)
    await bench.hold("e")
    alerts = [row.alert_id for row in await bench.deliveries(channel)]
    assert alerts == [(await bench.hold(key)).alert_id for key in ("a", "e")]


async def test_what_was_told_long_ago_is_forgotten_with_its_attempts(bench: Bench) -> None:
    channel = await bench.channel()
    await bench.hold()
    await bench.perform(Told())
    for days, left in ((30, 1), (1, 0)):
        bench.clock.now += timedelta(days=days)
        async with bench.database.work(SYSTEM) as work:
            assert await notifications.forget(work) == 1 - left
        assert len(await bench.deliveries(channel)) == left


async def test_in_the_tables_neither_where_it_leads_nor_what_signs_can_be_read(bench: Bench) -> None:
    made = await bench.made(ChannelKind.SLACK, url="https://hooks.slack.example/services/T0/B0/secret")
    signed = await bench.made(name="signed")
    mailed = await bench.made(ChannelKind.EMAIL, name="mailed")
    assert (made.secret, mailed.secret) == (None, None)
    assert signed.secret is not None
    assert signed.secret.startswith("whsec_")
    await bench.do(notifications.update, channel_id=signed.promised.id, changes={"url": URL}, keyring=KEYRING)
    await bench.hold()
    while await bench.perform(Told()) is not None:
        pass
    async with everybodys(bench.database) as connection:
        tables = ("channels", "deliveries", "delivery_attempts", "security_log", "jobs", "events", "replays")
        rows = [row for name in tables for row in await connection.execute(select(Base.metadata.tables[name]))]
    stored = json.dumps([repr(row) for row in rows])
    for secret in ('secret"', "T0/B0", "token=x", "/here", "ann@", signed.secret[6:]):
        assert secret not in stored, secret
    shown = {(await bench.read(each.promised.id)).shown for each in (made, signed, mailed)}
    assert shown == {"https://hooks.slack.example/…", "https://hooks.example/…", "a***@example.org"}
