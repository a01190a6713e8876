"""Reads of alerts: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.orm import InstrumentedAttribute

from ..access import Reach
from ..base import one_of, query, within
from ..paging import Keyset, of_sites
from ..ports import Reader
from .model import Alert, AlertRow

_ALERTS = query(AlertRow, Alert)
_BY_ID = _ALERTS.where(one_of(Alert.id, "ids"), within(Alert.workspace_id, Alert.site_id))
_OPEN = _ALERTS.where(
    one_of(Alert.workspace_id, "workspaces"),
    one_of(Alert.subject, "keys"),
    Alert.resolved_at.is_(None),
    within(Alert.workspace_id, Alert.site_id),
)
_FILTERED = _ALERTS.where(one_of(Alert.kind, "kinds"), one_of(Alert.severity, "severities"))
_IN_STATE = _FILTERED.where(Alert.state == bindparam("state", type_=Alert.state.type))


def _list(name: str, parent: InstrumentedAttribute[Any], *, stated: bool) -> Keyset[AlertRow]:
    return of_sites(name, _IN_STATE if stated else _FILTERED, parent, descending=True)


# Those in one state are a list of their own, for which there is an index: the open ones are few among many.
ALERTS = {stated: _list("alerts", Alert.workspace_id, stated=stated) for stated in (False, True)}
OF_SITE = {stated: _list("siteAlerts", Alert.site_id, stated=stated) for stated in (False, True)}
OF_PAGE = {stated: _list("pageAlerts", Alert.page_id, stated=stated) for stated in (False, True)}
"""The newest first; each takes `kinds` and `severities`, and those of one state (True) take `state`."""


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, AlertRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


async def open_by_keys(reader: Reader, reach: Reach, keys: Collection[str]) -> Mapping[str, AlertRow]:
    """Those that are not resolved, by what is wrong; of one workspace."""
    given = {"keys": keys, "workspaces": reach.workspaces, "reach": reach.held}
    return {row.subject: row for row in await reader.all(_OPEN, **given)}
