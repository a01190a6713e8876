"""Alerts, asked for, dealt with and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

from app.asking import There, change, every
from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from app.judging import naming
from domain.alerts import AlertSeverity, AlertState

ABOUT = """id kind severity state title environment openedAt lastSeenAt occurrences acknowledgedAt acknowledgedBy { name }
    snoozedUntil resolvedAt resolution details { name value } site { origin name } page { path }"""
OF_WORKSPACE = f"""query Alerts($workspace: String!, $first: Int!, $after: Cursor, $state: AlertState) {{
  workspace(slug: $workspace) {{ id
    alerts(first: $first, after: $after, state: $state) {{ nodes {{ {ABOUT} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}"""
OF_SITE = f"""query AlertsOfSite($site: ID!, $first: Int!, $after: Cursor, $state: AlertState) {{
  site(id: $site) {{
    alerts(first: $first, after: $after, state: $state) {{ nodes {{ {ABOUT} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}"""
GIVES = f"alert {{ {ABOUT} }}"

COUNTED = 1_000
"""So many that somebody knows of are counted, of each state."""

Row = Mapping[str, Any]


async def listed(there: There, *, site: str | None, open_only: bool, most: int) -> tuple[list[Row], bool, int]:
    """The newest first, whether there are more, and how many somebody knows of, where no other is there. Raises Unusable."""
    site_id = await naming.site(there, site) if site is not None else None

    async def read(state: AlertState | None, most: int) -> tuple[list[Row], bool]:
        stated = state.value if state is not None else None
        if site_id is not None:
            return await every(there, OF_SITE, ("site", "alerts"), most, site=site_id, state=stated)
        return await every(there, OF_WORKSPACE, ("workspace", "alerts"), most, workspace=there.workspace, state=stated)

    rows, more = await read(AlertState.OPEN if open_only else None, most)
    others = (AlertState.ACKNOWLEDGED, AlertState.SNOOZED) if open_only and not rows else ()
    return rows, more, sum([len((await read(state, COUNTED))[0]) for state in others])


async def acknowledge(there: There, *, alert: str) -> Row:
    """The alert as it is now. Raises Unusable."""
    changed: Row = (await change(there, "alertAcknowledge", GIVES, alert=alert))["alert"]
    return changed


async def snooze(there: There, *, alert: str, lasts: timedelta | None) -> Row:
    """The alert as it is now; for so long, and None puts it off no longer. Raises Unusable."""
    until = (datetime.now(UTC) + lasts).isoformat() if lasts is not None else None
    changed: Row = (await change(there, "alertSnooze", GIVES, alert=alert, until=until))["alert"]
    return changed


async def resolve(there: There, *, alert: str) -> Row:
    """The alert as it is now. Raises Unusable."""
    changed: Row = (await change(there, "alertResolve", GIVES, alert=alert))["alert"]
    return changed


def show(rows: Sequence[Row], known_of: int, there: str) -> None:
    """`known_of`: how many are not shown since somebody acknowledged them or put them off. `there`: what leads to them."""
    if not rows:
        others = f" but what somebody knows of ({known_of:,}): pacemark alerts list --all{there}" if known_of else "."
        console().print(f"Nothing is wrong{others}", soft_wrap=True, markup=False)
        return
    shown = table("Alert")
    shown.add_column("Since (UTC)", max_width=16)
    shown.add_column("How it stands", max_width=17, overflow="fold")
    for row in rows:
        style = "bold red" if row["severity"] == AlertSeverity.ERROR else "yellow"
        what = Text(row["severity"].capitalize(), style if row["resolvedAt"] is None else "")
        what.append(f"  {plain(row['title'], 300)}", "not bold default")
        seen = f"{row['kind'].capitalize()}, seen {_times(row['occurrences'])}"
        what.append(f"\n{_where(row)}\n{seen}\n{row['id']}", "not bold default dim")
        shown.add_row(what, _time(row["openedAt"]), _standing(row))
    console().print(shown)
    if any(row["resolvedAt"] is None for row in rows):
        hint = f"You know of it: pacemark alerts ack ID{there}    Later: pacemark alerts snooze ID 1d{there}"
        console().print(hint, soft_wrap=True, markup=False)


def document(row: Row) -> dict[str, Any]:
    """The names are those of the GraphQL API."""
    return {
        **row,
        "details": {each["name"]: each["value"] for each in row["details"]},
        "site": row["site"]["origin"],
        "page": row["page"]["path"] if row["page"] else None,
        "acknowledgedBy": row["acknowledgedBy"]["name"] if row["acknowledgedBy"] else None,
    }


def _where(row: Row) -> str:
    return plain(row["site"]["name"], 100) + (f" {plain(row['page']['path'], 200)}" if row["page"] else "")


def _standing(row: Row) -> Text:
    match row["state"]:
        case AlertState.SNOOZED:
            return Text(f"put off until {_time(row['snoozedUntil'])}")
        case AlertState.RESOLVED:
            return Text(f"resolved {_time(row['resolvedAt'])}", "dim")
        case AlertState.ACKNOWLEDGED:
            by = f"\nby {plain(row['acknowledgedBy']['name'], 100)}" if row["acknowledgedBy"] else ""
            return Text(f"acknowledged {_time(row['acknowledgedAt'])}{by}")
    return Text(row["state"].capitalize())


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _time(at: str | None) -> str:
    return moment(datetime.fromisoformat(at) if at is not None else None)
