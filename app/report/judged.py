"""The verdicts on the page under the audit's profile: each metric with what is said of it, and its snapshots as a chart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam
from sqlalchemy.sql import Select

from app.report import changed, history, judging, marked, slots, words
from domain import audits, metrics, snapshots, verdicts
from domain.access import Reach
from domain.audits import Audit, AuditRow, AuditState
from domain.base import Query, query, within
from domain.measuring import MetricName
from domain.ports import Reader
from domain.verdicts import Judgement, Verdict, VerdictRow

EARLIER, LATER = 9, 4
"""So many snapshots are drawn before the one that was judged, more where those compared with it lie farther back, and so many
after it and those that confirm it.
"""

_LEAST = {
    metrics.Unit.MILLISECOND: 10,
    metrics.Unit.BYTE: 100,
    metrics.Unit.COUNT: 4,
    metrics.Unit.SCORE: 0.1,
    metrics.Unit.DAY: 4,
    metrics.Unit.UNITLESS: 0.05,
}
"""So much a chart's axis shows at least."""


@dataclass(frozen=True, slots=True)
class Card:
    """One metric. `summary` is its chart in words."""

    title: str
    judgement: Judgement
    word: str
    values: str | None
    reason: str
    spread: str | None
    facts: tuple[tuple[str, str], ...]
    chart: slots.Chart | None
    summary: str


@dataclass(frozen=True, slots=True)
class Judged:
    """`cards` are there once something was said; `of` tells which snapshot it is about, where it is not the audit's own.

    `waiting`: why there is nothing yet, or why it is not the last word.
    """

    cards: tuple[Card, ...] = ()
    happened: marked.Marked | None = None
    changed: changed.Changed | None = None
    of: str | None = None
    waiting: str | None = None


class _Where(NamedTuple):
    snapshot_id: UUID


_OF_AUDIT = (
    Verdict.page_id == bindparam("page", type_=Uuid()),
    Verdict.profile_id == bindparam("profile", type_=Uuid()),
    within(Verdict.workspace_id, Verdict.site_id),
)
_ROWS = query(VerdictRow, Verdict).where(*_OF_AUDIT, Verdict.snapshot_id == bindparam("snapshot", type_=Uuid()))
_joined: Select[tuple[UUID]] = query(_Where, Verdict).statement.join(Audit, Audit.id == Verdict.audit_id)
_NEWEST = Query(
    _Where,
    _joined.where(
        *_OF_AUDIT,
        Audit.environment == bindparam("environment", type_=Text()),
        within(Audit.workspace_id, Audit.site_id),
    )
    .order_by(Verdict.id.desc())
    .limit(1),
)


async def judged(reader: Reader, audit: AuditRow, neighbours: Sequence[AuditRow]) -> Judged:
    """A fixed number of statements. `neighbours` are as `history.around` gives them."""
    reach = Reach.whole(audit.workspace_id)
    where = {"page": audit.page_id, "profile": audit.profile_id, "reach": reach.held}
    own = await _snapshot(reader, reach, audit.snapshot_id)
    whole = await _snapshot(reader, reach, own.confirms_id) if own is not None and own.confirms_id else own
    rows: Sequence[VerdictRow] = ()
    if whole is not None:
        rows = await reader.all(_ROWS, snapshot=whole.id, **where)
        if not rows:
            return Judged(waiting="This snapshot is not judged yet." if whole.judged_at is None else NOTHING_COMPARED)
    else:
        newest = await reader.first(_NEWEST, environment=audit.environment, **where)
        whole = await _snapshot(reader, reach, newest.snapshot_id) if newest is not None else None
        if whole is not None:
            rows = await reader.all(_ROWS, snapshot=whole.id, **where)
        of_it = (await audits.by_ids(reader, reach, [rows[0].audit_id])).get(rows[0].audit_id) if rows else None
        if whole is None or of_it is None:
            return Judged(waiting=NONE_YET)
        neighbours = await history.around(reader, reach, of_it)
    chosen, sides = await _chosen(reader, reach, whole, rows, neighbours)
    runs = await audits.runs_by_audits(reader, reach, [each.id for each in chosen])
    judged_audit = next((each for each in chosen if each.id == rows[0].audit_id), audit)
    happened = await marked.between(reader, reach, chosen, judged_audit)
    before = next((row.before_audit_id for row in rows if row.before_audit_id is not None), None)
    ordered = sorted(rows, key=lambda row: (judging.ORDER.index(row.judgement), list(MetricName).index(MetricName(row.metric))))
    return Judged(
        tuple(_card(row, chosen, sides, runs, happened.marks) for row in ordered),
        happened,
        await changed.changed(reader, reach, before, rows[0].audit_id),
        None if own is not None and own.id == whole.id else words.when(whole.requested_at),
        None if whole.judged_at is not None else SUSPECTED,
    )


NONE_YET = (
    "There is no verdict on this page under this profile yet. Verdicts compare snapshots, and this audit was made by itself: "
    "ask for a snapshot of the site, or let a schedule take one."
)
NOTHING_COMPARED = "Nothing of this page was compared in this snapshot."
SUSPECTED = "These are not the last words: what is suspected is measured again first."


async def _snapshot(reader: Reader, reach: Reach, id: UUID | None) -> snapshots.SnapshotRow | None:
    return (await snapshots.by_ids(reader, reach, [id])).get(id) if id is not None else None


