"""People, and where they are signed in: told to themselves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain import accounts
from domain.accounts import SignInMethod
from domain.ids import Kind, encode
from domain.paging import DEFAULT_FIRST

from ..batched import page_of
from ..context import Info
from ..enums import described
from ..loaders import Loaders
from ..marks import PERSONAL
from ..paging import After, Connection, First

if TYPE_CHECKING:
    from ..security import SecurityEntry

described(
    SignInMethod,
    "How a session began.",
    PASSWORD="By a password.",  # noqa: S106 - a description
    OIDC="By an OpenID issuer.",
)


@strawberry.type(description="A sign-in of yours, until it is revoked or over.")
class Session:
    method: SignInMethod = strawberry.field(description="How it began.")
    address: str = strawberry.field(description="From where it began.")
    agent: str = strawberry.field(description="What the program said it is, with which it began.")
    created_at: datetime = strawberry.field(description="When it began.")
    seen_at: datetime = strawberry.field(description="When it was refreshed last.")
    expires_at: datetime = strawberry.field(description="When it is over, however often it is refreshed.")

    @strawberry.field(description="By which `sessionRevoke` takes it.")
    @staticmethod
    def id(row: strawberry.Parent[accounts.SessionRow]) -> strawberry.ID:
        return strawberry.ID(encode(Kind.SESSION, row.id))

    @strawberry.field(description="Whether it is the one that asks.", metadata=PERSONAL)
    @staticmethod
    def is_this(row: strawberry.Parent[accounts.SessionRow], info: Info) -> bool:
        return info.context.is_own(row.id)


@strawberry.type(description="A person.")
class User:
    name: str = strawberry.field(description="What they are called.")

    @strawberry.field(description="Opaque to clients.")
    @staticmethod
    def id(row: strawberry.Parent[accounts.UserRow]) -> strawberry.ID:
        return strawberry.ID(encode(Kind.USER, row.id))

    @strawberry.field(description="Their address; null unless it is you, signed in.", metadata=PERSONAL)
    @staticmethod
    def email(row: strawberry.Parent[accounts.UserRow], info: Info) -> str | None:
        return row.email if info.context.is_own(row.id) else None

    @strawberry.field(
        description="When the address was shown to be theirs; null unless it is you, signed in.", metadata=PERSONAL
    )
    @staticmethod
    def verified_at(row: strawberry.Parent[accounts.UserRow], info: Info) -> datetime | None:
        return row.verified_at if info.context.is_own(row.id) else None

    @strawberry.field(
        description="Where they are signed in, the newest first, at most a hundred; null unless it is you, signed in.",
        metadata=PERSONAL,
    )
    @staticmethod
    async def sessions(row: strawberry.Parent[accounts.UserRow], info: Info) -> list[Session] | None:
        if not info.context.is_own(row.id):
            return None
        return list(await accounts.sessions_of(info.context.reader, row.id, datetime.now(UTC)))  # type: ignore[arg-type]  # read by the type's fields

    @strawberry.field(
        description="What was done to their account, and by whom, newest first; what was done in a workspace is in that "
        "one's log. Null unless it is you, signed in.",
        metadata=PERSONAL,
    )
    @staticmethod
    async def security_log(
        row: strawberry.Parent[accounts.UserRow], info: Info, first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[Annotated[SecurityEntry, strawberry.lazy("graph.security")]] | None:
        if not info.context.is_own(row.id):
            return None
        return await info.context.loaders.of(Loaders.security_log_of_person, page_of(first, after)).load(row.id)


async def oneself(info: Info, user_id: UUID) -> User:
    """Whoever is signed in, whose id this is. Raises NotAllowed."""
    row = await accounts.get(info.context.reader, user_id)
    if row is None:
        raise accounts.over()
    return row  # type: ignore[return-value]  # read by the type's fields
