"""What is done to people's accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from .. import mails, security
from ..access import Actor
from ..caching import Cache
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..mails import Template
from ..paging import Window
from ..ports import Database
from ..security import SecurityKind, SecurityRow
from ..work import Origin, Work
from . import limits, queries, rules, sessions
from .links import mail_link
from .model import Link, LinkKind, User
from .passwords import Passwords
from .rules import Registration

MAX_ENTRIES = 1_000
"""So many of a person's security log, the newest, are among what is kept of them."""

_HELD = select(User.id).where(User.id == bindparam("user_id")).with_for_update()


async def register(work: Work, *, name: str) -> UUID:
    """A new person without an address, who acts at the command line. Nobody's permission is asked: it opens nothing."""
    user = User(id=new_id(), name=name, created_at=work.now)
    work.db.add(user)
    await work.db.flush()
    return user.id


async def sign_up(
    work: Work,
    *,
    email: str,
    name: str,
    password_hash: str,
    registration: Registration,
    invited: bool,
    cache: Cache,
    keyring: Keyring,
    base_url: str,
) -> None:
    """A new account, which waits for its address to be verified. `invited`: the caller saw an invitation to this address.

    Of an address that has an account already nothing is told but by a mail to it. Raises NotAllowed and InvalidInput.
    """
    rules.may_sign_up(registration, invited=invited)
    email, name = rules.checked_email(email), rules.checked_name(name)
    id = new_id()
    values = {"id": id, "name": name, "email": email, "password_hash": password_hash, "created_at": work.now}
    made = await work.db.execute(
        insert(User).values(values).on_conflict_do_nothing(index_elements=["email"]).returning(User.id)
    )
    if made.first() is None:
        await _tell_registered(work, email, cache, keyring)
        return
    security.log(work, SecurityKind.ACCOUNT_CREATED, user_id=id, subject=encode(Kind.USER, id))
    kind = LinkKind.EMAIL_VERIFICATION
    await mail_link(work, kind, user_id=id, name=name, email=email, keyring=keyring, base_url=base_url)


async def confirm(
    database: Database,
    passwords: Passwords,
    cache: Cache,
    *,
    actor: Actor,
    password: str,
    origin: Origin,
    now: datetime,
    keyring: Keyring,
) -> str:
    """The hash of one's own password, which was given once more; counted as signing in is. Raises InvalidInput."""
    row = await database.reader.first(queries.CREDENTIALS, id=rules.person(actor))
    email = (row.email if row else None) or ""
    await limits.pay_for_sign_in(cache, database.reader, keyring, email=email, address=origin.address, now=now)
    hash = row.password_hash if row else None
    if hash is not None and await passwords.verify(password, hash):
        return hash
    async with database.work(actor, origin) as work:
        security.log(work, SecurityKind.SIGN_IN_REFUSED, reason="confirm")
    raise rules.no_password() if row is not None and hash is None else rules.wrong_password()


async def change_email(work: Work, *, email: str, confirmed: str, cache: Cache, keyring: Keyring, base_url: str) -> None:
    """A mail to the new address: it is theirs when its link is used. `confirmed` is what `confirm` gave.

    The old one is told, too. Of an address that has an account already nothing is told but by a mail to it.
    """
    user_id, email = rules.person(work.actor), rules.checked_email(email)
    await _still(work, user_id, confirmed)
    row = await queries.get(work.db, user_id)
    assert row is not None
    await work.db.execute(delete(Link).where(Link.user_id == user_id, Link.kind == LinkKind.EMAIL_CHANGE))
    masked = mails.masked(email)
    security.log(work, SecurityKind.EMAIL_CHANGE_REQUESTED, to=masked)
    await sessions.tell(work, user_id, Template.EMAIL_CHANGE_REQUESTED, keyring, email=masked)
    if await work.db.first(queries.BY_EMAIL, emails=[email]) is not None:
        await _tell_registered(work, email, cache, keyring)
        return
    kind = LinkKind.EMAIL_CHANGE
    await mail_link(work, kind, user_id=user_id, name=row.name, email=email, keyring=keyring, base_url=base_url)


