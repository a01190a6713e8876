"""Who asks, by what every transport carries."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain import accounts
from domain.access import NOBODY, Actor
from domain.work import Origin

from .standing import Standing

MAX_AGENT = 200


@dataclass(slots=True)
class Caller:
    """An actor, the address from which they ask, the version that their client says it has, and its User-Agent."""

    actor: Actor = NOBODY
    address: str = "unknown"
    version: str = ""
    agent: str = field(default="", repr=False)
    standing: Standing | None = field(default=None, repr=False)
    account: str = field(init=False)
    """Whose allowance is spent: that of the key or the user, of a stranger's address otherwise. Fit for a cache's key."""

    def __post_init__(self) -> None:
        self.account = self.actor.name if self.actor.is_somebody else f"address:{accounts.network(self.address)}"

    @property
    def origin(self) -> Origin:
        """What is told of them in logs and mails: nothing that could be taken for something else there."""
        agent = "".join(each for each in self.agent[:MAX_AGENT] if each.isprintable())
        return Origin(self.address, agent)
