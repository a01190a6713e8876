"""Changing what is watched, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from domain import reactions, sites
from domain.access import Permission
from domain.errors import Fault, ProblemCode
from domain.errors import InvalidInput as Invalid
from domain.ids import Kind, decode
from domain.measuring import Access

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from .types import Page, Site

KEY = "The same key with the same input gives the same result for 24 hours."
REPLAYED = "Whether it is what the same idempotency key made before."


@strawberry.input(description="A site to watch.")
class SiteCreateInput:
    workspace: strawberry.ID = strawberry.field(description="Whose it is.")
    origin: str = strawberry.field(description="Scheme, host and port, such as https://example.com.")
    name: str | None = strawberry.field(default=None, description="Its name; else its host.")
    tags: list[str] | None = strawberry.field(default=None, description="Such as the client or the team; at most 20.")
    profiles: list[strawberry.ID] | None = strawberry.field(
        default=None, description="How it is measured, the default first; else as the workspace's first profile says."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The site is watched.")
class SiteCreatePayload:
    site: Site = strawberry.field(description="The site.")
    replayed: bool = strawberry.field(description=REPLAYED)


SiteCreateResult = Annotated[
    SiteCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("SiteCreateResult", description="What becomes of `siteCreate`."),
]


@strawberry.input(description="What to change of a site; what is left out stays.")
class SiteUpdateInput:
    site: strawberry.ID = strawberry.field(description="Its id.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    tags: list[str] | None = strawberry.field(default=None, description="All its tags.")
    profiles: list[strawberry.ID] | None = strawberry.field(default=None, description="All its profiles, the default first.")


@strawberry.type(description="The site was changed.")
class SiteUpdatePayload:
    site: Site = strawberry.field(description="The site as it is now.")


SiteUpdateResult = Annotated[
    SiteUpdatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("SiteUpdateResult", description="What becomes of `siteUpdate`."),
]


@strawberry.input(description="A site to forget, with its pages and all their history.")
class SiteDeleteInput:
    site: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The site is forgotten.")
class SiteDeletePayload:
    site_id: strawberry.ID = strawberry.field(description="The id that it had.")


SiteDeleteResult = Annotated[
    SiteDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("SiteDeleteResult", description="What becomes of `siteDelete`."),
]


@strawberry.input(description="A name and a value.")
class NameAndValue:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value; never shown again.")


@strawberry.input(description="What is sent to reach a site: only ever to its own origin. It replaces what there was.")
class SiteAccessSetInput:
    site: strawberry.ID = strawberry.field(description="The site's id.")
    headers: list[NameAndValue] | None = strawberry.field(default=None, description="Headers; at most 20.")
    cookies: list[NameAndValue] | None = strawberry.field(default=None, description="Cookies; at most 20.")
    username: str | None = strawberry.field(default=None, description="For Basic authentication.")
    password: str | None = strawberry.field(default=None, description="For Basic authentication; never shown again.")


@strawberry.type(description="It will be sent from now on.")
class SiteAccessSetPayload:
    site: Site = strawberry.field(description="The site.")


SiteAccessSetResult = Annotated[
    SiteAccessSetPayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("SiteAccessSetResult", description="What becomes of `siteAccessSet`."),
]


@strawberry.input(description="A site to reach like anybody else.")
class SiteAccessClearInput:
    site: strawberry.ID = strawberry.field(description="The site's id.")


@strawberry.type(description="Nothing is sent any more.")
class SiteAccessClearPayload:
    site: Site = strawberry.field(description="The site.")


SiteAccessClearResult = Annotated[
    SiteAccessClearPayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("SiteAccessClearResult", description="What becomes of `siteAccessClear`."),
]


@strawberry.input(description="A page to watch.")
class PageCreateInput:
    site: strawberry.ID = strawberry.field(description="The site's id.")
    path: str = strawberry.field(description="Its path, with its query where that matters.")
    name: str | None = strawberry.field(default=None, description="Its name; else its path.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The page is watched.")
class PageCreatePayload:
    page: Page = strawberry.field(description="The page.")
    replayed: bool = strawberry.field(description=REPLAYED)


PageCreateResult = Annotated[
    PageCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("PageCreateResult", description="What becomes of `pageCreate`."),
]


@strawberry.input(description="What to change of a page.")
class PageUpdateInput:
    page: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="Its new name.")


@strawberry.type(description="The page was changed.")
class PageUpdatePayload:
    page: Page = strawberry.field(description="The page as it is now.")


PageUpdateResult = Annotated[
    PageUpdatePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("PageUpdateResult", description="What becomes of `pageUpdate`."),
]


@strawberry.input(description="A page to forget, with all its history.")
class PageDeleteInput:
    page: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The page is forgotten.")
class PageDeletePayload:
    page_id: strawberry.ID = strawberry.field(description="The id that it had.")


PageDeleteResult = Annotated[
    PageDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("PageDeleteResult", description="What becomes of `pageDelete`."),
]


def _profiles(ids: list[strawberry.ID] | None) -> list[UUID]:
    return [decode(Kind.PROFILE, id, "profiles") for id in ids or ()]


def _values(kind: str, pairs: Sequence[NameAndValue]) -> dict[str, str]:
    """Raises InvalidInput for a name that comes twice; a header's is the same whatever its case."""
    found: dict[str, tuple[str, str]] = {}
    faults = []
    for place, pair in enumerate(pairs):
        name = pair.name.lower() if kind == "headers" else pair.name
        if name in found:
            faults.append(Fault((kind, str(place), "name"), "This name comes twice.", ProblemCode.ALREADY_EXISTS))
        found[name] = (pair.name, pair.value)
    if faults:
        raise Invalid(faults)
    return dict(found.values())


