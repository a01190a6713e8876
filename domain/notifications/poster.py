"""What is asked of whoever carries messages out of the house, other than mails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ..keyring import Keyring
from ..mails import Mailer


class Answer(NamedTuple):
    """What a server said: the beginning of its body, and its Retry-After."""

    status: int
    text: str
    retry_after: str | None


class Unreached(Exception):  # noqa: N818 - the field's word for it
    """There was no answer. The text is a sentence for whoever owns the channel."""


class Poster(Protocol):
    """POSTs to addresses that people gave; never to one that the installation must not talk to, and nowhere else."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises Unreached."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """All that a delivery takes. `base_url`: where this installation is reached, for links."""

    poster: Poster
    mailer: Mailer
    keyring: Keyring = field(repr=False)
    base_url: str
