"""Reads of sites, pages, profiles and access: only of those within reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Dialect, Text, TypeDecorator, bindparam, func, or_

from ..access import Reach
from ..base import Query, contains_all, one_of, query, within
from ..keyring import Keyring
from ..measuring import Access
from ..paging import Keyset
from ..ports import Reader
from .model import AccessRow, Page, PageRow, Profile, ProfileRow, SealedRow, Site, SiteAccess, SiteProfile, SiteRow
from .rules import MAX_URL, opened

MOST_SOUGHT = 4 * MAX_URL
"""In characters."""

_SITES = query(SiteRow, Site)
_SITE_BY_ID = _SITES.where(one_of(Site.id, "ids"), within(Site.workspace_id, Site.id))
_SITE_BY_SLUG = _SITES.where(one_of(Site.slug, "slugs"), within(Site.workspace_id, Site.id))
_SITE_BY_ORIGIN = _SITES.where(
    Site.workspace_id == bindparam("workspace_id"), Site.origin == bindparam("origin"), within(Site.workspace_id, Site.id)
)

_PAGES = Query(
    PageRow,
    query(PageRow, Page, Site).statement.join(Site, Site.id == Page.site_id),
)
_PAGE_BY_ID = _PAGES.where(one_of(Page.id, "ids"), within(Page.workspace_id, Page.site_id))
_PAGE_BY_PATH = _PAGES.where(one_of(Page.path, "paths"), one_of(Page.site_id, "sites"), within(Page.workspace_id, Page.site_id))

_PROFILES = query(ProfileRow, Profile)
_PROFILE_BY_ID = _PROFILES.where(one_of(Profile.id, "ids"), within(Profile.workspace_id))
_PROFILE_BY_WORKSPACE = Query(
    ProfileRow,
    _PROFILES.where(one_of(Profile.workspace_id, "workspaces"), within(Profile.workspace_id)).statement.order_by(Profile.id),
)


class _ChosenRow(NamedTuple):
    site_id: UUID
    profile_id: UUID


_CHOSEN = query(_ChosenRow, SiteProfile).where(
    one_of(SiteProfile.site_id, "sites"), within(SiteProfile.workspace_id, SiteProfile.site_id)
)
_CHOSEN = Query(_ChosenRow, _CHOSEN.statement.order_by(SiteProfile.profile_id))

_ACCESS = query(AccessRow, SiteAccess).where(
    one_of(SiteAccess.site_id, "sites"), within(SiteAccess.workspace_id, SiteAccess.site_id)
)
_SEALED = query(SealedRow, SiteAccess).where(
    SiteAccess.site_id == bindparam("site_id"), within(SiteAccess.workspace_id, SiteAccess.site_id)
)


class _Sought(TypeDecorator[str]):
    """No column holds so long a text that what is cut off here mattered, and SQLite takes no pattern of 50,000 bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value[:MOST_SOUGHT] if value is not None else None


def _wanted(*columns: Any) -> Any:
    """The `search` parameter is null, or a part of one of the columns whatever the case; wildcards mean themselves."""
    search = bindparam("search", type_=_Sought())
    literal: ColumnElement[str] = search
    for special in ("!", "%", "_"):  # no backslash, which PostgreSQL's settings give another meaning
        literal = func.replace(literal, special, f"!{special}")
    like = func.lower("%" + literal + "%")
    return or_(search.is_(None), *(func.lower(column).like(like, escape="!") for column in columns))


SITES = Keyset(
    "sites",
    _SITES.where(_wanted(Site.name, Site.origin), contains_all(Site.tags, "tags")),
    parent=Site.workspace_id,
    tenant=Site.workspace_id,
    site=Site.id,
    keys=[Site.name, Site.id],
)
"""Takes `search` (a part of name or origin, or None) and `tags` (all of them)."""

PAGES = Keyset("pages", _PAGES, parent=Page.site_id, tenant=Page.workspace_id, site=Page.site_id, keys=[Page.path, Page.id])

WANTED_PAGES = (
    _wanted(Page.name, Page.path, Site.name),
    # Without a word that any will do, PostgreSQL takes it that next to no site has all tags, even where none is asked for.
    or_(bindparam("any_tag", type_=Boolean()), contains_all(Site.tags, "tags")),
    or_(bindparam("any_site", type_=Boolean()), one_of(Page.site_id, "sites")),
)
"""Of pages with their sites. Takes `search`; `tags` unless `any_tag` is true, and `sites` (those with these ids) unless
`any_site` is."""

