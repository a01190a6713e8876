"""Tables of people, how they sign in and where they are signed in, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base
from ..keyring import TOKENS
from ..security import Sealed


class LinkKind(StrEnum):
    """What a link that was mailed is good for."""

    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    EMAIL_CHANGE = "EMAIL_CHANGE"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - a word, no password


class SignInMethod(StrEnum):
    """How a session began."""

    PASSWORD = "PASSWORD"  # noqa: S105 - a word, no password
    OIDC = "OIDC"


class User(Base):
    """`email` is as it is compared: in lower case. Null: nobody signs in as this one, who acts at the command line."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime]


class Identity(Base):
    """Somebody whom an OpenID issuer knows."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), Index(None, "user_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime]


class Session(Base):
    """A sign-in, until it is revoked or `expires_at`. Its refresh tokens are one family."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    method: Mapped[SignInMethod]
    address: Mapped[str]
    agent: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RefreshToken(Base):
    """Good once. `used_by` tells whether somebody else brings it again within the grace."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "session_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sessions.id", ondelete="CASCADE"))
    digest: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]


class Link(Base):
    """A secret that was mailed, good once; its row goes when it is used."""

    __tablename__ = "links"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "user_id", "kind"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[LinkKind]
    email: Mapped[str]
    digest: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class StoredSigningKey(Base):
    """A key for access tokens, sealed. It signs from `begins_at` on until the next one does, and is read until `ends_at`."""

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


SEALED = Sealed(StoredSigningKey.id, StoredSigningKey.sealed, TOKENS)


class UserRow(NamedTuple):
    id: UUID
    name: str
    email: str | None
    verified_at: datetime | None
    created_at: datetime


class SessionRow(NamedTuple):
    id: UUID
    user_id: UUID
    method: SignInMethod
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class SigningKeyRow(NamedTuple):
    id: str
    sealed: bytes
    created_at: datetime
    begins_at: datetime
    ends_at: datetime | None
