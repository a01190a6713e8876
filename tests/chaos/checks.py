"""What has to be true in the end: read from the database, from the stream, and from what subscribers wrote down."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg

from domain import snapshots
from domain.ids import Kind as Id
from domain.ids import encode
from domain.jobs import MAX_DELIVERIES

from .ledger import Fault, Kind, Ledger
from .stream import Place
from .subscribers import Seen, Subscriber

_LETTERS = {
    "AUDIT_REQUESTED": "R",
    "AUDIT_STARTED": "S",
    "AUDIT_PROGRESSED": "P",
    "AUDIT_REQUEUED": "Q",
    "AUDIT_FINISHED": "F",
    "AUDIT_FAILED": "X",
    "AUDIT_CANCELLED": "C",
}
_ENDS = {"FINISHED": "F", "FAILED": "X", "CANCELLED": "C"}
_LIFE = re.compile(r"R(SP*Q)*(SP*[FXC]|C)")
"""Requested; started, told of and put back, any number of times; started and ended, or cancelled while it waited."""

_AUDITS = """select a.id, a.workspace_id, a.state, a.runs, a.schedule_id, a.snapshot_id,
 a.failure_kind, a.failure_code, a.failure_message,
  a.representative_run, (select count(*) from runs r where r.audit_id = a.id) as measured from audits a"""
_EVENTS = "select sequence, workspace_id, subject, kind, payload from events order by sequence nulls last"
_JOBS = "select id, subject, kind, deliveries, dead_at, sent_at, claim from jobs"
_REPLAYS = "select key, result_id from replays where mutation = 'auditRequest'"
_FILES = "select storage_key from files"
_HISTORY = "select last, published from history"
_IDLE = """select application_name, state, query from pg_stat_activity
  where datname = current_database() and state like 'idle in transaction%' and state_change < now() - interval '3 seconds'"""


class Found(NamedTuple):
    """What the database holds when everything has come to rest."""

    audits: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    jobs: Sequence[Mapping[str, Any]]
    replays: Sequence[Mapping[str, Any]]
    history: Mapping[str, Any]
    files: frozenset[str]
    idle: Sequence[Mapping[str, Any]]

    @classmethod
    async def read(cls, connection: asyncpg.Connection) -> Found:
        audits, events = await connection.fetch(_AUDITS), await connection.fetch(_EVENTS)
        jobs, replays = await connection.fetch(_JOBS), await connection.fetch(_REPLAYS)
        history, files = await connection.fetchrow(_HISTORY), await connection.fetch(_FILES)
        keys = frozenset(row["storage_key"] for row in files)
        return cls(audits, events, jobs, replays, history, keys, await connection.fetch(_IDLE))

    def said(self, kind: str) -> int:
        """How many events of a kind there are."""
        return sum(event["kind"] == kind for event in self.events)

    def failures(self) -> Counter[str]:
        return Counter(row["failure_code"] for row in self.audits if row["state"] == "FAILED")

    def state_of(self) -> dict[str, str]:
        return {encode(Id.AUDIT, row["id"]): row["state"] for row in self.audits}


def check(ledger: Ledger, found: Found, subscribers: Sequence[Subscriber], stream: Sequence[Place]) -> Iterator[Fault]:
    """Everything that is not as it was promised."""
    yield from _accepted(ledger, found)
    yield from _ended(ledger, found)
    yield from _lives(found)
    yield from _places(found)
    yield from _stream(found, stream)
    yield from _left_over(found)
    yield from _firings(found)
    for subscriber in subscribers:
        yield from _received(subscriber, found)
    for refusal in ledger.unexcused():
        yield Fault(Kind.WRONG, f"At {refusal.at:.1f}, while PostgreSQL was there, {refusal.text}")


def _accepted(ledger: Ledger, found: Found) -> Iterator[Fault]:
    """Each key has one audit, and each audit that was asked for has a key."""
    there = {encode(Id.AUDIT, row["id"]) for row in found.audits if row["snapshot_id"] is None}
    answered = Counter(ledger.accepted.values())
    for key, audit in ledger.accepted.items():
        if audit not in there:
            yield Fault(Kind.LOST, f"{audit}, accepted under the key {key}, is not in the database.")
    for audit in there - answered.keys():
        yield Fault(Kind.DOUBLED, f"{audit} is in the database, and no request was answered with it.")
    for audit in (audit for audit, number in answered.items() if number > 1):
        yield Fault(Kind.DOUBLED, f"{audit} was the answer to two keys.")
    kept = {row["key"]: encode(Id.AUDIT, row["result_id"]) for row in found.replays}
    for key in kept.keys() ^ ledger.accepted.keys():
        yield Fault(Kind.WRONG, f"The idempotency key {key} is known on one side only.")


def _ended(ledger: Ledger, found: Found) -> Iterator[Fault]:
    """Each audit has ended, with what belongs to its end."""
    for row in found.audits:
        audit, state = encode(Id.AUDIT, row["id"]), row["state"]
        if state not in _ENDS:
            yield Fault(Kind.LOST, f"{audit} is {state} for ever.")
        if state == "FAILED" and not (row["failure_kind"] and row["failure_code"] and row["failure_message"]):
            yield Fault(Kind.WRONG, f"{audit} failed without a reason.")
        if state == "FAILED" and row["failure_code"] == "INTERNAL":
            yield Fault(Kind.WRONG, f"{audit} failed by a bug: {row['failure_message']}")
        if state == "CANCELLED" and audit not in ledger.cancels:
            yield Fault(Kind.LOST, f"{audit} is cancelled, and nobody asked for that.")
        if state == "FINISHED" and row["measured"] != row["runs"]:
            kind = Kind.DOUBLED if row["measured"] > row["runs"] else Kind.LOST
            yield Fault(kind, f"{audit} has {row['measured']} runs recorded and should have {row['runs']}.")


def _lives(found: Found) -> Iterator[Fault]:
    """Each audit's events tell of one life with one end, which is the one in its row."""
    lives: dict[str, str] = defaultdict(str)
    for event in found.events:
        if event["kind"] in _LETTERS:
            lives[encode(Id.AUDIT, event["subject"])] += _LETTERS[event["kind"]]
    for audit, state in found.state_of().items():
        life = lives.get(audit, "")
        ends = [letter for letter in life if letter in _ENDS.values()]
        if len(ends) > 1:
            yield Fault(Kind.DOUBLED, f"{audit} ended {len(ends)} times: {life}")
        elif not _LIFE.fullmatch(life):
            yield Fault(Kind.LOST, f"{audit} is {state} and its events are {life or 'missing'}.")
        elif ends != [_ENDS.get(state)]:
            yield Fault(Kind.WRONG, f"{audit} is {state} and its events are {life}.")


