"""What an account may ask for in a while: a bucket of cost, spent before an operation runs; the unused part comes back."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from domain.caching import Bucket, Cache

from ..callers import Caller
from ..codes import Code
from ..policy import Policy
from .refusals import Rejected

AUDITS_PER_COST = 10
"""So many audits that charts look at cost one."""

TEXT_PER_COST = 32
"""So many characters of a text that is no good document cost one."""


@dataclass(slots=True)
class Charge:
    """What one operation was asked to pay, and how the account's bucket stood then; `key` is that of the bucket."""

    key: str
    bucket: Bucket
    requested: float
    remaining: float
    actual: float | None = None

    @property
    def reset_at(self) -> float:
        """When the bucket is full again, in seconds since 1970."""
        return time.time() + (self.bucket.capacity - self.remaining) / self.bucket.per_second

    @property
    def raw_headers(self) -> Sequence[tuple[bytes, bytes]]:
        """GitHub's (https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api)."""
        remaining, most = int(self.remaining), int(self.bucket.capacity)
        return (
            (b"x-ratelimit-limit", b"%d" % most),
            (b"x-ratelimit-remaining", b"%d" % remaining),
            (b"x-ratelimit-used", b"%d" % (most - remaining)),
            (b"x-ratelimit-reset", b"%d" % math.ceil(self.reset_at)),
            (b"x-ratelimit-resource", b"graphql"),
        )

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.decode(): value.decode() for name, value in self.raw_headers}

    @property
    def extension(self) -> Mapping[str, Any]:
        """`extensions.cost` as Shopify's (https://shopify.dev/docs/api/usage/limits)."""
        return {
            "requestedQueryCost": _number(self.requested),
            "actualQueryCost": None if self.actual is None else _number(self.actual),
            "throttleStatus": {
                "maximumAvailable": _number(self.bucket.capacity),
                "currentlyAvailable": int(self.remaining),
                "restoreRate": _number(self.bucket.per_second),
            },
        }


class Budgets:
    """Those of all accounts, in the cache that the processes of an installation share."""

    def __init__(self, cache: Cache, policy: Policy) -> None:
        self._cache = cache
        self._policy = policy
        self._running: dict[str, int] = {}
        self._subscribed: dict[str, int] = {}

    async def spend(self, caller: Caller, cost: float) -> Charge:
        """Raises Rejected. An operation that costs nothing costs one: it was received and answered."""
        bucket = self._policy.allowance if caller.actor.is_somebody else self._policy.strangers_allowance
        cost = max(1.0, cost)
        key = f"cost:{caller.account}"
        spent = await self._cache.spend(key, cost, bucket)
        charge = Charge(key, bucket, cost, spent.remaining)
        if not spent.granted:
            raise _throttled(charge, spent.retry_after)
        return charge

    async def settle(self, charge: Charge, actual: float) -> None:
        """After it ran well: what it did not need is given back."""
        charge.actual = actual = max(1.0, actual)
        unused = charge.requested - actual
        if unused > 0:
            await self._cache.restore(charge.key, unused, charge.bucket)
            charge.remaining = min(charge.bucket.capacity, charge.remaining + unused)

    async def deposit(self, caller: Caller, text: str) -> Charge:
        """For a look at a text that is not known: it takes time, and is given back for a good one. Raises Rejected."""
        return await self.spend(caller, 1.0 + len(text) / TEXT_PER_COST)

    async def refund(self, charge: Charge) -> None:
        await self._cache.restore(charge.key, charge.requested, charge.bucket)

    def running(self, caller: Caller) -> _Running:
        """A block in which one of the account's operations runs in this process. Raises Rejected for one too many at once."""
        return _Running(self._running, caller.account, self._policy.operations_at_once)

    def subscribed(self, caller: Caller) -> _Running:
        """The same for its subscriptions, which are many and rest."""
        return _Running(self._subscribed, caller.account, self._policy.subscriptions_at_once)


class _Running:
    __slots__ = ("_account", "_most", "_running")

    def __init__(self, running: dict[str, int], account: str, most: int) -> None:
        self._running = running
        self._account = account
        self._most = most

    def __enter__(self) -> None:
        number = self._running.get(self._account, 0)
        if number >= self._most:
            message = f"At most {self._most} operations of one account run at once: wait for an answer before asking again."
            raise Rejected.of(message, Code.TOO_MANY_AT_ONCE, 429, {"retry-after": "1"}, maximum=self._most)
        self._running[self._account] = number + 1

    def __exit__(self, *_: object) -> None:
        number = self._running.pop(self._account) - 1
        if number:
            self._running[self._account] = number


def _throttled(charge: Charge, wait: float) -> Rejected:
    if math.isinf(wait):
        cost, most = charge.requested, charge.bucket.capacity
        message = f"This operation may cost {cost:,.0f}, and {most:,.0f} is all that there ever is."
        extensions = {"code": str(Code.COST_ESTIMATED_TOO_EXPENSIVE), "cost": _number(cost), "maximum": _number(most)}
        return Rejected([GraphQLError(message, extensions=extensions)], in_json=200, headers=charge.headers)
    seconds = max(1, math.ceil(wait))
    message = (
        f"Throttled: this operation may cost {charge.requested:,.0f}, and {charge.remaining:,.0f} is left. "
        f"There is enough in {seconds} s."
    )
    headers = {**charge.headers, "retry-after": str(seconds)}
    return Rejected.of(message, Code.THROTTLED, 429, headers, retryAfterSeconds=seconds, cost=charge.extension)


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def actual_cost(data: Mapping[str, Any], changes: float = 0.0, things: int | None = None) -> float:
    """What an operation came to: each thing of its data costs one. What `changes` cost they cost with their payloads.

    `things`: how many they are, where that was counted already.
    """
    payloads = sum(isinstance(each, dict) for each in data.values()) if changes else 0
    return (_things(data) if things is None else things) + changes - payloads


def values(data: Any) -> int:
    """How many plain values it holds."""
    count, waiting = 0, [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value
        else:
            count += 1
    return count


def _things(data: Any) -> int:
    count, waiting = -1, [data]
    for value in waiting:
        if isinstance(value, dict):
            count += 1
            waiting += [each for each in value.values() if isinstance(each, (dict, list))]
        else:
            waiting += [each for each in value if isinstance(each, (dict, list))]
    return max(0, count)
