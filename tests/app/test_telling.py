"""An alert from the transaction that opens it to those who are told: through a running worker, over real sockets."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app import bootstrap, cli, scheduler, worker
from app.commands import opening
from app.settings import Settings
from app.wiring import House
from domain import alerts, notifications, schedules, sites
from domain.access import SYSTEM, Actor
from domain.alerts import AlertKind, AlertSeverity, Condition
from domain.notifications import ChannelKind, DeliveryState
from tests.app.test_scheduler import quick, scheduling
from tests.hooks import answer, hook
from tests.inbox import inbox
from tests.servers import PostgresServer

__all__ = ["quick"]

SENDER = "noreply@pace.example.com"


@asynccontextmanager
async def working(house: House) -> AsyncGenerator[None, None]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
    try:
        yield
    finally:
        stop.set()
        await task


async def site(house: House, actor: Actor, workspace_id: UUID) -> UUID:
    async with house.database.work(actor) as work:
        return (await sites.create(work, workspace_id=workspace_id, origin="https://shop.example")).id


async def channel(house: House, actor: Actor, workspace_id: UUID, kind: ChannelKind, **given: Any) -> str | None:
    """The secret that signs."""
    values = {"workspace_id": workspace_id, "kind": kind, "name": kind.capitalize(), "keyring": house.keyring, **given}
    async with house.database.work(actor) as work:
        return (await notifications.create(work, **values)).secret


async def hold(house: House, workspace_id: UUID, site_id: UUID) -> None:
    said = {"kind": AlertKind.FAILURE, "severity": AlertSeverity.ERROR, "title": "The page / cannot be measured"}
    async with house.database.work(SYSTEM) as work:
        await alerts.hold(work, Condition(workspace_id, site_id, "page:/:failure", **said))  # type: ignore[arg-type]


async def test_a_webhook_slack_and_an_inbox_are_told_by_a_worker(tmp_path: Path) -> None:
    async with hook(answer(200, b"ok")) as there, inbox() as box:
        given = Settings(_env_file=None, data=tmp_path, mail_url=box.url, mail_from=SENDER, allow_private_targets=True)
        async with bootstrap.embedded(given) as (house, workspace_id):
            actor = await bootstrap.owner(house, workspace_id)
            site_id = await site(house, actor, workspace_id)
            signed = await channel(house, actor, workspace_id, ChannelKind.WEBHOOK, url=there.url)
            await channel(house, actor, workspace_id, ChannelKind.SLACK, url=there.url.replace("/hook", "/slack"))
            await channel(house, actor, workspace_id, ChannelKind.EMAIL, emails=["ann@example.org"])
            async with working(house):
                await hold(house, workspace_id, site_id)
                posts, [mail] = {post.path: post for post in await there.taken(2)}, await box.taken()
                async with house.database.work(SYSTEM) as work:
                    await alerts.end(work, workspace_id, "page:/:failure")
                _, ended = await box.taken(2)
                await there.taken(4)
    assert signed is not None
    assert posts["/hook?to=me"].is_signed_by(signed)
    assert posts["/hook?to=me"].json["data"]["site"]["origin"] == "https://shop.example"
    assert posts["/slack?to=me"].json["text"] == "Alert: The page / cannot be measured"
    assert (mail["To"], mail["Subject"]) == ("ann@example.org", "Alert: The page /\u2060 cannot be measured")
    assert ended["Subject"] == "Resolved: The page /\u2060 cannot be measured"


async def test_a_private_address_is_refused_where_the_installation_does_not_allow_it(tmp_path: Path) -> None:
    async with hook() as there, bootstrap.embedded(Settings(_env_file=None, data=tmp_path)) as (house, workspace_id):
        actor = await bootstrap.owner(house, workspace_id)
        await channel(house, actor, workspace_id, ChannelKind.WEBHOOK, url=there.url)
        await hold(house, workspace_id, await site(house, actor, workspace_id))
        claim = await notifications.take(house.database)
        assert claim is not None
        done = await notifications.perform(house.database, house.means, claim)
    reason = "The address is a private or reserved one, to which nothing is sent from here."
    assert done == (notifications.Outcome.PUT_OFF, reason)
    assert there.posts == []


async def test_the_scheduler_finds_a_silent_schedule_and_a_worker_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "WATCH_SECONDS", 0.05)
    async with hook() as there:
        given = Settings(_env_file=None, data=tmp_path, allow_private_targets=True)
        async with bootstrap.embedded(given) as (house, workspace_id):
            actor = await bootstrap.owner(house, workspace_id)
            site_id = await site(house, actor, workspace_id)
            await channel(house, actor, workspace_id, ChannelKind.WEBHOOK, url=there.url)
            async with house.database.work(actor) as work:
                await schedules.create(work, site_id=site_id, name="Hourly", every_minutes=60)
                await work.db.flush()
                ago = work.now - timedelta(hours=5)
                await work.db.execute(update(schedules.Schedule).values(created_at=ago, quiet_at=ago + timedelta(hours=4)))
            async with working(house), scheduling(house):
                [post] = await there.taken()
    alert = post.json["data"]["alert"]
    assert (alert["kind"], alert["title"]) == ("SILENCE", "The schedule Hourly brings nothing any more")


@pytest.mark.slow
async def test_a_worker_tells_over_postgresql_and_nats(tmp_path: Path, postgres_server: PostgresServer, nats_url: str) -> None:
    name = f"alerts_{secrets.token_hex(6)}"
    installation = await postgres_server.create_installation(name)
    async with hook() as there:
        given = Settings(
            _env_file=None, data=tmp_path, nats_url=nats_url, nats_prefix=name, allow_private_targets=True, **installation
        )
        async with bootstrap.embedded(given) as (house, workspace_id):
            actor = await bootstrap.owner(house, workspace_id)
            site_id = await site(house, actor, workspace_id)
            await channel(house, actor, workspace_id, ChannelKind.WEBHOOK, url=there.url)
            async with working(house):
                await hold(house, workspace_id, site_id)
                await there.taken()


async def test_the_commands_list_acknowledge_put_off_and_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with hook(answer(500, b"not today"), answer(204)) as there:
        given = Settings(_env_file=None, data=tmp_path, allow_private_targets=True)
        async with bootstrap.embedded(given) as (house, workspace_id):
            actor = await bootstrap.owner(house, workspace_id)
            site_id = await site(house, actor, workspace_id)
            await hold(house, workspace_id, site_id)
            await channel(house, actor, workspace_id, ChannelKind.WEBHOOK, url=there.url)

            def command(*words: str) -> Any:
                with pytest.raises(SystemExit) as left:
                    cli.dispatch([*words, "--data", str(tmp_path)])
                return left.value.code

            async def run(*words: str) -> tuple[int, str]:
                status = await asyncio.to_thread(command, *words)
                return status, "".join(capsys.readouterr())

            listed = (await run("alerts", "list"))[1]
            assert "The page / cannot be measured" in listed
            assert "shop.example" in listed
            alert = next(word for word in listed.split() if word.startswith("alert_"))
            assert await run("alerts", "snooze", alert, "2d") == (0, "It is put off for 2d.\n")
            assert await run("alerts", "snooze", alert, "31d") == (
                2,
                "An alert is put off until some time within the next 30 days.\n",
            )
            assert await run("alerts", "unsnooze", alert) == (0, "It is put off no longer.\n")
            [row] = json.loads((await run("alerts", "list", "--site", "shop-example", "--json"))[1])
            assert (row["id"], row["state"], row["snoozedUntil"], row["site"]) == (alert, "OPEN", None, "https://shop.example")
            assert await run("alerts", "ack", alert) == (
                0,
                "It is acknowledged: nothing is told of it any more but its end, unless it gets worse.\n",
            )
            nothing = f"Nothing is wrong but what somebody knows of (1): pacemark alerts list --all --data {tmp_path}\n"
            assert (await run("alerts", "list"))[1] == nothing
            listed = (await run("alerts", "list", "--all"))[1]
            assert "acknowledged" in listed
            assert "by Owner" in listed
            unknown = "There is no channel 'Nope' in this workspace. They are listed by: pacemark channels list"
            assert await run("channels", "test", "Nope") == (2, f"{unknown} --data {tmp_path}\n")
            channels = (await run("channels", "list"))[1]
            assert f"http://127.0.0.1:{there.port}/…" in channels
            async with working(house):
                status, said = await run("channels", "test", "Webhook")
                assert status == 1
                assert said.endswith("Webhook did not take it. The server answered 500. It said: not today\n")
                status, said = await run("channels", "test", "Webhook")
                assert status == 0
                assert "Webhook took it with status 204, in " in said
                sent, failed = json.loads((await run("channels", "deliveries", "--json"))[1])
                assert (sent["state"], sent["attempts"][0]["status"]) == ("SENT", 204)
                assert (failed["state"], failed["tries"], failed["attempts"][0]["answer"]) == ("FAILED", 1, "not today")
                listed = (await run("channels", "deliveries", "Webhook"))[1]
                assert [word in listed for word in ("given up", "The server answered 500.", failed["id"])] == [True] * 3
                listed = (await run("channels", "deliveries", "--limit", "1"))[1]
                assert failed["id"] not in listed
                assert listed.endswith("There are more than these 1: --limit N.\n")
                assert (await run("channels", "retry", failed["id"]))[0] == 0
                await there.taken(3)
                assert await run("channels", "retry", sent["id"]) == (2, "This was sent already.\n")
            ended = "It is ended; where it is so still, the next time that it is seen opens another one.\n"
            assert await run("alerts", "resolve", alert) == (0, ended)
            assert await run("alerts", "resolve", alert) == (2, "This alert is resolved already.\n")
            assert (await run("alerts", "list"))[1] == "Nothing is wrong.\n"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, "The channel 'Ours' was deleted meanwhile.\n"),
        (
            DeliveryState.FAILED,
            "It was given up: each worker that took it disappeared. Look at what the workers log, and try it again.\n",
        ),
    ],
    ids=["deleted", "workers lost"],
)
def test_a_channel_of_whose_test_nothing_came_is_said_to_be_so(
    left: DeliveryState | None, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery: dict[str, object] | None = None if left is None else {"state": left.value, "attempts": []}
    monkeypatch.setattr(opening, "asked", lambda *_: delivery)
    with pytest.raises(SystemExit) as ended:
        cli.dispatch(["channels", "test", "Ours", "--data", str(tmp_path)])
    assert (ended.value.code, "".join(capsys.readouterr())) == (2, said)
