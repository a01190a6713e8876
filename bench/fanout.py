"""The time in which thousands of subscribers have an event, and the memory that they take, against graphql-ws on Node.

Every subscriber asks one Pacemark process (`pacemark serve`, an API key) for the same: workspaceEvents with equal document
and variables, over WebSocket (graphql-transport-ws) or over SSE, a connection each. An audit is requested over HTTP, which
no worker takes, so that one event happens; the next one when all have it. Measured are the milliseconds to the first, the
median and the last subscriber, from the event's own `at`, which is before its commit, and from the mutation's answer, which
may come after the first subscribers have the event; medians over the events. Memory is what the server's process has more
(VmRSS) than it had after a few subscribers came and went: with all subscribers live, and after the events.

The same is done with a Node server of graphql-ws and ws that tells its subscribers in process and looks things up in a
Map. The subscribers are the same for all: Node with ws in processes of their own, whose processor time for an event is
shown too, as they share the machine with the server. A ratio is Pacemark's figure divided by the peer's: less is better.

Needs Node 20 or newer and npm, whose packages are installed on the first run, and open files (ulimit -Hn) for all
subscribers. The table goes to standard output, and all of it to bench/results/TIME.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.peers import running
from bench.peers.running import PEERS, Failed, Server

WAYS: Mapping[str, tuple[str, str]] = {
    "pacemark-ws": ("pacemark", "ws"),
    "pacemark-sse": ("pacemark", "sse"),
    "graphql-ws": ("node", "ws"),
}
PEER = "graphql-ws"
SETTINGS = {"PACEMARK_STREAMS_AT_ONCE": "20000"}
SPARE_FILES = 256
WARMING = 20
LIVE_SECONDS = 30
LIVE_EACH_SECOND = 20
EVENT_SECONDS = 120
PAUSE_SECONDS = 0.2
SETTLE_SECONDS = 2.0

WORKSPACE = '{ workspace(slug: "default") { id } }'
REQUEST = """mutation Request($url: String!) {
  auditRequest(input: {target: {url: $url}}) { __typename ... on AuditRequestPayload { audit { id } } } }"""
WATCH = """subscription Watch($workspace: ID!) {
  workspaceEvents(workspace: $workspace) {
    __typename cursor at
    ... on AuditEvent { kind state phase run audit { id state page { id url } } }
  }
}"""


class Heard(NamedTuple):
    """One event: milliseconds to the first, the median and the last subscriber, and what the subscribers' processes used."""

    first: float
    median: float
    last: float
    first_after_answer: float
    median_after_answer: float
    last_after_answer: float
    clients: float


class Found(NamedTuple):
    """One way: its events, and bytes for each subscriber, live and after the events."""

    events: Sequence[Heard]
    live: float
    after: float


