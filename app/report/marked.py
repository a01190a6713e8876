"""What happened between what the charts show: deploys and annotations, in those of verdicts each with its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.report import words
from domain import marks, timelines
from domain.access import Reach
from domain.audits import AuditRow
from domain.paging import Window
from domain.ports import Reader

MOST, MOST_LATER = 9, 3
"""So many are shown; of those since the judged snapshot so many, and more where there is room."""

LOOKED_AT = 1_000
"""So many on either side are counted."""

MOST_IN_HISTORY = 30
MOST_TEXT = 160


@dataclass(frozen=True, slots=True)
class Mark:
    """A deploy or an annotation; its number stands in the charts."""

    number: int
    kind: str
    text: str
    at: datetime
    time: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The oldest first; `left_out` says how many others there are, farther from the snapshot that was judged."""

    marks: tuple[Mark, ...] = ()
    left_out: str | None = None


class _Told(NamedTuple):
    kind: str
    text: str
    at: datetime


async def between(reader: Reader, reach: Reach, audits: Sequence[AuditRow], judged: AuditRow) -> Marked:
    """Between the first and the last of these audits of a page those nearest before `judged`, and nearest after it."""
    times = [each.finished_at for each in audits if each.finished_at is not None]
    if not times:
        return Marked()
    first, last = times[0], times[-1]
    middle = judged.finished_at or last
    at = {"environment": judged.environment}
    happened = timelines.HAPPENINGS.of
    before = await happened(reader, reach, judged.page_id, Window(LOOKED_AT), since=first, until=middle, **at)
    since = await happened(reader, reach, judged.page_id, Window(LOOKED_AT, backward=True), since=middle, until=last, **at)
    later = since.rows[::-1][: max(MOST_LATER, MOST - len(before.rows))]
    earlier = before.rows[: MOST - len(later)]
    rows = [*earlier[::-1], *later]
    more = len(before.rows) + len(since.rows) - len(rows)
    others = "at least " if before.has_next or since.has_previous else ""
    told = await _told(reader, reach, rows)
    return Marked(
        tuple(Mark(number, kind, text, at, words.when(at)) for number, (kind, text, at) in enumerate(told, 1)),
        f"{others}{more:,} more" if more else None,
    )


async def among(
    reader: Reader, reach: Reach, audit: AuditRow, neighbours: Sequence[AuditRow]
) -> Sequence[tuple[datetime, str]]:
    """The newest that happened among these audits of a page, the oldest first."""
    times = [each.finished_at or each.requested_at for each in neighbours]
    at = {"environment": audit.environment, "since": times[0], "until": times[-1]}
    found = await timelines.HAPPENINGS.of(reader, reach, audit.page_id, Window(MOST_IN_HISTORY), **at)
    return [(at, f"{kind} {text}") for kind, text, at in await _told(reader, reach, found.rows[::-1])]


async def _told(reader: Reader, reach: Reach, rows: Sequence[timelines.MarkRow]) -> Sequence[_Told]:
    deploys = await marks.deploys_by_ids(reader, reach, [row.deploy_id for row in rows if row.deploy_id])
    notes = await marks.annotations_by_ids(reader, reach, [row.annotation_id for row in rows if row.annotation_id])
    # No more than this: who wrote it, the commit and its message are for those who are in the workspace.
    return [
        _Told("Deploy", _short(deploys[row.id].version), row.at)
        if row.deploy_id
        else _Told("Note", _short(notes[row.id].text), row.at)
        for row in rows
        if row.id in deploys or row.id in notes
    ]


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
