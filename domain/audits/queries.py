"""Reads of audits and what they measured: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, bindparam, func, or_, select

from .. import sites
from ..access import Reach
from ..base import Query, UtcDateTime, one_of, query, within
from ..errors import InvalidInput, LimitReached, ProblemCode
from ..measuring import MetricName
from ..paging import Keyset
from ..ports import Reader
from .model import Audit, AuditRow, AuditState, Finding, FindingRow, Request, RequestRow, Run, RunRow
from .series import Sample, SeriesKey

_AUDITS = query(AuditRow, Audit)
_BY_ID = _AUDITS.where(one_of(Audit.id, "ids"), within(Audit.workspace_id, Audit.site_id))

_PROFILE = bindparam("profile", type_=Uuid())
_ENVIRONMENT = bindparam("environment", type_=Text())
_FROM = bindparam("since", type_=UtcDateTime())
_TO = bindparam("until", type_=UtcDateTime())

# Page by page the newest one, through the index: a window function would walk each page's whole history.
_NEWEST = (
    select(Audit.id)
    .where(
        Audit.page_id == sites.Page.id,
        Audit.profile_id == func.coalesce(_PROFILE, sites.Site.default_profile_id),
        Audit.environment == _ENVIRONMENT,
        Audit.state == AuditState.FINISHED,
    )
    .order_by(Audit.finished_at.desc(), Audit.id.desc())
    .limit(1)
    .correlate(sites.Page, sites.Site)
    .scalar_subquery()
)
_LATEST = _AUDITS.where(
    Audit.id.in_(
        select(_NEWEST)
        .select_from(sites.Page)
        .join(sites.Site, sites.Site.id == sites.Page.site_id)
        .where(one_of(sites.Page.id, "pages"), within(sites.Page.workspace_id, sites.Page.site_id))
    ),
    within(Audit.workspace_id, Audit.site_id),
)

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


class LatestKey(NamedTuple):
    """Whose newest finished audit is asked for; without a profile, the site's default one."""

    page_id: UUID
    profile_id: UUID | None
    environment: str


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, AuditRow]:
    return {row.id: row for row in await reader.all(_BY_ID, ids=ids, reach=reach.held)}


async def latest(reader: Reader, reach: Reach, keys: Collection[LatestKey]) -> Mapping[LatestKey, AuditRow]:
    """One statement for each (profile, environment) that is asked for, however many pages."""
    groups: dict[tuple[UUID | None, str], list[UUID]] = {}
    for key in keys:
        groups.setdefault((key.profile_id, key.environment), []).append(key.page_id)
    found: dict[LatestKey, AuditRow] = {}
    for (profile, environment), pages in groups.items():
        rows = await reader.all(_LATEST, pages=pages, profile=profile, environment=environment, reach=reach.held)
        found.update({LatestKey(row.page_id, profile, environment): row for row in rows})
    return found


async def runs_by_audits(reader: Reader, reach: Reach, audits: Collection[UUID]) -> Mapping[UUID, Sequence[RunRow]]:
    found: dict[UUID, list[RunRow]] = {audit: [] for audit in audits}
    for row in await reader.all(_RUNS_BY_AUDIT, audits=audits, reach=reach.held):
        found[row.audit_id].append(row)
    return found


async def findings_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, FindingRow]:
    return {row.id: row for row in await reader.all(_FINDING_BY_ID, ids=ids, reach=reach.held)}


MAX_SAMPLES = 50_000


class _Values(tuple[Any, ...]):
    """Page, time and id of an audit, and then one value for each metric that was asked for."""

    __slots__ = ()

    def __new__(cls, *values: Any) -> _Values:
        return super().__new__(cls, values)


@lru_cache(64)
def _history(metrics: tuple[MetricName, ...]) -> Query[_Values]:
    statement = (
        select(Audit.page_id, Audit.finished_at, Audit.id, *(getattr(Audit, metric.value) for metric in metrics))
        .where(
            one_of(Audit.page_id, "pages"),
            within(Audit.workspace_id, Audit.site_id),
            Audit.profile_id == _PROFILE,
            Audit.environment == _ENVIRONMENT,
            Audit.state == AuditState.FINISHED,
            or_(_FROM.is_(None), Audit.finished_at >= _FROM),
            or_(_TO.is_(None), Audit.finished_at < _TO),
        )
        .order_by(Audit.finished_at.desc(), Audit.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )
    return Query(_Values, statement)


History = Mapping[MetricName, Sequence[Sample]]


async def histories(reader: Reader, reach: Reach, keys: Collection[SeriesKey]) -> Mapping[SeriesKey, History]:
    """Each key's samples, oldest first: one statement for all pages that are asked the same.

    Raises LimitReached for more than MAX_SAMPLES audits in such a statement.
    """
    groups: dict[SeriesKey, list[UUID]] = {}
    for key in keys:
        if key.since is not None and key.until is not None and key.since >= key.until:
            raise InvalidInput.at("to", "`to` must be later than `from`.", ProblemCode.OUT_OF_RANGE)
        groups.setdefault(key._replace(page_id=_NO_PAGE), []).append(key.page_id)
    found: dict[SeriesKey, History] = {}
    for asked, pages in groups.items():
        rows = await reader.all(
            _history(asked.metrics),
            pages=pages,
            reach=reach.held,
            profile=asked.profile_id,
            environment=asked.environment,
            since=asked.since,
            until=asked.until,
            limit=MAX_SAMPLES + 1,
        )
        if len(rows) > MAX_SAMPLES:
            raise LimitReached(f"This spans more than {MAX_SAMPLES:,} audits; take less time.", MAX_SAMPLES)
        for page in pages:
            found[asked._replace(page_id=page)] = _by_metric([row for row in rows if row[0] == page], asked.metrics)
    return found


def _by_metric(rows: Sequence[_Values], metrics: tuple[MetricName, ...]) -> History:
    return {
        metric: [Sample(row[1], row[2], row[place]) for row in reversed(rows) if row[place] is not None]
        for place, metric in enumerate(metrics, start=3)
    }


_NO_PAGE = UUID(int=0)
