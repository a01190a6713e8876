"""What is asked of whoever carries mails out of the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from .model import Template


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to be sent. `id` is the same each time that it is tried. Its address and values stay out of what is logged."""

    id: UUID
    template: Template
    to: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)


class MailRefused(Exception):  # noqa: N818 - the server's answer, no error of ours
    """Nobody will take it, however often it is tried. The text names no address."""


class MailerAway(Exception):  # noqa: N818 - the field's word for it
    """Not now: the server is not there, says "later", or takes nothing of ours at all. The text names no address."""


class Mailer(Protocol):
    """Carries a mail out of the house, at least once."""

    async def send(self, mail: Mail) -> None:
        """Raises MailRefused and MailerAway."""
        ...
