"""Who breaks things: one after the other in an order of its own, each kind again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from random import Random

import asyncpg

from app.scheduler import LEASE as SCHEDULER
from domain.jobs import CLAIM
from infra.bus.relay import LEASE as RELAY

from .ledger import Kind, Ledger
from .plan import DISTURBANCES, Plan
from .processes import Fleet, Place, Role
from .servers import FAST, IMMEDIATE, Servers

TRIES = 10
BUSY_SECONDS = 3.0
DOOM_SECONDS = 5.0
TAKEN_OVER_SECONDS = 30.0
BEYOND_CLAIM_SECONDS = 5.0

_BUSY = "select count(*) from audits a join runners r on r.id = a.runner_id where r.name = $1 and a.state = 'RUNNING'"
_HOLDER = "select holder from leases where name = $1 and token is not null and until > now()"


class Monkey:
    """Everything is done in turn, but a frozen worker stays frozen while other things are done."""

    def __init__(self, plan: Plan, servers: Servers, fleet: Fleet, ledger: Ledger) -> None:
        self._plan = plan
        self._servers = servers
        self._fleet = fleet
        self._ledger = ledger
        self._random = Random(plan.seed)
        self._freezing: set[asyncio.Task[None]] = set()

    async def run(self, enough: asyncio.Event) -> None:
        """Until it is enough, and everything was done once."""
        for name in self._first_round():
            await self._do(name)
        while not (self._plan.once or enough.is_set()):
            for name in self._random.sample(DISTURBANCES, len(DISTURBANCES)):
                if not enough.is_set():
                    await self._do(name)
        await asyncio.gather(*self._freezing)

    def _first_round(self) -> list[str]:
        """First what takes longest, and what takes clients that still ask."""
        first = ["worker-frozen", "api-between-commit-and-publish"]
        rest = [name for name in DISTURBANCES if name not in first]
        return [*first, *self._random.sample(rest, len(rest))]

    async def _do(self, name: str) -> None:
        deeds: dict[str, Callable[[], Awaitable[bool]]] = {
            "worker": self._kill_worker,
            "api": self._kill_api,
            "api-between-commit-and-publish": self._kill_api_after_commit,
            "relay": self._kill_relay,
            "nats": self._kill_nats,
            "nats-away": self._stop_nats,
            "postgres": self._restart_postgres,
            "postgres-crashed": self._crash_postgres,
            "redis-flushed": self._flush_redis,
            "redis-away": self._stop_redis,
            "scheduler-frozen": self._freeze_scheduler,
            "worker-frozen": self._freeze_worker,
            "relay-frozen": self._freeze_relay,
            "stopped": self._stop_somebody,
        }
        await asyncio.sleep(self._random.uniform(*self._plan.pauses))
        for _ in range(TRIES):
            if await deeds[name]():
                self._ledger.done_to[name] += 1
                return
            await asyncio.sleep(1)
        if not self._ledger.done_to[name]:
            self._ledger.fault(Kind.WRONG, f"{name}: there was nobody to do it to.")

    async def _kill_worker(self) -> bool:
        place = self._any(Role.WORKER)
        if place is None:
            return False
        audits = await self._busy(place)
        self._ledger.say(f"SIGKILL {place.name}, which has {audits} audits")
        place.kill()
        return True

    async def _kill_api(self) -> bool:
        place = self._any(Role.API)
        if place is None:
            return False
        self._ledger.say(f"SIGKILL {place.name}")
        place.kill()
        return True

    async def _kill_api_after_commit(self) -> bool:
        place = self._any(Role.API)
        if place is None:
            return False
        ended = place.ended
        place.doom.touch()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DOOM_SECONDS):
                await ended.wait()
        if place.doom.exists():
            place.doom.unlink()
            return False  # nobody asked it for anything
        self._ledger.say(f"{place.name} has killed itself between a commit and its publishing")
        return True

    async def _kill_relay(self) -> bool:
        place = await self._leader(RELAY)
        if place is None:
            return False
        self._ledger.say(f"SIGKILL {place.name}, which publishes the events")
        place.kill()
        return True

    async def _kill_nats(self) -> bool:
        self._ledger.say("SIGKILL NATS")
        await asyncio.to_thread(self._servers.nats.kill)
        await asyncio.to_thread(self._servers.nats.start)
        return True

    async def _stop_nats(self) -> bool:
        self._ledger.say(f"NATS is away for {self._plan.nats_away:g} s")
        await asyncio.to_thread(self._servers.nats.stop)
        before = len(self._ledger.accepted)
        await asyncio.sleep(self._plan.nats_away)
        self._ledger.say(f"NATS comes back; {len(self._ledger.accepted) - before} audits were accepted meanwhile")
        await asyncio.to_thread(self._servers.nats.start)
        return True

    async def _restart_postgres(self) -> bool:
        self._ledger.say("PostgreSQL is restarted")
        with self._ledger.database_away():
            await asyncio.to_thread(self._servers.postgres.kill, FAST)
            await asyncio.to_thread(self._servers.postgres.start)
        return True

    async def _crash_postgres(self) -> bool:
        self._ledger.say("PostgreSQL crashes")
        with self._ledger.database_away():
            await asyncio.to_thread(self._servers.postgres.kill, IMMEDIATE)
            await asyncio.to_thread(self._servers.postgres.start)
        return True

    async def _flush_redis(self) -> bool:
        self._ledger.say("Redis is flushed")
        await asyncio.to_thread(self._servers.flush)
        return True

    async def _stop_redis(self) -> bool:
        self._ledger.say(f"Redis is away for {self._plan.redis_away:g} s")
        await asyncio.to_thread(self._servers.valkey.kill)
        await asyncio.sleep(self._plan.redis_away)
        await asyncio.to_thread(self._servers.valkey.start)
        return True

    async def _freeze_scheduler(self) -> bool:
        return await self._freeze_leader(SCHEDULER, "is the scheduler")

    async def _freeze_relay(self) -> bool:
        return await self._freeze_leader(RELAY, "publishes the events")

    async def _freeze_leader(self, lease: str, what: str) -> bool:
        """For as long as it takes another process to take over."""
        place = await self._leader(lease)
        if place is None:
            return False
        self._ledger.say(f"SIGSTOP {place.name}, which {what}")
        began, holder, now = self._ledger.elapsed, await self._holder(lease), None
        place.freeze()
        try:
            async with asyncio.timeout(TAKEN_OVER_SECONDS):
                while (now := await self._holder(lease)) is None or now == holder:
                    await asyncio.sleep(0.2)
        except TimeoutError:
            self._ledger.fault(Kind.WRONG, f"Nobody took the lease {lease} over within {TAKEN_OVER_SECONDS:g} s.")
        self._ledger.say(f"SIGCONT {place.name}; {now} took over after {self._ledger.elapsed - began:.1f} s")
        place.thaw()
        return True

    async def _freeze_worker(self) -> bool:
        place = self._any(Role.WORKER)
        if place is None or self._freezing:
            return False
        audits = await self._busy(place)
        self._ledger.say(f"SIGSTOP {place.name}, which has {audits} audits")
        place.freeze()
        task = asyncio.create_task(self._thaw(place))
        self._freezing.add(task)
        task.add_done_callback(self._freezing.discard)
        return True

    async def _thaw(self, place: Place) -> None:
        await asyncio.sleep(CLAIM.total_seconds() + BEYOND_CLAIM_SECONDS)
        self._ledger.say(f"SIGCONT {place.name}")
        place.thaw()

    async def _stop_somebody(self) -> bool:
        """As a deployment does it."""
        place = self._any(self._random.choice(list(Role)))
        if place is None:
            return False
        self._ledger.say(f"SIGTERM {place.name}")
        await place.restart()
        return True

    def _any(self, role: Role) -> Place | None:
        chosen = [place for place in self._fleet.of(role) if place.ready]
        return self._random.choice(chosen) if chosen else None

    async def _busy(self, place: Place) -> int:
        """How many audits it has; waits a moment for there to be one."""
        for _ in range(int(BUSY_SECONDS * 10)):
            if number := await self._value(_BUSY, place.name):
                return int(number)
            await asyncio.sleep(0.1)
        return 0

    async def _leader(self, lease: str) -> Place | None:
        holder = await self._holder(lease)
        place = self._fleet.by_pid(int(str(holder).rpartition(":")[2])) if holder else None
        return place if place is not None and place.ready else None

    async def _holder(self, lease: str) -> str | None:
        return await self._value(_HOLDER, lease)

    async def _value(self, query: str, value: str) -> str | None:
        connection = await asyncpg.connect(self._servers.postgres.url())
        try:
            found: str | None = await connection.fetchval(query, value)
            return found
        finally:
            await connection.close()
