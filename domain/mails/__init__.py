"""Mails: written with the transaction that they tell of, and sent by a job."""

from .model import MailRow, StoredMail, Template

__all__ = ["MailRow", "StoredMail", "Template"]
