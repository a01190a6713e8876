"""What happened between the snapshots that a verdict's charts show: deploys and annotations, each with its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
    deploys = await marks.deploys_by_ids(reader, reach, [row.deploy_id for row in rows if row.deploy_id])
    notes = await marks.annotations_by_ids(reader, reach, [row.annotation_id for row in rows if row.annotation_id])
    more = len(before.rows) + len(since.rows) - len(rows)
    others = "at least " if before.has_next or since.has_previous else ""
    # No more than this: who wrote it, the commit and its message are for those who are in the workspace.
    return Marked(
        tuple(
            Mark(
                number,
                "Deploy" if row.deploy_id else "Note",
                _short(deploys[row.id].version if row.deploy_id else notes[row.id].text),
                row.at,
                words.when(row.at),
            )
            for number, row in enumerate(rows, 1)
            if row.id in deploys or row.id in notes
        ),
        f"{others}{more:,} more" if more else None,
    )


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
