"""A trial that cannot fail proves nothing: each kind of loss and doubling is seen by its check."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from domain.ids import Kind as Id
from domain.ids import encode

from .checks import Found, check
from .ledger import Kind, Ledger
from .stream import Place
from .subscribers import Seen, Subscriber

WORKSPACE, SITE, SCHEDULE, JOB = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
FINISHED, FAILED, CANCELLED, SCHEDULED = (UUID(int=number) for number in range(11, 15))
SNAPSHOT = UUID(int=15)
LIVES = {FINISHED: "RSPQSPF", FAILED: "RSX", CANCELLED: "RC", SCHEDULED: "RSF"}
KINDS = dict(zip("RSPQFXC", ("REQUESTED", "STARTED", "PROGRESSED", "REQUEUED", "FINISHED", "FAILED", "CANCELLED"), strict=True))
STATES = dict(zip("RSPQFXC", ("QUEUED", "RUNNING", "RUNNING", "QUEUED", "FINISHED", "FAILED", "CANCELLED"), strict=True))
DUE = "2026-11-22T08:00:00+00:00"


class World:
    """A trial that went well, to be spoiled in one place."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        for number, audit in enumerate((FINISHED, FAILED, CANCELLED)):
            self.ledger.accept(str(number), encode(Id.AUDIT, audit))
        self.ledger.cancels.add(encode(Id.AUDIT, CANCELLED))
        self.audits = [self._audit(id, STATES[life[-1]]) for id, life in LIVES.items()]
        self.events: list[dict[str, Any]] = []
        for id, life in LIVES.items():
            for letter in life:
                payload = {"state": STATES[letter], "phase": "ENDED", "run": 0}
                self._say(f"AUDIT_{KINDS[letter]}", id, payload)
        self._say("SCHEDULE_FIRED", SCHEDULE, {"audits": 1, "skipped": 0, "due": DUE})
        self.jobs: list[dict[str, Any]] = []
        self.replays = [{"key": key, "result_id": UUID(hex=id[6:])} for key, id in self.ledger.accepted.items()]
        self.history = {"last": len(self.events), "published": len(self.events)}
        self.seen = [self._seen(event) for event in self.events]
        self.stream = [Place(e["sequence"], WORKSPACE.hex, e["subject"].hex, e["kind"]) for e in self.events]

    def faults(self) -> list[Kind]:
        self.ledger.faults.clear()
        found = Found(self.audits, self.events, self.jobs, self.replays, self.history, frozenset(), [])
        tenant = SimpleNamespace(id=encode(Id.WORKSPACE, WORKSPACE))
        subscriber = cast(Subscriber, SimpleNamespace(name="somebody", tenant=tenant, seen=self.seen, start=0))
        return [fault.kind for fault in check(self.ledger, found, [subscriber], self.stream)]

    def _say(self, kind: str, subject: UUID, payload: dict[str, Any]) -> None:
        event = {"sequence": len(self.events) + 1, "workspace_id": WORKSPACE, "subject": subject}
        self.events.append({**event, "kind": kind, "payload": payload})

    def _audit(self, id: UUID, state: str) -> dict[str, Any]:
        failed = {"failure_kind": "PAGE", "failure_code": "HTTP_ERROR", "failure_message": "It answered 500."}
        return {
            "id": id,
            "workspace_id": WORKSPACE,
            "state": state,
            "runs": 1,
            "measured": 1 if state == "FINISHED" else 0,
            "schedule_id": SCHEDULE if id == SCHEDULED else None,
            "snapshot_id": SNAPSHOT if id == SCHEDULED else None,
            **(failed if state == "FAILED" else dict.fromkeys(failed)),
        }

    def _seen(self, event: dict[str, Any]) -> Seen:
        if event["kind"] == "SCHEDULE_FIRED":
            return Seen(event["sequence"], event["kind"], None, None, None, encode(Id.SCHEDULE, SCHEDULE))
        subject = encode(Id.AUDIT, event["subject"])
        return Seen(event["sequence"], event["kind"], event["payload"]["state"], "ENDED", 1, subject)


