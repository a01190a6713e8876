"""What was measured as medians and ratios, and beside what was measured before."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

OURS = "pacemark"
YARDSTICK = "mercurius-jit"

MEASURED_BEFORE_ON_TWO_CORES: Mapping[str, Mapping[str, float]] = {
    "stock-strawberry": {"lookup": 421, "history": 129, "dashboard": 28},
    "apollo": {"lookup": 3_447, "history": 558, "dashboard": 144},
    "yoga": {"lookup": 1_923, "history": 722, "dashboard": 221},
    "mercurius": {"lookup": 4_258, "history": 852, "dashboard": 232},
    "mercurius-jit": {"lookup": 4_803, "history": 1_286, "dashboard": 456},
}
"""Requests a second at eight connections, of the prototypes that Pacemark's design was decided by."""

TARGETS: Mapping[str, Mapping[str, float]] = {
    "mercurius-jit": {"lookup": 1.1, "history": 1.3, "dashboard": 1.3},
    "apollo": {"dashboard": 3},
    "stock-strawberry": {"dashboard": 10},
}
"""How many times as fast Pacemark has to be."""


class Taken(NamedTuple):
    """One round of one server: answers a second, latency, the share of a processor, and processor time of an answer.

    `database_us`: of PostgreSQL's processes.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    busy: float
    server_us: float
    database_us: float


Rounds = Mapping[str, Mapping[str, Sequence[Taken]]]
"""By workload and server."""


def middle(taken: Sequence[Taken]) -> Taken:
    """Median by median."""
    return Taken(*map(statistics.median, zip(*taken, strict=True)))


def ratio(one: Sequence[Taken], other: Sequence[Taken]) -> float:
    """How many times as many answers a second: the median of the rounds' ratios."""
    return statistics.median(a.rate / b.rate for a, b in zip(one, other, strict=True))


def ratios(rounds: Rounds, of: str = OURS) -> dict[str, dict[str, float]]:
    """By server and workload, how many times as fast `of` is."""
    found: dict[str, dict[str, float]] = {}
    for workload, servers in rounds.items():
        for name, taken in servers.items():
            if name != of and of in servers:
                found.setdefault(name, {})[workload] = ratio(servers[of], taken)
    return found


def medians(rounds: Rounds) -> dict[str, dict[str, dict[str, float]]]:
    """By server and workload."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for workload, servers in rounds.items():
        for name, taken in servers.items():
            found.setdefault(name, {})[workload] = middle(taken)._asdict()
    return found


class Kept(NamedTuple):
    """Whether a target is kept."""

    peer: str
    workload: str
    wanted: float
    found: float

    @property
    def is_kept(self) -> bool:
        return self.found >= self.wanted


def targets(found: Mapping[str, Mapping[str, float]]) -> list[Kept]:
    """Those of the issue that were measured."""
    return [
        Kept(peer, workload, wanted, found[peer][workload])
        for peer, workloads in TARGETS.items()
        for workload, wanted in workloads.items()
        if workload in found.get(peer, ())
    ]


class Beside(NamedTuple):
    """A peer's rate over the yardstick's, now and before."""

    peer: str
    workload: str
    now: float
    before: float


def beside(rounds: Rounds) -> list[Beside]:
    """The peers among themselves: none may be slower than it was because of how it is written here."""
    found: list[Beside] = []
    for peer, before in MEASURED_BEFORE_ON_TWO_CORES.items():
        for workload, rate in before.items():
            servers = rounds.get(workload, {})
            if peer != YARDSTICK and peer in servers and YARDSTICK in servers:
                yardstick = MEASURED_BEFORE_ON_TWO_CORES[YARDSTICK][workload]
                found.append(Beside(peer, workload, ratio(servers[peer], servers[YARDSTICK]), rate / yardstick))
    return found
