"""Mails: written with the transaction that they tell of, and sent by a job."""

from .actions import KIND, send
from .jobs import Outcome, forget, perform, sweep, take
from .mailer import Mail, Mailer, MailerAway, MailRefused
from .model import VALUES, MailRow, StoredMail, Template

__all__ = [
    "KIND",
    "VALUES",
    "Mail",
    "MailRefused",
    "MailRow",
    "Mailer",
    "MailerAway",
    "Outcome",
    "StoredMail",
    "Template",
    "forget",
    "perform",
    "send",
    "sweep",
    "take",
]
