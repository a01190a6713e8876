"""Reads of audits and what they measured: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, case, or_, select, true

from .. import sites
from ..access import Reach
from ..base import Query, R, UtcDateTime, one_of, query, rows_of, rows_of_json, within
from ..paging import Keyset
from ..ports import Reader
from .model import Audit, AuditRow, AuditState, Conditions, ConditionsRow, Finding, FindingRow, Request, RequestRow, Run, RunRow
from .rules import PRODUCTION
from .series import AuditAt, Whose

_AUDITS = query(AuditRow, Audit)
_BY_ID = _AUDITS.where(one_of(Audit.id, "ids"), within(Audit.workspace_id, Audit.site_id))

_PROFILE = bindparam("profile", type_=Uuid())
_ENVIRONMENT = bindparam("environment", type_=Text())
_FROM = bindparam("since", type_=UtcDateTime())
_TO = bindparam("until", type_=UtcDateTime())


@lru_cache(maxsize=256)
def _latest(columns: frozenset[str] | None) -> Query[AuditRow]:
    """Page by page the newest one, through the index: a window function would walk each page's whole history.

    Nor is it COALESCE that takes the default profile: PostgreSQL lets no function that may raise look at a row before the row
    is known to be within reach, and COALESCE counts as one.
    """
    rows = _AUDITS if columns is None else _AUDITS.narrow({*columns, "page_id"})
    newest = (
        rows.where(
            Audit.page_id == sites.Page.id,
            Audit.profile_id == case((_PROFILE.is_(None), sites.Site.default_profile_id), else_=_PROFILE),
            Audit.environment == _ENVIRONMENT,
            Audit.state == AuditState.FINISHED,
            within(Audit.workspace_id, Audit.site_id),
        )
        .statement.order_by(Audit.finished_at.desc(), Audit.id.desc())
        .limit(1)
        .correlate(sites.Page, sites.Site)
    )
    each = newest.lateral("newest")
    pages = (
        select(*each.c)
        .select_from(sites.Page)
        .join(sites.Site, sites.Site.id == sites.Page.site_id)
        .where(
            one_of(sites.Page.id, "pages"),
            within(sites.Page.workspace_id, sites.Page.site_id),
            within(sites.Site.workspace_id, sites.Site.id),
        )
    )
    ids = pages.with_only_columns(newest.with_only_columns(Audit.id).scalar_subquery())
    on_sqlite = rows.where(Audit.id.in_(ids), within(Audit.workspace_id, Audit.site_id))
    like = None if columns is None else _latest(None)
    return Query(rows.row, pages.join(each, true()), sqlite=on_sqlite.statement, like=like)


AUDITS = Keyset(
    "audits",
    _AUDITS.where(
        or_(_PROFILE.is_(None), Audit.profile_id == _PROFILE),
        or_(_ENVIRONMENT.is_(None), Audit.environment == _ENVIRONMENT),
        or_(_FROM.is_(None), Audit.requested_at >= _FROM),
        or_(_TO.is_(None), Audit.requested_at < _TO),
    ),
    parent=Audit.page_id,
    tenant=Audit.workspace_id,
    site=Audit.site_id,
    keys=[Audit.id],
    descending=True,
)
"""A page's audits, the newest first; takes `profile`, `environment`, `since` and `until`, each a value or None."""


_MOMENT: Mapping[str, Any] = {"subject": Uuid(), "profile": Uuid(), "at": UtcDateTime()}


class EndedRow(NamedTuple):
    """What says of an audit when it ended, and whose it is."""

    id: UUID
    site_id: UUID
    page_id: UUID
    profile_id: UUID
    conditions_id: UUID | None
    finished_at: datetime


def _at_ends(row: type[R], pooled: bool) -> Query[R]:
    """By the index: a moment of a page's history is a look into it, and none is looked for in other pages."""

    def at(wanted: Any) -> Select[Any]:
        return (
            select(*(getattr(Audit, name) for name in row._fields))  # type: ignore[attr-defined]  # a NamedTuple's
            .select_from(wanted)
            .join(sites.Page, (sites.Page.site_id if pooled else sites.Page.id) == wanted.c.subject)
            .join(Audit, Audit.page_id == sites.Page.id)
            .where(
                within(sites.Page.workspace_id, sites.Page.site_id),
                within(Audit.workspace_id, Audit.site_id),
                Audit.profile_id == wanted.c.profile,
                Audit.environment == _ENVIRONMENT,
                Audit.state == AuditState.FINISHED,
                Audit.finished_at == wanted.c.at,
            )
            .order_by(Audit.id)
        )

    return Query(row, at(rows_of(**_MOMENT)), sqlite=at(rows_of_json("moments", **_MOMENT)))


