"""What is done to sites, pages, profiles and access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy import delete as remove
from sqlalchemy import update as change

from .. import security
from ..access import Permission, Reach
from ..base import Count, Query, count, query, within
from ..errors import Conflict, Fault, InvalidInput, LimitReached, NotFound, ProblemCode
from ..idempotency import Promise, promise
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..measuring import Access, EngineName, FormFactor
from ..security import SecurityKind
from ..work import Work
from ..workspaces import Workspace
from . import queries, rules
from .model import Page, PageRow, Profile, ProfileRow, Site, SiteAccess, SiteProfile, SiteRow

MAX_SITES = 1_000
MAX_PAGES = 5_000
MAX_PROFILES = 100


_SITES = count(Site, Site.workspace_id == bindparam("workspace_id"))
_PAGES = count(Page, Page.workspace_id == bindparam("workspace_id"), Page.site_id == bindparam("site_id"))
_PROFILES = count(Profile, Profile.workspace_id == bindparam("workspace_id"))
_CHOICES = count(
    SiteProfile,
    SiteProfile.workspace_id == bindparam("workspace_id"),
    SiteProfile.profile_id == bindparam("profile_id"),
)

_PROFILE_BY_NAME = query(ProfileRow, Profile).where(
    Profile.workspace_id == bindparam("workspace_id"), Profile.name == bindparam("name")
)


_SITE_IN_TURN = Query(
    SiteRow,
    query(SiteRow, Site)
    .where(Site.id == bindparam("id"), within(Site.workspace_id, Site.id))
    .statement.with_for_update(key_share=True),
)
_PROFILE_IN_TURN = Query(
    ProfileRow,
    query(ProfileRow, Profile)
    .where(Profile.id == bindparam("id"), within(Profile.workspace_id))
    .statement.with_for_update(key_share=True),
)


async def create(
    work: Work,
    *,
    workspace_id: UUID,
    origin: str,
    name: str | None = None,
    tags: Sequence[str] = (),
    profile_ids: Sequence[UUID] = (),
    idempotency_key: str | None = None,
) -> Promise:
    """Watch an origin. The first profile is the default; without any, it is the workspace's first."""
    work.actor.require(Permission.SITE_WRITE, workspace_id)
    faults: list[Fault] = []
    origin = rules.check_origin(origin, faults)
    name = rules.check_name(_host(origin) if name is None else name, faults)
    kept = rules.check_tags(tags, faults)
    if faults:
        raise InvalidInput(faults)
    given = {
        "workspace": workspace_id,
        "origin": origin,
        "name": name,
        "tags": kept,
        "profiles": list(profile_ids),
    }
    promised = await promise(work, idempotency_key, "siteCreate", given)
    if promised.replayed:
        return promised
    await _in_turn(work, workspace_id)
    existing = await _site_at(work, workspace_id, origin)
    if existing is not None:
        raise Conflict("This origin is watched already.", ProblemCode.ALREADY_EXISTS, (Kind.SITE, existing.id))
    await _add_site(work, promised.id, workspace_id, origin, name, kept, profile_ids)
    return promised


async def update(
    work: Work,
    *,
    site_id: UUID,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    profile_ids: Sequence[UUID] | None = None,
) -> UUID:
    """Change what is given, keep the rest. `profile_ids` replaces the choice; its first is the default."""
    site = await _site(work, site_id, Permission.SITE_WRITE)
    work.actor.require(Permission.SITE_WRITE, site.workspace_id, site_id)
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = rules.check_name(name, faults)
    if tags is not None:
        values["tags"] = rules.check_tags(tags, faults)
    if profile_ids is not None and not profile_ids:
        faults.append(Fault(("profiles",), "A site needs at least one profile.", ProblemCode.REQUIRED))
    if faults:
        raise InvalidInput(faults)
    if profile_ids is not None:
        chosen = await _chosen(work, site.workspace_id, profile_ids)
        await work.db.execute(remove(SiteProfile).where(SiteProfile.site_id == site_id))
        _choose(work, site_id, site.workspace_id, chosen)
        values["default_profile_id"] = chosen[0]
    if values:
        await work.db.execute(change(Site).where(Site.id == site_id).values(**values))
    return site_id


