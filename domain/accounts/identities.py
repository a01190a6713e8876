"""Signing in as somebody whom another issuer knows."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, update

from .. import security
from ..base import query
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..security import SecurityKind
from ..work import Work
from . import queries, rules, sessions
from .idtokens import Person
from .model import Identity, Link, SignInMethod, User
from .rules import Registration
from .sessions import SignedIn


class _IdentityRow(NamedTuple):
    user_id: UUID


_KNOWN = query(_IdentityRow, Identity).where(Identity.issuer == bindparam("issuer"), Identity.subject == bindparam("subject"))


async def sign_in_by_identity(
    work: Work, person: Person, *, registration: Registration, invited: bool, keyring: Keyring
) -> SignedIn:
    """Whoever comes first is linked to the account with the address that the issuer verified, or gets one.

    An account whose address nobody has shown to be theirs is theirs now, and whoever made it is out. Raises NotAllowed.
    """
    known = await work.db.first(_KNOWN, issuer=person.issuer, subject=person.subject)
    user_id = known.user_id if known else await _linked(work, person, registration, invited=invited)
    return await sessions.start_session(work, user_id=user_id, method=SignInMethod.OIDC, keyring=keyring)


async def _linked(work: Work, person: Person, registration: Registration, *, invited: bool) -> UUID:
    email = rules.compared(person.email) if person.email is not None else None
    if email is None:
        raise rules.no_verified_email()
    there = await work.db.first(queries.BY_EMAIL, emails=[email])
    if there is None:
        rules.may_sign_up(registration, invited=invited)
        user = User(id=new_id(), name=_name(person, email), email=email, verified_at=work.now, created_at=work.now)
        work.db.add(user)
        await work.db.flush()
        user_id = user.id
        security.log(work, SecurityKind.ACCOUNT_CREATED, user_id=user_id, subject=encode(Kind.USER, user_id))
    else:
        user_id = there.id
        if there.verified_at is None:
            await work.db.execute(update(User).where(User.id == user_id).values(verified_at=work.now, password_hash=None))
            await work.db.execute(delete(Link).where(Link.user_id == user_id))
            await sessions.revoke_of(work, user_id)
    work.db.add(Identity(id=new_id(), user_id=user_id, issuer=person.issuer, subject=person.subject, created_at=work.now))
    await work.db.flush()
    security.log(work, SecurityKind.IDENTITY_LINKED, user_id=user_id, issuer=person.issuer)
    return user_id


async def unlink(work: Work, user_id: UUID) -> None:
    """No issuer opens the account any more. Asks nobody's permission: for the actions of this room."""
    gone = await work.db.execute(delete(Identity).where(Identity.user_id == user_id).returning(Identity.id))
    if number := len(gone.all()):
        security.log(work, SecurityKind.IDENTITY_UNLINKED, user_id=user_id, number=number)


def _name(person: Person, email: str) -> str:
    name = "".join(each for each in person.name or "" if each.isprintable()).strip()[: rules.MAX_NAME]
    return name or email.partition("@")[0][: rules.MAX_NAME]