def _places(found: Found) -> Iterator[Fault]:
    """The history has every place from 1 on once, and all of it has left."""
    places = [event["sequence"] for event in found.events]
    last = found.history["last"]
    if places != list(range(1, len(places) + 1)) or len(places) != last:
        missing = sorted(set(range(1, last + 1)) - set(places))
        yield Fault(
            Kind.LOST,
            f"{len(places)} events, the last place is {last}; missing: {missing[:20]}; {places.count(None)} have none.",
        )
    if found.history["published"] != last:
        yield Fault(Kind.LOST, f"The history has {last} places, and {found.history['published']} were published.")


def _stream(found: Found, stream: Sequence[Place]) -> Iterator[Fault]:
    """The stream has what the history has, each at its place."""
    written = [
        Place(event["sequence"], event["workspace_id"].hex, event["subject"].hex, event["kind"]) for event in found.events
    ]
    if len(stream) != len(written):
        kind = Kind.LOST if len(stream) < len(written) else Kind.DOUBLED
        yield Fault(kind, f"The history has {len(written)} events, and the stream {len(stream)}.")
    for ours, theirs in zip(written, stream, strict=False):
        if ours != theirs:
            yield Fault(Kind.WRONG, f"The history has {ours}, and the stream {theirs}.")
            return


