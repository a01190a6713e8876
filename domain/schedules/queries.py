"""Reads of schedules: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from ..access import Reach
from ..base import one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from .model import Schedule, ScheduleRow

_SCHEDULES = query(ScheduleRow, Schedule)
_BY_ID = _SCHEDULES.where(one_of(Schedule.id, "ids"), within(Schedule.workspace_id, Schedule.site_id))

_BY_NAME = (Schedule.name, Schedule.id)

SCHEDULES = Keyset(
    "schedules", _SCHEDULES, parent=Schedule.workspace_id, tenant=Schedule.workspace_id, site=Schedule.site_id, keys=_BY_NAME
)
OF_SITE = Keyset(
    "siteSchedules", _SCHEDULES, parent=Schedule.site_id, tenant=Schedule.workspace_id, site=Schedule.site_id, keys=_BY_NAME
)
OF_PAGE = Keyset(
    "pageSchedules", _SCHEDULES, parent=Schedule.page_id, tenant=Schedule.workspace_id, site=Schedule.site_id, keys=_BY_NAME
)
"""Those of one page alone; those of its site audit it too."""


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ScheduleRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}