async def _chosen(
    reader: Reader, reach: Reach, whole: snapshots.SnapshotRow, rows: Sequence[VerdictRow], neighbours: Sequence[AuditRow]
) -> tuple[list[AuditRow], Mapping[UUID, snapshots.SnapshotRow]]:
    """The audits to be drawn, the oldest first, and their snapshots on the line with which the judged one is compared."""
    of_snapshots = [each for each in neighbours if each.snapshot_id is not None and each.state is AuditState.FINISHED]
    known = await snapshots.by_ids(reader, reach, [each.snapshot_id for each in of_snapshots if each.snapshot_id is not None])
    line = await verdicts.line_of(reader, reach, whole)
    first = next((place for place, each in enumerate(of_snapshots) if each.id == rows[0].audit_id), len(of_snapshots))
    after = [place for place, each in enumerate(of_snapshots) if _confirms(known.get(each.snapshot_id or whole.id), whole)]
    last = max(after, default=first)
    alike = {id: row for id, row in known.items() if _confirms(row, whole) or _is_compared(row, line)}
    conditions = of_snapshots[first].conditions_id if first < len(of_snapshots) else None
    compared = [
        place
        for place, each in enumerate(of_snapshots[:first])
        if each.snapshot_id in alike and each.conditions_id == conditions
    ]
    most = max(row.snapshots_before for row in rows)
    begin = min([first - EARLIER, *compared[len(compared) - min(most, len(compared)) :]])
    return of_snapshots[max(0, begin) : last + 1 + LATER], alike


def _confirms(row: snapshots.SnapshotRow | None, whole: snapshots.SnapshotRow) -> bool:
    return row is not None and whole.id in (row.id, row.confirms_id)


def _is_compared(row: snapshots.SnapshotRow, line: verdicts.Line) -> bool:
    """Whether what is judged against this line is set beside it; as `verdicts` reads what was before."""
    on_it = line.branch is None or row.branch is None or row.branch == line.branch
    return row.confirms_id is None and row.id <= line.until and on_it


def _card(
    row: VerdictRow,
    chosen: Sequence[AuditRow],
    alike: Mapping[UUID, snapshots.SnapshotRow],
    runs: Mapping[UUID, Sequence[audits.RunRow]],
    marks: Sequence[marked.Mark],
) -> Card:
    name = MetricName(row.metric)
    drawn = _slots(row, name, chosen, alike, runs)
    show = words.showing(name)
    interval = None
    if row.before is not None and row.change_low is not None and row.change_high is not None:
        interval = slots.Interval(row.before, row.before + row.change_low, row.before + row.change_high)
    named = (
        ("Change", judging.change(row)),
        ("With 95 % probability", judging.interval(row)),
        ("Smallest detectable change", judging.detectable(row)),
        ("Compared", judging.compared(row)),
    )
    title, least = metrics.CATALOGUE[name].title, _LEAST[metrics.CATALOGUE[name].unit]
    numbers = [(mark.number, mark.at) for mark in marks]
    return Card(
        title=title,
        judgement=row.judgement,
        word=judging.JUDGEMENTS[row.judgement],
        values=judging.values(row),
        reason=judging.reason(row),
        spread=judging.spread(row),
        facts=tuple((term, text) for term, text in named if text is not None),
        chart=slots.draw(drawn, show, least=least, interval=interval, marks=numbers) if drawn else None,
        summary=f"{title}, snapshot by snapshot. {_told(drawn, show)}",
    )


def _slots(
    row: VerdictRow,
    name: MetricName,
    chosen: Sequence[AuditRow],
    alike: Mapping[UUID, snapshots.SnapshotRow],
    runs: Mapping[UUID, Sequence[audits.RunRow]],
) -> list[slots.Slot]:
    """Those that have the metric, each on its side."""
    there = [
        (each, values)
        for each in chosen
        if (values := tuple(value for run in runs[each.id] if (value := getattr(run, name.value)) is not None))
    ]
    place = next((place for place, (each, _) in enumerate(there) if each.id == row.audit_id), None)
    if place is None:
        return [slots.Slot(_end(each), values, slots.Side.OTHER) for each, values in there]
    conditions = there[place][0].conditions_id
    fit = [each.id for each, _ in there if each.conditions_id == conditions and each.snapshot_id in alike]
    first = fit.index(row.audit_id)
    before = set(fit[max(0, first - row.snapshots_before) : first])
    since = set(fit[first : first + row.snapshots_after])
    return [slots.Slot(_end(each), values, _side(each.id, before, since)) for each, values in there]


def _side(id: UUID, before: Collection[UUID], since: Collection[UUID]) -> slots.Side:
    return slots.Side.BEFORE if id in before else slots.Side.SINCE if id in since else slots.Side.OTHER


def _end(audit: AuditRow) -> datetime:
    return audit.finished_at or audit.requested_at


def _told(drawn: Sequence[slots.Slot], show: words.Show) -> str:
    sentences = []
    for side, title in ((slots.Side.BEFORE, "Before"), (slots.Side.SINCE, "Since")):
        middles = [show(verdicts.center(slot.runs)) for slot in drawn if slot.side is side]
        if middles:
            sentences.append(f"{title}: {', '.join(middles)}.")
    others = sum(slot.side is slots.Side.OTHER for slot in drawn)
    if others:
        sentences.append(f"{words.count(others, 'snapshot')} not compared.")
    return " ".join(sentences)
