"""A page that cannot be measured is an alert, until it is measured."""

from __future__ import annotations

from uuid import UUID

from ..audits import AuditRow, AuditState
from ..measuring import FailureKind
from ..notifications import AlertKind, AlertSeverity
from ..work import Work
from . import holding
from .holding import Condition


def failure_key(page_id: UUID, profile_id: UUID, environment: str) -> str:
    return f"page:{page_id.hex}:{profile_id.hex}:{environment}:failure"


async def judge_failure(work: Work, audit: AuditRow) -> None:
    """What an audit that has ended says of whether its page can be measured; one that was cancelled says nothing.

    What the engine alone failed at may be over the next time: it is a warning.
    """
    key = failure_key(audit.page_id, audit.profile_id, audit.environment)
    if audit.state is AuditState.FINISHED:
        await holding.end(work, audit.workspace_id, key)
    if audit.state is not AuditState.FAILED:
        return
    passing = audit.failure_kind is FailureKind.ENGINE
    condition = Condition(
        workspace_id=audit.workspace_id,
        site_id=audit.site_id,
        key=key,
        kind=AlertKind.FAILURE,
        severity=AlertSeverity.WARNING if passing else AlertSeverity.ERROR,
        title="The page cannot be measured",
        details={"why": audit.failure_message, "code": audit.failure_code, "address": audit.requested_url},
        page_id=audit.page_id,
        profile_id=audit.profile_id,
        environment=audit.environment,
        audit_id=audit.id,
    )
    await holding.hold(work, condition)
