"""Reads of many audits at once, for whoever judges them: what was found, how many requests, and what the page was before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Select, and_, bindparam, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from ..access import Reach
from ..base import Query, one_of, within
from ..measuring import ResourceType
from ..ports import Reader
from .model import Audit, AuditState, Finding, Request, Run


class _FoundRow(NamedTuple):
    audit_id: UUID
    rule: str
    evidence: list[dict[str, str]]


class _CountRow(NamedTuple):
    audit_id: UUID
    run: int
    resource_type: ResourceType
    number: int


class _BeforeRow(NamedTuple):
    audit_id: UUID
    id: UUID


_FOUND = Query(
    _FoundRow,
    select(Finding.audit_id, Finding.rule, Finding.evidence).where(
        one_of(Finding.audit_id, "audits"), one_of(Finding.rule, "rules"), within(Finding.workspace_id, Finding.site_id)
    ),
)
_COUNTS = Query(
    _CountRow,
    select(Run.audit_id, Run.index.label("run"), Request.resource_type, func.count().label("number"))
    .join(Request, Request.run_id == Run.id)
    .where(
        one_of(Run.audit_id, "audits"),
        within(Run.workspace_id, Run.site_id),
        within(Request.workspace_id, Request.site_id),
    )
    .group_by(Run.audit_id, Run.index, Request.resource_type),
)

_this, _other = aliased(Audit, name="this"), aliased(Audit, name="other")
_EQUAL = ("page_id", "profile_id", "environment", "conditions_id")
"""The environment is in the conditions, and in the index too."""


def _earlier() -> Select[Any]:
    """Of `this`, the last ones before it that were finished under equal conditions."""
    return (
        select(_other.id)
        .where(
            *(getattr(_other, name) == getattr(_this, name) for name in _EQUAL),
            _other.state == AuditState.FINISHED,
            _other.confirms.is_(False),
            or_(
                _other.finished_at < _this.finished_at,
                and_(_other.finished_at == _this.finished_at, _other.id < _this.id),
            ),
            within(_other.workspace_id, _other.site_id),
        )
        .order_by(_other.finished_at.desc(), _other.id.desc())
        .limit(bindparam("number", type_=Integer()))
        .correlate(_this)
    )


def _before() -> Query[_BeforeRow]:
    """On PostgreSQL audit by audit through the index; SQLite, which has no LATERAL, looks at a page's whole history."""
    each = _earlier().lateral("each")
    these = select(_this.id.label("audit_id"), each.c.id).join(each, true())
    past = aliased(Audit, name="past")
    on_sqlite = (
        select(_this.id.label("audit_id"), past.id)
        .join(past, past.page_id == _this.page_id)
        .where(past.id.in_(_earlier().scalar_subquery()), within(past.workspace_id, past.site_id))
    )
    mine = (one_of(_this.id, "audits"), within(_this.workspace_id, _this.site_id))
    return Query(_BeforeRow, these.where(*mine), sqlite=on_sqlite.where(*mine))


_BEFORE = _before()


class _OvertakenRow(NamedTuple):
    id: UUID


_OVERTAKEN = Query(
    _OvertakenRow,
    select(_this.id).where(
        one_of(_this.id, "audits"),
        within(_this.workspace_id, _this.site_id),
        exists().where(
            *(getattr(_other, name) == getattr(_this, name) for name in ("page_id", "profile_id", "environment")),
            or_(_other.state == AuditState.FINISHED, and_(_other.state == AuditState.FAILED, _other.confirms.is_(False))),
            _other.state != _this.state,
            _other.finished_at > _this.finished_at,
            within(_other.workspace_id, _other.site_id),
        ),
    ),
)


async def overtaken(reader: Reader, reach: Reach, audits: Collection[UUID]) -> Collection[UUID]:
    """Those after which another audit of the same page ended the other way: finished, or failed and was no confirmation."""
    return {row.id for row in await reader.all(_OVERTAKEN, audits=audits, reach=reach.held)} if audits else ()


async def evidence(
    reader: Reader, reach: Reach, audits: Collection[UUID], rules: Collection[str]
) -> Mapping[UUID, Mapping[str, int]]:
    """Of the audits that have such findings: how many pieces of evidence each has; at least one, since it is there."""
    found: dict[UUID, dict[str, int]] = {}
    for row in await reader.all(_FOUND, audits=audits, rules=rules, reach=reach.held):
        found.setdefault(row.audit_id, {})[row.rule] = max(1, len(row.evidence))
    return found


async def counts(
    reader: Reader, reach: Reach, audits: Collection[UUID]
) -> Mapping[UUID, Mapping[int, Mapping[ResourceType, int]]]:
    """How many requests of each type each run made, of the runs that have any."""
    found: dict[UUID, dict[int, dict[ResourceType, int]]] = {}
    for row in await reader.all(_COUNTS, audits=audits, reach=reach.held):
        found.setdefault(row.audit_id, {}).setdefault(row.run, {})[row.resource_type] = row.number
    return found


async def before(reader: Reader, reach: Reach, audits: Collection[UUID], number: int) -> Mapping[UUID, Sequence[UUID]]:
    """For each, the last finished audits of its page before it whose Conditions equal its own; no confirmations."""
    found: dict[UUID, list[UUID]] = {audit: [] for audit in audits}
    for row in await reader.all(_BEFORE, audits=audits, number=number, reach=reach.held):
        found[row.audit_id].append(row.id)
    return found
