"""A mail as it goes over the wire."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from domain.mails import Mail, MailRefused

from .addresses import deliverable
from .rendering import Rendered

NAME = "Pacemark"


def compose(mail: Mail, rendered: Rendered, sender: str, to: str, now: datetime) -> EmailMessage:
    """Its Message-ID is made of the mail's id: one that arrives twice is recognised."""
    local, _, domain = sender.rpartition("@")
    message = EmailMessage(SMTP)
    message["From"] = Address(NAME, local, domain)
    message["To"] = to
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{mail.id.hex}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return message


def recipient(mail: Mail) -> str:
    """Raises MailRefused."""
    try:
        return deliverable(mail.to)
    except ValueError:
        raise MailRefused("Its address is none that mails are sent to.") from None
