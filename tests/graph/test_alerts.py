"""Alerts and channels in GraphQL: read, dealt with, made, tested, refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import alerts, notifications
from domain.access import SYSTEM, Role
from domain.alerts import AlertKind, AlertSeverity, Condition
from domain.ids import Kind, decode, encode
from domain.notifications import Answer, Means
from tests.graph.asking import Asking, asking
from tests.graph.changing import change, faults
from tests.graph.test_schedules import new_site

__all__ = ["asking"]

ALERT = """id kind severity state title occurrences environment acknowledgedAt snoozedUntil resolvedAt resolution
  acknowledgedBy { name } details { name value } site { id } page { path } profile { id } audit { id }"""
CHANNEL = "id kind name target everything paused pausedReason failingSince formerUntil routes { id }"
URL = "https://hooks.example/here?token=x"


async def hold(asking: Asking, site: str, key: str = "key", **given: Any) -> str:
    said = {"kind": AlertKind.FAILURE, "severity": AlertSeverity.ERROR, "title": f"{key} is wrong"}
    async with asking.database.work(SYSTEM) as work:
        site_id = decode(Kind.SITE, site)
        held = await alerts.hold(work, Condition(asking.workspace_id, site_id, key, **{**said, **given}))
    return encode(Kind.ALERT, held.alert_id)


async def titles(asking: Asking, arguments: str = "", parent: str = 'workspace(slug: "acme")', on: str = "") -> list[str]:
    inner = f"alerts{arguments} {{ nodes {{ title }} }}"
    answer = await asking.ask(f"{{ found: {parent} {{ {f'... on {on} {{ {inner} }}' if on else inner} }} }}")
    return [each["title"].split()[0] for each in answer["found"]["alerts"]["nodes"]]


async def test_alerts_are_listed_by_state_kind_and_gravity_of_a_workspace_a_site_and_a_page(asking: Asking) -> None:
    site, (page,) = await new_site(asking)
    other, _ = await new_site(asking, "https://other.example")
    first = await hold(asking, site, "first", page_id=decode(Kind.PAGE, page), details={"limit": 3, "hit": True})
    second = await hold(asking, site, "second", severity=AlertSeverity.WARNING)
    await hold(asking, other, "third", kind=AlertKind.SILENCE)
    known = await change(asking, "alertAcknowledge", "alert { state acknowledgedBy { name } }", alert=second)
    assert known["alert"] == {"state": "ACKNOWLEDGED", "acknowledgedBy": {"name": "Owner"}}
    answer = await asking.ask(f"query ($id: ID!) {{ node(id: $id) {{ ... on Alert {{ {ALERT} }} }} }}", id=first)
    assert answer["node"] == {
        "id": first,
        "kind": "FAILURE",
        "severity": "ERROR",
        "state": "OPEN",
        "title": "first is wrong",
        "occurrences": 1,
        "environment": None,
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "snoozedUntil": None,
        "resolvedAt": None,
        "resolution": None,
        "details": [{"name": "hit", "value": "yes"}, {"name": "limit", "value": "3"}],
        "site": {"id": site},
        "page": {"path": "/0"},
        "profile": None,
        "audit": None,
    }
    assert await titles(asking) == ["third", "second", "first"]
    assert await titles(asking, "(state: OPEN)") == ["third", "first"]
    assert await titles(asking, "(state: ACKNOWLEDGED)") == ["second"]
    assert await titles(asking, "(kinds: [SILENCE, BREACH])") == ["third"]
    assert await titles(asking, "(severity: WARNING)") == ["second"]
    assert await titles(asking, "(state: OPEN, severity: WARNING)") == []
    assert await titles(asking, parent=f'node(id: "{site}")', on="Site") == ["second", "first"]
    assert await titles(asking, "(state: OPEN)", parent=f'node(id: "{page}")', on="Page") == ["first"]
    said = await asking.whole('{ workspace(slug: "acme") { alerts(kinds: []) { nodes { id } } } }')
    assert [error["extensions"]["code"] for error in said["errors"]] == ["REQUIRED"]


async def test_alerts_are_put_off_and_ended_and_that_is_told(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = await hold(asking, site)
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    assert (await change(asking, "alertSnooze", "alert { state }", alert=id, until=until))["alert"] == {"state": "SNOOZED"}
    far = (datetime.now(UTC) + timedelta(days=31)).isoformat()
    assert faults(await change(asking, "alertSnooze", alert=id, until=far)) == [(["until"], "OUT_OF_RANGE")]
    assert (await change(asking, "alertSnooze", "alert { state }", alert=id))["alert"] == {"state": "OPEN"}
    ended = await change(asking, "alertResolve", "alert { state resolution }", alert=id)
    assert ended["alert"] == {"state": "RESOLVED", "resolution": "BY_PERSON"}
    again = await change(asking, "alertResolve", alert=id)
    assert (again["__typename"], again["code"], again["existing"]["id"]) == ("Conflict", "STATE_CHANGED", id)
    await asking.settle()
    kinds = "kinds: [ALERT_OPENED, ALERT_SNOOZED, ALERT_RESOLVED]"
    told = "... on AlertEvent { kind state alertKind severity title alert { id state } }"
    answer = await asking.ask(f'{{ workspace(slug: "acme") {{ events({kinds}) {{ nodes {{ __typename {told} }} }} }} }}')
    events = answer["workspace"]["events"]["nodes"]
    assert [(each["kind"], each["state"]) for each in events] == [
        ("ALERT_OPENED", "OPEN"),
        ("ALERT_SNOOZED", "SNOOZED"),
        ("ALERT_SNOOZED", "OPEN"),
        ("ALERT_RESOLVED", "RESOLVED"),
    ]
    assert events[0]["alert"] == {"id": id, "state": "RESOLVED"}, "as it stands now"
    assert (events[0]["alertKind"], events[0]["severity"], events[0]["title"]) == ("FAILURE", "ERROR", "key is wrong")


async def create(asking: Asking, **given: Any) -> Any:
    given = {"kind": "WEBHOOK", "name": "Ours", "url": URL, **given}
    return await change(
        asking, "channelCreate", f"channel {{ {CHANNEL} }} secret replayed", workspace=asking.workspace, **given
    )


async def channels(asking: Asking) -> Any:
    return (await asking.ask(f'{{ workspace(slug: "acme") {{ channels {{ {CHANNEL} }} }} }}'))["workspace"]["channels"]


async def test_a_channel_is_made_its_secret_is_shown_once_and_it_is_changed_and_deleted(asking: Asking) -> None:
    made = await create(asking, idempotencyKey="k")
    assert made["secret"].startswith("whsec_")
    expected = {"kind": "WEBHOOK", "name": "Ours", "target": "https://hooks.example/…", "everything": True}
    assert made["channel"].items() >= {**expected, "paused": False, "pausedReason": None, "routes": []}.items()
    again = await create(asking, idempotencyKey="k")
    assert (again["channel"]["id"], again["replayed"], again["secret"]) == (made["channel"]["id"], True, None)
    taken = await create(asking)
    assert (taken["__typename"], taken["existing"]["id"]) == ("Conflict", made["channel"]["id"])
    slack = await create(asking, kind="SLACK", name="Slack", url="https://hooks.slack.example/services/T/B/secret")
    assert (slack["secret"], slack["channel"]["target"]) == (None, "https://hooks.slack.example/…")
    id = made["channel"]["id"]
    rotated = await change(asking, "channelRotateSecret", "secret formerUntil channel { formerUntil }", channel=id)
    assert rotated["secret"] not in (made["secret"], None)
    assert rotated["formerUntil"] == rotated["channel"]["formerUntil"]
    assert (await change(asking, "channelRotateSecret", channel=slack["channel"]["id"]))["__typename"] == "Conflict"
    changed = await change(asking, "channelUpdate", f"channel {{ {CHANNEL} }}", channel=id, name="Theirs", paused=True)
    assert (changed["channel"]["name"], changed["channel"]["pausedReason"]) == ("Theirs", "BY_PERSON")
    resumed = await change(asking, "channelResume", "channel { paused }", channel=id)
    assert resumed["channel"] == {"paused": False}
    assert [each["name"] for each in await channels(asking)] == ["Slack", "Theirs"]
    assert (await change(asking, "channelDelete", "channelId", channel=id))["channelId"] == id
    assert [each["name"] for each in await channels(asking)] == ["Slack"]
    log = await asking.ask('{ workspace(slug: "acme") { securityLog { nodes { kind details { name value } } } } }')
    done = [
        {detail["name"]: detail["value"] for detail in each["details"]}["change"]
        for each in log["workspace"]["securityLog"]["nodes"]
        if each["kind"] == "CHANNEL_CHANGED"
    ]
    assert done == ["deleted", "resumed", "changed", "secret replaced", "created", "created"]
    assert "T/B" not in str(log)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"url": None}, [(["url"], "REQUIRED")]),
        ({"url": "ftp://x.example/"}, [(["url"], "URL_INVALID")]),
        ({"url": "https://me:secret@x.example/"}, [(["url"], "URL_INVALID")]),
        ({"kind": "EMAIL"}, [(["url"], "INVALID"), (["emails"], "REQUIRED")]),
        ({"kind": "EMAIL", "url": None, "emails": ["a@example.org", "nobody"]}, [(["emails", "1"], "MALFORMED")]),
        ({"name": " ", "emails": ["a@example.org"]}, [(["name"], "REQUIRED"), (["emails"], "INVALID")]),
    ],
    ids=["no url", "ftp", "password", "a url for mail", "no address", "no name"],
)
async def test_everything_that_is_wrong_with_a_channel_is_said_at_once(asking: Asking, given: Any, wrong: Any) -> None:
    assert faults(await create(asking, **given)) == wrong


async def test_routes_say_what_a_channel_gets(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking))["channel"]["id"]
    route = "route { id kinds severity tags environment site { id } channel { everything } } replayed"
    made = await change(asking, "routeCreate", route, channel=id, kinds=["VERDICT", "BREACH"], site=site, severity="ERROR")
    assert {name: made["route"][name] for name in ("kinds", "severity", "tags", "environment", "site", "channel")} == {
        "kinds": ["BREACH", "VERDICT"],
        "severity": "ERROR",
        "tags": [],
        "environment": None,
        "site": {"id": site},
        "channel": {"everything": False},
    }
    here = made["route"]["id"]
    changed = await change(asking, "routeUpdate", "route { kinds site { id } tags }", route=here, kinds=None, tags=["client"])
    assert changed["route"] == {"kinds": None, "site": {"id": site}, "tags": ["client"]}
    assert faults(await change(asking, "routeUpdate", route=here, kinds=[])) == [(["kinds"], "REQUIRED")]
    assert [each["id"] for each in (await channels(asking))[0]["routes"]] == [here]
    assert (await change(asking, "routeDelete", "routeId", route=here))["routeId"] == here
    assert (await channels(asking))[0].items() >= {"routes": [], "everything": False}.items()
    log = await asking.ask('{ workspace(slug: "acme") { securityLog { nodes { kind details { name value } } } } }')
    noted = [{each["name"]: each["value"] for each in row["details"]} for row in log["workspace"]["securityLog"]["nodes"]]
    assert [row["change"] for row in noted if "change" in row] == ["route deleted", "route changed", "route added", "created"]
    named = {"kinds": "BREACH, VERDICT", "severity": "ERROR", "site": site, "tags": "any", "environment": "any"}
    assert noted[2].items() >= named.items()


class Says:
    """A poster that says one thing."""

    def __init__(self, status: int) -> None:
        self.status = status

    async def post(self, url: str, headers: Any, body: bytes) -> Answer:
        return Answer(self.status, "hello", None)


async def deliver(asking: Asking, status: int) -> None:
    claim = await notifications.take(asking.database)
    assert claim is not None
    means = Means(Says(status), None, asking.services.keyring, "http://pacemark.test")  # type: ignore[arg-type]  # no mails
    await notifications.perform(asking.database, means, claim)


async def test_the_test_button_and_the_log_of_deliveries(asking: Asking) -> None:
    site, _ = await new_site(asking)
    id = (await create(asking))["channel"]["id"]
    tested = await change(asking, "channelTest", "delivery { id state moment tries alert { id } messageId }", channel=id)
    delivery = tested["delivery"]
    expected = {"state": "WAITING", "moment": "TEST", "tries": 0, "alert": None}
    assert delivery.items() >= {**expected, "messageId": delivery["id"].replace("delivery", "msg")}.items()
    await deliver(asking, 503)
    alert = await hold(asking, site)
    await deliver(asking, 200)
    text = """query ($id: ID!) { node(id: $id) { ... on Channel { deliveries { nodes {
      id moment state endedAt nextAt alert { id } attempts { number status error answer durationMs } } } } } }"""
    second, first = (await asking.ask(text, id=id))["node"]["deliveries"]["nodes"]
    assert (first["state"], second["state"], second["moment"]) == ("FAILED", "SENT", "OPENED")
    assert second["alert"] == {"id": alert}
    [attempt] = first["attempts"]
    assert (attempt["status"], attempt["error"], attempt["answer"]) == (503, "The server answered 503.", "hello")
    again = await change(asking, "deliveryRetry", "delivery { state }", delivery=first["id"])
    assert again["delivery"] == {"state": "WAITING"}
    assert (await change(asking, "deliveryRetry", delivery=second["id"]))["__typename"] == "Conflict"


async def test_a_paused_channel_is_told_of_to_those_who_may_know_it(asking: Asking) -> None:
    id = (await create(asking))["channel"]["id"]
    await change(asking, "channelTest", channel=id)
    await deliver(asking, 410)
    await asking.settle()
    text = """{ workspace(slug: "acme") { events(kinds: [CHANNEL_PAUSED]) { nodes {
      ... on ChannelEvent { kind reason channel { id paused } } } } } }"""
    answer = await asking.ask(text)
    [event] = answer["workspace"]["events"]["nodes"]
    assert event == {"kind": "CHANNEL_PAUSED", "reason": "GONE", "channel": {"id": id, "paused": True}}
    [event] = (await asking.as_(Role.MEMBER).ask(text))["workspace"]["events"]["nodes"]
    assert event == {"kind": "CHANNEL_PAUSED", "reason": "GONE", "channel": None}


async def test_channels_are_the_admins_and_alerts_the_members(asking: Asking) -> None:
    site, _ = await new_site(asking)
    alert = await hold(asking, site)
    id = (await create(asking))["channel"]["id"]
    member = asking.as_(Role.MEMBER)
    said = await member.whole('{ workspace(slug: "acme") { channels { id } alerts { nodes { id } } } }')
    assert said["data"]["workspace"] == {"channels": None, "alerts": {"nodes": [{"id": alert}]}}
    assert [error["extensions"]["code"] for error in said["errors"]] == ["PERMISSION_MISSING"]
    assert (await change(member, "channelTest", channel=id))["permission"] == "CHANNEL_WRITE"
    delivery = (await change(asking, "channelTest", "delivery { id }", channel=id))["delivery"]["id"]
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    seen = [await each.ask(nodes, ids=[delivery, id]) for each in (asking, member)]
    assert seen == [{"nodes": [{"id": delivery}, {"id": id}]}, {"nodes": [None, None]}], "as in the list"
    assert (await change(member, "alertAcknowledge", alert=alert))["__typename"] == "AlertAcknowledgePayload"
    assert (await change(asking.as_(Role.VIEWER), "alertResolve", alert=alert))["permission"] == "ALERT_WRITE"
