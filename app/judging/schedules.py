"""Schedules, asked for, changed and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from app.asking import There, change, every
from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from app.errors import Unusable
from app.judging import naming
from domain.ids import Kind

ABOUT = """id name environment runs cron everyMinutes timeZone jitterSeconds paused pausedAt nextAt lastAt createdAt
    site { id slug name } page { id path } profile { id name }"""
OF_WORKSPACE = f"""query Schedules($workspace: String!, $first: Int!, $after: Cursor) {{
  workspace(slug: $workspace) {{ id
    schedules(first: $first, after: $after) {{ nodes {{ {ABOUT} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}"""
OF_SITE = f"""query SchedulesOfSite($site: ID!, $first: Int!, $after: Cursor) {{
  site(id: $site) {{
    schedules(first: $first, after: $after) {{ nodes {{ {ABOUT} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}"""
GIVES = f"schedule {{ {ABOUT} }}"

LOOKED_AT = 2_000
"""A workspace has no more of them."""

_MINUTES = {"m": 1, "h": 60, "d": 1_440}

Row = Mapping[str, Any]


async def listed(there: There, *, site: str | None, most: int) -> tuple[list[Row], bool]:
    """Of a site, or of all, by name; and whether there are more. Raises Unusable."""
    if site is not None:
        return await every(there, OF_SITE, ("site", "schedules"), most, site=await naming.site(there, site))
    return await every(there, OF_WORKSPACE, ("workspace", "schedules"), most, workspace=there.workspace)


async def create(there: There, *, site: str, page: str | None, profile: str | None, **given: Any) -> Row:
    """The schedule. Raises Unusable."""
    given["site"] = await naming.site(there, site)
    given["page"] = await naming.page(there, given["site"], page) if page is not None else None
    named = await naming.profiles(there, [profile] if profile is not None else [])
    given["profile"] = named[0] if named else None
    made: Row = (await change(there, "scheduleCreate", GIVES, **given))["schedule"]
    return made


async def pause(there: There, *, schedule: str) -> Row:
    """The schedule as it is now. Raises Unusable."""
    return await _change(there, "schedulePause", schedule)


async def resume(there: There, *, schedule: str) -> Row:
    """The schedule as it is now. Raises Unusable."""
    return await _change(there, "scheduleResume", schedule)


async def run(there: There, *, schedule: str) -> Row:
    """The schedule. Raises Unusable."""
    return await _change(there, "scheduleRun", schedule)


async def delete(there: There, *, schedule: str) -> Row:
    """The id that it had. Raises Unusable."""
    return await change(there, "scheduleDelete", "scheduleId", schedule=await _named(there, schedule))


async def _change(there: There, field: str, schedule: str) -> Row:
    changed: Row = (await change(there, field, GIVES, schedule=await _named(there, schedule)))["schedule"]
    return changed


async def _named(there: There, name: str) -> str:
    """The id of the schedule with this name or id. Raises Unusable."""
    if name.startswith(f"{Kind.SCHEDULE}_"):
        return name
    found, _ = await listed(there, site=None, most=LOOKED_AT)
    meant = [row for row in found if row["name"] == name]
    if not meant:
        raise Unusable(f"There is no schedule {plain(name)!r}. They are listed by: pacemark schedules list{there.options}")
    if len(meant) > 1:
        raise Unusable(f"{len(meant)} sites have a schedule {plain(name)!r}: name it by its id, such as {meant[0]['id']}.")
    id: str = meant[0]["id"]
    return id


def minutes(text: str) -> int:
    """Of minutes, hours or days, such as 30m, 6h or 7d. Raises Unusable."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text, re.ASCII)
    if found is None:
        raise Unusable("--every is minutes, hours or days, such as 30m, 6h or 7d.")
    return int(found[1]) * _MINUTES[found[2]]


def show(rows: Iterable[Row]) -> None:
    shown = table("Schedule")
    shown.add_column("When", max_width=17, overflow="fold")
    shown.add_column("Next, last (UTC)", max_width=16)
    for row in rows:
        name = Text(plain(row["name"], 100)).append(f"\n{_what(row)}\n{row['id']}", "dim")
        shown.add_row(name, _when(row), _next(row).append(f"\n{_time(row['lastAt'], 'never fired')}", "dim"))
    console().print(shown)


def next_time(row: Row) -> str:
    return _time(row["nextAt"], "never")


def _what(row: Row) -> str:
    """What is measured, and how, where the schedule says so."""
    where = plain(row["site"]["slug"], 100) + (f" {plain(row['page']['path'], 200)}" if row["page"] else "")
    how = [plain(row["profile"]["name"], 60)] if row["profile"] else []
    how += [plain(row["environment"], 60)] if row["environment"] != "production" else []
    return ", ".join([where, *how])


def _when(row: Row) -> Text:
    if row["everyMinutes"] is None:
        text = Text(plain(row["cron"])).append(f"\n{plain(row['timeZone'], 60)}", "dim")
    else:
        text = Text(f"every {_long(row['everyMinutes'])}")
    return text.append(f"\nto {row['jitterSeconds']:,} s later", "dim") if row["jitterSeconds"] else text


def _long(number: int) -> str:
    unit, size = next((unit, size) for unit, size in (("d", 1_440), ("h", 60), ("min", 1)) if number % size == 0)
    return f"{number // size:,} {unit}"


def _next(row: Row) -> Text:
    return Text("paused", "yellow") if row["paused"] else Text(next_time(row))


def _time(at: str | None, otherwise: str) -> str:
    return moment(datetime.fromisoformat(at)) if at is not None else otherwise
