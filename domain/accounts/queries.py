"""Reads of people and of where they are signed in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from ..base import Query, UtcDateTime, one_of, query
from ..keyring import Keyring
from ..ports import Reader
from .model import Identity, Link, LinkKind, RefreshToken, Session, SessionRow, User, UserRow

MAX_SESSIONS = 100
"""So many of a person's are listed."""


class CredentialsRow(NamedTuple):
    """By what somebody signs in. Never leaves the room but to be verified."""

    id: UUID
    name: str
    email: str | None
    verified_at: datetime | None
    password_hash: str | None


class IdentityRow(NamedTuple):
    issuer: str
    subject: str
    created_at: datetime


class TokenRow(NamedTuple):
    session_id: UUID
    digest: str
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None


class LinkRow(NamedTuple):
    user_id: UUID
    kind: LinkKind
    email: str


class _AddressRow(NamedTuple):
    address: str


_NOW = bindparam("now", type_=UtcDateTime())
_ALIVE = (Session.revoked_at.is_(None), Session.expires_at > _NOW)

_BY_ID = query(UserRow, User).where(User.id == bindparam("id"))
_LIVE = query(SessionRow, Session).where(one_of(Session.id, "ids"), *_ALIVE)
EVERY_SESSION = query(SessionRow, Session).where(Session.user_id == bindparam("user_id"))
_LISTED = Query(SessionRow, EVERY_SESSION.where(*_ALIVE).statement.order_by(Session.id.desc()).limit(MAX_SESSIONS))
_ADDRESSES: Query[_AddressRow] = Query(
    _AddressRow,
    select(Session.address)
    .join(User, User.id == Session.user_id)
    .where(one_of(User.email, "emails"), Session.seen_at > bindparam("since", type_=UtcDateTime()))
    .distinct(),
)
_OPEN = query(LinkRow, Link).where(
    one_of(Link.digest, "digests"), Link.kind == bindparam("kind", type_=Link.kind.type), Link.expires_at > _NOW
)

BY_EMAIL = query(CredentialsRow, User).where(one_of(User.email, "emails"))
CREDENTIALS = query(CredentialsRow, User).where(User.id == bindparam("id"))
IDENTITIES = query(IdentityRow, Identity).where(Identity.user_id == bindparam("user_id"))
TOKENS = query(TokenRow, RefreshToken).where(one_of(RefreshToken.digest, "digests"))


async def get(reader: Reader, user_id: UUID) -> UserRow | None:
    """One person; only for those who hold the id by right (the actor's own)."""
    return await reader.first(_BY_ID, id=user_id)


async def live_sessions(reader: Reader, ids: Collection[UUID], now: datetime) -> Mapping[UUID, SessionRow]:
    """Those of the sessions that are neither revoked nor over; only for those who hold the ids by right."""
    return {row.id: row for row in await reader.all(_LIVE, ids=ids, now=now)}


async def sessions_of(reader: Reader, user_id: UUID, now: datetime) -> Sequence[SessionRow]:
    """Where somebody is signed in, the newest first; only for themselves."""
    return await reader.all(_LISTED, user_id=user_id, now=now)


async def addresses_of(reader: Reader, email: str, since: datetime) -> Sequence[str]:
    """From where somebody's sessions were seen since then. Nobody's, of an address that nobody has."""
    return [row.address for row in await reader.all(_ADDRESSES, emails=[email], since=since)]


async def is_open(reader: Reader, token: str, kind: LinkKind, keyring: Keyring, now: datetime) -> bool:
    """Whether the link is good still. It may be used by another in the next moment."""
    row = await reader.first(_OPEN, digests=keyring.digests(token), kind=kind, now=now)
    return row is not None
