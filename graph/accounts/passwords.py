"""Passwords: changed by whoever knows the old one, and replaced by whoever opens a link that was mailed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry

from domain import accounts
from domain.accounts import LinkKind

from ..context import Info
from ..errors import InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from .confirming import PASSWORD, confirmed_by, evenly, pay_for_mail


@strawberry.input(description="Another password.")
class PasswordChangeInput:
    password: str = strawberry.field(description="The one of now.")
    new_password: str = strawberry.field(description="The one from now on; 10 to 256 characters.")


@strawberry.type(description="The password is changed, and all your other sessions are over.")
class PasswordChangePayload:
    revoked: int = strawberry.field(description="How many sessions those were.")


PasswordChangeResult = Annotated[
    PasswordChangePayload | InvalidInput | NotAllowed | LimitReached,
    strawberry.union("PasswordChangeResult", description="What becomes of `passwordChange`."),
]


@strawberry.input(description="Whose password is forgotten.")
class PasswordResetRequestInput:
    email: str = strawberry.field(description="The account's address.")


@strawberry.type(description="A mail is on its way, if this address has an account.")
class PasswordResetRequestPayload:
    email: str = strawberry.field(description="To this address.")


PasswordResetRequestResult = Annotated[
    PasswordResetRequestPayload | InvalidInput | LimitReached,
    strawberry.union("PasswordResetRequestResult", description="What becomes of `passwordResetRequest`."),
]


@strawberry.input(description="A password in the place of the forgotten one.")
class PasswordResetInput:
    token: str = strawberry.field(description="The `token` of the link that was mailed.")
    new_password: str = strawberry.field(description="The new password; 10 to 256 characters.")


@strawberry.type(description="The password is changed, and all sessions of the account are over: sign in.")
class PasswordResetPayload:
    changed: bool = strawberry.field(description="True.")


PasswordResetResult = Annotated[
    PasswordResetPayload | InvalidInput | NotFound | LimitReached,
    strawberry.union("PasswordResetResult", description="What becomes of `passwordReset`."),
]


@strawberry.type
class PasswordMutation:
    @mutation("Change your password.", cost=PASSWORD)
    async def password_change(self, info: Info, input: PasswordChangeInput) -> PasswordChangeResult:
        accounts.person(info.context.actor)
        services = info.context.services
        accounts.check_password(input.new_password, "newPassword")
        confirmed = await confirmed_by(info, info.context.actor, input.password)
        password_hash = await services.passwords.hash(input.new_password)
        async with info.context.work() as work:
            revoked = await accounts.change_password(
                work, confirmed=confirmed, password_hash=password_hash, keyring=services.keyring
            )
        return PasswordChangePayload(revoked=revoked)

    @mutation("Have a link mailed, to choose another password.")
    async def password_reset_request(self, info: Info, input: PasswordResetRequestInput) -> PasswordResetRequestResult:
        services, email = info.context.services, accounts.checked_email(input.email)
        await pay_for_mail(info, email)
        async with evenly(), info.context.work() as work:
            await accounts.request_reset(work, email=email, keyring=services.keyring, base_url=services.base_url)
        return PasswordResetRequestPayload(email=email)

    @mutation("Choose another password, by the link that was mailed.", cost=PASSWORD)
    async def password_reset(self, info: Info, input: PasswordResetInput) -> PasswordResetResult:
        services = info.context.services
        accounts.check_password(input.new_password, "newPassword")
        # Before a password is looked at, which takes a while.
        is_open = await accounts.is_open(
            info.context.reader, input.token, LinkKind.PASSWORD_RESET, services.keyring, datetime.now(UTC)
        )
        if not is_open:
            raise accounts.no_link()
        password_hash = await services.passwords.hash(input.new_password)
        async with info.context.work() as work:
            user_id = await accounts.reset_password(work, input.token, password_hash=password_hash, keyring=services.keyring)
        address = info.context.origin.address
        await accounts.give_back(services.cache, info.context.reader, services.keyring, user_id=user_id, address=address)
        return PasswordResetPayload(changed=True)