async def delete(work: Work, *, site_id: UUID) -> UUID:
    """Forget a site with its pages and all their history."""
    site = await _site(work, site_id, Permission.SITE_WRITE)
    work.actor.require(Permission.SITE_WRITE, site.workspace_id, site_id)
    await _forget_access(work, site, siteDeleted=True)
    await work.db.execute(remove(Site).where(Site.id == site_id))
    return site_id


async def create_page(
    work: Work, *, site_id: UUID, path: str, name: str | None = None, idempotency_key: str | None = None
) -> Promise:
    site = await _site(work, site_id, Permission.SITE_WRITE)
    work.actor.require(Permission.SITE_WRITE, site.workspace_id, site_id)
    faults: list[Fault] = []
    path = rules.check_path(path, faults)
    name = rules.check_name(name if name is not None else path[: rules.MAX_NAME], faults)
    if faults:
        raise InvalidInput(faults)
    promised = await promise(work, idempotency_key, "pageCreate", {"site": site_id, "path": path, "name": name})
    if promised.replayed:
        return promised
    await _in_turn(work, site.workspace_id)
    existing = await _page_at(work, site_id, site.workspace_id, path)
    if existing is not None:
        raise Conflict("This site has a page at this path already.", ProblemCode.ALREADY_EXISTS, (Kind.PAGE, existing.id))
    await _add_page(work, promised.id, site, path, name)
    return promised


async def update_page(work: Work, *, page_id: UUID, name: str) -> UUID:
    page = await _page(work, page_id, Permission.SITE_WRITE)
    work.actor.require(Permission.SITE_WRITE, page.workspace_id, page.site_id)
    faults: list[Fault] = []
    name = rules.check_name(name, faults)
    if faults:
        raise InvalidInput(faults)
    await work.db.execute(change(Page).where(Page.id == page_id).values(name=name))
    return page_id


async def delete_page(work: Work, *, page_id: UUID) -> UUID:
    """Forget a page with all its history."""
    page = await _page(work, page_id, Permission.SITE_WRITE)
    work.actor.require(Permission.SITE_WRITE, page.workspace_id, page.site_id)
    await work.db.execute(remove(Page).where(Page.id == page_id))
    return page_id


async def find_or_create_page(work: Work, *, workspace_id: UUID, url: str, path: str = "url") -> PageRow:
    """The page at an address, made with its site where it is new: for those who may request audits.

    Raises InvalidInput, naming `path`, for what is no address.
    """
    address = rules.split_url(url, path)
    site = await queries.by_origin(work.db, work.actor.reach, workspace_id, address.origin)
    site_id = site.id if site is not None else None
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id, site_id)
    page = await _page_at(work, site.id, workspace_id, address.path) if site is not None else None
    if page is None:
        work.actor.require(Permission.SITE_WRITE, workspace_id, site_id)
        await _in_turn(work, workspace_id)
        page = await _page_of(work, workspace_id, address) or await _make_page(work, workspace_id, address)
    return page


async def create_profile(
    work: Work, *, workspace_id: UUID, name: str, settings: rules.ProfileSettings, idempotency_key: str | None = None
) -> Promise:
    work.actor.require(Permission.PROFILE_WRITE, workspace_id)
    faults: list[Fault] = []
    name = rules.check_name(name, faults)
    rules.check_settings(settings, faults)
    if faults:
        raise InvalidInput(faults)
    promised = await promise(
        work, idempotency_key, "profileCreate", {"workspace": workspace_id, "name": name, "settings": repr(settings)}
    )
    if promised.replayed:
        return promised
    await _in_turn(work, workspace_id)
    await _refuse_profile_name(work, workspace_id, name)
    if await _count(work, _PROFILES, workspace_id) >= MAX_PROFILES:
        raise LimitReached(f"A workspace has at most {MAX_PROFILES} profiles.", MAX_PROFILES)
    _add_profile(work, promised.id, workspace_id, name, settings)
    await work.db.flush()
    return promised


