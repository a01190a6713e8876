"""A page that cannot be measured is an alert, until it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from .. import audits
from ..access import Reach
from ..audits import AuditRow, AuditState
from ..measuring import FailureKind
from ..notifications import AlertKind, AlertSeverity
from ..work import Work
from . import holding, queries
from .holding import Condition


def failure_key(page_id: UUID, profile_id: UUID, environment: str) -> str:
    return f"page:{page_id.hex}:{profile_id.hex}:{environment}:failure"


async def judge_failures(work: Work, reach: Reach, ended: Sequence[AuditRow]) -> None:
    """What audits of one workspace that have ended say of whether their pages can be measured.

    One that was cancelled says nothing, nor does one after which another ended the other way: however late it is looked at,
    the last one tells. What the engine alone failed at may be over the next time: it is a warning.
    """
    telling = [audit for audit in ended if audit.state in (AuditState.FINISHED, AuditState.FAILED)]
    late = await audits.overtaken(work.db, reach, [audit.id for audit in telling])
    last = {_key(audit): audit for audit in sorted(telling, key=lambda each: each.finished_at or each.requested_at)}
    last = {key: audit for key, audit in last.items() if audit.id not in late}
    finished = [key for key, audit in last.items() if audit.state is AuditState.FINISHED]
    there = await queries.open_by_keys(work.db, reach, finished) if finished else {}
    if there:
        await holding.end_all(work, next(iter(there.values())).workspace_id, sorted(there))
    failed = [_failure(audit) for audit in last.values() if audit.state is AuditState.FAILED]
    await holding.hold_all(work, sorted(failed, key=lambda each: each.key))


def _key(audit: AuditRow) -> str:
    return failure_key(audit.page_id, audit.profile_id, audit.environment)


def _failure(audit: AuditRow) -> Condition:
    passing = audit.failure_kind is FailureKind.ENGINE
    return Condition(
        workspace_id=audit.workspace_id,
        site_id=audit.site_id,
        key=_key(audit),
        kind=AlertKind.FAILURE,
        severity=AlertSeverity.WARNING if passing else AlertSeverity.ERROR,
        title="The page cannot be measured",
        details={"why": audit.failure_message, "code": audit.failure_code, "address": audit.requested_url},
        page_id=audit.page_id,
        profile_id=audit.profile_id,
        environment=audit.environment,
        audit_id=audit.id,
    )
