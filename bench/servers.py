"""Pacemark as it ships, its variants and its peers over one PostgreSQL: what each is started with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

from bench import statements
from bench.endpoint import collecting
from bench.figures import OURS
from bench.peers import running
from bench.peers.running import PEERS, Server
from bench.seed import Seeded, seed
from tests import servers

NAME = "bench"
SPEED = PEERS / "speed.mjs"

VARIANTS: Mapping[str, Mapping[str, str]] = {
    OURS: {},
    "pacemark-engine-off": {"PACEMARK_COMPILE_QUERIES": "false"},
    "pacemark-redis": {},  # whose address is known when it runs
    "pacemark-traced": {"PACEMARK_TRACE_SAMPLE": "1"},
}
REDIS = "pacemark-redis"


class Peer(NamedTuple):
    """How one is started, and the workloads that it cannot answer as we do. A control is no server that anybody would run."""

    command: Sequence[str | Path]
    control: bool = False
    cannot: frozenset[str] = frozenset()


OTHERS: Mapping[str, Peer] = {
    "mercurius-jit": Peer(("node", SPEED, "mercurius-jit")),
    "mercurius": Peer(("node", SPEED, "mercurius")),
    "apollo": Peer(("node", SPEED, "apollo")),
    "yoga": Peer(("node", SPEED, "yoga")),
    "postgraphile": Peer(("node", SPEED, "postgraphile")),
    # Its schema is the part that the other workloads ask.
    "stock-strawberry": Peer((sys.executable, "-m", "bench.peers.stock_orm"), cannot=frozenset({"introspection"})),
    "stock-strawberry-ours": Peer((sys.executable, "-m", "bench.peers.stock_ours"), control=True),
    "mercurius-jit-ours": Peer(("node", SPEED, "mercurius-jit-ours"), control=True),
}
CHOICES = (*list(VARIANTS)[1:], *OTHERS)
CONTROLS = frozenset({*list(VARIANTS)[1:], *(name for name, peer in OTHERS.items() if peer.control)})

# One key asks for everything here. All of it is counted as ever, and the bucket is never empty.
UNTHROTTLED = {"PACEMARK_COST_CAPACITY": "1e12", "PACEMARK_COST_PER_SECOND": "1e12"}


class Arrangement(NamedTuple):
    """All servers that answer, ours first, and what is in their database."""

    servers: Mapping[str, Server]
    seeded: Seeded


@contextlib.contextmanager
def arranged(folder: Path, names: Sequence[str], audits: int, given: Mapping[str, str]) -> Iterator[Arrangement]:
    """Start everything, in the end stop it. `given`: settings of Pacemark and its variants."""
    with ExitStack() as closing:
        running.progress("starting PostgreSQL and NATS")
        postgres = closing.enter_context(servers.postgres())
        installation = asyncio.run(postgres.create_installation(NAME))
        settings = {
            "PACEMARK_ENV": "production",
            "PACEMARK_SECRET": secrets.token_hex(32),
            "PACEMARK_DATABASE_URL": installation["database_url"],
            "PACEMARK_MIGRATION_URL": installation["migration_url"],
            "PACEMARK_NATS_URL": closing.enter_context(servers.nats()),
            "PACEMARK_OTLP_ENDPOINT": closing.enter_context(collecting()),
            **UNTHROTTLED,
            **given,
        }
        running.progress("migrating and seeding")
        first = folder / "first"
        first.mkdir()
        running.create_key(first, settings)
        seeded = asyncio.run(seed(postgres.url(NAME), audits=audits, told=running.progress))
        statements.write(folder / "statements.json", seeded.workspace_id)
        peers_settings = {"DATABASE_URL": postgres.url(NAME), "PACEMARK_STATEMENTS": str(folder / "statements.json")}
        starting: dict[str, AbstractContextManager[Server]] = {}
        for name in (OURS, *names):
            if name in VARIANTS:
                own = {"PACEMARK_REDIS_URL": closing.enter_context(servers.valkey())} if name == REDIS else {}
                starting[name] = running.pacemark(folder, {**settings, **VARIANTS[name], **own})
            else:
                starting[name] = running.running(OTHERS[name].command, folder, peers_settings)
        started: dict[str, Server] = {}
        for name, each in starting.items():
            running.progress(f"starting {name}")
            started[name] = closing.enter_context(each)
        yield Arrangement(started, seeded)


class Postgres:
    """The processes of the PostgreSQL that this process started."""

    def __init__(self) -> None:
        self._postmaster = next(pid for pid, name, parent, _ in _processes() if name == "postgres" and parent == os.getpid())

    def seconds(self) -> float:
        """Processor time that all of them have used, with those that have ended."""
        return sum(
            own + (ended if pid == self._postmaster else 0)
            for pid, _, parent, (own, ended) in _processes()
            if self._postmaster in (pid, parent)
        )


def _processes() -> Iterator[tuple[int, str, int, tuple[float, float]]]:
    """Id, name, parent, and seconds: its own and those of children that have ended."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_text()
        except OSError:  # it has ended
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        ticks = [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:15]]
        yield int(file.parent.name), name, int(fields[1]), (ticks[0] + ticks[1], ticks[2] + ticks[3])
