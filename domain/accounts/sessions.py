"""Being signed in, staying so by refresh tokens, and its ends."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, column, delete, exists, table, update
from sqlalchemy.orm import aliased

from .. import mails, security
from ..errors import NotFound
from ..ids import Kind, encode, new_id
from ..keyring import Keyring
from ..mails import Template
from ..security import SecurityKind
from ..work import Work
from . import queries, rules
from .model import Identity, Link, LinkKind, RefreshToken, Session, SignInMethod, User


class SignedIn(NamedTuple):
    """`refresh_token` is told here once. `is_new_place`: the person never signed in from that network before."""

    session_id: UUID
    user_id: UUID
    refresh_token: str
    refresh_expires_at: datetime
    is_new_place: bool = False


async def start_session(work: Work, *, user_id: UUID, method: SignInMethod, keyring: Keyring) -> SignedIn:
    """Somebody who has shown who they are is signed in from here on. A place that is new is told them by mail."""
    before = await work.db.all(queries.EVERY_SESSION, user_id=user_id)
    place = rules.network(work.origin.address)
    since = work.now - rules.REMEMBERED
    is_new = place not in {rules.network(each.address) for each in before if each.seen_at > since}
    session = Session(
        id=new_id(),
        user_id=user_id,
        method=method,
        address=work.origin.address,
        agent=work.origin.agent,
        created_at=work.now,
        seen_at=work.now,
        expires_at=work.now + rules.LONGEST,
    )
    work.db.add(session)
    await work.db.flush()
    security.log(
        work, SecurityKind.SIGNED_IN, user_id=user_id, subject=encode(Kind.SESSION, session.id), method=str(method), new=is_new
    )
    if is_new and before:
        await tell(work, user_id, Template.NEW_SIGN_IN, keyring)
    token = rules.mint_refresh_token()
    return SignedIn(session.id, user_id, token, _kept(work, token, session.id, session.expires_at, keyring), is_new)


def _kept(work: Work, token: str, session_id: UUID, session_expires_at: datetime, keyring: Keyring) -> datetime:
    expires_at = min(work.now + rules.IDLE, session_expires_at)
    digest = keyring.digest(token)
    work.db.add(RefreshToken(id=new_id(), session_id=session_id, digest=digest, created_at=work.now, expires_at=expires_at))
    return expires_at


async def refresh(work: Work, token: str, *, keyring: Keyring) -> SignedIn | None:
    """Its successor. None: it is good no more, and the caller refuses after the commit, with `over()`.

    A token that was used already is known to two: unless its client lost the answer, the whole session ends.
    """
    digests = keyring.digests(token) if rules.is_refresh_token(token) else []
    known = await work.db.first(queries.TOKENS, digests=digests)
    if known is None:
        return None
    # The session first, as whatever deletes it does: its refreshes follow one another from here on.
    seen = await work.db.execute(
        update(Session)
        .where(Session.id == known.session_id, Session.revoked_at.is_(None), Session.expires_at > work.now)
        .values(seen_at=work.now)
        .returning(Session.user_id, Session.expires_at)
    )
    session = seen.first()
    if session is None:
        return None
    clients = keyring.digests(f"{rules.network(work.origin.address)}\n{work.origin.agent}", rules.CLIENTS)
    taken = await work.db.execute(
        update(RefreshToken)
        .where(RefreshToken.digest == known.digest, RefreshToken.used_at.is_(None), RefreshToken.expires_at > work.now)
        .values(used_at=work.now, used_by=clients[0])
        .returning(RefreshToken.id)
    )
    if taken.first() is not None:
        successor = rules.successors(token, keyring)[0]
        until = _kept(work, successor, known.session_id, session.expires_at, keyring)
        return SignedIn(known.session_id, session.user_id, successor, until)
    used = await work.db.first(queries.TOKENS, digests=digests)
    if used is None or used.used_at is None:  # it has expired
        return None
    if rules.is_repeated(used.used_at, work.now, used.used_by, clients):
        return await _again(work, token, session.user_id, keyring)
    await _reused(work, known.session_id, session.user_id, keyring)
    return None


async def _again(work: Work, token: str, user_id: UUID, keyring: Keyring) -> SignedIn | None:
    """What the client was given before. None when the installation's secret was replaced in between, and forgotten."""
    for successor in rules.successors(token, keyring):
        row = await work.db.first(queries.TOKENS, digests=keyring.digests(successor))
        if row is not None:
            return SignedIn(row.session_id, user_id, successor, row.expires_at)
    return None


