"""Those who listen: they lose their connection again and again, and go on behind the last cursor that they saw."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from domain import history
from domain.ids import Kind as Id
from domain.ids import decode

from .clients import Tenant
from .ledger import Kind, Ledger
from .processes import Fleet

CONNECTED_SECONDS = 12.0
SILENCE_SECONDS = 45.0
"""A checkpoint comes after 30 s without an event."""
OPEN_SECONDS = 6.0
AGAIN_SECONDS = 0.5

EVENTS = """subscription ($workspace: ID!, $after: Cursor) { workspaceEvents(workspace: $workspace, after: $after) {
  __typename cursor
  ... on Checkpoint { live } ... on Lagged { missed since } ... on HistoryLost { oldest }
  ... on AuditEvent { kind state phase run audit { id } } ... on ScheduleEvent { kind schedule { id } }
  ... on SnapshotEvent { kind snapshot { id } } ... on AlertEvent { kind alert { id } } } }"""

THINGS = {"AuditEvent": "audit", "ScheduleEvent": "schedule", "SnapshotEvent": "snapshot", "AlertEvent": "alert"}
"""What each type of event is about."""


class Seen(NamedTuple):
    """An event as it was received. `subject` is None where the thing could not be read at that moment."""

    sequence: int
    kind: str
    state: str | None
    phase: str | None
    run: int | None
    subject: str | None


class Lost(Exception):  # noqa: N818 - it is what the trial is about
    """The connection is over: go on at another place."""


class Subscriber:
    """`seen` is all that it received, in the order of receiving."""

    def __init__(self, tenant: Tenant, number: int, fleet: Fleet, ledger: Ledger, random: Random) -> None:
        self.tenant = tenant
        self.name = f"subscriber {number} of {tenant.slug}"
        self.seen: list[Seen] = []
        self.resumed = 0
        self._workspace = decode(Id.WORKSPACE, tenant.id)
        self._fleet = fleet
        self._ledger = ledger
        self._random = random
        self._cursor = tenant.cursor
        self._base = ""
        self._moved = asyncio.Event()
        self.start = self.place = self._sequence(tenant.cursor)

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._random.expovariate(1 / CONNECTED_SECONDS) + 0.5):
                    await self._connected()
            except (OSError, TimeoutError, WebSocketException, Lost) as error:
                self._ledger.notes[f"subscriptions ended: {_reason(error)}"] += 1
            self.resumed += 1
            await asyncio.sleep(self._random.uniform(0, AGAIN_SECONDS))

    async def reach(self, sequence: int) -> None:
        """Wait until it has seen this place of the history, or something behind it."""
        while self.place < sequence:
            self._moved.clear()
            await self._moved.wait()

    async def _connected(self) -> None:
        others = [place.base for place in self._fleet.apis if place.base != self._base]
        self._base = self._random.choice(others) if others else self._base
        headers = {"Authorization": f"Bearer {self.tenant.key}"}
        socket = await connect(
            f"ws://{self._base}/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
            additional_headers=headers,
            open_timeout=OPEN_SECONDS,
            proxy=None,
        )
        try:
            await self._listen(socket)
        finally:
            socket.transport.abort()  # as a network does it: nobody says goodbye
            await socket.wait_closed()

    async def _listen(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "connection_init"}))
        variables = {"workspace": self.tenant.id, "after": self._cursor}
        async with aclosing(self._messages(socket)) as messages:
            async for said in messages:
                match said["type"]:
                    case "connection_ack":
                        payload = {"query": EVENTS, "variables": variables}
                        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                    case "next":
                        self._hear(said["payload"])
                    case "error":
                        self._ledger.refused(f"{self.name} was told: {json.dumps(said['payload'])[:300]}")
                        raise Lost("the API refused it")
                    case "complete":
                        raise Lost("the API completed it")

    async def _messages(self, socket: ClientConnection) -> AsyncGenerator[dict[str, Any], None]:
        for first in itertools.chain([True], itertools.repeat(False)):
            try:
                async with asyncio.timeout(OPEN_SECONDS if first else SILENCE_SECONDS):
                    text = await socket.recv()
            except TimeoutError:
                raise Lost("it was silent for too long") from None
            yield json.loads(text)

    def _hear(self, payload: dict[str, Any]) -> None:
        event = (payload.get("data") or {}).get("workspaceEvents")
        if event is None:
            self._ledger.refused(f"{self.name} was told: {json.dumps(payload)[:300]}")
            raise Lost("an event could not be told")
        sequence = self._sequence(event["cursor"])
        match event["__typename"]:
            case "Checkpoint":
                if sequence < self.place:
                    self._ledger.fault(Kind.WRONG, f"{self.name} is sent back from {self.place} to {sequence}.")
            case "Lagged":
                self._ledger.notes["subscribers that lagged"] += 1
                self._cursor = event["since"]
                raise Lost("it was too slow")
            case "HistoryLost":
                self._ledger.fault(Kind.LOST, f"{self.name} at {self.place}: the history was lost up to {event['oldest']}.")
            case kind:
                if sequence <= self.place:
                    again = Kind.DOUBLED if any(each.sequence == sequence for each in self.seen) else Kind.WRONG
                    self._ledger.fault(again, f"{self.name} at {self.place} was told of {sequence} ({event['kind']}).")
                self.seen.append(_seen(sequence, kind, event))
        self._cursor, self.place = event["cursor"], max(sequence, self.place)
        self._moved.set()

    def _sequence(self, cursor: str) -> int:
        place = history.place(cursor, self._workspace)
        assert place is not None, cursor
        return place[1]


def _seen(sequence: int, kind: str, event: dict[str, Any]) -> Seen:
    thing = event[THINGS[kind]]
    subject = thing["id"] if thing else None
    if kind != "AuditEvent":
        return Seen(sequence, event["kind"], None, None, None, subject)
    return Seen(sequence, event["kind"], event["state"], event["phase"], event["run"], subject)


def _reason(error: Exception) -> str:
    match error:
        case Lost():
            return str(error)
        case TimeoutError():
            return "on purpose"
        case OSError():
            return "nobody answered"
    return f"{type(error).__name__}"
