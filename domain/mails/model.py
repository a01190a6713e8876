"""The table of mails that are not sent yet, and the rows that reads give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base
from ..keyring import MAIL
from ..security import Sealed


class Template(StrEnum):
    """What a mail says."""

    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    EMAIL_CHANGE = "EMAIL_CHANGE"
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    ALREADY_REGISTERED = "ALREADY_REGISTERED"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - a word, no password
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a word, no password
    INVITATION = "INVITATION"
    NEW_SIGN_IN = "NEW_SIGN_IN"
    SESSIONS_REVOKED = "SESSIONS_REVOKED"
    ALERT = "ALERT"


VALUES: Mapping[Template, frozenset[str]] = {
    Template.EMAIL_VERIFICATION: frozenset({"link"}),
    Template.EMAIL_CHANGE: frozenset({"link"}),
    Template.EMAIL_CHANGE_REQUESTED: frozenset({"email"}),
    Template.ALREADY_REGISTERED: frozenset(),
    Template.PASSWORD_RESET: frozenset({"link"}),
    Template.EMAIL_CHANGED: frozenset(),
    Template.PASSWORD_CHANGED: frozenset(),
    Template.INVITATION: frozenset({"link", "workspace", "inviter", "role"}),
    Template.NEW_SIGN_IN: frozenset(),
    Template.SESSIONS_REVOKED: frozenset(),
    Template.ALERT: frozenset({"said", "title", "details", "workspace", "site", "page", "since", "link"}),
}
"""What must be given for each template; who asked, from where and when is added to every mail."""


class StoredMail(Base):
    """Its row goes when it is sent. `sealed`: to whom, and the values of the template, among them links that open something."""

    __tablename__ = "mails"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    template: Mapped[Template]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]


SEALED = Sealed(StoredMail.id, StoredMail.sealed, MAIL)


class MailRow(NamedTuple):
    id: UUID
    template: Template
    sealed: bytes
    created_at: datetime


class PendingRow(NamedTuple):
    """A mail and how its job stands. `error`: what was said when it was tried last."""

    id: UUID
    template: Template
    sealed: bytes
    at: datetime
    ready_at: datetime
    claim_until: datetime | None
    dead_at: datetime | None
    error: str | None


class Pending(NamedTuple):
    """A mail that is not sent, for an operator. `to` is masked; None: no secret opens it any more."""

    row: PendingRow
    to: str | None
