"""Reads of marks: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Text, bindparam, or_

from ..access import Reach
from ..base import UtcDateTime, one_of, query, within
from ..paging import Keyset
from ..ports import Reader
from .model import Annotation, AnnotationRow, Deploy, DeployRow

_DEPLOYS = query(DeployRow, Deploy)
_DEPLOY_BY_ID = _DEPLOYS.where(one_of(Deploy.id, "ids"), within(Deploy.workspace_id, Deploy.site_id))
_ANNOTATIONS = query(AnnotationRow, Annotation)
_ANNOTATION_BY_ID = _ANNOTATIONS.where(one_of(Annotation.id, "ids"), within(Annotation.workspace_id, Annotation.site_id))

_SINCE = bindparam("since", type_=UtcDateTime())
_UNTIL = bindparam("until", type_=UtcDateTime())
_ENVIRONMENT = bindparam("environment", type_=Text())

DEPLOYS = Keyset(
    "deploys",
    _DEPLOYS.where(
        or_(_SINCE.is_(None), Deploy.at >= _SINCE),
        or_(_UNTIL.is_(None), Deploy.at < _UNTIL),
        or_(_ENVIRONMENT.is_(None), Deploy.environment == _ENVIRONMENT),
    ),
    parent=Deploy.site_id,
    tenant=Deploy.workspace_id,
    site=Deploy.site_id,
    keys=[Deploy.at, Deploy.id],
    descending=True,
)
"""A site's, the newest first; takes `since`, `until` and `environment`, each a value or None."""

ANNOTATIONS = Keyset(
    "annotations",
    _ANNOTATIONS.where(
        or_(_SINCE.is_(None), Annotation.at >= _SINCE),
        or_(_UNTIL.is_(None), Annotation.at < _UNTIL),
    ),
    parent=Annotation.site_id,
    tenant=Annotation.workspace_id,
    site=Annotation.site_id,
    keys=[Annotation.at, Annotation.id],
    descending=True,
)
"""A site's and its pages', the newest first; takes `since` and `until`, each a value or None."""


async def deploys_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, DeployRow]:
    return {row.id: row for row in await reader.all(_DEPLOY_BY_ID, ids=ids, reach=reach.held)}


async def annotations_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, AnnotationRow]:
    return {row.id: row for row in await reader.all(_ANNOTATION_BY_ID, ids=ids, reach=reach.held)}