def _left_over(found: Found) -> Iterator[Fault]:
    """No job waits, and what was given up was taken often enough, and its audit says so."""
    codes = {row["id"]: row["failure_code"] for row in found.audits}
    for job in found.jobs:
        if job["kind"] == snapshots.CONFIRM:
            continue  # it waits for the time to confirm what is suspected
        if job["dead_at"] is None:
            sent = "not sent" if job["sent_at"] is None else "sent"
            yield Fault(Kind.LOST, f"The job {job['id'].hex} of {encode(Id.AUDIT, job['subject'])} is left, and {sent}.")
        elif job["deliveries"] < MAX_DELIVERIES or codes.get(job["subject"]) != "WORKER_LOST":
            yield Fault(
                Kind.WRONG,
                f"The job {job['id'].hex} is dead after {job['deliveries']} deliveries, and its audit does not say why.",
            )
    for each in found.idle:
        yield Fault(Kind.WRONG, f"A connection is {each['state']}: {each['query'][:200]}")


def _firings(found: Found) -> Iterator[Fault]:
    """Each schedule fired once for each moment, and asked for as many audits as it says."""
    asked: Counter[Any] = Counter()
    due: Counter[tuple[Any, str]] = Counter()
    for event in found.events:
        if event["kind"] in ("SCHEDULE_FIRED", "SCHEDULE_SKIPPED"):
            due[event["subject"], event["payload"]["due"]] += 1
            asked[event["subject"]] += event["payload"].get("audits", 0)
    for (schedule, moment), number in due.items():
        if number > 1:
            yield Fault(Kind.DOUBLED, f"The schedule {schedule.hex} fired {number} times for {moment}.")
    made = Counter(row["schedule_id"] for row in found.audits if row["schedule_id"] is not None)
    for schedule in asked.keys() | made.keys():
        if asked[schedule] != made[schedule]:
            kind = Kind.DOUBLED if made[schedule] > asked[schedule] else Kind.LOST
            yield Fault(kind, f"The schedule {schedule.hex} told of {asked[schedule]} audits, and there are {made[schedule]}.")


def _received(subscriber: Subscriber, found: Found) -> Iterator[Fault]:
    """Every event of its workspace since its first cursor, once, in order."""
    workspace = subscriber.tenant.id
    due = [
        _as_seen(event)
        for event in found.events
        if encode(Id.WORKSPACE, event["workspace_id"]) == workspace and (event["sequence"] or 0) > subscriber.start
    ]
    seen = [each.sequence for each in subscriber.seen]
    for sequence, number in Counter(seen).items():
        if number > 1:
            yield Fault(Kind.DOUBLED, f"{subscriber.name} received the event {sequence} {number} times.")
    missed = [each.sequence for each in due if each.sequence not in set(seen)]
    if missed:
        yield Fault(Kind.LOST, f"{subscriber.name} did not receive {len(missed)} events: {missed[:20]}")
    elif seen != [each.sequence for each in due]:
        yield Fault(Kind.WRONG, f"{subscriber.name} received the events in another order.")
    by_place = {each.sequence: each for each in due}
    for each in subscriber.seen:
        written = by_place.get(each.sequence)
        if written is None or each not in (written, written._replace(subject=None)):
            yield Fault(Kind.WRONG, f"{subscriber.name} received {each} instead of {written}.")


def _as_seen(event: Mapping[str, Any]) -> Seen:
    payload, kind = event["payload"], event["kind"]
    if kind in _LETTERS:
        run = payload["run"] + 1 if payload["run"] is not None else None
        return Seen(event["sequence"], kind, payload["state"], payload["phase"], run, encode(Id.AUDIT, event["subject"]))
    return Seen(event["sequence"], kind, None, None, None, encode(Id(kind.partition("_")[0].lower()), event["subject"]))
