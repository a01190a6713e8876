"""Signing in, staying so, and its ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar

import strawberry

from domain import accounts
from domain.accounts import SignedIn
from domain.errors import InvalidInput as Invalid
from domain.ids import Kind, decode, encode

from ..context import Info
from ..errors import InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from .confirming import PASSWORD, refused_evenly
from .types import Session, User


@strawberry.input(description="By what to sign in.")
class SessionCreateInput:
    email: str = strawberry.field(description="The account's address.")
    password: str = strawberry.field(description="Its password.")
    cookies: bool = strawberry.field(
        default=False, description="For browsers: the answer sets cookies that no script can read."
    )


@strawberry.input(description="A session to go on with.")
class SessionRefreshInput:
    refresh_token: str = strawberry.field(description="The one that was told last. It is good once.")


@strawberry.type(description="You are signed in.")
class SessionPayload:
    access_token: str = strawberry.field(description="To be sent with each request: `Authorization: Bearer …`.")
    expires_at: datetime = strawberry.field(description="Until when the access token is good.")
    refresh_token: str | None = strawberry.field(
        description="By which `sessionRefresh` gives the next access token; null where a cookie holds it."
    )
    user: User = strawberry.field(description="You.")
    session: Session = strawberry.field(description="This sign-in.")


@strawberry.type(description="You are signed in.")
class SessionCreatePayload(SessionPayload): ...


@strawberry.type(description="You are signed in still. The refresh token that was sent is good no more.")
class SessionRefreshPayload(SessionPayload): ...


SessionCreateResult = Annotated[
    SessionCreatePayload | InvalidInput | LimitReached,
    strawberry.union("SessionCreateResult", description="What becomes of `sessionCreate`."),
]
SessionRefreshResult = Annotated[
    SessionRefreshPayload | NotAllowed,
    strawberry.union("SessionRefreshResult", description="What becomes of `sessionRefresh`."),
]


@strawberry.input(description="A session of yours to end.")
class SessionRevokeInput:
    session: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The session is over, and what is open by it ends.")
class SessionRevokePayload:
    session_id: strawberry.ID = strawberry.field(description="The id that it had.")


SessionRevokeResult = Annotated[
    SessionRevokePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("SessionRevokeResult", description="What becomes of `sessionRevoke`."),
]


@strawberry.input(description="Which of your sessions to end.")
class SessionsRevokeInput:
    keep_this: bool = strawberry.field(default=True, description="All but the one that asks.")


@strawberry.type(description="The sessions are over, and what is open by them ends.")
class SessionsRevokePayload:
    revoked: int = strawberry.field(description="How many they were.")


SessionsRevokeResult = Annotated[
    SessionsRevokePayload | NotAllowed,
    strawberry.union("SessionsRevokeResult", description="What becomes of `sessionsRevoke`."),
]


@strawberry.input(description="How to sign out.")
class SignOutInput:
    cookies: bool = strawberry.field(default=False, description="For browsers: have them forget the cookies too.")


@strawberry.type(description="You are signed out here.")
class SignOutPayload:
    session_id: strawberry.ID = strawberry.field(description="The id of the session that is over.")


SignOutResult = Annotated[
    SignOutPayload | InvalidInput | NotAllowed,
    strawberry.union("SignOutResult", description="What becomes of `signOut`."),
]

P = TypeVar("P", bound=SessionPayload)


@strawberry.type
class SessionMutation:
    @mutation("Sign in. Each attempt is counted, however many a document holds.", cost=PASSWORD)
    async def session_create(self, info: Info, input: SessionCreateInput) -> SessionCreateResult:
        jar = _jar(info) if input.cookies else None
        services = info.context.services
        async with refused_evenly():
            signed_in = await accounts.sign_in(
                services.database,
                services.passwords,
                services.cache,
                email=input.email,
                password=input.password,
                origin=info.context.origin,
                now=datetime.now(UTC),
                keyring=services.keyring,
                base_url=services.base_url,
            )
        return await _told(SessionCreatePayload, info, signed_in, jar)

    @mutation("Go on with a session: the next access token, and the next refresh token.")
    async def session_refresh(self, info: Info, input: SessionRefreshInput) -> SessionRefreshResult:
        async with info.context.work() as work:
            signed_in = await accounts.refresh(work, input.refresh_token, keyring=info.context.services.keyring)
        if signed_in is None:
            raise accounts.over()
        return await _told(SessionRefreshPayload, info, signed_in, None)

    @mutation("End a session of yours, wherever it is.")
    async def session_revoke(self, info: Info, input: SessionRevokeInput) -> SessionRevokeResult:
        accounts.person(info.context.actor)
        async with info.context.work() as work:
            await accounts.revoke_session(work, session_id=decode(Kind.SESSION, input.session, "session"))
        return SessionRevokePayload(session_id=input.session)

    @mutation("End your sessions everywhere.")
    async def sessions_revoke(self, info: Info, input: SessionsRevokeInput) -> SessionsRevokeResult:
        async with info.context.work() as work:
            return SessionsRevokePayload(revoked=await accounts.revoke_all(work, keep_this=input.keep_this))

    @mutation("Sign out here.")
    async def sign_out(self, info: Info, input: SignOutInput) -> SignOutResult:
        accounts.person(info.context.actor)
        jar = _jar(info) if input.cookies else None
        async with info.context.work() as work:
            session_id = await accounts.sign_out(work)
        if jar is not None:
            jar.extend(info.context.services.cookies.signed_out())
        return SignOutPayload(session_id=strawberry.ID(encode(Kind.SESSION, session_id)))


def _jar(info: Info) -> list[str]:
    """Raises InvalidInput."""
    if info.context.set_cookies is None:
        raise Invalid.at("cookies", "This answer can carry no cookies: send the mutation by POST, alone.")
    return info.context.set_cookies


async def _told(payload: type[P], info: Info, signed_in: SignedIn, jar: list[str] | None) -> P:
    services = info.context.services
    session_id, user_id, refresh_token, refresh_until, _ = signed_in
    issued = await services.signing.issue(user_id, session_id)
    user = await accounts.get(info.context.reader, user_id)
    session = (await accounts.live_sessions(info.context.reader, [session_id], datetime.now(UTC))).get(session_id)
    if user is None or session is None:  # it was revoked meanwhile
        raise accounts.over()
    if jar is not None:
        jar.extend(services.cookies.signed_in(issued.text, issued.expires_at, refresh_token, refresh_until, datetime.now(UTC)))
    info.context.own = frozenset({user.id, session.id})
    return payload(
        access_token=issued.text,
        expires_at=issued.expires_at,
        refresh_token=refresh_token if jar is None else None,
        user=user,  # type: ignore[arg-type]  # read by the type's fields
        session=session,  # type: ignore[arg-type]
    )
