"""What `pacemark demo` does from beginning to end, and what its exit status says."""

from __future__ import annotations

import asyncio
import logging
import signal
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import uvloop
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app import logs, processes, remote, server
from app.auditing.table import console
from app.demo import screen, story
from app.demo.site import Site, serving
from app.errors import Unusable
from app.folder import WorkerLock
from app.settings import Settings
from domain.measuring import EngineName

FOUND, MISSED, INTERRUPTED = 0, 1, 130
_OWN: Mapping[str, Any] = MappingProxyType(
    {
        "engines": (EngineName.PROBE,),
        "runner_name": "demo",
        "runner_location": "this machine",
        "confirm_after_seconds": 2,
    }
)


class Alone(Settings):
    """The embedded default, whatever the environment says of other processes."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class Wish(NamedTuple):
    """`data` None: a folder of its own, thrown away in the end."""

    port: int
    data: Path | None
    stays: bool
    as_json: bool


def run(wish: Wish) -> int:
    """The exit status. Raises Unusable."""
    logs.configure(level=logging.ERROR)  # that work is given back unfinished is nothing to be told of here
    with _folder(wish.data) as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(Alone(**_OWN, data=folder.resolve(), port=wish.port), wish))


@contextmanager
def _folder(data: Path | None) -> Generator[Path, None, None]:
    if data is not None:
        yield data.expanduser()
        return
    with tempfile.TemporaryDirectory(prefix="pacemark-demo-") as folder:
        yield Path(folder)


async def _run(settings: Settings, wish: Wish) -> int:
    stop = server.stopped_by_signals()
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # the terminal is closed, and nohup did not say that it may be
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)
    _require_unworked(settings)
    up: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

    def ready(settled: Settings, key: str) -> None:
        up.set_result((settled.base_url, key))

    async with serving() as site:
        pacemark = asyncio.create_task(processes.up(settings, stop, ready))
        playing = asyncio.create_task(_play(up, site, wish, settings.data))
        try:
            await asyncio.wait({pacemark, playing}, return_when=asyncio.FIRST_COMPLETED)
            status = INTERRUPTED
            if playing.done() and not stop.is_set():
                status = playing.result()
                if not wish.stays:
                    stop.set()
            await pacemark
            return status
        except asyncio.CancelledError:
            pacemark.cancel()
            raise
        finally:
            stop.set()
            playing.cancel()
            await asyncio.gather(pacemark, playing, return_exceptions=True)


async def _play(up: asyncio.Future[tuple[str, str]], site: Site, wish: Wish, data: Path) -> int:
    """Raises Unusable."""
    out = console(stderr=wish.as_json)
    url, key = await up
    async with remote.opened(f"{url}/graphql", key, through_proxies=False) as pacemark:
        ending = await story.play(pacemark, site, screen.telling(out))
    if wish.as_json:
        screen.as_json(ending, url, key, str(data))
    else:
        screen.show(ending, url, key, str(data), stays=wish.stays, kept=wish.data is not None)
    return FOUND if ending.is_found else MISSED


def _require_unworked(settings: Settings) -> None:
    """Raises Unusable where another process works on the folder, with another patience than the demo's."""
    lock = WorkerLock(settings.data, shared=False)
    worked = lock.held_elsewhere()
    lock.close()
    if worked:
        raise Unusable(f"Another Pacemark works on {str(settings.data)!r}. Choose another folder, or leave --data out.")