_AT_ENDS = {pooled: _at_ends(AuditRow, pooled) for pooled in (False, True)}
_IDS_AT_ENDS = {pooled: _at_ends(EndedRow, pooled) for pooled in (False, True)}

_CONDITIONS = query(ConditionsRow, Conditions).where(one_of(Conditions.id, "ids"), within(Conditions.workspace_id))

_RUNS = query(RunRow, Run)
_RUNS_BY_AUDIT = Query(
    RunRow, _RUNS.where(one_of(Run.audit_id, "audits"), within(Run.workspace_id, Run.site_id)).statement.order_by(Run.index)
)

FINDINGS = Keyset(
    "findings",
    query(FindingRow, Finding),
    parent=Finding.audit_id,
    tenant=Finding.workspace_id,
    site=Finding.site_id,
    keys=[Finding.position],
)
REQUESTS = Keyset(
    "requests",
    query(RequestRow, Request),
    parent=Request.run_id,
    tenant=Request.workspace_id,
    site=Request.site_id,
    keys=[Request.position],
)
_FINDING_BY_ID = query(FindingRow, Finding).where(one_of(Finding.id, "ids"), within(Finding.workspace_id, Finding.site_id))


class Latest(NamedTuple):
    """Which newest finished audit of a page is asked for; without a profile, that with the site's default one."""

    profile_id: UUID | None = None
    environment: str = PRODUCTION


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, AuditRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


async def latest(
    reader: Reader, reach: Reach, pages: Collection[UUID], which: Latest, columns: Collection[str] | None = None
) -> Mapping[UUID, AuditRow]:
    """One statement, however many pages; with these columns, or all."""
    found = await reader.all(
        _latest(None if columns is None else frozenset(columns)),
        pages=pages,
        profile=which.profile_id,
        environment=which.environment,
        reach=reach.held,
    )
    return {row.page_id: row for row in found}


async def at_ends(reader: Reader, reach: Reach, wanted: Collection[AuditAt]) -> Mapping[AuditAt, AuditRow]:
    """The audits that ended then: as many statements for many as for one, where they are of one environment."""
    return await _ended(_AT_ENDS, reader, reach, wanted)


async def ids_at_ends(reader: Reader, reach: Reach, wanted: Collection[AuditAt]) -> Mapping[AuditAt, UUID]:
    """The same without what they measured."""
    return {at: row.id for at, row in (await _ended(_IDS_AT_ENDS, reader, reach, wanted)).items()}


async def _ended(
    queries: Mapping[bool, Query[R]], reader: Reader, reach: Reach, wanted: Collection[AuditAt]
) -> Mapping[AuditAt, R]:
    groups: dict[tuple[bool, str], list[AuditAt]] = {}
    for each in wanted:
        groups.setdefault((each.whose.pooled, each.environment), []).append(each)
    found: dict[AuditAt, R] = {}
    for (pooled, environment), asked in groups.items():
        moments = list(dict.fromkeys((each.whose.subject_id, each.whose.profile_id, each.at) for each in asked))
        columns = dict(zip(_MOMENT, zip(*moments, strict=True), strict=True))
        rows: Sequence[Any] = await reader.all(
            queries[pooled], moments=moments, **columns, environment=environment, reach=reach.held
        )
        for row in rows:
            subject_id = row.site_id if pooled else row.page_id
            found[AuditAt(Whose(subject_id, pooled, row.profile_id, row.conditions_id), environment, row.finished_at)] = row
    return found


async def conditions_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ConditionsRow]:
    """All who are in a workspace may see how it measures."""
    return {row.id: row for row in await reader.all(_CONDITIONS, ids=ids, reach=reach.workspaces)}


async def runs_by_audits(reader: Reader, reach: Reach, audits: Collection[UUID]) -> Mapping[UUID, Sequence[RunRow]]:
    found: dict[UUID, list[RunRow]] = {audit: [] for audit in audits}
    for row in await reader.all(_RUNS_BY_AUDIT, audits=audits, reach=reach.held):
        found[row.audit_id].append(row)
    return found


async def findings_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, FindingRow]:
    return {row.id: row for row in await reader.all(_FINDING_BY_ID, ids=ids, reach=reach.held)}
