"""The table of the security log, to which is only ever added, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json


class SecurityKind(StrEnum):
    """What somebody did that others may want to know of."""

    ACCOUNT_CREATED = "ACCOUNT_CREATED"
    ACCOUNT_DELETED = "ACCOUNT_DELETED"
    ACCOUNT_EXPORTED = "ACCOUNT_EXPORTED"
    EMAIL_VERIFIED = "EMAIL_VERIFIED"
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    SIGNED_OUT = "SIGNED_OUT"
    SESSION_REVOKED = "SESSION_REVOKED"
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105 - a word
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a word
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"  # noqa: S105 - a word
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - a word
    IDENTITY_LINKED = "IDENTITY_LINKED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"
    KEY_ISSUED = "KEY_ISSUED"
    KEY_ROTATED = "KEY_ROTATED"
    KEY_REVOKED = "KEY_REVOKED"
    CLIENT_CHANGED = "CLIENT_CHANGED"
    CHANNEL_CHANGED = "CHANNEL_CHANGED"
    ACCESS_SET = "ACCESS_SET"
    ACCESS_CLEARED = "ACCESS_CLEARED"
    MEMBER_INVITED = "MEMBER_INVITED"
    INVITATION_REVOKED = "INVITATION_REVOKED"
    MEMBER_JOINED = "MEMBER_JOINED"
    MEMBER_CHANGED = "MEMBER_CHANGED"
    MEMBER_REMOVED = "MEMBER_REMOVED"
    WORKSPACE_CREATED = "WORKSPACE_CREATED"
    WORKSPACE_CHANGED = "WORKSPACE_CHANGED"
    WORKSPACE_TRANSFERRED = "WORKSPACE_TRANSFERRED"
    WORKSPACE_DELETED = "WORKSPACE_DELETED"
    WORKSPACE_RESTORED = "WORKSPACE_RESTORED"


class SecurityEntry(Base):
    """Who did what to what, from where. Nothing here refers to anything: what is deleted stays in the log.

    `subject` is the readable id of what it was done to. `details` are words of ours and names that people gave.
    """

    __tablename__ = "security_log"
    __table_args__ = (Index(None, "workspace_id", "id"), Index(None, "user_id", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[SecurityKind]
    workspace_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    subject: Mapped[str | None]
    address: Mapped[str]
    agent: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(Json)


class SecurityRow(NamedTuple):
    id: UUID
    at: datetime
    kind: SecurityKind
    workspace_id: UUID | None
    user_id: UUID | None
    key_id: UUID | None
    session_id: UUID | None
    subject: str | None
    address: str
    agent: str
    details: dict[str, Any]
