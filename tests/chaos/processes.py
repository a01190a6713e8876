"""The processes of Pacemark: each place is filled at all times, whoever is killed is followed by another."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.app.running import environment

from .ledger import Kind, Ledger

ROOT = Path(__file__).parents[2]
BETWEEN_STARTS_SECONDS = 2.0
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
CHILD_SECONDS = 8.0
"""So long an engine's process may outlive its worker."""
UNUSABLE = 2
MORE_FILES = 60
"""So many more than after a start: pools fill up, and empty when they like."""
MORE_TASKS = 3
SETTLING_SECONDS = 10


class Role(StrEnum):
    API = "serve"
    WORKER = "worker"
    SCHEDULER = "scheduler"


class Child(NamedTuple):
    """A process by its id and the moment of its start: ids are used again."""

    pid: int
    started: str


class Place:
    """Where one process after the other runs. `base` is where an API answers."""

    def __init__(self, role: Role, number: int, folder: Path, settings: Mapping[str, str], ledger: Ledger, port: int) -> None:
        self.role = role
        self.name = f"{role}-{number}"
        self.base = f"127.0.0.1:{port}"
        self.frozen = False
        self.doom = folder / f"{self.name}.doom"
        self._words = [role.value, *(["--port", str(port)] if role is Role.API else [])]
        self._folder = folder
        self._environment = environment(folder, **settings, runner_name=self.name) | {
            "CHAOS_DOOM": str(self.doom),
            "PYTHONPATH": str(ROOT),
        }
        self._ledger = ledger
        self._ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._log = folder
        self._generation = 0
        self._doomed = False
        self._stopping = False
        self._keeping: asyncio.Task[None] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self.ended = asyncio.Event()

    @property
    def ready(self) -> bool:
        return self._ready.is_set() and not self.frozen

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep(), name=f"place of {self.name}")

    async def until_ready(self) -> None:
        async with asyncio.timeout(READY_SECONDS):
            await self._ready.wait()

    async def stop(self) -> None:
        """End it in good order, for good."""
        self._stopping = True
        self.thaw()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        if self._keeping is not None:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await asyncio.shield(self._keeping)
            except TimeoutError:
                self._ledger.fault(Kind.WRONG, f"{self.name} did not end within {STOP_SECONDS:g} s of SIGTERM.")
                self.kill()
                await self._keeping
        await asyncio.gather(*self._watching)

    async def restart(self) -> None:
        """End it in good order; another follows."""
        ending, process = self.ended, self._process
        assert process is not None
        self._doomed = True
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await ending.wait()
        except TimeoutError:
            self._ledger.fault(Kind.WRONG, f"{self.name} did not end within {STOP_SECONDS:g} s of SIGTERM.")
            self.kill()
        if process.returncode not in (0, -signal.SIGKILL):
            self._ledger.fault(Kind.WRONG, f"{self.name} ended with {process.returncode} after SIGTERM: {self.last_words()}")

    def kill(self) -> None:
        """Without a word. Its children are watched: none may outlive it for long."""
        self.freeze()  # so that nobody is born after the census
        children = _children(self.pid)
        self._doomed = True
        self.signal(signal.SIGKILL)
        self.frozen = False
        if children:
            task = asyncio.create_task(self._watch(children))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    def freeze(self) -> None:
        self.frozen = True
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.frozen:
            self.frozen = False
            self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def files(self) -> int:
        """How many file descriptors it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    async def tasks(self) -> str:
        """How many tasks its event loop has, and which."""
        before = self._said("tasks ")
        self.signal(signal.SIGUSR2)
        async with asyncio.timeout(5):
            while len(said := self._said("tasks ")) == len(before):
                await asyncio.sleep(0.05)
        return said[-1].removeprefix("tasks ")

    def last_words(self) -> str:
        text = self._log.read_text(errors="replace").strip()
        return text[-1500:] if text else "(it said nothing)"

    async def _keep(self) -> None:
        while not self._stopping:
            self.ended = asyncio.Event()
            self._doomed = False
            self._generation += 1
            self._log = self._folder / f"{self.name}.{self._generation}.log"
            with self._log.open("wb") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.chaos.crashing", *self._words),
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            if self._stopping:
                self._process.send_signal(signal.SIGTERM)
            waiting = asyncio.create_task(self._await_ready())
            status = await self._process.wait()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            self._account(status)
            self._ready.clear()
            self.frozen = False
            self.ended.set()
            if not self._stopping:
                await asyncio.sleep(BETWEEN_STARTS_SECONDS if not self._doomed else 0)

    async def _await_ready(self) -> None:
        while not self._said("ready "):
            await asyncio.sleep(0.05)
        self._ready.set()

    def _account(self, status: int) -> None:
        if self._doomed or (status == -signal.SIGKILL and not self.doom.exists()):
            return
        if self._stopping:
            if status != 0 and self._ready.is_set():
                self._ledger.fault(Kind.WRONG, f"{self.name} ended with {status} after SIGTERM: {self.last_words()}")
        elif status == UNUSABLE and not self._ready.is_set():
            self._ledger.notes["starts refused while a service was away"] += 1
            self._ledger.say(f"{self.name} refuses to start: {self.last_words().splitlines()[-1]}")
        else:
            when = "by itself" if self._ready.is_set() else "while it started"
            self._ledger.fault(Kind.WRONG, f"{self.name} ended with {status} {when}: {self.last_words()}")

    async def _watch(self, children: Sequence[Child]) -> None:
        await asyncio.sleep(CHILD_SECONDS)
        self._ledger.notes["engine processes whose worker was killed"] += len(children)
        for child in children:
            if _started(child.pid) == child.started:
                self._ledger.fault(Kind.WRONG, f"{self.name}'s child {child.pid} outlives it by {CHILD_SECONDS:g} s.")

    def _said(self, beginning: str) -> list[str]:
        with contextlib.suppress(OSError):
            return [line for line in self._log.read_text(errors="replace").splitlines() if line.startswith(beginning)]
        return []


def _children(pid: int) -> list[Child]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == pid and stat[0] != "Z":
                    found.append(Child(int(folder.name), stat[19]))
    return found


def _started(pid: int) -> str | None:
    """When the process of this id was started, in ticks; None when there is none, or it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return stat[19] if stat[0] != "Z" else None


