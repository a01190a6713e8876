"""Routes: which alerts a channel gets, asked for, made, forgotten and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text

from app.alerting import channels
from app.asking import There, change, workspace_of
from app.auditing.plain import plain
from app.commands.tables import console, table
from app.judging import naming

ABOUT = "id kinds severity tags environment createdAt site { id slug } channel { id name }"
ROUTES = f"""query Routes($workspace: String!) {{
  workspace(slug: $workspace) {{ id channels {{ id name everything routes {{ {ABOUT} }} }} }}
}}"""

Row = Mapping[str, Any]


async def listed(there: There, *, channel: str | None) -> Sequence[Row]:
    """The channels, or the one of this name or id, each with its routes. Raises Unusable."""
    found = channels.of(workspace_of(await there.ask(ROUTES, workspace=there.workspace), there))
    return [channels.chosen(there, found, channel)] if channel is not None else found


async def create(there: There, *, channel: str, site: str | None, **given: Any) -> Row:
    """The route. Raises Unusable."""
    given["channel"] = (await channels.named(there, channel))["id"]
    given["site"] = await naming.site(there, site) if site is not None else None
    made: Row = (await change(there, "routeCreate", f"route {{ {ABOUT} }}", **given))["route"]
    return made


async def delete(there: There, *, route: str) -> tuple[str, Row | None]:
    """The id that it had, and the channel that gets nothing any more, where it was its last. Raises Unusable."""
    before = [row for row in await listed(there, channel=None) if any(each["id"] == route for each in row["routes"])]
    gone: str = (await change(there, "routeDelete", "routeId", route=route))["routeId"]
    return gone, next((row for row in before if len(row["routes"]) == 1 and not row["everything"]), None)


def show(rows: Iterable[Row]) -> None:
    """All that are of channels."""
    shown = table("Route", "Which alerts it brings")
    for channel in rows:
        for route in channel["routes"]:
            name = Text(plain(channel["name"], 100)).append(f"\n{route['id']}", "dim")
            which = _which(route)
            shown.add_row(name, which.append("\n(it gets every alert)", "dim") if channel["everything"] else which)
    console().print(shown)


def _which(route: Row) -> Text:
    """All that it names has to be so."""
    kinds = " or ".join(each.lower() for each in route["kinds"]) if route["kinds"] else "whatever it is about"
    said = [f"{kinds}, {route['severity'].lower()}" + (" or graver" if route["severity"] == "WARNING" else "")]
    said += [f"of the site {plain(route['site']['slug'], 100)}"] if route["site"] else []
    said += [f"of sites tagged {' and '.join(plain(tag, 60) for tag in route['tags'])}"] if route["tags"] else []
    said += [f"in {plain(route['environment'], 60)}"] if route["environment"] else []
    return Text("\n".join(said))