@strawberry.type
class Mutation:
    @mutation("Watch a site.", Permission.SITE_WRITE)
    async def site_create(self, info: Info, input: SiteCreateInput) -> SiteCreateResult:
        async with info.context.work() as work:
            promised = await sites.create(
                work,
                workspace_id=decode(Kind.WORKSPACE, input.workspace, "workspace"),
                origin=input.origin,
                name=input.name,
                tags=input.tags or (),
                profile_ids=_profiles(input.profiles),
                idempotency_key=input.idempotency_key,
            )
        return SiteCreatePayload(site=await made(info, Kind.SITE, promised.id), replayed=promised.replayed)

    @mutation("Change a site.", Permission.SITE_WRITE)
    async def site_update(self, info: Info, input: SiteUpdateInput) -> SiteUpdateResult:
        async with info.context.work() as work:
            id = await sites.update(
                work,
                site_id=decode(Kind.SITE, input.site, "site"),
                name=input.name,
                tags=input.tags,
                profile_ids=_profiles(input.profiles) if input.profiles is not None else None,
            )
        return SiteUpdatePayload(site=await made(info, Kind.SITE, id))

    @mutation("Forget a site, with its pages and all their history.", Permission.SITE_WRITE)
    async def site_delete(self, info: Info, input: SiteDeleteInput) -> SiteDeleteResult:
        async with info.context.work() as work:
            await reactions.delete_site(work, site_id=decode(Kind.SITE, input.site, "site"))
        return SiteDeletePayload(site_id=input.site)

    @mutation("Set what is sent to reach a site.", Permission.ACCESS_WRITE)
    async def site_access_set(self, info: Info, input: SiteAccessSetInput) -> SiteAccessSetResult:
        access = Access(
            headers=_values("headers", input.headers or ()),
            cookies=_values("cookies", input.cookies or ()),
            username=input.username,
            password=input.password,
        )
        async with info.context.work() as work:
            id = await sites.set_access(
                work, site_id=decode(Kind.SITE, input.site, "site"), access=access, keyring=info.context.services.keyring
            )
        return SiteAccessSetPayload(site=await made(info, Kind.SITE, id))

    @mutation("Send nothing any more to reach a site.", Permission.ACCESS_WRITE)
    async def site_access_clear(self, info: Info, input: SiteAccessClearInput) -> SiteAccessClearResult:
        async with info.context.work() as work:
            id = await sites.clear_access(work, site_id=decode(Kind.SITE, input.site, "site"))
        return SiteAccessClearPayload(site=await made(info, Kind.SITE, id))

    @mutation("Watch a page.", Permission.SITE_WRITE)
    async def page_create(self, info: Info, input: PageCreateInput) -> PageCreateResult:
        async with info.context.work() as work:
            promised = await sites.create_page(
                work,
                site_id=decode(Kind.SITE, input.site, "site"),
                path=input.path,
                name=input.name,
                idempotency_key=input.idempotency_key,
            )
        return PageCreatePayload(page=await made(info, Kind.PAGE, promised.id), replayed=promised.replayed)

    @mutation("Change a page.", Permission.SITE_WRITE)
    async def page_update(self, info: Info, input: PageUpdateInput) -> PageUpdateResult:
        async with info.context.work() as work:
            id = await sites.update_page(work, page_id=decode(Kind.PAGE, input.page, "page"), name=input.name)
        return PageUpdatePayload(page=await made(info, Kind.PAGE, id))

    @mutation("Forget a page, with all its history.", Permission.SITE_WRITE)
    async def page_delete(self, info: Info, input: PageDeleteInput) -> PageDeleteResult:
        async with info.context.work() as work:
            await reactions.delete_page(work, page_id=decode(Kind.PAGE, input.page, "page"))
        return PageDeletePayload(page_id=input.page)
