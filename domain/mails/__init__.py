"""Mails: written with the transaction that they tell of, and sent by a job."""

from .actions import KIND, retry, send
from .jobs import Outcome, forget, perform, sweep, take
from .mailer import Mail, Mailer, MailerAway, MailRefused
from .model import SEALED, VALUES, MailRow, Pending, PendingRow, StoredMail, Template
from .queries import pending
from .rules import masked, named, parse

__all__ = [
    "KIND",
    "SEALED",
    "VALUES",
    "Mail",
    "MailRefused",
    "MailRow",
    "Mailer",
    "MailerAway",
    "Outcome",
    "Pending",
    "PendingRow",
    "StoredMail",
    "Template",
    "forget",
    "masked",
    "named",
    "parse",
    "pending",
    "perform",
    "retry",
    "send",
    "sweep",
    "take",
]
