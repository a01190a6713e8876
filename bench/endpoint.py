"""Requests a second of { __typename } over HTTP POST, against stock Strawberry, Apollo Server and Mercurius.

Pacemark runs as `pacemark serve`, the whole pipeline with nothing taken out: an API key, limits in memory, traces sampled
by default and sent to a collector here. The peers have a schema of one field and check no key: Strawberry's GraphQLRouter
on FastAPI (uvicorn, uvloop, httptools), Apollo Server on Express and standalone, Mercurius with its JIT on Fastify. Each
is one process on 127.0.0.1; all stay up and are measured by autocannon in turns, in another order every round. A ratio is
the median of the rounds' ratios. Where a server is not busy, the load or others on the machine were the limit: then the
processor time of a request says more.

Needs Node 20 or newer and npm, whose packages are installed on the first run. The table goes to standard output, and all
of it to bench/results/TIME.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from bench.peers import running
from bench.peers.running import PEERS, Failed, Server
from bench.telemetry import Sink

OURS = "pacemark"
PEER_COMMANDS: Mapping[str, Sequence[str | Path]] = {
    "stock-strawberry": (sys.executable, "-m", "bench.peers.stock"),
    "apollo": ("node", PEERS / "apollo.mjs"),
    "apollo-standalone": ("node", PEERS / "apollo.mjs", "standalone"),
    "mercurius-jit": ("node", PEERS / "mercurius.mjs"),
}
QUERY = "{ __typename }"
GRACE_SECONDS = 60


class Taken(NamedTuple):
    """One round of one server; `busy` is the share of one processor, `cost` its microseconds for a request."""

    rate: float
    p99_ms: float
    busy: float
    cost: float


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.endpoint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=running.positive, default=3, help="rounds, each of every server (default: 3)")
    parser.add_argument("--seconds", type=running.positive, default=10, help="how long a round of a server is (default: 10)")
    parser.add_argument("--connections", type=running.positive, default=8, help="connections kept alive (default: 8)")
    parser.add_argument("--warm", type=running.positive, default=2, help="seconds to warm each server up (default: 2)")
    parser.add_argument("--peer", action="append", choices=list(PEER_COMMANDS), help="measure this one only; may be said again")
    running.settings(parser)
    given = parser.parse_args()
    node = running.install()
    peers = given.peer or list(PEER_COMMANDS)
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        collector = closing.enter_context(collecting())
        settings = {"PACEMARK_OTLP_ENDPOINT": collector} | dict(given.given)
        starting: dict[str, AbstractContextManager[Server]] = {OURS: running.pacemark(folder, settings)}
        starting |= {name: running.running(PEER_COMMANDS[name], folder) for name in peers}
        servers: dict[str, Server] = {}
        for name, each in starting.items():
            running.progress(f"starting {name}")
            servers[name] = closing.enter_context(each)
            check(servers[name])
        for name, server in servers.items():
            running.progress(f"warming {name} up")
            load(server, given.connections, given.warm)
        rounds = measure(servers, given.rounds, given.connections, given.seconds)
    found = summary(rounds)
    show(rounds, found, given)
    options = {"rounds": given.rounds, "seconds": given.seconds, "connections": given.connections, "set": dict(given.given)}
    print(f"\nkept in {running.keep({'bench': 'endpoint', 'options': options, **found}, node)}")


@contextlib.contextmanager
def collecting() -> Iterator[str]:
    """An OpenTelemetry collector that takes everything; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{sink.server_address[1]}"
        sink.shutdown()


def check(server: Server) -> None:
    """Raises Failed for a server that does not answer what will be asked."""
    said = running.ask(server, QUERY)
    if said != {"__typename": "Query"}:
        raise Failed(f"{server.url} answered {said!r} to {QUERY}")


def measure(servers: Mapping[str, Server], rounds: int, connections: int, seconds: int) -> dict[str, list[Taken]]:
    taken: dict[str, list[Taken]] = {name: [] for name in servers}
    order = list(servers)
    for number in range(rounds):
        for name in order:
            one = load(servers[name], connections, seconds)
            running.progress(f"round {number + 1} of {rounds}: {name}: {one.rate:.0f} requests/s")
            taken[name].append(one)
        order.append(order.pop(0))
    return taken


def load(server: Server, connections: int, seconds: int) -> Taken:
    """Ask for so long over so many connections. Raises Failed where anything but good answers came."""
    headers = {**server.headers, "content-type": "application/json", "accept": "application/json"}
    command: list[str | Path] = ["node", PEERS / "node_modules" / "autocannon" / "autocannon.js", "--json", "--no-progress"]
    command += ["--connections", str(connections), "--duration", str(seconds)]
    command += ["--method", "POST", "--body", json.dumps({"query": QUERY})]
    for name, value in headers.items():
        command += ["--headers", f"{name}={value}"]
    before = server.seconds()
    environment, patience = running.environment(), seconds + GRACE_SECONDS
    done = subprocess.run(
        [*command, server.url], env=environment, capture_output=True, text=True, timeout=patience, check=False
    )
    used = server.seconds() - before
    if done.returncode:
        raise Failed(f"autocannon failed: {done.stderr.strip()[-2000:]}")
    said = json.loads(done.stdout)
    bad = {what: said[what] for what in ("errors", "timeouts", "non2xx") if said[what]}
    if bad or not said["2xx"]:
        raise Failed(f"{server.url} gave {said['2xx']} good answers and {bad or 'nothing else'}: {running.tail(server.log)}")
    answers, took = said["2xx"], said["duration"]
    return Taken(answers / took, said["latency"]["p99"], used / took, used / answers * 1e6)


def summary(rounds: Mapping[str, Sequence[Taken]]) -> dict[str, dict[str, object]]:
    """Rates and ratios, as they are kept."""
    ours = rounds[OURS]
    return {
        "ratios": {
            name: {"endpoint": statistics.median(our.rate / one.rate for our, one in zip(ours, taken, strict=True))}
            for name, taken in rounds.items()
            if name != OURS
        },
        "rates": {name: statistics.median(one.rate for one in taken) for name, taken in rounds.items()},
        "rounds": {name: [one._asdict() for one in taken] for name, taken in rounds.items()},
    }


def show(rounds: Mapping[str, Sequence[Taken]], found: Mapping[str, Mapping[str, object]], given: argparse.Namespace) -> None:
    print(f"{QUERY} over HTTP POST, {given.connections} connections; medians of {given.rounds} rounds of {given.seconds} s")
    print(f"{'':20}{'requests/s':>12}{'p99, ms':>10}{'busy':>8}{'µs/request':>12}{'Pacemark is':>14}")
    for name, taken in rounds.items():
        middle = [statistics.median(values) for values in zip(*taken, strict=True)]
        ratio = found["ratios"].get(name)
        times = f"{ratio['endpoint']:.2f} ×" if isinstance(ratio, dict) else ""
        print(f"{name:20}{middle[0]:12.0f}{middle[1]:10.1f}{middle[2]:8.0%}{middle[3]:12.0f}{times:>14}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Failed as failed:
        raise SystemExit(str(failed)) from None