async def update_profile(
    work: Work, *, profile_id: UUID, name: str | None = None, changes: Mapping[str, Any] | None = None
) -> UUID:
    """`changes` are fields of ProfileSettings. A changed way of measuring is a new version of the profile."""
    profile = await _profile(work, profile_id, Permission.PROFILE_WRITE)
    work.actor.require(Permission.PROFILE_WRITE, profile.workspace_id)
    faults: list[Fault] = []
    if name is not None:
        name = rules.check_name(name, faults)
    settings = settings_of(profile)._replace(**(changes or {}))
    rules.check_settings(settings, faults)
    if faults:
        raise InvalidInput(faults)
    if name is not None and name != profile.name:
        await _refuse_profile_name(work, profile.workspace_id, name)
        await work.db.execute(change(Profile).where(Profile.id == profile_id).values(name=name))
    if settings != settings_of(profile):
        values = {**_columns(settings), "version": profile.version + 1}
        await work.db.execute(change(Profile).where(Profile.id == profile_id).values(**values))
    return profile_id


async def delete_profile(work: Work, *, profile_id: UUID) -> UUID:
    profile = await _profile(work, profile_id, Permission.PROFILE_WRITE)
    work.actor.require(Permission.PROFILE_WRITE, profile.workspace_id)
    if await _count(work, _CHOICES, profile.workspace_id, profile_id=profile_id):
        raise Conflict("Sites are measured with this profile; choose another for them first.", ProblemCode.IN_USE)
    try:
        await work.db.execute(remove(Profile).where(Profile.id == profile_id))
    except Conflict as refused:
        message = "Audits or schedules need this profile: it stays for their sake. Rename it if its name is in the way."
        raise Conflict(message, ProblemCode.IN_USE) from refused
    return profile_id


async def seed_profiles(work: Work, *, workspace_id: UUID) -> None:
    """The profiles that a new workspace begins with."""
    work.actor.require(Permission.PROFILE_WRITE, workspace_id)
    for name, settings in rules.PROFILE_SEEDS.items():
        _add_profile(work, new_id(), workspace_id, name, settings)
    await work.db.flush()


async def find_or_create_profile(work: Work, *, workspace_id: UUID, engine: EngineName, form_factor: FormFactor) -> ProfileRow:
    """The oldest profile of this engine and form factor, made where there is none."""
    work.actor.require(Permission.AUDIT_REQUEST, workspace_id)
    profiles = (await queries.profiles_by_workspace(work.db, Reach.whole(workspace_id), [workspace_id]))[workspace_id]
    for profile in profiles:
        if (profile.engine, profile.form_factor, profile.throttling_method) == (engine, form_factor, None):
            return profile
    name = f"{engine.capitalize()} {form_factor.lower()}"
    runs = next(seed.runs for seed in rules.PROFILE_SEEDS.values() if seed.engine is engine)
    settings = rules.ProfileSettings(engine, form_factor, None, runs)
    await create_profile(work, workspace_id=workspace_id, name=name, settings=settings)
    return await find_or_create_profile(work, workspace_id=workspace_id, engine=engine, form_factor=form_factor)


async def set_access(work: Work, *, site_id: UUID, access: Access, keyring: Keyring) -> UUID:
    """Replace what is sent to reach the site. It is never shown again."""
    site = await _site(work, site_id, Permission.ACCESS_WRITE)
    work.actor.require(Permission.ACCESS_WRITE, site.workspace_id, site_id)
    rules.check_access(access)
    await work.db.execute(remove(SiteAccess).where(SiteAccess.site_id == site_id))
    work.db.add(
        SiteAccess(
            site_id=site_id,
            workspace_id=site.workspace_id,
            sealed=rules.sealed(access, keyring),
            header_names=sorted(access.headers),
            cookie_names=sorted(access.cookies),
            has_password=access.password is not None,
            updated_at=work.now,
        )
    )
    await work.db.flush()
    given = {"headers": len(access.headers), "cookies": len(access.cookies), "password": access.password is not None}
    _log(work, SecurityKind.ACCESS_SET, site, **given)
    return site_id


