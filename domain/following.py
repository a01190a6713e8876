"""A workspace's events for one subscriber: what was missed, then what comes, without a gap or a repeat at the seam."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from . import history
from .errors import InvalidInput, ProblemCode
from .ports import Feed, Follower, Missed, Reader
from .work import EventKind, EventRow

SILENCE_SECONDS = 30.0
"""After so long without an event a checkpoint is said, so that a silent subscriber's cursor does not grow old."""


class Checkpoint(NamedTuple):
    """Everything up to this cursor was said. `live`: what was missed has been replayed."""

    cursor: str
    live: bool


class Lagged(NamedTuple):
    """The subscriber was too slow: `missed` events behind `since` were not said."""

    cursor: str
    missed: int
    since: str


class HistoryLost(NamedTuple):
    """What lies behind the given cursor is not there any more; `oldest` is the first place from which all is."""

    cursor: str
    oldest: str


class Happened(NamedTuple):
    """An event and its cursor."""

    cursor: str
    event: EventRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose events, and which: no kinds means all of them, and no sites (None, which is not none at all) the workspace."""

    workspace_id: UUID
    kinds: frozenset[EventKind] = frozenset()
    sites: frozenset[UUID] | None = None

    def has(self, event: EventRow) -> bool:
        return (not self.kinds or event.kind in self.kinds) and (self.sites is None or event.site_id in self.sites)


def check_kinds(kinds: Collection[EventKind] | None) -> frozenset[EventKind]:
    """What `Wanted` takes. Raises InvalidInput for none at all, which could give nothing."""
    if kinds is not None and not kinds:
        raise InvalidInput.at("kinds", "Name a kind at least, or leave kinds out for all of them.", ProblemCode.REQUIRED)
    return frozenset(kinds or ())


async def follow(
    reader: Reader, feed: Feed, wanted: Wanted, after: str | None, *, silence: float = SILENCE_SECONDS
) -> AsyncGenerator[Happened | Checkpoint | Lagged | HistoryLost, None]:
    """From behind `after` (None: from now) for ever. Raises InvalidInput for what is no cursor of this workspace's events.

    The follower listens before the end of the history is read, and the replay goes up to that end: what is said
    meanwhile waits in its queue, and what is in both is dropped by its place.
    """
    workspace_id = wanted.workspace_id
    place = read_place(after, workspace_id)
    with feed.follow(workspace_id) as follower:
        state = await history.state(reader)
        until = state.last

        def at(sequence: int) -> str:
            return history.cursor(state.id, workspace_id, sequence)

        if place is None:
            yield Checkpoint(at(until), live=True)
        elif not _reaches(state, place):
            yield HistoryLost(at(until), at(state.forgotten))
            yield Checkpoint(at(until), live=True)
        else:
            yield Checkpoint(at(place[1]), live=False)
            async with aclosing(_replay(reader, wanted, place[1], until)) as missed:
                async for event in missed:
                    yield Happened(at(event.sequence), event)
            now = await history.state(reader)
            if now.id != state.id or now.forgotten > place[1]:  # it may have been forgotten faster than it was said
                yield HistoryLost(at(until), history.cursor(now.id, workspace_id, now.forgotten))
            yield Checkpoint(at(until), live=True)
        async with aclosing(_live(follower, wanted, until, silence)) as coming:
            async for heard in coming:
                match heard:
                    case EventRow():
                        yield Happened(at(heard.sequence), heard)
                    case Missed():
                        yield Lagged(at(heard.until), heard.number, at(max(heard.since, until)))
                    case int():
                        yield Checkpoint(at(heard), live=True)


async def _replay(reader: Reader, wanted: Wanted, after: int, until: int) -> AsyncGenerator[EventRow, None]:
    while True:
        rows = await history.between(reader, wanted.workspace_id, after, until, wanted.kinds, wanted.sites)
        for row in rows:
            yield row
        if len(rows) < history.BATCH:
            return
        after = rows[-1].sequence


async def _live(
    follower: Follower, wanted: Wanted, until: int, silence: float
) -> AsyncGenerator[EventRow | Missed | int, None]:
    """Events behind `until`; and in silence the place up to which there was nothing to say."""
    now = asyncio.get_running_loop().time
    due = now() + silence
    while True:
        heard = await follower.next(max(0.0, due - now()))
        match heard:
            case EventRow() if heard.sequence > until and wanted.has(heard):
                yield heard
            case Missed() if heard.until > until:
                yield heard
            case _ if now() < due:
                continue  # something that is not for this subscriber: the silence goes on
            case _:
                yield max(until, follower.position)
        due = now() + silence


def read_place(after: str | None, workspace_id: UUID) -> tuple[UUID, int] | None:
    """The history and the place that a cursor names. Raises InvalidInput when it is no cursor of this workspace's events."""
    if after is None:
        return None
    place = history.place(after, workspace_id)
    if place is None:
        message = "This cursor is none of this workspace's events: take it from an event, or from workspace.eventCursor."
        raise InvalidInput.at("after", message, ProblemCode.CURSOR_INVALID)
    return place


def require_place(state: history.HistoryRow, after: str | None, workspace_id: UUID) -> None:
    """Raises InvalidInput where not everything behind the cursor is there."""
    place = read_place(after, workspace_id)
    if place is not None and not _reaches(state, place):
        message = "What lies behind this cursor is forgotten: read the state anew, and go on from workspace.eventCursor."
        raise InvalidInput.at("after", message, ProblemCode.CURSOR_INVALID)


def _reaches(state: history.HistoryRow, place: tuple[UUID, int]) -> bool:
    return place[0] == state.id and state.forgotten <= place[1] <= state.last