class Fleet:
    """All places. Entered, everything is started; left, everything is ended."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places

    def of(self, role: Role) -> list[Place]:
        return [place for place in self.places if place.role is role]

    def by_pid(self, pid: int) -> Place | None:
        return next((place for place in self.places if place.pid == pid), None)

    @property
    def apis(self) -> list[Place]:
        """Those that answer, or all of them when none does."""
        return [place for place in self.of(Role.API) if place.ready] or self.of(Role.API)

    async def start(self) -> None:
        for place in self.places:
            await place.start()
        for place in self.places:
            await place.until_ready()

    async def heal(self) -> None:
        for place in self.places:
            place.thaw()
            place.doom.unlink(missing_ok=True)
        for place in self.places:
            await place.until_ready()

    async def stop(self) -> None:
        await asyncio.gather(*(place.stop() for place in self.places))


class Census(NamedTuple):
    """What a process has: open files, tasks of its event loop, and which tasks these are."""

    files: int
    tasks: int
    names: str


async def census(fleet: Fleet) -> dict[str, Census]:
    """By the names of the places, when the number of tasks does not change any more."""
    counted = await _census(fleet)
    for _ in range(SETTLING_SECONDS):
        before = counted
        await asyncio.sleep(1)
        counted = await _census(fleet)
        if all(counted[name].tasks == each.tasks for name, each in before.items()):
            break
    return counted


async def _census(fleet: Fleet) -> dict[str, Census]:
    counted = {}
    for place in fleet.places:
        number, _, names = (await place.tasks()).partition(" ")
        counted[place.name] = Census(place.files(), int(number), names)
    return counted


def leaks(before: Mapping[str, Census], after: Mapping[str, Census]) -> list[str]:
    """Whoever has more in the end than right after the start, and has had time to come to rest."""
    return [
        f"{name} had {before[name].files} files and {before[name].tasks} tasks, now {now.files} and {now.tasks}: {now.names}"
        for name, now in after.items()
        if now.files > before[name].files + MORE_FILES or now.tasks > before[name].tasks + MORE_TASKS
    ]
