"""Channels, asked for, changed, tested and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from app.alerting import deliveries
from app.asking import There, change, workspace_of
from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from app.errors import Unusable
from domain.notifications import DeliveryState, PauseReason

ABOUT = "id kind name everything target paused pausedAt pausedReason failingSince createdAt routes { id }"
CHANNELS = f"query Channels($workspace: String!) {{ workspace(slug: $workspace) {{ id channels {{ {ABOUT} }} }} }}"
GIVES = f"channel {{ {ABOUT} }}"

LOOK_SECONDS = 0.2

_WHY = {
    PauseReason.BY_PERSON: "paused by somebody",
    PauseReason.GONE: "paused: it answered 410, nobody is there",
    PauseReason.FAILING: "paused: it took nothing for 5 days",
}

Row = Mapping[str, Any]


async def listed(there: There) -> Sequence[Row]:
    """By name. Raises Unusable."""
    return of(workspace_of(await there.ask(CHANNELS, workspace=there.workspace), there))


def of(workspace: Row) -> Sequence[Row]:
    """A workspace's channels. Raises Unusable."""
    found: Sequence[Row] | None = workspace["channels"]
    if found is None:
        raise Unusable("Who reads and changes channels needs a key of an admin: pacemark keys create NAME --role admin")
    return found


async def named(there: There, name: str) -> Row:
    """The channel with this name or id. Raises Unusable."""
    return chosen(there, await listed(there), name)


def chosen(there: There, rows: Sequence[Row], name: str) -> Row:
    """Among them the one with this name or id. Raises Unusable."""
    for row in rows:
        if name in (row["name"], row["id"]):
            return row
    hint = f"They are listed by: pacemark channels list{there.options}" if rows else "It has none yet."
    raise Unusable(f"There is no channel {plain(name)!r} in this workspace. {hint}")


async def create(there: There, **given: Any) -> tuple[Row, str | None]:
    """The channel, and what a webhook's messages are signed with. Raises Unusable."""
    workspace = workspace_of(await there.ask(CHANNELS, workspace=there.workspace), there)
    made = await change(there, "channelCreate", f"{GIVES} secret", workspace=workspace["id"], **given)
    return made["channel"], made["secret"]


async def update(there: There, *, channel: str, **given: Any) -> Row:
    """The channel as it is now. Raises Unusable."""
    id = (await named(there, channel))["id"]
    changed: Row = (await change(there, "channelUpdate", GIVES, channel=id, **given))["channel"]
    return changed


async def resume(there: There, *, channel: str) -> Row:
    """The channel as it is now. Raises Unusable."""
    id = (await named(there, channel))["id"]
    changed: Row = (await change(there, "channelResume", GIVES, channel=id))["channel"]
    return changed


async def delete(there: There, *, channel: str) -> Row:
    """The id that it had. Raises Unusable."""
    return await change(there, "channelDelete", "channelId", channel=(await named(there, channel))["id"])


async def test(there: There, *, channel: str, seconds: float) -> Row | None:
    """The delivery as it is when it has ended, or when the time is over; None once it is gone. Raises Unusable."""
    id = (await named(there, channel))["id"]
    delivery: Row | None = (await change(there, "channelTest", "delivery { id state }", channel=id))["delivery"]
    now = asyncio.get_running_loop().time
    until = now() + seconds
    while delivery is not None:
        delivery = await deliveries.one(there, delivery["id"])
        if delivery is None or delivery["state"] != DeliveryState.WAITING or now() >= until:
            break
        await asyncio.sleep(LOOK_SECONDS)
    return delivery


def show(rows: Sequence[Row], there: str) -> None:
    """`there`: what leads to them."""
    if not rows:
        hint = f"Make a channel: pacemark channels create NAME --url URL{there}"
        console().print(f"Alerts are told nowhere yet. {hint}", soft_wrap=True, markup=False)
        return
    shown = table("Channel")
    shown.add_column("What it gets", max_width=16)
    shown.add_column("How it stands", max_width=17)
    for row in rows:
        name = Text(plain(row["name"], 100)).append(
            f"\n{row['kind'].capitalize()}: {plain(row['target'], 300)}\n{row['id']}", "dim"
        )
        shown.add_row(name, gets(row), _well(row))
    console().print(shown)
    console().print(f"See whether it works: pacemark channels test NAME{there}", soft_wrap=True, markup=False)


def gets(row: Row) -> Text:
    if row["everything"]:
        return Text("every alert")
    return Text("what its routes say") if row["routes"] else Text("nothing: it has no route", "yellow")


def _well(row: Row) -> Text:
    if row["pausedReason"] is not None:
        return Text(_WHY[PauseReason(row["pausedReason"])], "bold red")
    since = row["failingSince"]
    return Text(f"takes nothing since {moment(datetime.fromisoformat(since))}", "yellow") if since else Text("well")