async def clear_access(work: Work, *, site_id: UUID) -> UUID:
    site = await _site(work, site_id, Permission.ACCESS_WRITE)
    work.actor.require(Permission.ACCESS_WRITE, site.workspace_id, site_id)
    await _forget_access(work, site)
    return site_id


def settings_of(profile: ProfileRow) -> rules.ProfileSettings:
    return rules.ProfileSettings(profile.engine, profile.form_factor, rules.throttling_of(profile), profile.runs)


async def _in_turn(work: Work, workspace_id: UUID) -> None:
    """Whoever adds to what the workspace has waits for whoever is at it: two at once must not make the same twice."""
    await work.db.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


async def _site(work: Work, site_id: UUID, permission: Permission) -> SiteRow:
    """The site, in turn: whoever else changes it waits, and then sees what was changed."""
    site = await work.db.first(_SITE_IN_TURN, id=site_id, reach=work.actor.reach.held)
    if site is None:
        raise work.actor.absent(permission, Kind.SITE, site_id)
    return site


async def _forget_access(work: Work, site: SiteRow, **details: bool) -> None:
    """Logged where there was any: what was set is in the log until it is gone."""
    forgotten = remove(SiteAccess).where(SiteAccess.site_id == site.id).returning(SiteAccess.site_id)
    if (await work.db.execute(forgotten)).first() is not None:
        _log(work, SecurityKind.ACCESS_CLEARED, site, **details)


def _log(work: Work, kind: SecurityKind, site: SiteRow, **details: Any) -> None:
    """How much of each kind; no name and no value of what is sent."""
    security.log(work, kind, workspace_id=site.workspace_id, subject=encode(Kind.SITE, site.id), name=site.name, **details)


async def _page(work: Work, page_id: UUID, permission: Permission) -> PageRow:
    page = (await queries.pages_by_ids(work.db, work.actor.reach, [page_id])).get(page_id)
    if page is None:
        raise work.actor.absent(permission, Kind.PAGE, page_id)
    return page


async def _profile(work: Work, profile_id: UUID, permission: Permission) -> ProfileRow:
    """The profile, in turn: of two changes at once, each is a version."""
    profile = await work.db.first(_PROFILE_IN_TURN, id=profile_id, reach=work.actor.reach.workspaces)
    if profile is None:
        raise work.actor.absent(permission, Kind.PROFILE, profile_id)
    return profile


async def _site_at(work: Work, workspace_id: UUID, origin: str) -> SiteRow | None:
    return await queries.by_origin(work.db, Reach.whole(workspace_id), workspace_id, origin)


async def _page_of(work: Work, workspace_id: UUID, address: rules.Address) -> PageRow | None:
    site = await _site_at(work, workspace_id, address.origin)
    return await _page_at(work, site.id, workspace_id, address.path) if site is not None else None


async def _make_page(work: Work, workspace_id: UUID, address: rules.Address) -> PageRow:
    """The page of an address, with its site where it is new."""
    site = await _site_at(work, workspace_id, address.origin)
    if site is None:
        await _add_site(work, new_id(), workspace_id, address.origin, _host(address.origin), [], [])
        site = await _site_at(work, workspace_id, address.origin)
        assert site is not None
    await _add_page(work, new_id(), site, address.path, address.path[: rules.MAX_NAME])
    page = await _page_of(work, workspace_id, address)
    assert page is not None
    return page


def _host(origin: str) -> str:
    """With its port: a site's name where none was given. Of no origin, which is refused anyhow, a question mark."""
    return origin.partition("://")[2][: rules.MAX_NAME] or "?"


async def _page_at(work: Work, site_id: UUID, workspace_id: UUID, path: str) -> PageRow | None:
    return (await queries.page_by_paths(work.db, Reach.whole(workspace_id), [(site_id, path)])).get((site_id, path))