async def change_password(work: Work, *, confirmed: str, password_hash: str, keyring: Keyring) -> int:
    """All other sessions are over, and no link is good; returns how many those were. `confirmed`: `confirm` of the old one."""
    user_id = rules.person(work.actor)
    await _still(work, user_id, confirmed, password_hash=password_hash)
    await work.db.execute(delete(Link).where(Link.user_id == user_id))
    number = await sessions.revoke_of(work, user_id, keep=work.actor.session_id)
    security.log(work, SecurityKind.PASSWORD_CHANGED, sessions=number)
    await sessions.tell(work, user_id, Template.PASSWORD_CHANGED, keyring)
    return number


async def rename(work: Work, *, name: str) -> None:
    """One's own name."""
    await work.db.execute(update(User).where(User.id == rules.person(work.actor)).values(name=rules.checked_name(name)))


async def hold(work: Work) -> UUID:
    """One's own account: from here to the end of the transaction nobody makes its person a member of anything."""
    user_id = rules.person(work.actor)
    if (await work.db.execute(_HELD, {"user_id": user_id})).first() is None:
        raise rules.over()
    return user_id


async def close(work: Work, *, confirmed: str) -> None:
    """Delete one's own account, with all that is signed in by it. Whoever is in a workspace leaves that before."""
    user_id = rules.person(work.actor)
    await _still(work, user_id, confirmed)
    security.log(work, SecurityKind.ACCOUNT_DELETED, subject=encode(Kind.USER, user_id))
    await work.db.execute(delete(User).where(User.id == user_id))


async def export(work: Work, *, sections: Mapping[str, Any], indented: bool = True) -> str:
    """All that is kept of oneself here, as JSON; `sections` are what others keep. Raises NotAllowed."""
    user_id = rules.person(work.actor)
    row = await queries.get(work.db, user_id)
    if row is None:
        raise rules.over()
    identities = await work.db.all(queries.IDENTITIES, user_id=user_id)
    found = await work.db.all(queries.EVERY_SESSION, user_id=user_id)
    entries = await security.OF_PERSON.of(work.db, work.actor.reach, user_id, Window(MAX_ENTRIES))
    security.log(work, SecurityKind.ACCOUNT_EXPORTED, subject=encode(Kind.USER, user_id))
    told = {
        "user": {**row._asdict(), "id": encode(Kind.USER, row.id)},
        "identities": [each._asdict() for each in identities],
        "sessions": [
            {**each._asdict(), "id": encode(Kind.SESSION, each.id), "user_id": encode(Kind.USER, user_id)} for each in found
        ],
        "securityLog": [_entry(each) for each in entries.rows],
        **sections,
    }
    return json.dumps(told, default=str, ensure_ascii=False, indent=2 if indented else None)


def _entry(row: SecurityRow) -> Mapping[str, Any]:
    session = encode(Kind.SESSION, row.session_id) if row.session_id else None
    told = {"at": row.at, "kind": row.kind, "subject": row.subject, "session": session}
    return {**told, "address": row.address, "agent": row.agent, "details": row.details}


async def _tell_registered(work: Work, email: str, cache: Cache, keyring: Keyring) -> None:
    if await limits.may_mail(cache, keyring, limits.REGISTERED, email):
        await mails.send(work, Template.ALREADY_REGISTERED, email, {}, keyring)


async def _still(work: Work, user_id: UUID, confirmed: str, *, password_hash: str | None = None) -> None:
    """Nobody changed the password since it was confirmed, nor does so before the commit. Raises InvalidInput."""
    held = await work.db.execute(
        update(User)
        .where(User.id == user_id, User.password_hash == confirmed)
        .values(password_hash=password_hash or confirmed)
        .returning(User.id)
    )
    if held.first() is None:
        raise rules.wrong_password()
