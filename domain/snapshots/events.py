"""What snapshots say."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from ..work import Event, EventKind
from .model import Cause, SnapshotState


class _Placed(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def workspace_id(self) -> UUID: ...

    @property
    def site_id(self) -> UUID: ...

    @property
    def cause(self) -> Cause: ...


_KINDS = {
    SnapshotState.RUNNING: EventKind.SNAPSHOT_REQUESTED,
    SnapshotState.FINISHED: EventKind.SNAPSHOT_FINISHED,
    SnapshotState.CANCELLED: EventKind.SNAPSHOT_CANCELLED,
}


JUDGE = "snapshots.judge"
"""The kind of the job that looks at what a snapshot measured."""

CONFIRM = "snapshots.confirm"
"""The kind of the job that, after a while, measures again what is suspected."""


def became(snapshot: _Placed, state: SnapshotState) -> Event:
    payload = {"state": state, "cause": snapshot.cause}
    return Event(_KINDS[state], snapshot.workspace_id, snapshot.id, snapshot.site_id, payload)


def judged(snapshot: _Placed, regressed: int, improved: int) -> Event:
    payload = {"state": SnapshotState.FINISHED, "cause": snapshot.cause, "regressed": regressed, "improved": improved}
    return Event(EventKind.SNAPSHOT_JUDGED, snapshot.workspace_id, snapshot.id, snapshot.site_id, payload)