async def _add_site(
    work: Work, id: UUID, workspace_id: UUID, origin: str, name: str, tags: list[str], profile_ids: Sequence[UUID]
) -> None:
    if await _count(work, _SITES, workspace_id) >= MAX_SITES:
        raise LimitReached(f"A workspace watches at most {MAX_SITES:,} sites.", MAX_SITES)
    chosen = await _chosen(work, workspace_id, profile_ids)
    work.db.add(
        Site(
            id=id,
            workspace_id=workspace_id,
            default_profile_id=chosen[0],
            slug=await _free_slug(work, workspace_id, rules.slug_of(origin)),
            name=name,
            origin=origin,
            tags=tags,
            created_at=work.now,
        )
    )
    await work.db.flush()
    _choose(work, id, workspace_id, chosen)
    await work.db.flush()


async def _add_page(work: Work, id: UUID, site: SiteRow, path: str, name: str) -> None:
    if await _count(work, _PAGES, site.workspace_id, site_id=site.id) >= MAX_PAGES:
        raise LimitReached(f"A site has at most {MAX_PAGES:,} pages.", MAX_PAGES)
    work.db.add(Page(id=id, workspace_id=site.workspace_id, site_id=site.id, name=name, path=path, created_at=work.now))
    await work.db.flush()


async def _chosen(work: Work, workspace_id: UUID, profile_ids: Sequence[UUID]) -> list[UUID]:
    known = (await queries.profiles_by_workspace(work.db, Reach.whole(workspace_id), [workspace_id]))[workspace_id]
    if not profile_ids and not known:
        raise InvalidInput.at("profiles", "This workspace has no profile; make one first.", ProblemCode.REQUIRED)
    if not profile_ids:
        return [known[0].id]
    unknown = set(profile_ids) - {profile.id for profile in known}
    if unknown:
        raise NotFound("There is no such profile in this workspace.", encode(Kind.PROFILE, min(unknown)))
    return list(dict.fromkeys(profile_ids))


def _choose(work: Work, site_id: UUID, workspace_id: UUID, profile_ids: Sequence[UUID]) -> None:
    for profile_id in profile_ids:
        work.db.add(SiteProfile(site_id=site_id, profile_id=profile_id, workspace_id=workspace_id))


def _add_profile(work: Work, id: UUID, workspace_id: UUID, name: str, settings: rules.ProfileSettings) -> None:
    work.db.add(Profile(id=id, workspace_id=workspace_id, name=name, version=1, created_at=work.now, **_columns(settings)))


def _columns(settings: rules.ProfileSettings) -> dict[str, Any]:
    throttling = settings.throttling
    return {
        "engine": settings.engine,
        "form_factor": settings.form_factor,
        "throttling_method": throttling.method if throttling else None,
        "rtt_ms": throttling.rtt_ms if throttling else None,
        "throughput_kbps": throttling.throughput_kbps if throttling else None,
        "cpu_slowdown": throttling.cpu_slowdown if throttling else None,
        "runs": settings.runs,
    }


async def _refuse_profile_name(work: Work, workspace_id: UUID, name: str) -> None:
    existing = await work.db.first(_PROFILE_BY_NAME, workspace_id=workspace_id, name=name)
    if existing is not None:
        raise Conflict(
            "A profile of this workspace has this name already.",
            ProblemCode.ALREADY_EXISTS,
            (Kind.PROFILE, existing.id),
        )


async def _free_slug(work: Work, workspace_id: UUID, wanted: str) -> str:
    candidates = [wanted, *(f"{wanted[:58]}-{number}" for number in range(2, 100)), f"{wanted[:30]}-{new_id().hex}"]
    taken = await queries.by_slugs(work.db, Reach.whole(workspace_id), [(workspace_id, slug) for slug in candidates])
    return next(slug for slug in candidates if (workspace_id, slug) not in taken)


async def _count(work: Work, number: Query[Count], workspace_id: UUID, **values: UUID) -> int:
    row = await work.db.first(number, workspace_id=workspace_id, **values)
    return row.number if row else 0
