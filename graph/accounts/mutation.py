"""Accounts: made, verified, changed, and deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import strawberry

from domain import accounts, workspaces
from domain.ids import Kind, encode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from .confirming import PASSWORD, confirmed_by, evenly, pay_for_mail
from .types import User, oneself


@strawberry.input(description="An account to make.")
class AccountCreateInput:
    email: str = strawberry.field(description="Its address: a link is mailed there, which is to be opened first.")
    name: str = strawberry.field(description="What the person is called; 1 to 100 characters.")
    password: str = strawberry.field(description="Its password; 10 to 256 characters.")
    invitation: str | None = strawberry.field(
        default=None, description="The `token` of a link by which a workspace invites this address, where signing up takes one."
    )


@strawberry.type(description="A mail is on its way, and says what is next.")
class AccountCreatePayload:
    email: str = strawberry.field(description="To this address.")


AccountCreateResult = Annotated[
    AccountCreatePayload | InvalidInput | NotAllowed | LimitReached,
    strawberry.union("AccountCreateResult", description="What becomes of `accountCreate`."),
]


@strawberry.input(description="A link that was mailed.")
class EmailVerifyInput:
    token: str = strawberry.field(description="The `token` of the link.")


@strawberry.type(description="The address is verified.")
class EmailVerifyPayload:
    verified: bool = strawberry.field(description="True.")


EmailVerifyResult = Annotated[
    EmailVerifyPayload | NotFound | Conflict,
    strawberry.union("EmailVerifyResult", description="What becomes of `emailVerify`."),
]


@strawberry.input(description="To whom to mail another link.")
class EmailVerificationRequestInput:
    email: str = strawberry.field(description="The account's address.")


@strawberry.type(description="A mail is on its way, if this address has an account that waits for one.")
class EmailVerificationRequestPayload:
    email: str = strawberry.field(description="To this address.")


EmailVerificationRequestResult = Annotated[
    EmailVerificationRequestPayload | InvalidInput | LimitReached,
    strawberry.union("EmailVerificationRequestResult", description="What becomes of `emailVerificationRequest`."),
]


@strawberry.input(description="Another address for your account.")
class EmailChangeInput:
    email: str = strawberry.field(description="The new one: a link is mailed there, and takes effect when it is opened.")
    password: str = strawberry.field(description="Your password.")


@strawberry.type(description="A mail is on its way to the new address.")
class EmailChangePayload:
    email: str = strawberry.field(description="To this address.")


EmailChangeResult = Annotated[
    EmailChangePayload | InvalidInput | NotAllowed | LimitReached,
    strawberry.union("EmailChangeResult", description="What becomes of `emailChange`."),
]


@strawberry.input(description="What to change of your account.")
class AccountUpdateInput:
    name: str = strawberry.field(description="What you are called; 1 to 100 characters.")


@strawberry.type(description="The account is changed.")
class AccountUpdatePayload:
    user: User = strawberry.field(description="You.")


AccountUpdateResult = Annotated[
    AccountUpdatePayload | InvalidInput | NotAllowed,
    strawberry.union("AccountUpdateResult", description="What becomes of `accountUpdate`."),
]


@strawberry.input(description="To delete your account.")
class AccountDeleteInput:
    password: str = strawberry.field(description="Your password.")


@strawberry.type(description="The account is deleted, and all that was signed in by it is over.")
class AccountDeletePayload:
    user_id: strawberry.ID = strawberry.field(description="The id that it had.")


AccountDeleteResult = Annotated[
    AccountDeletePayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("AccountDeleteResult", description="What becomes of `accountDelete`."),
]


@strawberry.input(description="To have all that is kept of you.")
class AccountExportInput:
    indented: bool = strawberry.field(default=True, description="Written in lines, for people.")


@strawberry.type(description="All that is kept of you.")
class AccountExportPayload:
    json: str = strawberry.field(description="As one JSON text.")


AccountExportResult = Annotated[
    AccountExportPayload | NotAllowed,
    strawberry.union("AccountExportResult", description="What becomes of `accountExport`."),
]


@strawberry.type
class Mutation:
    @mutation("Make an account. Whether its address has one already is told by the mail alone.", cost=PASSWORD)
    async def account_create(self, info: Info, input: AccountCreateInput) -> AccountCreateResult:
        services, email = info.context.services, accounts.checked_email(input.email)
        invited = input.invitation is not None and await _is_invited(info, email, input.invitation)
        accounts.may_sign_up(services.registration, invited=invited)
        name = accounts.checked_name(input.name)
        accounts.check_password(input.password, "password")
        await pay_for_mail(info, email, is_new=True)
        password_hash = await services.passwords.hash(input.password)
        async with evenly(), info.context.work() as work:
            await accounts.sign_up(
                work,
                email=email,
                name=name,
                password_hash=password_hash,
                registration=services.registration,
                invited=invited,
                cache=services.cache,
                keyring=services.keyring,
                base_url=services.base_url,
            )
        return AccountCreatePayload(email=email)

    @mutation("Show that an address is yours, by the link that was mailed there.")
    async def email_verify(self, info: Info, input: EmailVerifyInput) -> EmailVerifyResult:
        async with info.context.work() as work:
            await accounts.verify_email(work, input.token, keyring=info.context.services.keyring)
        return EmailVerifyPayload(verified=True)

    @mutation("Have another link mailed, to verify an address.")
    async def email_verification_request(
        self, info: Info, input: EmailVerificationRequestInput
    ) -> EmailVerificationRequestResult:
        services, email = info.context.services, accounts.checked_email(input.email)
        await pay_for_mail(info, email)
        async with evenly(), info.context.work() as work:
            await accounts.request_verification(work, email=email, keyring=services.keyring, base_url=services.base_url)
        return EmailVerificationRequestPayload(email=email)

    @mutation("Move your account to another address.", cost=PASSWORD)
    async def email_change(self, info: Info, input: EmailChangeInput) -> EmailChangeResult:
        accounts.person(info.context.actor)
        services, email = info.context.services, accounts.checked_email(input.email)
        confirmed = await confirmed_by(info, info.context.actor, input.password)
        await pay_for_mail(info, email, is_new=True)
        async with evenly(), info.context.work() as work:
            await accounts.change_email(
                work,
                email=email,
                confirmed=confirmed,
                cache=services.cache,
                keyring=services.keyring,
                base_url=services.base_url,
            )
        return EmailChangePayload(email=email)

    @mutation("Change what you are called.")
    async def account_update(self, info: Info, input: AccountUpdateInput) -> AccountUpdateResult:
        user_id = accounts.person(info.context.actor)
        async with info.context.work() as work:
            await accounts.rename(work, name=input.name)
        return AccountUpdatePayload(user=await oneself(info, user_id))

    @mutation("Delete your account. Workspaces that nobody else owns are handed over or deleted before.", cost=PASSWORD)
    async def account_delete(self, info: Info, input: AccountDeleteInput) -> AccountDeleteResult:
        confirmed = await confirmed_by(info, info.context.actor, input.password)
        async with info.context.work() as work:
            user_id = await accounts.hold(work)
            # What another token of theirs did a moment ago counts; that it does more is held up.
            now = (await workspaces.memberships_of(info.context.reader, [user_id]))[user_id]
            work.actor = replace(work.actor, roles=now.roles, sites=now.sites)
            for workspace_id in sorted(now.roles):
                await work.db.reach_into(workspace_id)
                await workspaces.leave(work, workspace_id=workspace_id)
            await accounts.close(work, confirmed=confirmed)
        return AccountDeletePayload(user_id=strawberry.ID(encode(Kind.USER, user_id)))

    @mutation("Have all that is kept of you.")
    async def account_export(self, info: Info, input: AccountExportInput) -> AccountExportResult:
        async with info.context.work() as work:
            roles = info.context.actor.roles.items()
            memberships = [{"workspace": encode(Kind.WORKSPACE, id), "role": str(role)} for id, role in roles]
            text = await accounts.export(work, sections={"memberships": memberships}, indented=input.indented)
        return AccountExportPayload(json=text)


async def _is_invited(info: Info, email: str, token: str) -> bool:
    keyring, now = info.context.services.keyring, datetime.now(UTC)
    found = await workspaces.invitation_by_token(info.context.reader, token, keyring, now)
    return found is not None and found.email == email