class Clients:
    """Processes with subscribers in them."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._processes = processes
        self._round = 0

    def connect(self, server: Server, transport: str, workspace: str, count: int) -> None:
        """Raises Failed where not all of them are live in time."""
        asked = {"query": WATCH, "variables": {"workspace": workspace}}
        where = {"transport": transport, "url": server.url, "headers": dict(server.headers)}
        seconds = LIVE_SECONDS + count / LIVE_EACH_SECOND
        shares = [len(range(number, count, len(self._processes))) for number in range(len(self._processes))]
        for process, share in zip(self._processes, shares, strict=True):
            _tell(process, {"do": "connect", **where, **asked, "count": share, "seconds": seconds})
        for process in self._processes:
            _said(process)

    def hear(self, server: Server, url: str) -> Heard:
        """Let an event happen, and wait until all have it."""
        self._round += 1
        for process in self._processes:
            _tell(process, {"do": "expect", "round": self._round, "seconds": EVENT_SECONDS})
            _said(process)
        answer = running.ask(server, REQUEST, {"url": url})["auditRequest"]
        answered = time.monotonic() * 1000
        if answer["__typename"] != "AuditRequestPayload":
            raise Failed(f"auditRequest was answered {answer!r}")
        said = [_said(process) for process in self._processes]
        happened = {_happened(text, answer["audit"]["id"]) for each in said for text in each["texts"]}
        if len(happened) != 1:
            raise Failed(f"Subscribers heard of {len(happened)} times at which one event happened.")
        # The subscribers' clock is the monotonic one, the event's is not.
        began = (happened.pop() - (time.time() - time.monotonic())) * 1000
        times = sorted(each for one in said for each in one["times"])
        first, median, last = times[0], statistics.median(times), times[-1]
        return Heard(
            first=first - began,
            median=median - began,
            last=last - began,
            first_after_answer=first - answered,
            median_after_answer=median - answered,
            last_after_answer=last - answered,
            clients=sum(one["processor"] for one in said),
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.fanout", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=running.positive, default=5000, help="of each way (default: 5000)")
    parser.add_argument("--events", type=running.positive, default=9, help="how many are measured, after two (default: 9)")
    parser.add_argument("--clients", type=running.positive, default=1, help="processes of subscribers (default: 1)")
    parser.add_argument("--way", action="append", choices=list(WAYS), help="take this one only; may be said again")
    running.settings(parser)
    given = parser.parse_args()
    allow_files(given.subscribers)
    node = running.install()
    ways = given.way or list(WAYS)
    with tempfile.TemporaryDirectory() as folder:
        found = {way: take(way, Path(folder), given) for way in ways}
    show(found, given)
    options = {"subscribers": given.subscribers, "events": given.events, "clients": given.clients, "set": dict(given.given)}
    kept = {"bench": "fanout", "options": options, "ratios": ratios(found), "figures": figures(found)}
    print(f"\nkept in {running.keep(kept, node)}")


def allow_files(subscribers: int) -> None:
    """As many open files as the machine allows, for us and all that we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = subscribers + SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Failed(f"{subscribers} subscribers need {needed} open files, and ulimit -Hn is {hard}: raise it, or take fewer.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def take(way: str, folder: Path, given: argparse.Namespace) -> Found:
    """One way from a fresh server to its end."""
    kind, transport = WAYS[way]
    running.progress(f"{way}: starting")
    starting: AbstractContextManager[Server]
    if kind == "pacemark":
        starting = running.pacemark(folder, SETTINGS | dict(given.given))
    else:
        starting = running.running(("node", PEERS / "fanout.mjs"), folder)
    with ExitStack() as closing:
        server = closing.enter_context(starting)
        workspace = running.ask(server, WORKSPACE)["workspace"]["id"]
        with connected(1) as few:
            few.connect(server, transport, workspace, WARMING)
            few.hear(server, "https://example.com/few")
        time.sleep(SETTLE_SECONDS)
        before = server.memory()
        clients = closing.enter_context(connected(min(given.clients, given.subscribers)))
        began = time.monotonic()
        clients.connect(server, transport, workspace, given.subscribers)
        running.progress(f"{way}: {given.subscribers} subscribers live after {time.monotonic() - began:.1f} s")
        live = server.memory() - before
        for number in range(2):
            clients.hear(server, f"https://example.com/warm/{number}")
        events, memory = [], []
        for number in range(given.events):
            time.sleep(PAUSE_SECONDS)
            events.append(clients.hear(server, f"https://example.com/{number}"))
            memory.append(server.memory() - before)
            running.progress(f"{way}: event {number + 1} of {given.events}: the last has it after {events[-1].last:.0f} ms")
        return Found(events, live / given.subscribers, statistics.median(memory) / given.subscribers)


@contextmanager
def connected(count: int) -> Iterator[Clients]:
    """Processes for subscribers, whose connections end with this."""
    command = ["node", str(PEERS / "clients.mjs")]
    with ExitStack() as closing:
        processes = []
        for _ in range(count):
            environment = running.environment()
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
            closing.callback(_end, process)
            processes.append(process)
        yield Clients(processes)


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(running.STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tell(process: subprocess.Popen[str], command: Mapping[str, object]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # what it said last tells why
        print(json.dumps(command), file=process.stdin, flush=True)


def _said(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next line of a client process, which keeps its own deadlines."""
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline() or '{"problem": "it ended"}')
    if "problem" in said:
        raise Failed(f"The subscribers gave up: {said['problem']}")
    return said


def _happened(text: str, audit: str) -> float:
    """When the event of this audit happened, in seconds, from what a subscriber was sent."""
    said, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
    event = said.get("payload", said)["data"]["workspaceEvents"]
    if event["kind"] != "AUDIT_REQUESTED" or event["audit"]["id"] != audit:
        raise Failed(f"A subscriber heard something else than the audit {audit}: {text!r}")
    return datetime.fromisoformat(event["at"]).timestamp()


def middle(events: Sequence[Heard]) -> Heard:
    return Heard(*(statistics.median(values) for values in zip(*events, strict=True)))


def figures(found: Mapping[str, Found]) -> dict[str, dict[str, object]]:
    return {
        way: {
            "median": middle(each.events)._asdict(),
            "bytes_live": each.live,
            "bytes_after": each.after,
            "events": [event._asdict() for event in each.events],
        }
        for way, each in found.items()
    }


def ratios(found: Mapping[str, Found]) -> dict[str, dict[str, float]]:
    """Pacemark's figures divided by the peer's."""
    if PEER not in found or len(found) == 1:
        return {}
    peer, compared = found[PEER], dict[str, float]()
    for way, each in found.items():
        if way != PEER:
            compared[f"{way}-last"] = middle(each.events).last / middle(peer.events).last
            compared[f"{way}-memory"] = each.after / peer.after
    return {PEER: compared}


def show(found: Mapping[str, Found], given: argparse.Namespace) -> None:
    print(f"one event at {given.subscribers} subscribers, ms; medians of {given.events} events")
    print(f"{'':14}{'from its time:':>20}{'after the answer:':>30}{'KiB for each:':>24}{'clients’':>12}")
    marks = f"{'first':>8}{'median':>8}{'last':>8}"
    print(f"{'':14}{marks}{'':6}{marks}{'live':>14}{'after':>8}{'CPU, ms':>12}")
    for way, each in found.items():
        one = middle(each.events)
        times = f"{one.first:8.1f}{one.median:8.1f}{one.last:8.1f}"
        after = f"{one.first_after_answer:14.1f}{one.median_after_answer:8.1f}{one.last_after_answer:8.1f}"
        print(f"{way:14}{times}{after}{each.live / 1024:14.1f}{each.after / 1024:8.1f}{one.clients:12.0f}")
    for peer, compared in ratios(found).items():
        print(f"to {peer}: " + ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in compared.items()))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Failed as failed:
        raise SystemExit(str(failed)) from None