async def _reused(work: Work, session_id: UUID, user_id: UUID, keyring: Keyring) -> None:
    await revoke_of(work, user_id, only=session_id)
    security.log(work, SecurityKind.TOKEN_REUSED, user_id=user_id, subject=encode(Kind.SESSION, session_id))
    await tell(work, user_id, Template.SESSIONS_REVOKED, keyring)


async def sign_out(work: Work) -> UUID:
    """Here. Returns the session that is over."""
    user_id, session_id = rules.person(work.actor), work.actor.session_id
    assert session_id is not None
    await revoke_of(work, user_id, only=session_id)
    security.log(work, SecurityKind.SIGNED_OUT, subject=encode(Kind.SESSION, session_id))
    return session_id


async def sign_out_by_token(work: Work, token: str, *, keyring: Keyring) -> None:
    """The session of a refresh token is over. Nothing happens for one that is none, or of a session that is over."""
    known = await work.db.first(queries.TOKENS, digests=keyring.digests(token)) if rules.is_refresh_token(token) else None
    if known is None:
        return
    over = update(Session).where(Session.id == known.session_id, Session.revoked_at.is_(None)).values(revoked_at=work.now)
    ended = (await work.db.execute(over.returning(Session.user_id))).first()
    if ended is not None:
        subject = encode(Kind.SESSION, known.session_id)
        security.log(work, SecurityKind.SIGNED_OUT, user_id=ended.user_id, subject=subject)


async def revoke_session(work: Work, *, session_id: UUID) -> None:
    """One of one's own. Raises NotFound."""
    if not await revoke_of(work, rules.person(work.actor), only=session_id):
        raise NotFound("There is no such session, or it is over, or not yours.", encode(Kind.SESSION, session_id))
    security.log(work, SecurityKind.SESSION_REVOKED, subject=encode(Kind.SESSION, session_id))


async def revoke_all(work: Work, *, keep_this: bool) -> int:
    """Everywhere, or everywhere else: whoever was signed in moves the account nowhere, either. Returns how many are over."""
    user_id = rules.person(work.actor)
    await work.db.execute(delete(Link).where(Link.user_id == user_id, Link.kind == LinkKind.EMAIL_CHANGE))
    number = await revoke_of(work, user_id, keep=work.actor.session_id if keep_this else None)
    security.log(work, SecurityKind.SESSION_REVOKED, number=number, keptThis=keep_this)
    return number


async def revoke_of(work: Work, user_id: UUID, *, only: UUID | None = None, keep: UUID | None = None) -> int:
    """All of somebody's, `only` one, or all but the one to `keep`. Asks nobody's permission: for the actions of this room."""
    statement = update(Session).where(Session.user_id == user_id, Session.revoked_at.is_(None), Session.expires_at > work.now)
    if only is not None:
        statement = statement.where(Session.id == only)
    if keep is not None:
        statement = statement.where(Session.id != keep)
    revoked = await work.db.execute(statement.values(revoked_at=work.now).returning(Session.id))
    return len(revoked.all())


async def tell(work: Work, user_id: UUID, template: Template, keyring: Keyring, **values: str) -> None:
    """Somebody by mail, where they have an address."""
    row = await work.db.first(queries.CREDENTIALS, id=user_id)
    if row is not None and row.email is not None:
        await mails.send(work, template, row.email, {"name": row.name, **values}, keyring)


async def forget(work: Work) -> None:
    """Delete what opens nothing any more. The last session of each account stays: by it a new place is told from the first.

    An account goes that nobody has shown to be theirs in all that time, so that the address is free for whose it is.
    """
    later = aliased(Session)
    await work.db.execute(delete(Link).where(Link.expires_at < work.now))
    await work.db.execute(delete(RefreshToken).where(RefreshToken.expires_at < work.now))
    await work.db.execute(
        delete(Session).where(
            Session.expires_at < work.now,
            Session.seen_at < work.now - rules.REMEMBERED,
            exists().where(later.user_id == Session.user_id, later.id > Session.id),
        )
    )
    await work.db.execute(
        delete(User).where(
            User.verified_at.is_(None),
            User.email.is_not(None),  # those without act at the command line
            User.created_at < work.now - rules.UNVERIFIED,
            *(~exists().where(column == User.id) for column in _KEEPING),
        )
    )


_MEMBERS = table("members", column("user_id", Uuid()))
"""Their room stands above this one."""

_KEEPING = (Link.user_id, Identity.user_id, Session.user_id, _MEMBERS.c.user_id)
