"""What audits say: there is work, and how far one has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ..measuring import Phase
from ..work import Message
from .model import AuditState

JOBS = "jobs.audits"
"""The topic on which workers hear that there is work."""


def topic(audit_id: UUID) -> str:
    """The topic on which one audit's progress is told."""
    return f"audit.{audit_id.hex}"


def work_waits(workspace_id: UUID) -> Message:
    return Message(JOBS, "AuditWaits", workspace_id)


def progressed(workspace_id: UUID, audit_id: UUID, state: AuditState, phase: Phase, run: int | None = None) -> Message:
    payload: Mapping[str, Any] = {"state": state, "phase": phase, "run": run}
    return Message(topic(audit_id), "AuditProgressed", workspace_id, payload)
