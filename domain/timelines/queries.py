"""Reads of what is marked beside series: only of what is within reach."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, and_, bindparam, null, or_, select, union_all
from sqlalchemy import cast as as_type

from ..audits import Audit
from ..base import Base, Query, UtcDateTime, within
from ..marks import Annotation, Deploy
from ..paging import Keyset
from ..sites import Page
from ..verdicts import Judgement, Verdict


class MarkRow(NamedTuple):
    """One of the last three is there, and is `id`."""

    id: UUID
    page_id: UUID
    at: datetime
    deploy_id: UUID | None
    annotation_id: UUID | None
    verdict_id: UUID | None


_SINCE = bindparam("since", type_=UtcDateTime())
_UNTIL = bindparam("until", type_=UtcDateTime())
_ENVIRONMENT = bindparam("environment", type_=Text())
_PROFILE = bindparam("profile", type_=Uuid())


def _marked(table: Any, page: Any, at: Any) -> Select[Any]:
    """The rows of one of the three tables, with null for what the others are."""
    ids = (table.id if each is table else as_type(null(), Uuid()) for each in (Deploy, Annotation, Verdict))
    names = ("deploy_id", "annotation_id", "verdict_id")
    labelled = (id.label(name) for id, name in zip(ids, names, strict=True))
    return select(table.id.label("id"), page.label("page_id"), at.label("at"), *labelled).where(
        within(table.workspace_id, table.site_id), or_(_SINCE.is_(None), at >= _SINCE), or_(_UNTIL.is_(None), at < _UNTIL)
    )


def _of_pages(table: type[Base], *conditions: ColumnElement[bool]) -> Select[Any]:
    """What is a site's, once for each of its pages."""
    joined: Any = table
    statement = _marked(joined, Page.id, joined.at)
    return statement.join_from(table, Page, and_(Page.site_id == joined.site_id, *conditions)).where(
        within(Page.workspace_id, Page.site_id)
    )


_in_environment = or_(_ENVIRONMENT.is_(None), Deploy.environment == _ENVIRONMENT)
_about_it = or_(Annotation.page_id.is_(None), Annotation.page_id == Page.id)
_changes = (
    _marked(Verdict, Verdict.page_id, Audit.finished_at)
    .join_from(Verdict, Audit, Audit.id == Verdict.audit_id)
    .where(
        within(Audit.workspace_id, Audit.site_id),
        Audit.finished_at.is_not(None),
        or_(Verdict.judgement == Judgement.REGRESSED, Verdict.judgement == Judgement.IMPROVED),
        or_(_ENVIRONMENT.is_(None), Audit.environment == _ENVIRONMENT),
        or_(_PROFILE.is_(None), Verdict.profile_id == _PROFILE),
    )
)
_happenings = (_of_pages(Deploy, _in_environment), _of_pages(Annotation, _about_it))


def _listed(name: str, *parts: Select[Any]) -> Keyset[MarkRow]:
    """The newest first. Each of the parts is held to its own tenant."""
    column = cast(Any, union_all(*parts).subquery("marks").c)
    rows = Query(MarkRow, select(*(column[field] for field in MarkRow._fields)))
    return Keyset(name, rows, parent=column.page_id, tenant=None, keys=[column.at, column.id], descending=True)


MARKS = _listed("pageMarks", *_happenings, _changes)
"""A page's, the newest first: deploys of its site, what is written to it or to its whole site, and what regressed or improved.

Takes `since`, `until`, `environment` and, of verdicts, `profile`, each a value or None. A verdict stands where its audit ended.
"""

HAPPENINGS = _listed("pageHappenings", *_happenings)
"""The same without verdicts. Takes `since`, `until` and `environment`."""
