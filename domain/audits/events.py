"""What audits say: how far one has come. And what their work is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from ..measuring import EngineName, Phase
from ..work import Event, EventKind
from .model import AuditState


class _Placed(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def workspace_id(self) -> UUID: ...

    @property
    def site_id(self) -> UUID: ...


class Placed(NamedTuple):
    """An audit and where it belongs."""

    id: UUID
    workspace_id: UUID
    site_id: UUID


KINDS: Mapping[EngineName, str] = MappingProxyType({engine: f"audits.{engine.lower()}" for engine in EngineName})
"""One kind of work for each engine: a worker waits for what it can measure."""

JUDGE = "audits.judge"
"""The kind of the job that looks at an audit that is part of no snapshot, once it has ended."""

_ENDED = {
    AuditState.FINISHED: EventKind.AUDIT_FINISHED,
    AuditState.FAILED: EventKind.AUDIT_FAILED,
    AuditState.CANCELLED: EventKind.AUDIT_CANCELLED,
}


def requested(audit: _Placed) -> Event:
    return _event(EventKind.AUDIT_REQUESTED, audit, AuditState.QUEUED, Phase.QUEUED)


def started(audit: _Placed, trace: str | None) -> Event:
    return replace(_event(EventKind.AUDIT_STARTED, audit, AuditState.RUNNING, Phase.STARTING), trace=trace)


def progressed(audit: _Placed, phase: Phase, run: int | None) -> Event:
    return _event(EventKind.AUDIT_PROGRESSED, audit, AuditState.RUNNING, phase, run)


def requeued(audit: _Placed) -> Event:
    return _event(EventKind.AUDIT_REQUEUED, audit, AuditState.QUEUED, Phase.QUEUED)


def ended(audit: _Placed, state: AuditState) -> Event:
    return _event(_ENDED[state], audit, state, Phase.ENDED)


def _event(kind: EventKind, audit: _Placed, state: AuditState, phase: Phase, run: int | None = None) -> Event:
    payload: Mapping[str, Any] = {"state": state, "phase": phase, "run": run}
    return Event(kind, audit.workspace_id, audit.id, audit.site_id, payload)
