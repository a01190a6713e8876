"""What people name, found by GraphQL: sites, pages and profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.asking import There, workspace_of
from app.auditing.plain import plain
from app.errors import Unusable
from domain.ids import Kind

SITE_BY_SLUG = (
    "query SiteBySlug($workspace: String!, $slug: String!) { workspace(slug: $workspace) { id site(slug: $slug) { id } } }"
)
SITES_BY_ORIGIN = """query SitesByOrigin($workspace: String!, $search: String!) {
  workspace(slug: $workspace) { id sites(first: 100, search: $search) { nodes { id origin } } }
}"""
SITE_BY_ID = "query SiteById($id: ID!) { site(id: $id) { id } }"
PAGE_BY_PATH = "query PageByPath($site: ID!, $path: String!) { site(id: $site) { page(path: $path) { id } } }"
PROFILES = "query ProfilesOf($workspace: String!) { workspace(slug: $workspace) { id profiles { id name } } }"


class Commit(NamedTuple):
    """What Git knows; all but the hash only beside it."""

    hash: str | None
    branch: str | None = None
    ancestor: str | None = None
    author: str | None = None
    message: str | None = None

    def given(self) -> dict[str, str | None] | None:
        """As GraphQL takes it. Raises Unusable."""
        if self.hash is None and any(each is not None for each in self[1:]):
            raise Unusable("What belongs to a commit needs its hash: --commit HASH.")
        return self._asdict() if self.hash is not None else None


async def site(there: There, name: str) -> str:
    """The id of the site with this slug, address or id. Raises Unusable."""
    found: Any = None
    if name.startswith(f"{Kind.SITE}_"):
        found = (await there.ask(SITE_BY_ID, id=name))["site"]
    elif "://" in name:
        origin = name.rstrip("/").lower()
        said = workspace_of(await there.ask(SITES_BY_ORIGIN, workspace=there.workspace, search=origin), there)
        found = next((each for each in said["sites"]["nodes"] if each["origin"] == origin), None)
    else:
        found = workspace_of(await there.ask(SITE_BY_SLUG, workspace=there.workspace, slug=name), there)["site"]
    if found is None:
        raise Unusable(f"There is no site {plain(name)!r} in this workspace: give its slug, its address or its id.")
    id: str = found["id"]
    return id


async def pages(there: There, site_id: str, names: Sequence[str]) -> list[str] | None:
    """The ids of a site's pages with these paths or ids; None for none named. Raises Unusable."""
    return [await page(there, site_id, name) for name in names] or None


async def page(there: There, site_id: str | None, name: str) -> str:
    """By its id, or in a site by its path. Raises Unusable."""
    if name.startswith(f"{Kind.PAGE}_"):
        return name
    if site_id is None:
        raise Unusable("A page without --site is named by its id, such as page_01a2….")
    found = (await there.ask(PAGE_BY_PATH, site=site_id, path=name))["site"]["page"]
    if found is None:
        raise Unusable(f"There is no page {plain(name)!r} in this site: give its path, such as /pricing, or its id.")
    id: str = found["id"]
    return id


async def profiles(there: There, names: Sequence[str]) -> list[str] | None:
    """The ids of the profiles with these names or ids; None for none named. Raises Unusable."""
    if not names:
        return None
    there_are = workspace_of(await there.ask(PROFILES, workspace=there.workspace), there)["profiles"]
    ids = {each[key]: each["id"] for each in there_are for key in ("id", "name")}
    for name in names:
        if name not in ids:
            known = ", ".join(plain(each["name"], 60) for each in there_are)
            raise Unusable(f"There is no profile {plain(name)!r} in this workspace; there are {known}.")
    return [ids[name] for name in names]
