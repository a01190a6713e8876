"""`pacemark channels`: where alerts are told, and whether that works."""

from __future__ import annotations

import json as as_json
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import opening, options
from app.commands.options import AsJson, Data, Server, Workspace
from app.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from app.asking import There

app = typer.Typer(name="channels", help="Where alerts are told.", no_args_is_help=True)

FAILED = 1

Channel = Annotated[
    str,
    typer.Argument(metavar="CHANNEL", help="Its name or id, as `pacemark channels list` shows them.", show_default=False),
]


@app.callback()
def group() -> None:
    """Channels: where alerts are told. `pacemark routes` says which of them get which. docs/alerts.md says how."""


@app.command("list")
def listed(json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None) -> None:
    """List where alerts are told, by name."""
    from app.alerting import channels

    rows = opening.asked(channels.listed, workspace, server, data)
    if json:
        typer.echo(as_json.dumps(rows, indent=2))
    else:
        channels.show(rows, options.given(workspace, server, data))


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it; once in a workspace.", show_default=False)],
    url: Annotated[str | None, typer.Option(metavar="URL", help="Tell a webhook, signed.", show_default=False)] = None,
    slack: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Tell an incoming webhook of Slack, Mattermost or the like.", show_default=False),
    ] = None,
    email: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Send mail there; may be given up to ten times.", show_default=False),
    ] = None,
    routed: Annotated[
        bool, typer.Option("--routed", help="It gets what its routes say, and nothing before it has one.  (else every alert)")
    ] = False,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Let alerts be told somewhere: say one of --url, --slack and --email. A webhook's secret is shown once."""
    from app.alerting import channels

    ways = {"WEBHOOK": url, "SLACK": slack, "EMAIL": email}
    kinds = [kind for kind, where in ways.items() if where]
    if len(kinds) != 1:
        raise Unusable("Say where, by one of them: --url URL, --slack URL, or --email ADDRESS.")
    ask = partial(
        channels.create, kind=kinds[0], name=name, url=url or slack, emails=email or None, everything=False if routed else None
    )
    made, secret = opening.asked(ask, workspace, server, data)
    if json:
        typer.echo(as_json.dumps({**made, "secret": secret}, indent=2))
        return
    there = options.given(workspace, server, data)
    typer.echo(f"{made['id']} gets {channels.gets(made).plain}.")
    if secret is not None:
        typer.echo(f"What signs its messages, shown this once: {secret}")
    typer.echo(f"See whether it works: pacemark channels test {made['id']}{there}")


