"""What this installation's settings say of how operations are received."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.caching import Bucket


class Introspection(StrEnum):
    """Who may ask for the schema."""

    EVERYBODY = "everybody"
    SIGNED_IN = "signed-in"
    NOBODY = "nobody"


ALLOWANCE = Bucket(capacity=200_000, per_second=10_000)
STRANGERS_ALLOWANCE = Bucket(capacity=50_000, per_second=1_000)


@dataclass(frozen=True, slots=True)
class Policy:
    """`origins` are those of pages that may ask from a browser, beside our own; an account is a key's, or an address.

    `own_origin` is what our own pages have. None: the address at which each request found us.

    A cost is counted as `@cost` and `@listSize` say: about one for each thing of an answer. `compile_queries`:
    operations are executed by plans that are made for them, and by graphql-core otherwise.
    """

    origins: frozenset[str] = frozenset()
    own_origin: str | None = None
    introspection: Introspection = Introspection.EVERYBODY
    allowance: Bucket = ALLOWANCE
    strangers_allowance: Bucket = STRANGERS_ALLOWANCE
    operations_at_once: int = 100
    streams_at_once: int = 1_000
    operations_per_socket: int = 100
    subscriptions_at_once: int = 2_000
    deadline_seconds: float = 30.0
    compile_queries: bool = True
