"""How large a trial is, and what everything in it is called."""

from __future__ import annotations

from dataclasses import dataclass, field

DISTURBANCES = (
    "worker",
    "api",
    "api-between-commit-and-publish",
    "relay",
    "nats",
    "nats-away",
    "postgres",
    "postgres-crashed",
    "redis-flushed",
    "redis-away",
    "scheduler-frozen",
    "worker-frozen",
    "relay-frozen",
    "stopped",
)
"""Everything that is done to the system, each at least once in every trial."""

WORKSPACES = {"default": 0.70, "middle": 0.20, "small": 0.08, "single": 0.02}
"""Tenants, and which part of the audits each asks for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`requesting` is how many seconds the requests are spread over; `patience`, how long coming to rest may take.

    `once`: everything is done once, and not again and again for as long as clients ask.
    """

    seed: int
    audits: int = 2_000
    workers: int = 2
    serves: int = 2
    schedulers: int = 2
    clients: int = 6
    subscribers: int = 2
    requesting: float = 430.0
    nats_away: float = 30.0
    redis_away: float = 6.0
    pauses: tuple[float, float] = (1.0, 6.0)
    patience: float = 240.0
    once: bool = False
    keep: bool = False
    workspaces: dict[str, float] = field(default_factory=lambda: dict(WORKSPACES))


def short(seed: int) -> Plan:
    """The short form: everything once, in three minutes."""
    return Plan(seed, audits=160, requesting=70.0, nats_away=8.0, redis_away=3.0, pauses=(0.2, 1.5), patience=90.0, once=True)
