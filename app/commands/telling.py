"""Alerts and channels as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from domain import notifications
from domain.alerts import AlertSeverity, AlertState
from domain.ids import Kind, encode
from domain.notifications import PauseReason

if TYPE_CHECKING:
    from app.commands.alerts import Shown

_WHY = {
    PauseReason.BY_PERSON: "paused by somebody",
    PauseReason.GONE: "paused: it answered 410, nobody is there",
    PauseReason.FAILING: "paused: it took nothing for 5 days",
}


def show_alerts(rows: Sequence[Shown], known_of: int, there: str) -> None:
    """`known_of`: how many are not shown since somebody acknowledged them or put them off. `there`: what leads to them."""
    if not rows:
        others = f" but what somebody knows of ({known_of:,}): pacemark alerts list --all{there}" if known_of else "."
        console().print(f"Nothing is wrong{others}", soft_wrap=True, markup=False)
        return
    shown = table("Alert", "What is wrong", "Where", "Since (UTC)", "How it stands")
    for row in rows:
        alert = row.alert
        style = "bold red" if alert.severity is AlertSeverity.ERROR else "yellow"
        what = Text(plain(alert.title, 300)).append(f"\n{alert.kind.capitalize()}, seen {_times(alert.occurrences)}", "dim")
        shown.add_row(
            Text(alert.severity.capitalize(), style if alert.resolved_at is None else "").append(
                f"\n{encode(Kind.ALERT, alert.id)}", "not bold dim"
            ),
            what,
            _where(row),
            moment(alert.opened_at),
            _standing(row),
        )
    console().print(shown)
    if any(row.alert.resolved_at is None for row in rows):
        hint = f"You know of it: pacemark alerts ack ID{there}    Later: pacemark alerts snooze ID 1d{there}"
        console().print(hint, soft_wrap=True, markup=False)


def alert_as_json(row: Shown) -> dict[str, Any]:
    alert = row.alert
    return {
        "id": encode(Kind.ALERT, alert.id),
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "title": alert.title,
        "details": alert.details,
        "site": row.site.origin if row.site else None,
        "page": row.page.path if row.page else None,
        "environment": alert.environment,
        "openedAt": alert.opened_at.isoformat(),
        "lastSeenAt": alert.last_seen_at.isoformat(),
        "occurrences": alert.occurrences,
        "acknowledgedAt": _text(alert.acknowledged_at),
        "acknowledgedBy": row.known_to,
        "snoozedUntil": _text(alert.snoozed_until),
        "resolvedAt": _text(alert.resolved_at),
        "resolution": alert.resolution,
    }


def show_channels(rows: Sequence[notifications.ChannelRow]) -> None:
    if not rows:
        console().print(
            "Alerts are told nowhere yet. Make a channel with channelCreate, for example in GraphiQL.", soft_wrap=True
        )
        return
    shown = table("Channel", "Where it leads", "What it gets", "How it stands")
    for row in rows:
        name = Text(plain(row.name, 100)).append(f"\n{row.kind.capitalize()}\n{encode(Kind.CHANNEL, row.id)}", "dim")
        gets = "every alert" if row.everything else "what its routes say"
        shown.add_row(name, Text(plain(row.shown, 300)), gets, _well(row))
    console().print(shown)
    console().print("See whether it works: pacemark channels test NAME", soft_wrap=True)


def _well(row: notifications.ChannelRow) -> Text:
    if row.paused_reason is not None:
        return Text(_WHY[row.paused_reason], "bold red")
    return Text(f"takes nothing since {moment(row.failing_since)}", "yellow") if row.failing_since else Text("well")


def _where(row: Shown) -> Text:
    site = Text(plain(row.site.name, 100) if row.site else "–")
    return site.append(f"\n{plain(row.page.path, 200)}", "dim") if row.page else site


def _standing(row: Shown) -> Text:
    alert = row.alert
    match alert.state:
        case AlertState.SNOOZED:
            return Text(f"put off until {moment(alert.snoozed_until)}")
        case AlertState.RESOLVED:
            return Text(f"resolved {moment(alert.resolved_at)}", "dim")
        case AlertState.ACKNOWLEDGED:
            by = f"\nby {plain(row.known_to, 100)}" if row.known_to else ""
            return Text(f"acknowledged {moment(alert.acknowledged_at)}{by}")
    return Text(alert.state.capitalize())


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
