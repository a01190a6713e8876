"""Reads of pairs of audits, for what differs between them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import and_, select

from ..access import Reach
from ..base import Query, one_of, query, within
from ..measuring import EngineName
from ..ports import Reader
from . import differing
from .conditions import engine_major
from .differing import Differences, FindingDifference, RequestDifference, RequestSize
from .matching import origin_of
from .model import Audit, AuditState, Finding, FindingRow, Request, Run

AT_ONCE = 10
"""The requests of so many pairs are held at one time: a run may have some thousands."""


class Two(NamedTuple):
    """An audit, and an earlier one of its page."""

    before_id: UUID
    after_id: UUID


class Pair(NamedTuple):
    """Two audits that can be compared; `own` are the origins of the page itself, as each was asked for and as it answered."""

    before_id: UUID
    after_id: UUID
    own_before: tuple[str, ...] = ()
    own_after: tuple[str, ...] = ()


class _AuditRow(NamedTuple):
    id: UUID
    page_id: UUID
    engine: EngineName
    engine_version: str | None
    requested_url: str
    final_url: str | None


_AUDITS = query(_AuditRow, Audit).where(
    one_of(Audit.id, "audits"), Audit.state == AuditState.FINISHED, within(Audit.workspace_id, Audit.site_id)
)
_FINDINGS = Query(
    FindingRow,
    query(FindingRow, Finding)
    .where(one_of(Finding.audit_id, "audits"), within(Finding.workspace_id, Finding.site_id))
    .statement.order_by(Finding.position),
)
_REQUESTS = Query(
    RequestSize,
    select(
        Audit.id.label("audit_id"),
        Request.url,
        Request.method,
        Request.resource_type,
        Request.transfer_bytes,
        Request.third_party,
    )
    .select_from(Audit)
    .join(Run, and_(Run.audit_id == Audit.id, Run.index == Audit.representative_run))
    .join(Request, Request.run_id == Run.id)
    .where(
        one_of(Audit.id, "audits"),
        within(Audit.workspace_id, Audit.site_id),
        within(Run.workspace_id, Run.site_id),
        within(Request.workspace_id, Request.site_id),
    )
    .order_by(Request.run_id, Request.position),
)


async def pairs(reader: Reader, reach: Reach, wanted: Collection[Two]) -> Mapping[Two, Pair]:
    """Those that can be compared: both are there, finished, of one page and of one major version of one engine."""
    rows = await reader.all(_AUDITS, audits={id for two in wanted for id in two}, reach=reach.held)
    there = {row.id: row for row in rows}
    found = {}
    for two in wanted:
        before, after = there.get(two.before_id), there.get(two.after_id)
        if before is not None and after is not None and _measured(before) == _measured(after):
            found[two] = Pair(*two, _own(before), _own(after))
    return found


def _measured(row: _AuditRow) -> tuple[UUID, EngineName, int | None]:
    """Another engine, or another major version of it, has other rules."""
    return row.page_id, row.engine, engine_major(row.engine_version)


def _own(row: _AuditRow) -> tuple[str, ...]:
    found = (origin_of(url) for url in (row.requested_url, row.final_url))
    return tuple(dict.fromkeys(origin for origin in found if origin is not None))


R = TypeVar("R", FindingRow, RequestSize)


async def finding_differences(
    reader: Reader, reach: Reach, wanted: Collection[Pair]
) -> Mapping[Pair, Differences[FindingDifference]]:
    found: dict[Pair, Differences[FindingDifference]] = {}
    for some in _parts(wanted):
        sides = _sides(some, await reader.all(_FINDINGS, audits=_ids(some), reach=reach.held))
        for pair in some:
            found[pair] = differing.findings(sides[pair.before_id], sides[pair.after_id], pair.own_before, pair.own_after)
    return found


async def request_differences(
    reader: Reader, reach: Reach, wanted: Collection[Pair]
) -> Mapping[Pair, Differences[RequestDifference]]:
    found: dict[Pair, Differences[RequestDifference]] = {}
    for some in _parts(wanted):
        sides = _sides(some, await reader.all(_REQUESTS, audits=_ids(some), reach=reach.held))
        found |= await asyncio.to_thread(_of_requests, some, sides)
    return found


def _of_requests(
    some: Sequence[Pair], sides: Mapping[UUID, Sequence[RequestSize]]
) -> Mapping[Pair, Differences[RequestDifference]]:
    return {
        pair: differing.requests(sides[pair.before_id], sides[pair.after_id], pair.own_before, pair.own_after) for pair in some
    }


def _parts(wanted: Collection[Pair]) -> Iterator[Sequence[Pair]]:
    every = list(wanted)
    return (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE))


def _ids(some: Collection[Pair]) -> set[UUID]:
    return {id for pair in some for id in (pair.before_id, pair.after_id)}


def _sides(some: Collection[Pair], rows: Sequence[R]) -> dict[UUID, list[R]]:
    found: dict[UUID, list[R]] = {id: [] for id in _ids(some)}
    for row in rows:
        found[row.audit_id].append(row)
    return found
