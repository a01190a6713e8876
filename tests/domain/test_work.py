"""The unit of work's own bookkeeping: what is said in it becomes rows of the outbox, at its one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from domain.access import NOBODY
from domain.base import query
from domain.ids import new_id
from domain.measuring import Phase
from domain.work import Message, Outbox
from infra.db.database import SqlDatabase


class Kept(NamedTuple):
    workspace_id: UUID
    topic: str
    name: str
    payload: dict[str, Any]
    at: datetime


async def test_what_is_said_is_kept_word_for_word_at_the_units_moment(database: SqlDatabase) -> None:
    moment, here = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC), new_id()
    database._clock = lambda: moment
    payload = {"phase": Phase.LOADING, "run": None, "text": "é\U0001f680", "list": [1, {"a": False}]}
    async with database.work(NOBODY) as work:
        work.say(Message("topic.1", "First", here, payload))
        work.say(Message("topic.2", "Second", here))
        assert [message.name for message in work.said] == ["First", "Second"]
    rows = await database.reader.all(query(Kept, Outbox))
    assert rows == [
        (here, "topic.1", "First", {**payload, "phase": "LOADING"}, moment),
        (here, "topic.2", "Second", {}, moment),
    ]


def test_a_message_cannot_be_changed_after_it_was_said() -> None:
    message = Message("topic", "Said", new_id())
    with pytest.raises(AttributeError):
        message.name = "Other"  # type: ignore[misc]


async def test_two_units_share_nothing_they_said(database: SqlDatabase) -> None:
    async with database.work(NOBODY) as one:
        one.say(Message("topic", "Said", new_id()))
    async with database.work(NOBODY) as two:
        assert two.said == []