def test_a_trial_that_went_well_has_no_faults() -> None:
    assert World().faults() == []


def _lose_an_audit(world: World) -> None:
    world.audits.pop(0)


def _lose_an_end(world: World) -> None:
    world.audits[0]["state"] = "RUNNING"


def _double_an_audit(world: World) -> None:
    world.audits[-1] |= {"schedule_id": None, "snapshot_id": None}


def _double_an_end(world: World) -> None:
    world.events[3]["kind"] = "AUDIT_FINISHED"


def _double_a_run(world: World) -> None:
    world.audits[0]["measured"] = 2


def _answer_a_key_twice(world: World) -> None:
    world.ledger.accepted["another"] = encode(Id.AUDIT, FAILED)


def _cancel_unasked(world: World) -> None:
    world.ledger.cancels.clear()


def _leave_a_gap(world: World) -> None:
    world.events.pop(5)


def _leave_an_event_unplaced(world: World) -> None:
    world.events[-1]["sequence"] = None


def _lose_an_event_in_the_stream(world: World) -> None:
    world.stream.pop()


def _double_an_event_in_the_stream(world: World) -> None:
    world.stream.append(world.stream[-1])


def _miss_an_event(world: World) -> None:
    world.seen.pop(4)


def _receive_an_event_twice(world: World) -> None:
    world.seen.insert(4, world.seen[3])


def _leave_a_job(world: World) -> None:
    world.jobs.append({"id": JOB, "subject": FAILED, "kind": "x", "deliveries": 0, "dead_at": None, "sent_at": None})


def _fire_twice(world: World) -> None:
    world.events.append({**world.events[-1], "sequence": len(world.events) + 1})


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_lose_an_audit, Kind.LOST),
        (_lose_an_end, Kind.LOST),
        (_double_an_audit, Kind.DOUBLED),
        (_double_an_end, Kind.DOUBLED),
        (_double_a_run, Kind.DOUBLED),
        (_answer_a_key_twice, Kind.DOUBLED),
        (_cancel_unasked, Kind.LOST),
        (_leave_a_gap, Kind.LOST),
        (_leave_an_event_unplaced, Kind.LOST),
        (_lose_an_event_in_the_stream, Kind.LOST),
        (_double_an_event_in_the_stream, Kind.DOUBLED),
        (_miss_an_event, Kind.LOST),
        (_receive_an_event_twice, Kind.DOUBLED),
        (_leave_a_job, Kind.LOST),
        (_fire_twice, Kind.DOUBLED),
    ],
)
def test_what_is_lost_or_doubled_is_seen(spoil: Callable[[World], None], kind: Kind) -> None:
    world = World()
    spoil(world)
    assert kind in world.faults()


def test_another_order_another_content_and_a_failure_without_a_reason_are_seen() -> None:
    moved, changed, silent, dead = World(), World(), World(), World()
    moved.seen[2], moved.seen[3] = moved.seen[3], moved.seen[2]
    changed.seen[0] = changed.seen[0]._replace(state="RUNNING")
    silent.audits[1]["failure_message"] = None
    dead.jobs.append({"id": JOB, "subject": FAILED, "kind": "x", "deliveries": 3, "dead_at": DUE, "sent_at": None})
    assert [world.faults() for world in (moved, changed, silent, dead)] == [[Kind.WRONG]] * 4


def test_a_refusal_is_excused_by_an_outage_of_the_database_alone() -> None:
    world = World()
    with world.ledger.database_away():
        world.ledger.refused("serve-1 answered 500")
    assert world.faults() == []
    world.ledger.refusals[0] = world.ledger.refusals[0]._replace(at=1e9)
    assert world.faults() == [Kind.WRONG]
