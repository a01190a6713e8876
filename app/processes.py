"""The processes that stay: everything in one; the API, the worker, the scheduler alone."""

from __future__ import annotations

import asyncio
import json
import shlex
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import typer
import uvloop

from app import bootstrap, server
from app.asgi import create_app
from app.scheduler import schedule
from app.settings import Settings
from app.usage import counted
from app.watching import watched
from app.wiring import House
from app.worker import work

UP_DRAIN_SECONDS = 1.0
_QUERY = "{ viewer { workspaces { nodes { id slug name } } } }"


def run(process: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run until told to stop by a signal. Raises CancelledError when told twice."""

    async def main() -> None:
        await process(server.stopped_by_signals())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def up(settings: Settings, stop: asyncio.Event, welcome: Callable[[Settings, str], None] | None = None) -> None:
    """Migrate, make the first workspace, answer, schedule, and work unless another process does.

    `welcome` takes the settings as they are now, and the first key, once all is ready; else they are printed.
    """
    listening = server.listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    async with bootstrap.embedded(settings, process="up", allow_private=settings.for_oneself) as (house, workspace_id):
        key = await bootstrap.first_key(house, workspace_id)

        def ready() -> None:
            (welcome or _welcome)(settings, key)

        async with asyncio.TaskGroup() as group:
            group.create_task(_answer(house, listening, stop, ready))
            group.create_task(schedule(house, stop))
            group.create_task(work(house, stop, drain_seconds=UP_DRAIN_SECONDS, address=settings.base_url))


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Answer, over a database that is migrated already. Nothing here measures, and what is asked may not be private."""
    await bootstrap.require_current(settings)
    listening = server.listen(settings.host, settings.port)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    async with bootstrap.complete(settings, "serve") as house:
        await _answer(house, listening, stop, lambda: typer.echo(_ready(settings.base_url)))


async def worker(settings: Settings, stop: asyncio.Event, drain_seconds: float) -> None:
    """Work audits, over a database that is migrated already."""
    await bootstrap.require_current(settings)
    async with bootstrap.complete(settings, "worker") as house, watched(house):
        typer.echo(f"ready to work as {settings.runner_name}: {', '.join(house.engines)}")
        await work(house, stop, drain_seconds=drain_seconds)


async def scheduler(settings: Settings, stop: asyncio.Event) -> None:
    """Fire schedules and sweep, over a database that is migrated already, while this process holds the lease."""
    await bootstrap.require_current(settings)
    async with bootstrap.complete(settings, "scheduler") as house, watched(house, counting=True):
        typer.echo("ready to schedule")
        await schedule(house, stop)


async def _answer(house: House, listening: socket.socket, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    app, proxies = create_app(house), house.settings.trusted_proxies

    def settled() -> None:
        server.settle()
        ready()

    async with counted(house):
        await server.answer(app.asgi, listening, stop, settled, drain=app.drain, proxies=proxies)


def _welcome(settings: Settings, key: str) -> None:
    """In production the key stays in its file: what is printed there is kept as a log."""
    url, data, body = settings.base_url, str(settings.data.resolve()), shlex.quote(json.dumps({"query": _QUERY}))
    file = str(settings.data.resolve() / "key")
    hidden = settings.is_production
    bearer = f'"Authorization: Bearer $(cat {shlex.quote(file)})"' if hidden else f"'Authorization: Bearer {key}'"
    lines = (
        "Pacemark is up. Its data lies in " + data,
        "",
        "  API key    " + (f"in {file}" if hidden else key),
        f"  GraphiQL   {url}/graphql" + ("" if hidden else f"#key={key}"),
        f"  curl       curl -s {url}/graphql -H {bearer} -H 'Content-Type: application/json' -d {body}",
        f"  next       pacemark audit https://example.com --data {shlex.quote(data)}",
        "",
        _ready(url),
    )
    typer.echo("\n".join(lines))


def _ready(url: str) -> str:
    return f"ready {url}/graphql"
