"""Two snapshots that somebody chose, compared: nothing is kept of it, and nobody is alerted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from .. import audits, snapshots
from ..access import Reach
from ..errors import InvalidInput, LimitReached, ProblemCode, Refused
from ..ids import Kind, encode
from ..ports import Reader
from . import samples, standing
from .queries import Counts
from .rules import Reason, Said
from .samples import Sample

MAX_AUDITS = 200
"""So many audits a snapshot may have to be compared as a whole: somebody waits for it."""

MAX_PAGES = 50
"""So many of its pages are compared else."""

_ONE_AT_A_TIME = ThreadPoolExecutor(1, "compare")


class Asked(NamedTuple):
    """`pooled`: with those before it, too, as a snapshot is judged. `pages`: these alone; None for all."""

    before_id: UUID
    after_id: UUID
    pooled: bool = False
    pages: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class ComparedProfile:
    """A page under a profile; without metrics where one of the snapshots did not measure it."""

    profile_id: UUID
    before_id: UUID | None
    after_id: UUID | None
    metrics: Sequence[Said]


@dataclass(frozen=True, slots=True)
class ComparedPage:
    page_id: UUID
    profiles: Sequence[ComparedProfile]


@dataclass(frozen=True, slots=True)
class Comparison:
    before_id: UUID
    after_id: UUID
    judgements: Counts
    pages: Sequence[ComparedPage]


async def comparisons(reader: Reader, reach: Reach, wanted: Collection[Asked]) -> Mapping[Asked, Comparison | Refused]:
    """What comes of each, or why there is none; nothing for those whose snapshots are not both there."""
    found: dict[Asked, Comparison | Refused] = {}
    for asked in wanted:
        try:
            compared = await compare(reader, reach, asked)
        except Refused as refused:
            found[asked] = refused
        else:
            if compared is not None:
                found[asked] = compared
    return found


async def compare(reader: Reader, reach: Reach, asked: Asked) -> Comparison | None:
    """None where one of them is not there. Raises InvalidInput and LimitReached."""
    there = await snapshots.by_ids(reader, reach, asked[:2])
    before, after = there.get(asked.before_id), there.get(asked.after_id)
    if before is None or after is None:
        return None
    if before.site_id != after.site_id:
        raise InvalidInput.at("before", "Two snapshots of one site are compared.", ProblemCode.OUT_OF_RANGE)
    if before.id != after.id and (before.confirms_id or before.id) == (after.confirms_id or after.id):
        message = "A snapshot is not compared with those that confirm it: they are part of it."
        raise InvalidInput.at("before", message, ProblemCode.OUT_OF_RANGE)
    await _check_size(reader, reach, asked)
    line = await samples.line_of(reader, reach, before)
    lines = (line, await samples.line_of(reader, reach, after))
    sides = []
    for snapshot, own in zip((before, after), lines, strict=True):
        looked = await standing.confirming(reader, reach, snapshot.id)
        sides.append(await samples.read(reader, reach, snapshot, own, looked, asked.pages))
    changed = await standing.changed_at(reader, reach, before, line, sides[0])
    proved = await standing.said(reader, reach, before.id, Reason.CONFIRMED)
    equal = await _equal(reader, reach, sides)
    thinking = asyncio.get_running_loop().run_in_executor(
        _ONE_AT_A_TIME, _compare, *sides, changed, proved, equal, asked.pooled
    )
    pages = await thinking
    said = [metric.judgement.lower() for page in pages for profile in page.profiles for metric in profile.metrics]
    return Comparison(before.id, after.id, Counts(*map(said.count, Counts._fields)), pages)


async def _check_size(reader: Reader, reach: Reach, asked: Asked) -> None:
    if asked.pages is not None:
        if len(asked.pages) > MAX_PAGES:
            raise LimitReached(f"At most {MAX_PAGES} pages are compared; {len(asked.pages)} are named.", MAX_PAGES)
        return
    for id, progress in (await snapshots.progress_by_ids(reader, reach, asked[:2])).items():
        if progress.total > MAX_AUDITS:
            which = encode(Kind.SNAPSHOT, id)
            message = f"At most {MAX_AUDITS} audits are compared, and {which} has {progress.total:,}: name some of its pages."
            raise LimitReached(message, MAX_AUDITS)


async def _equal(reader: Reader, reach: Reach, sides: Collection[Sequence[Sample]]) -> Mapping[UUID, audits.ConditionsRow]:
    """The conditions of all that is compared, without where the pages stood: whoever chooses two environments compares them."""
    ids = {each.audit.conditions_id for side in sides for each in side} - {None}
    rows = await audits.conditions_by_ids(reader, reach, [id for id in ids if id is not None])
    return {id: row._replace(id=row.workspace_id, environment="") for id, row in rows.items()}


def _compare(*given: object) -> Sequence[ComparedPage]:
    from .pairing import pair_up  # with scipy, which takes a second

    return pair_up(*given)  # type: ignore[arg-type]  # as they are read above
