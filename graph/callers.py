"""Who asks, by what every transport carries."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.access import NOBODY, Actor

from .standing import Standing


@dataclass(frozen=True, slots=True)
class Caller:
    """An actor, the address from which they ask, and the version that their client says it has."""

    actor: Actor = NOBODY
    address: str = "unknown"
    version: str = ""
    standing: Standing | None = field(default=None, repr=False)
    account: str = field(init=False)
    """Whose allowance is spent: that of the key or the user, of a stranger's address otherwise. Fit for a cache's key."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "account", self.actor.name if self.actor.roles else f"address:{self.address}")
