"""What is done by secrets that are mailed: an address is shown to be one's own, and a forgotten password is replaced."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, literal, update

from .. import mails, security
from ..base import UtcDateTime
from ..errors import Conflict, ProblemCode
from ..ids import new_id
from ..keyring import Keyring
from ..mails import Template
from ..security import SecurityKind
from ..work import Work
from . import identities, queries, rules, sessions
from .model import Link, LinkKind, User
from .queries import LinkRow

_MAILED = {
    LinkKind.EMAIL_VERIFICATION: (Template.EMAIL_VERIFICATION, "/auth/verify", rules.VERIFIED_WITHIN),
    LinkKind.EMAIL_CHANGE: (Template.EMAIL_CHANGE, "/auth/verify", rules.VERIFIED_WITHIN),
    LinkKind.PASSWORD_RESET: (Template.PASSWORD_RESET, "/auth/reset", rules.RESET_WITHIN),
}


async def mail_link(
    work: Work, kind: LinkKind, *, user_id: UUID, name: str, email: str, keyring: Keyring, base_url: str
) -> None:
    """A new one of its kind to the address. Asks nobody's permission: for the actions of this room."""
    token, (template, path, lasts) = rules.mint_link(), _MAILED[kind]
    work.db.add(
        Link(
            id=new_id(),
            user_id=user_id,
            kind=kind,
            email=email,
            digest=keyring.digest(token),
            created_at=work.now,
            expires_at=work.now + lasts,
        )
    )
    await mails.send(work, template, email, {"name": name, "link": f"{base_url}{path}?token={token}"}, keyring)


async def request_verification(work: Work, *, email: str, keyring: Keyring, base_url: str) -> None:
    """Another mail, where the address has an account that waits for one. Whoever asks is not told."""
    row = await work.db.first(queries.BY_EMAIL, emails=[rules.checked_email(email)])
    if row is None or row.email is None or row.verified_at is not None:
        return
    kind = LinkKind.EMAIL_VERIFICATION
    await mail_link(work, kind, user_id=row.id, name=row.name, email=row.email, keyring=keyring, base_url=base_url)


async def request_reset(work: Work, *, email: str, keyring: Keyring, base_url: str) -> None:
    """A mail, where the address has an account. Whoever asks is not told."""
    row = await work.db.first(queries.BY_EMAIL, emails=[rules.checked_email(email)])
    security.log(work, SecurityKind.PASSWORD_RESET_REQUESTED, user_id=row.id if row else None, nobodys=row is None)
    if row is None or row.email is None:
        return
    kind = LinkKind.PASSWORD_RESET
    await mail_link(work, kind, user_id=row.id, name=row.name, email=row.email, keyring=keyring, base_url=base_url)


async def verify_email(work: Work, token: str, *, keyring: Keyring) -> UUID:
    """By the link of a sign-up, or of a change of the address. Raises NotFound, and Conflict for an address taken since."""
    link = await _taken(work, token, keyring, LinkKind.EMAIL_VERIFICATION, LinkKind.EMAIL_CHANGE)
    if link.kind == LinkKind.EMAIL_CHANGE:
        return await _changed(work, link, keyring)
    verified = await work.db.execute(
        update(User)
        .where(User.id == link.user_id, User.email == link.email)
        .values(verified_at=_since(work))
        .returning(User.id)
    )
    if verified.first() is None:
        raise rules.no_link()
    security.log(work, SecurityKind.EMAIL_VERIFIED, user_id=link.user_id)
    return link.user_id


async def _changed(work: Work, link: LinkRow, keyring: Keyring) -> UUID:
    holder = await work.db.first(queries.BY_EMAIL, emails=[link.email])
    if holder is not None and holder.id != link.user_id:
        raise Conflict("Another account has this e-mail by now.", ProblemCode.ALREADY_EXISTS)
    former = await queries.get(work.db, link.user_id)
    was = former.email if former is not None else None
    details: dict[str, Any] = {"from": mails.masked(was) if was else None, "to": mails.masked(link.email)}
    await sessions.tell(work, link.user_id, Template.EMAIL_CHANGED, keyring)  # to the old address
    await work.db.execute(update(User).where(User.id == link.user_id).values(email=link.email, verified_at=work.now))
    # What was mailed to the old address opens nothing any more, nor does an issuer that knows them by it.
    await work.db.execute(delete(Link).where(Link.user_id == link.user_id))
    security.log(work, SecurityKind.EMAIL_CHANGED, user_id=link.user_id, **details)
    await identities.unlink(work, link.user_id)
    return link.user_id


async def reset_password(work: Work, token: str, *, password_hash: str, keyring: Keyring) -> UUID:
    """By the link: it shows that the address is theirs, too. All sessions are over, and no issuer opens the account.

    Whoever has the address there as well is linked again when they sign in by it. Raises NotFound.
    """
    link = await _taken(work, token, keyring, LinkKind.PASSWORD_RESET)
    done = await work.db.execute(
        update(User)
        .where(User.id == link.user_id, User.email == link.email)
        .values(password_hash=password_hash, verified_at=_since(work))
        .returning(User.id)
    )
    if done.first() is None:
        raise rules.no_link()
    await work.db.execute(delete(Link).where(Link.user_id == link.user_id))
    number = await sessions.revoke_of(work, link.user_id)
    security.log(work, SecurityKind.PASSWORD_RESET, user_id=link.user_id, sessions=number)
    await identities.unlink(work, link.user_id)
    await sessions.tell(work, link.user_id, Template.PASSWORD_CHANGED, keyring)
    return link.user_id


async def _taken(work: Work, token: str, keyring: Keyring, *kinds: LinkKind) -> LinkRow:
    """It, and the others of its kind: they open nothing any more. Raises NotFound."""
    found = await work.db.execute(
        delete(Link)
        .where(Link.digest.in_(keyring.digests(token)), Link.kind.in_(kinds), Link.expires_at > work.now)
        .returning(Link.user_id, Link.kind, Link.email)
    )
    row = found.first()
    if row is None:
        raise rules.no_link()
    link = LinkRow(*row)
    await work.db.execute(delete(Link).where(Link.user_id == link.user_id, Link.kind == link.kind))
    return link


def _since(work: Work) -> ColumnElement[datetime | None]:
    """When the address was verified first."""
    return func.coalesce(User.verified_at, literal(work.now, UtcDateTime()))
