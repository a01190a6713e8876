"""Reads of runners."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from ..base import Query, one_of, query
from ..ports import Reader
from .model import Runner, RunnerRow

_RUNNERS = query(RunnerRow, Runner)
_BY_ID = _RUNNERS.where(one_of(Runner.id, "ids"))
_ALL = Query(RunnerRow, _RUNNERS.statement.order_by(Runner.name))


async def by_ids(reader: Reader, ids: Collection[UUID]) -> Mapping[UUID, RunnerRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids)}


async def all_seen(reader: Reader) -> Sequence[RunnerRow]:
    """By name. There are as many as there are workers: a list bounded by nature."""
    return await reader.all(_ALL)
