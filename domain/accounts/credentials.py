"""Signing in by a password."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from .. import security
from ..access import NOBODY
from ..caching import Cache
from ..keyring import Keyring
from ..ports import Database
from ..security import SecurityKind
from ..work import Origin, Work
from . import limits, links, queries, rules, sessions
from .model import LinkKind, SignInMethod, User
from .passwords import Passwords, fault, is_outdated
from .queries import CredentialsRow
from .sessions import SignedIn


async def sign_in(
    database: Database,
    passwords: Passwords,
    cache: Cache,
    *,
    email: str,
    password: str,
    origin: Origin,
    now: datetime,
    keyring: Keyring,
    base_url: str,
) -> SignedIn:
    """By a password. An address that nobody has takes the same way as a wrong password, and as long.

    So does the right one of an account that is not verified, but for a mail with a new link: who signs up with an address
    learns in no other way whether it had an account. Raises LimitReached and InvalidInput.
    """
    compared = rules.compared(email) or ""
    await limits.pay_for_sign_in(cache, database.reader, keyring, email=compared, address=origin.address, now=now)
    found = await database.reader.first(queries.BY_EMAIL, emails=[compared])
    # No transaction is open meanwhile.
    right = await passwords.verify(password, found.password_hash if found else None)
    verified = found if right else None
    waiting = verified if verified and not verified.verified_at else None
    is_mailed = waiting is not None and await limits.may_mail(cache, keyring, limits.WAITING, compared)
    anew = await _anew(passwords, verified, password)
    async with database.work(NOBODY, origin) as work:
        signed_in = await _by_password(work, verified, anew, keyring) if verified and not waiting else None
        if signed_in is None:
            security.log(work, SecurityKind.SIGN_IN_REFUSED, user_id=found.id if found else None)
        if waiting is not None and is_mailed:
            await links.mail_link(
                work,
                LinkKind.EMAIL_VERIFICATION,
                user_id=waiting.id,
                name=waiting.name,
                email=compared,
                keyring=keyring,
                base_url=base_url,
            )
    if signed_in is None:
        raise rules.sign_in_refused()
    return signed_in


async def _anew(passwords: Passwords, verified: CredentialsRow | None, password: str) -> str | None:
    if verified is None or verified.password_hash is None or not is_outdated(verified.password_hash) or fault(password):
        return None
    return await passwords.hash(password)


async def _by_password(work: Work, verified: CredentialsRow, anew: str | None, keyring: Keyring) -> SignedIn | None:
    """None when the password was changed since it was verified."""
    still = await work.db.execute(
        update(User)
        .where(User.id == verified.id, User.password_hash == verified.password_hash)
        .values(password_hash=anew or verified.password_hash)
        .returning(User.id)
    )
    if still.first() is None:
        return None
    return await sessions.start_session(work, user_id=verified.id, method=SignInMethod.PASSWORD, keyring=keyring)