@app.command("test")
def try_out(
    channel: Channel,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Wait for so long at most.")] = 30,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Tell a channel something, by way of a running worker, and say what came of it; exit status 1 where it was not taken."""
    from app.alerting import channels
    from domain.notifications import DeliveryState

    delivery = opening.asked(partial(channels.test, channel=channel, seconds=timeout), workspace, server, data)
    if delivery is None:
        raise Unusable(f"The channel {channel!r} was deleted meanwhile.")
    if delivery["state"] == DeliveryState.WAITING:
        raise Unusable(f"Nobody sent it within {timeout:g} s: start `pacemark up` or `pacemark worker`. It waits for them.")
    if not delivery["attempts"]:
        raise Unusable("It was given up: each worker that took it disappeared. Look at what the workers log, and try it again.")
    taken = delivery["state"] == DeliveryState.SENT
    if json:
        typer.echo(as_json.dumps(delivery, indent=2))
    elif taken:
        typer.echo(f"{channel} took it{_status(delivery)}, in {delivery['attempts'][-1]['durationMs']:,.0f} ms.")
    else:
        typer.echo(f"{channel} did not take it. {_said(delivery)}", err=True)
    if not taken:
        raise typer.Exit(FAILED)


@app.command()
def deliveries(
    channel: Annotated[
        str | None,
        typer.Argument(metavar="[CHANNEL]", help="Of this one alone: its name or id.  (all)", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="So many of the newest.")] = 20,
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """List what channels were told, the newest first: how it stands, how often it was tried, and what was answered."""
    from app.alerting import deliveries

    found, rows, more = opening.asked(partial(_deliveries, channel=channel, most=limit), workspace, server, data)
    there = options.given(workspace, server, data)
    if json:
        typer.echo(as_json.dumps(rows, indent=2))
    elif rows:
        deliveries.show(rows, there)
    elif found:
        typer.echo(f"Nothing was told for 30 days. See whether it works: pacemark channels test NAME{there}")
    else:
        typer.echo(f"Alerts are told nowhere yet. Make a channel: pacemark channels create NAME --url URL{there}")
    if more:
        typer.echo(f"There are more than these {len(rows):,}: --limit N.", err=json)


@app.command()
def retry(
    delivery: Annotated[
        str,
        typer.Argument(metavar="ID", help="A delivery's id, as `pacemark channels deliveries` shows it.", show_default=False),
    ],
    json: AsJson = False,
    server: Server = None,
    workspace: Workspace = "default",
    data: Data = None,
) -> None:
    """Try at once what waits or was given up, and as often as if it were new."""
    from app.alerting import deliveries

    row = opening.asked(partial(deliveries.retry, delivery=delivery), workspace, server, data)
    again = f"pacemark channels deliveries{options.given(workspace, server, data)}"
    typer.echo(as_json.dumps(row, indent=2) if json else f"It is tried as soon as a worker is free. See: {again}")


@app.command()
def pause(
    channel: Channel, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Send nothing to a channel from now on; what waits for it is given up."""
    from app.alerting import channels

    row = opening.asked(partial(channels.update, channel=channel, paused=True), workspace, server, data)
    again = f"pacemark channels resume {row['id']}{options.given(workspace, server, data)}"
    typer.echo(as_json.dumps(row, indent=2) if json else f"It is paused. Let it be told again: {again}")


@app.command()
def resume(
    channel: Channel, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Let a paused channel be told of what comes from now on, whoever paused it."""
    from app.alerting import channels

    row = opening.asked(partial(channels.resume, channel=channel), workspace, server, data)
    again = f"pacemark channels deliveries {row['id']}{options.given(workspace, server, data)}"
    typer.echo(as_json.dumps(row, indent=2) if json else f"It is told again. What was given up meanwhile: {again}")


@app.command()
def everything(
    channel: Channel, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Tell a channel of every alert from now on, whatever its routes say."""
    from app.alerting import channels

    row = opening.asked(partial(channels.update, channel=channel, everything=True), workspace, server, data)
    typer.echo(as_json.dumps(row, indent=2) if json else "It gets every alert from now on.")


@app.command()
def delete(
    channel: Channel, json: AsJson = False, server: Server = None, workspace: Workspace = "default", data: Data = None
) -> None:
    """Forget a channel with its routes and deliveries; nothing that waited is sent."""
    from app.alerting import channels

    gone = opening.asked(partial(channels.delete, channel=channel), workspace, server, data)
    typer.echo(as_json.dumps({"id": gone["channelId"]}, indent=2) if json else "The channel is forgotten.")


async def _deliveries(
    there: There, *, channel: str | None, most: int
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], bool]:
    """The channels that are meant, what they were told, and whether there is more. Raises Unusable."""
    from app.alerting import channels, deliveries

    found = [await channels.named(there, channel)] if channel is not None else list(await channels.listed(there))
    return found, *await deliveries.listed(there, found, most)


def _status(delivery: Mapping[str, Any]) -> str:
    status = delivery["attempts"][-1]["status"]
    return f" with status {status}" if status is not None else ""


def _said(delivery: Mapping[str, Any]) -> str:
    from app.auditing.plain import plain

    last = delivery["attempts"][-1]
    return plain(last["error"] or "", 500) + (f" It said: {plain(last['answer'], 500)}" if last["answer"] else "")
