"""Deliveries: what channels were told and what came of it, asked for, tried again and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from app.asking import There, change, every
from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from domain.notifications import DeliveryState, Moment

ABOUT = """id messageId moment state tries createdAt nextAt endedAt channel { id name } alert { id title }
    attempts { number at durationMs status error answer }"""
OF_CHANNEL = f"""query Deliveries($channel: ID!, $first: Int!, $after: Cursor) {{
  channel: node(id: $channel) {{
    ... on Channel {{
      deliveries(first: $first, after: $after) {{ nodes {{ {ABOUT} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
  }}
}}"""
ONE = f"query Delivery($delivery: ID!) {{ delivery: node(id: $delivery) {{ ... on Delivery {{ {ABOUT} }} }} }}"
GIVES = f"delivery {{ {ABOUT} }}"

EACH = 20
"""So many are asked for at once, of which each has its attempts."""

_MOMENTS = {
    Moment.OPENED: "it began",
    Moment.WORSENED: "it got worse",
    Moment.RESOLVED: "it ended",
    Moment.REMINDER: "it is so still",
    Moment.TEST: "a test",
}
_LEAST, _OTHERS = 15, 65

Row = Mapping[str, Any]


async def listed(there: There, channels: Iterable[Row], most: int) -> tuple[list[Row], bool]:
    """Of all of these channels together the newest first, and whether there are more. Raises Unusable."""
    found: list[Row] = []
    more = False
    for channel in channels:
        rows, cut = await every(there, OF_CHANNEL, ("channel", "deliveries"), most, each=EACH, channel=channel["id"])
        found += rows
        more = more or cut
    found.sort(key=lambda row: (datetime.fromisoformat(row["createdAt"]), row["id"]), reverse=True)
    return found[:most], more or len(found) > most


async def one(there: There, id: str) -> Row | None:
    """None where it is gone. Raises Unusable."""
    found: Row | None = (await there.ask(ONE, delivery=id))["delivery"]
    return found


async def retry(there: There, *, delivery: str) -> Row:
    """The delivery as it is now. Raises Unusable."""
    changed: Row = (await change(there, "deliveryRetry", GIVES, delivery=delivery))["delivery"]
    return changed


def show(rows: Iterable[Row], there: str) -> None:
    """`there`: what leads to them."""
    shown = table("Delivery")
    shown.add_column("State", max_width=10)
    shown.add_column("Tries", justify="right", no_wrap=True)
    shown.add_column("Last answer", max_width=max(_LEAST, console().width - _OTHERS), overflow="fold")
    failed = False
    for row in rows:
        failed = failed or row["state"] == DeliveryState.FAILED
        what = Text(plain(row["alert"]["title"], 300) if row["alert"] else "–" if row["moment"] != Moment.TEST else "A test")
        if row["moment"] != Moment.TEST:
            what.append(f": {_MOMENTS[Moment(row['moment'])]}")
        what.append(f"\n{_time(row['createdAt'])}, {plain(row['channel']['name'], 100)}\n{row['id']}", "dim")
        shown.add_row(what, _standing(row), f"{row['tries']:,}", _answer(row))
    console().print(shown)
    if failed:
        hint = f"Try again what was given up: pacemark channels retry ID{there}"
        console().print(hint, soft_wrap=True, markup=False)


def _standing(row: Row) -> Text:
    match row["state"]:
        case DeliveryState.SENT:
            return Text("sent")
        case DeliveryState.FAILED:
            return Text("given up", "bold red")
    return Text(f"next try {_time(row['nextAt'])}", "yellow")


def _answer(row: Row) -> Text:
    """Of the last try: the status of the answer, and why it was not taken."""
    if not row["attempts"]:
        return Text("–", "dim")
    last = row["attempts"][-1]
    said = [str(last["status"])] if last["status"] is not None else []
    said += [plain(last["error"], 300)] if last["error"] else []
    return Text("\n".join(said) or "taken")


def _time(at: str | None) -> str:
    return moment(datetime.fromisoformat(at) if at is not None else None)
