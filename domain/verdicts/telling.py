"""Who is alerted when a snapshot is judged: of broken budgets, and of pages that cannot be measured."""

from __future__ import annotations

from collections.abc import Sequence

from .. import alerts, audits, budgets
from ..access import Reach
from ..ports import Reader
from ..snapshots import Cause, SnapshotRow
from ..work import Work
from .breaking import tell_breaches


async def tell(
    work: Work, snapshot: SnapshotRow, ended: Sequence[audits.AuditRow], prepared: budgets.Prepared | None = None
) -> None:
    """Of pages that fail and of budgets that are broken, by the snapshot's audits, however they ended.

    Confirmations do not count for budgets: five breaches in a row are those of five snapshots. Nor is it told where one fails:
    the preview that it was to look at may be gone. `prepared`: what `prepare` gave, before the transaction.
    """
    confirms, reach = snapshot.cause is Cause.CONFIRMATION, Reach.whole(snapshot.workspace_id)
    known = [audit for audit in ended if not confirms or audit.state is audits.AuditState.FINISHED]
    await alerts.judge_failures(work, reach, known)
    if not confirms:
        await tell_breaches(work, await budgets.judge(work, reach, ended, snapshot.id, prepared), snapshot.id)


async def prepare(reader: Reader, snapshot: SnapshotRow, ended: Sequence[audits.AuditRow]) -> budgets.Prepared | None:
    """What `tell` takes of budgets, read and matched while nobody waits for it."""
    if snapshot.cause is Cause.CONFIRMATION:
        return None
    return await budgets.prepare(reader, Reach.whole(snapshot.workspace_id), ended)
