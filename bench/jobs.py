"""Jobs per second, and the time from a commit to its event, on both buses with 1, 2 and 4 worker processes.

The whole way with an engine that does nothing: request, outbox, bus, claim, five units of work of the audit, record, event;
first one audit after the other, then all at once.
`python -m bench.jobs [--jobs N] [--rounds N]`; PostgreSQL and NATS are started from wheels. The rounds of all
arrangements take turns, and the figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from app import bootstrap, logs
from app.settings import Settings
from app.wiring import House
from app.worker import Worker
from domain import audits
from domain.access import Actor
from domain.measuring import EngineName, Measured, MetricName, Order, Reached, RunResult
from domain.ports import Follower
from domain.work import EventKind, EventRow
from tests import servers

WRITERS = 4
ALONE = 40
ENDS = (EventKind.AUDIT_FINISHED, EventKind.AUDIT_FAILED)
LANES = 4
STARTED_SECONDS = 60


class Idle:
    """Measures nothing, at once."""

    name = EngineName.PROBE

    async def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]:
        for run in range(order.runs):
            yield Measured(run, RunResult(metrics={MetricName.TTFB: 1.0}, final_url=order.url, engine_version="0"))


class Taken(NamedTuple):
    """One round: jobs a second, and how long events took from their commit in milliseconds, alone and under load."""

    rate: float
    idle: Sequence[float]
    lags: Sequence[float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", metavar="URL", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    logs.configure(level=40)
    if given.work:
        asyncio.run(work(settings(*given.work)))
        return
    with servers.postgres_cluster() as postgres, servers.nats_server() as nats, tempfile.TemporaryDirectory() as folder:
        ways = {(bus, workers): [] for workers in (1, 2, 4) for bus in ("tables (SQLite)", "NATS (PostgreSQL)")}  # type: dict[tuple[str, int], list[Taken]]
        for number in range(given.rounds):
            for (bus, workers), rounds in ways.items():
                name = f"round_{number}_{workers}"
                data = Path(folder) / f"{bus[:3]}-{name}"
                urls = [f"sqlite+aiosqlite:///{data}.db", "", ""]
                if not bus.startswith("tables"):
                    urls = [*asyncio.run(servers.PostgresServer(postgres.port).create_installation(name)).values(), nats.url]
                there = [str(data), *urls, f"bench_{secrets.token_hex(4)}"]
                with processes(there, workers):
                    rounds.append(asyncio.run(take(settings(*there), given.jobs)))
    print(f"{given.jobs} jobs a round, medians of {given.rounds} rounds; {WRITERS} writers, {LANES} lanes a worker")
    print(f"{'':37}commit to event, ms: alone     under load")
    print(f"{'bus':20}{'workers':>8}{'jobs/s':>9}{'p50':>18}{'p99':>7}{'p50':>9}{'p99':>7}")
    for (bus, workers), rounds in ways.items():
        lags = [*_middle([each.idle for each in rounds]), *_middle([each.lags for each in rounds])]
        rate = statistics.median(each.rate for each in rounds)
        print(f"{bus:20}{workers:8}{rate:9.0f}{lags[0]:18.1f}{lags[1]:7.1f}{lags[2]:9.1f}{lags[3]:7.1f}")


def _middle(rounds: Sequence[Sequence[float]]) -> Iterator[float]:
    """The medians of the rounds' p50 and p99."""
    for at in (49, 98):
        yield statistics.median(statistics.quantiles(each, n=100)[at] for each in rounds)


def settings(data: str, url: str, owner: str, nats: str, prefix: str) -> Settings:
    return Settings(
        _env_file=None,
        data=Path(data),
        database_url=url,
        migration_url=owner or None,
        nats_url=nats or None,
        nats_prefix=prefix,
        probes_at_once=LANES,
    )


@contextmanager
def processes(there: Sequence[str], workers: int) -> Iterator[None]:
    """Worker processes over a migrated database, ready."""
    asyncio.run(bootstrap.bring_up_to_date(settings(*there)))
    command = [sys.executable, "-m", "bench.jobs", "--work", *there]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.communicate(timeout=STARTED_SECONDS)


async def work(given: Settings) -> None:
    """A worker without the lock of the data folder, of which SQLite lets one work in earnest."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with bootstrap.complete(given, "worker") as house:
        worker = Worker(replace(house, engines={EngineName.PROBE: Idle()}), drain_seconds=5)
        print("ready", flush=True)
        await worker.run(stop)


async def take(given: Settings, jobs: int) -> Taken:
    """Ask for so many audits and follow them to their end."""
    async with bootstrap.embedded(given) as (house, workspace_id):
        actor = await bootstrap.owner(house, workspace_id)
        committed: dict[UUID, float] = {}
        received: dict[UUID, float] = {}
        with house.hub.follow(workspace_id) as follower:
            idle = [await alone(house, actor, number, follower) for number in range(ALONE)]
            began = time.perf_counter()
            writing = asyncio.gather(*(ask(house, actor, writer, jobs // WRITERS, committed) for writer in range(WRITERS)))
            ended = 0
            while ended < jobs // WRITERS * WRITERS:
                event = await follower.next(60)
                assert isinstance(event, EventRow), event
                if event.kind is EventKind.AUDIT_REQUESTED:
                    received[event.subject] = time.perf_counter()
                ended += event.kind in ENDS
            await writing
        seconds = time.perf_counter() - began
    # An event may be here before its writer's own code goes on behind the commit.
    return Taken(ended / seconds, idle, [max(0.0, received[id] - committed[id]) * 1000 for id in committed])


async def alone(house: House, actor: Actor, number: int, follower: Follower) -> float:
    """Milliseconds from the commit of one request to its event, when nothing else is to be done; its audit ends then."""
    async with house.database.work(actor) as unit:
        id = (await audits.request(unit, url="http://127.0.0.1:1/alone", runs=1, idempotency_key=f"alone-{number}")).id
    committed, heard = time.perf_counter(), 0.0
    while True:
        event = await follower.next(60)
        assert isinstance(event, EventRow), event
        if event.subject == id:
            heard = heard or time.perf_counter()
            if event.kind in ENDS:
                return max(0.0, heard - committed) * 1000


async def ask(house: House, actor: Actor, writer: int, jobs: int, committed: dict[UUID, float]) -> None:
    for number in range(jobs):
        async with house.database.work(actor) as unit:
            url = f"http://127.0.0.1:1/{writer}/{number % 10}"
            id = (await audits.request(unit, url=url, runs=1, idempotency_key=f"{writer}-{number}")).id
        committed[id] = time.perf_counter()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
