"""The servers below: each keeps its port and its storage, whatever is done to it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests import servers


@dataclass(frozen=True, slots=True)
class Servers:
    postgres: servers.PostgresCluster
    nats: servers.NatsServer
    valkey: servers.ValkeyServer

    def settings(self, data: Path) -> dict[str, str]:
        """What the processes are told."""
        return {
            "env": "test",
            "data": str(data),
            **self.postgres.settings(),
            "nats_url": self.nats.url,
            "nats_prefix": "trial",
            "redis_url": self.valkey.url,
            "secret": "what only this trial's processes know",
            "allow_private_targets": "true",
            "engines": "PROBE",
        }

    def heal(self) -> None:
        for server in (self.postgres, self.nats, self.valkey):
            if not server.running:
                server.start()

    def flush(self) -> None:
        """Redis forgets everything."""
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def logs(self) -> dict[str, Path]:
        return {"postgres": self.postgres.log, "nats": self.nats.log, "valkey": self.valkey.log}


@contextmanager
def started() -> Iterator[Servers]:
    with servers.postgres_cluster() as postgres, servers.nats_server() as nats, servers.valkey_server() as valkey:
        yield Servers(postgres, nats, valkey)


FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
"""How PostgreSQL is told to stop: in good order; at once, so that it recovers from its log when it starts."""