_FOUND_PAGES = _PAGES.where(*WANTED_PAGES)
WORKSPACE_PAGES = Keyset(
    "workspacePages",
    _FOUND_PAGES,
    parent=Page.workspace_id,
    tenant=Page.workspace_id,
    site=Page.site_id,
    keys=[Page.name, Page.id],
)
PAGES_BY_AGE = Keyset(
    "newestPages",
    _FOUND_PAGES,
    parent=Page.workspace_id,
    tenant=Page.workspace_id,
    site=Page.site_id,
    keys=[Page.id],
    descending=True,
)


async def by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, SiteRow]:
    return {row.id: row for row in await reader.all(_SITE_BY_ID, ids=ids, reach=reach.held)}


async def by_slugs(reader: Reader, reach: Reach, keys: Collection[tuple[UUID, str]]) -> Mapping[tuple[UUID, str], SiteRow]:
    """By (workspace, slug)."""
    rows = await reader.all(_SITE_BY_SLUG, slugs={slug for _, slug in keys}, reach=reach.held)
    return {(row.workspace_id, row.slug): row for row in rows}


async def by_origin(reader: Reader, reach: Reach, workspace_id: UUID, origin: str) -> SiteRow | None:
    return await reader.first(_SITE_BY_ORIGIN, workspace_id=workspace_id, origin=origin, reach=reach.held)


async def pages_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, PageRow]:
    return {row.id: row for row in await reader.all(_PAGE_BY_ID, ids=ids, reach=reach.held)}


async def page_by_paths(reader: Reader, reach: Reach, keys: Collection[tuple[UUID, str]]) -> Mapping[tuple[UUID, str], PageRow]:
    """By (site, path)."""
    rows = await reader.all(_PAGE_BY_PATH, sites={site for site, _ in keys}, paths={path for _, path in keys}, reach=reach.held)
    return {(row.site_id, row.path): row for row in rows}


async def profiles_by_ids(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, ProfileRow]:
    return {row.id: row for row in await reader.all(_PROFILE_BY_ID, ids=ids, reach=reach.workspaces)}


async def profiles_by_workspace(
    reader: Reader, reach: Reach, workspaces: Collection[UUID]
) -> Mapping[UUID, Sequence[ProfileRow]]:
    found: dict[UUID, list[ProfileRow]] = {workspace: [] for workspace in workspaces}
    for row in await reader.all(_PROFILE_BY_WORKSPACE, workspaces=workspaces, reach=reach.workspaces):
        found[row.workspace_id].append(row)
    return found


async def profiles_by_site(reader: Reader, reach: Reach, sites: Collection[UUID]) -> Mapping[UUID, Sequence[ProfileRow]]:
    """The profiles that each site chose, oldest first."""
    chosen = await reader.all(_CHOSEN, sites=sites, reach=reach.held)
    profiles = await profiles_by_ids(reader, reach, {row.profile_id for row in chosen})
    found: dict[UUID, list[ProfileRow]] = {site: [] for site in sites}
    for row in chosen:
        if row.profile_id in profiles:  # it may have been deleted since the statement before
            found[row.site_id].append(profiles[row.profile_id])
    return found


async def default_profiles(reader: Reader, reach: Reach, sites: Collection[UUID]) -> Mapping[UUID, ProfileRow]:
    rows = await by_ids(reader, reach, sites)
    profiles = await profiles_by_ids(reader, reach, {row.default_profile_id for row in rows.values()})
    # Another may have become the default since, and this one been deleted.
    return {site: profiles[row.default_profile_id] for site, row in rows.items() if row.default_profile_id in profiles}


async def sealed_access(reader: Reader, reach: Reach, sites: Collection[UUID]) -> Mapping[UUID, AccessRow]:
    """What there is, never what it says."""
    return {row.site_id: row for row in await reader.all(_ACCESS, sites=sites, reach=reach.held)}


async def open_access(reader: Reader, reach: Reach, site_id: UUID, keyring: Keyring) -> Access:
    """The secrets themselves: for a measurement, and for nothing else."""
    row = await reader.first(_SEALED, site_id=site_id, reach=reach.held)
    return opened(row.sealed, keyring) if row else Access()
