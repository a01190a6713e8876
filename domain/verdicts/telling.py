"""Who is alerted when a snapshot is judged: of verdicts, of broken budgets, and of pages that cannot be measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from .. import alerts, audits, budgets
from ..access import Reach
from ..alerts import AlertKind, AlertSeverity, Condition
from ..measuring import MetricName
from ..metrics import CATALOGUE, Unit
from ..ports import Reader
from ..snapshots import Cause, SnapshotRow
from ..work import Work
from .breaking import tell_breaches
from .deciding import Decided
from .rules import FACTS_JUDGED, Judgement

FACT_TOLD = 0.1
"""A fact that grew by a smaller share is in the verdicts, and nobody is alerted of it."""


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


def verdict_key(page_id: UUID, profile_id: UUID, snapshot: SnapshotRow) -> str:
    """What is worse on one branch is no worse on another."""
    branch = f":{snapshot.branch}" if snapshot.ancestor_hash is not None else ""
    return f"page:{page_id.hex}:{profile_id.hex}:{snapshot.environment}:verdict{branch}"


async def tell_verdicts(work: Work, snapshot: SnapshotRow, decided: Sequence[Decided]) -> None:
    """One alert for a page under a profile, which names all that is worse; it ends when all of that is better again."""
    told = [each for each in decided if _is_told(each)]
    places = {(each.audit.page_id, each.audit.profile_id): each.audit for each in told}
    keys = {verdict_key(*place, snapshot): place for place in places}
    there = await alerts.open_by_keys(work.db, Reach.whole(snapshot.workspace_id), list(keys)) if keys else {}
    for key, place in keys.items():
        before = dict(there[key].details) if key in there else {}
        after = _worse(before, [each for each in told if (each.audit.page_id, each.audit.profile_id) == place])
        if after == before:
            continue
        if not after:
            await alerts.end(work, snapshot.workspace_id, key)
            continue
        condition = Condition(
            workspace_id=snapshot.workspace_id,
            site_id=snapshot.site_id,
            key=key,
            kind=AlertKind.VERDICT,
            severity=AlertSeverity.ERROR,
            title=f"It got worse: {', '.join(after)}",
            details=after,
            added=after.keys() - before.keys(),
            page_id=place[0],
            profile_id=place[1],
            environment=snapshot.environment,
            snapshot_id=snapshot.id,
            audit_id=places[place].id,
        )
        await alerts.hold(work, condition)


def _is_told(each: Decided) -> bool:
    if each.judgement not in (Judgement.REGRESSED, Judgement.IMPROVED) or each.before is None or each.after is None:
        return False
    # What is over is over, however small the step was.
    large = abs(each.after - each.before) >= FACT_TOLD * abs(each.before)
    return each.metric not in FACTS_JUDGED or large or each.judgement is Judgement.IMPROVED


def _worse(before: dict[str, str], told: Iterable[Decided]) -> dict[str, str]:
    """What is worse now, by the metrics' titles: what was, and what became worse, without what became better."""
    after = dict(before)
    for each in told:
        title = CATALOGUE[each.metric].title
        if each.judgement is Judgement.REGRESSED and each.before is not None and each.after is not None:
            after[title] = f"{_shown(each.metric, each.before)} → {_shown(each.metric, each.after)}"
        else:
            after.pop(title, None)
    return after


def _shown(metric: MetricName, value: float) -> str:
    match CATALOGUE[metric].unit:
        case Unit.MILLISECOND:
            return f"{value:,.0f} ms"
        case Unit.BYTE:
            return f"{value / 1024:,.0f} KiB"
        case Unit.COUNT:
            return f"{value:,.0f}"
    return f"{value:.3g}"
