"""Who is alerted of verdicts: one alert for a page under a profile names all that is worse, until it is as it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from .. import alerts, metrics
from ..access import Reach
from ..alerts import AlertKind, AlertRow, AlertSeverity, Condition
from ..measuring import MetricName
from ..snapshots import SnapshotRow
from ..work import Work
from . import standing
from .deciding import Decided
from .rules import FACTS_JUDGED, Judgement, Reason, Said
from .standing import Subject

FACT_TOLD = 0.1
"""A fact that grew by a smaller share is in the verdicts, and nobody is alerted of it."""

Place = tuple[UUID, UUID]
"""A page and a profile."""


def verdict_key(place: Place, environment: str, branch: str | None) -> str:
    """What is worse on one branch is no worse on another."""
    page_id, profile_id = place
    return f"page:{page_id.hex}:{profile_id.hex}:{environment}:verdict{f':{branch}' if branch is not None else ''}"


async def tell_verdicts(
    work: Work, snapshot: SnapshotRow, decided: Sequence[Decided], proved: Collection[Subject], *, first: bool, elsewhere: bool
) -> None:
    """Of what was not told before.

    `proved`: what was confirmed before. `first`: the snapshot itself was judged, and not one that confirms it, when facts are
    told already. `elsewhere`: it was compared with where its branch began, so that what is not worse than there is over.
    """
    news: dict[Place, list[Decided]] = {}
    for each in decided:
        place = (each.audit.page_id, each.audit.profile_id)
        news.setdefault(place, [])
        if _is_told(each.said) and (*place, each.said.metric) not in proved and (first or each.said.reason is Reason.CONFIRMED):
            news[place].append(each)
    news = {place: those for place, those in news.items() if those or elsewhere}
    pages = {page_id for page_id, _ in news}
    if not pages:
        return
    there = await alerts.open_of_pages(work, snapshot.workspace_id, AlertKind.VERDICT, pages)
    is_over = await _is_over(work, snapshot, there) if there else _always
    for place, those in news.items():
        own = verdict_key(place, snapshot.environment, snapshot.branch)
        every = verdict_key(place, snapshot.environment, None)
        rows = [row for row in there if row.subject in (own, every) or (own == every and row.subject.startswith(f"{every}:"))]
        details = {row.subject: dict(row.details) for row in rows}
        for row in rows:
            for each in those:
                if each.said.judgement is Judgement.IMPROVED and is_over(row, each):
                    details[row.subject].pop(_title(each), None)
        if elsewhere and own in details:
            open = {_title(each) for each in decided if _place(each) == place and not _is_as_there(each)}
            details[own] = {title: text for title, text in details[own].items() if title in open}
        worse = [each for each in those if each.said.judgement is Judgement.REGRESSED]
        for each in worse:
            title = _title(each)
            began = details.setdefault(own, {}).get(title, "").partition(" → ")[0] or _shown(each.said.metric, each.said.before)
            details[own][title] = f"{began} → {_shown(each.said.metric, each.said.after)}"
        before = {row.subject: row.details for row in rows}
        for key, after in details.items():
            if after == before.get(key):
                continue
            if after:
                added = [_title(each) for each in worse] if key == own else []
                await alerts.hold(work, _condition(snapshot, place, key, after, added, decided))
            else:
                await alerts.end(work, snapshot.workspace_id, key)


def _title(each: Decided) -> str:
    return metrics.CATALOGUE[each.said.metric].title


def _place(each: Decided) -> Place:
    return each.audit.page_id, each.audit.profile_id


def _is_as_there(each: Decided) -> bool:
    """Whether it is no worse than what it is compared with, as far as is known."""
    open = (Reason.SUSPECTED, Reason.TOO_FEW)
    return each.said.judgement not in (Judgement.REGRESSED, Judgement.INCOMPARABLE) and each.said.reason not in open


async def _is_over(work: Work, snapshot: SnapshotRow, there: Sequence[AlertRow]) -> Callable[[AlertRow, Decided], bool]:
    """Whether what is better now is nearer to what it was before the alert than to what it was made."""
    reach, pages = Reach.whole(snapshot.workspace_id), {row.page_id for row in there if row.page_id is not None}
    steps = await standing.regressed_since(work.db, reach, pages, min(row.opened_at for row in there))

    def is_over(row: AlertRow, each: Decided) -> bool:
        said = each.said
        levels = [step.before for step in steps.get((*_place(each), said.metric), ()) if step.judged_at >= row.opened_at]
        if not levels or levels[0] is None or said.before is None or said.after is None:
            return True
        return abs(said.after - levels[0]) <= abs(said.after - said.before)

    return is_over


def _always(_row: AlertRow, _each: Decided) -> bool:
    return True


def _condition(
    snapshot: SnapshotRow, place: Place, key: str, after: Mapping[str, str], added: Sequence[str], decided: Sequence[Decided]
) -> Condition:
    return Condition(
        workspace_id=snapshot.workspace_id,
        site_id=snapshot.site_id,
        key=key,
        kind=AlertKind.VERDICT,
        severity=AlertSeverity.ERROR,
        title=f"It got worse: {', '.join(after)}",
        details=after,
        added=added,
        page_id=place[0],
        profile_id=place[1],
        environment=snapshot.environment,
        snapshot_id=snapshot.id,
        audit_id=next(each.audit.id for each in decided if _place(each) == place),
    )


def _is_told(said: Said) -> bool:
    if said.judgement not in (Judgement.REGRESSED, Judgement.IMPROVED) or said.before is None or said.after is None:
        return False
    large = abs(said.after - said.before) >= FACT_TOLD * abs(said.before)
    return said.metric not in FACTS_JUDGED or large or said.judgement is Judgement.IMPROVED


def _shown(metric: MetricName, value: float | None) -> str:
    return metrics.format_value(metric, value) if value is not None else "?"
