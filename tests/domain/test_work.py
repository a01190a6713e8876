"""The unit of work's own bookkeeping: what it says and what it leaves to others become rows, at its one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from domain.access import SYSTEM
from domain.base import query
from domain.ids import new_id
from domain.measuring import Phase
from domain.work import Event, EventKind, Job, StoredEvent, StoredJob
from infra.db.database import SqlDatabase
from tests.databases import new_workspace


class Kept(NamedTuple):
    workspace_id: UUID
    site_id: UUID | None
    subject: UUID
    kind: str
    payload: dict[str, Any]
    at: datetime


class Waiting(NamedTuple):
    id: UUID
    kind: str
    workspace_id: UUID
    subject: UUID
    priority: int
    at: datetime
    deliveries: int
    sent_at: datetime | None
    claim: UUID | None
    dead_at: datetime | None


STARTED, FINISHED = EventKind.AUDIT_STARTED, EventKind.AUDIT_FINISHED


async def test_what_is_said_is_kept_word_for_word_at_the_units_moment(database: SqlDatabase) -> None:
    moment, here, subject = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC), new_id(), new_id()
    database._clock = lambda: moment
    payload = {"phase": Phase.LOADING, "run": None, "text": "é\U0001f680", "list": [1, {"a": False}]}
    async with database.work(SYSTEM) as work:
        work.say(Event(STARTED, here, subject, here, payload))
        work.say(Event(FINISHED, here, subject))
        assert [event.kind for event in work.said] == [STARTED, FINISHED]
    rows = await database.reader.all(query(Kept, StoredEvent).beyond_reach("A test."))
    assert rows == [
        (here, here, subject, STARTED, {**payload, "phase": "LOADING"}, moment),
        (here, None, subject, FINISHED, {}, moment),
    ]


async def test_a_job_is_a_row_and_a_call(database: SqlDatabase) -> None:
    workspace_id, _ = await new_workspace(database)
    moment, subject = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), new_id()
    database._clock = lambda: moment
    async with database.work(SYSTEM) as work:
        work.enqueue(Job("mails", workspace_id, subject, 7))
    (row,) = await database.reader.all(query(Waiting, StoredJob).beyond_reach("A test."))
    assert row[1:] == ("mails", workspace_id, subject, 7, moment, 0, None, None, None)
    assert [(call.kind, call.job_id) for call in work.calls] == [("mails", row.id)]


def test_an_event_cannot_be_changed_after_it_was_said() -> None:
    event = Event(STARTED, new_id(), new_id())
    with pytest.raises(AttributeError):
        event.kind = FINISHED  # type: ignore[misc]


async def test_two_units_share_nothing_they_said(database: SqlDatabase) -> None:
    async with database.work(SYSTEM) as one:
        one.say(Event(STARTED, new_id(), new_id()))
    async with database.work(SYSTEM) as two:
        assert (two.said, two.calls) == ([], [])
