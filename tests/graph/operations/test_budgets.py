"""What an account may ask for in a while: spent before an operation runs, and given back where it was not needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
import strawberry
from graphql import GraphQLDeferDirective

from domain.access import Actor, Role
from domain.caching import Bucket, Cache
from domain.errors import NotFound
from graph import costs
from graph.callers import Caller
from graph.context import Services
from graph.execution import Operations, Shape
from graph.operations import Asked, Budgets, Rejected
from graph.operations.budgets import actual_cost
from graph.policy import Policy
from infra.cache.memory import MemoryCache
from tests.infra.cache.opening import emptied, opened

# So slow that nothing comes back while a test runs.
ALL = Bucket(capacity=100, per_second=0.001)
POLICY = Policy(allowance=ALL, strangers_allowance=ALL, operations_at_once=2)
WORKSPACE = UUID(int=1)


def holder(number: int, address: str = "192.0.2.1") -> Caller:
    """Of one key of a workspace."""
    return Caller(Actor({WORKSPACE: Role.MEMBER}, UUID(int=7), UUID(int=number)), address)


KEY, STRANGER = holder(2), Caller(address="192.0.2.1")


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache()
        return
    url = request.getfixturevalue("valkey_url")
    await emptied(url)
    async with opened(url) as shared:
        yield shared


async def left(cache: Cache, caller: Caller = KEY) -> int:
    return round((await cache.spend(f"cost:{caller.account}", 0.0, ALL)).remaining)


async def refusal(budgets: Budgets, caller: Caller, cost: float) -> Rejected:
    with pytest.raises(Rejected) as refused:
        await budgets.spend(caller, cost)
    return refused.value


async def test_what_is_spent_is_told_as_github_and_shopify_tell_it(cache: Cache) -> None:
    charge = await Budgets(cache, POLICY).spend(KEY, 30)
    headers = dict(charge.headers)
    assert abs(int(headers.pop("x-ratelimit-reset")) - (time.time() + 30 / ALL.per_second)) < 5
    assert headers == {
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "70",
        "x-ratelimit-used": "30",
        "x-ratelimit-resource": "graphql",
    }
    assert charge.extension == {
        "requestedQueryCost": 30,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 100, "currentlyAvailable": 70, "restoreRate": 0.001},
    }


async def test_what_was_not_needed_is_given_back(cache: Cache) -> None:
    budgets = Budgets(cache, POLICY)
    charge = await budgets.spend(KEY, 30)
    await budgets.settle(charge, 12)
    assert (await left(cache), charge.headers["x-ratelimit-remaining"]) == (88, "88")
    assert charge.extension["actualQueryCost"] == 12
    assert charge.extension["throttleStatus"]["currentlyAvailable"] == 88


async def test_an_operation_costs_one_at_least_and_what_it_was_asked_for_at_most(cache: Cache) -> None:
    budgets = Budgets(cache, POLICY)
    charge = await budgets.spend(KEY, 0)
    await budgets.settle(charge, 0)
    assert (charge.requested, charge.actual, await left(cache)) == (1, 1, 99)
    charge = await budgets.spend(KEY, 5)
    await budgets.settle(charge, 7)
    assert (charge.requested, charge.actual, await left(cache)) == (5, 7, 94)


async def test_each_key_and_each_strangers_address_has_a_bucket_of_its_own(cache: Cache) -> None:
    budgets, elsewhere = Budgets(cache, POLICY), Caller(address="2001:db8::1")
    for caller in (KEY, holder(3), STRANGER, elsewhere):
        await budgets.spend(caller, 90)
        assert (await refusal(budgets, caller, 20)).status == 429
    assert (await refusal(budgets, holder(2, "198.51.100.7"), 20)).status == 429, "a key is the same from everywhere"


async def test_strangers_have_less() -> None:
    cache, policy = MemoryCache(), Policy()
    assert (await Budgets(cache, policy).spend(KEY, 1)).bucket == policy.allowance
    assert (await Budgets(cache, policy).spend(STRANGER, 1)).bucket == policy.strangers_allowance
    assert policy.strangers_allowance.capacity < policy.allowance.capacity


async def test_whoever_asks_too_fast_is_told_when_to_come_back(cache: Cache) -> None:
    budgets = Budgets(cache, POLICY)
    await budgets.spend(KEY, 99)
    refused = await refusal(budgets, KEY, 3)
    (error,) = refused.errors
    assert (refused.status, refused.in_json) == (429, 429)
    assert error.message == "Throttled: this operation may cost 3, and 1 is left. There is enough in 2000 s."
    status = {"maximumAvailable": 100, "currentlyAvailable": 1, "restoreRate": 0.001}
    assert error.extensions == {
        "code": "THROTTLED",
        "retryAfterSeconds": 2000,
        "cost": {"requestedQueryCost": 3, "actualQueryCost": None, "throttleStatus": status},
    }
    assert refused.headers["retry-after"] == "2000"
    assert (refused.headers["x-ratelimit-remaining"], refused.headers["x-ratelimit-used"]) == ("1", "99")
    assert await left(cache) == 1, "what is refused costs nothing"


async def test_whoever_comes_back_then_is_let_in() -> None:
    now = 1_000.0
    budgets = Budgets(MemoryCache(clock=lambda: now), Policy(allowance=Bucket(100, 10)))
    await budgets.spend(KEY, 100)
    wait = int((await refusal(budgets, KEY, 31)).headers["retry-after"])
    assert wait == 4
    now += wait - 1
    assert (await refusal(budgets, KEY, 31)).headers["retry-after"] == "1"
    now += 1
    assert (await budgets.spend(KEY, 31)).remaining == 9


async def test_what_is_dearer_than_the_bucket_is_too_expensive_and_not_too_fast(cache: Cache) -> None:
    refused = await refusal(Budgets(cache, POLICY), KEY, 101)
    (error,) = refused.errors
    assert (refused.status, refused.in_json, "retry-after" in refused.headers) == (400, 200, False)
    assert error.message == "This operation may cost 101, and 100 is all that there ever is."
    assert error.extensions == {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost": 101, "maximum": 100}
    assert await left(cache) == 100


async def test_processes_share_what_an_account_has(valkey_url: str) -> None:
    await emptied(valkey_url)
    async with opened(valkey_url) as one, opened(valkey_url) as other:
        charge = await Budgets(one, POLICY).spend(KEY, 60)
        assert (await Budgets(other, POLICY).spend(KEY, 30)).remaining == pytest.approx(10, abs=0.1)
        await Budgets(one, POLICY).settle(charge, 10)
        assert await left(other) == 60


def test_so_many_operations_of_an_account_run_at_once() -> None:
    budgets = Budgets(MemoryCache(), POLICY)
    with budgets.running(KEY), budgets.running(STRANGER):
        with budgets.running(KEY):
            with pytest.raises(Rejected) as refused, budgets.running(KEY):
                raise AssertionError("one too many")
            (error,) = refused.value.errors
            assert error.message == ("At most 2 operations of one account run at once: wait for an answer before asking again.")
            assert error.extensions == {"code": "TOO_MANY_AT_ONCE", "maximum": 2}
            assert (refused.value.status, refused.value.in_json, refused.value.headers) == (429, 429, {"retry-after": "1"})
        with budgets.running(KEY), budgets.running(holder(3)):
            pass
    assert budgets._running == {}


@pytest.mark.parametrize(
    ("changes", "data", "cost"),
    [
        (0, {}, 0),
        (0, {"a": 1, "b": None, "c": [1, 2]}, 0),
        (0, {"a": {"b": {"c": 1}}, "d": {}}, 3),
        (0, {"a": [{"b": 1}, {"b": [{}, None]}]}, 3),
        (10, {"a": {}}, 10),
        (510, {"a": {"site": {"id": 1}}, "b": {}}, 511),
        (0, {"__typename": "Mutation"}, 0),
    ],
)
def test_each_thing_of_an_answer_costs_one_and_each_change_what_it_weighs(changes: float, data: Any, cost: float) -> None:
    assert actual_cost(data, changes) == cost


@strawberry.type
class Thing:
    name: str = "x"


@strawberry.type
class Query:
    @strawberry.field
    def things(self, first: int = 10) -> list[Thing]:
        return [Thing(), Thing()]

    @strawberry.field
    def refused(self) -> Thing | None:
        raise NotFound("There is none.")

    @strawberry.field
    def needed(self) -> Thing:
        raise NotFound("There is none.")

    @strawberry.field
    def broken(self) -> Thing | None:
        raise ValueError("a bug")

    @strawberry.field
    async def slow(self, first: int = 10) -> list[Thing]:
        Waiting.begun.set()
        await Waiting.on.wait()
        return [Thing()]


class Waiting:
    begun = asyncio.Event()
    on = asyncio.Event()


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=[costs.Cost(weight="10")])
    def change(self) -> Thing:
        return Thing()

    @strawberry.mutation(directives=[costs.Cost(weight="50")])
    def dear(self) -> Thing:
        return Thing()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, count: int, first: int = 7) -> AsyncGenerator[list[Thing], None]:
        for _ in range(count):
            yield [Thing()]


schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
costs.declare(schema._schema)
schema._schema.directives = (*schema._schema.directives, GraphQLDeferDirective)


@pytest.fixture
def operations(cache: Cache) -> Operations:
    Waiting.begun, Waiting.on = asyncio.Event(), asyncio.Event()
    return made(cache, POLICY)


def made(cache: Cache, policy: Policy) -> Operations:
    """Over services of which nothing is asked here."""
    nothing = dict.fromkeys(("feed", "storage", "keyring", "base_url", "signing", "passwords"), cast(Any, None))
    database = cast(Any, SimpleNamespace(reader=None))
    return Operations(schema, Services(**nothing, database=database, cache=cache, texts=cache, policy=policy))


async def ask(operations: Operations, text: str) -> dict[str, Any]:
    prepared = await operations.prepare(Asked(text), KEY)
    return (await operations.result(prepared)).body()


@pytest.mark.parametrize(
    ("text", "requested", "actual"),
    [
        ("{ __typename }", 1, 1),
        ("{ things { name } }", 10, 2),
        ("{ a: things(first: 20) { name } b: things(first: 5) { name } }", 25, 4),
        ("mutation { change { name } }", 10, 10),
        ("mutation { dear { name } }", 50, 50),
        ("mutation { change { name } ...more } fragment more on Mutation { dear { name } }", 60, 60),
        ("{ things { name } refused { name } }", 11, 2),
    ],
)
async def test_an_operation_pays_the_most_it_may_cost_and_gets_the_rest_back(
    operations: Operations, cache: Cache, text: str, requested: int, actual: int
) -> None:
    said = await ask(operations, text)
    assert said["extensions"]["cost"] == {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": {"maximumAvailable": 100, "currentlyAvailable": 100 - actual, "restoreRate": 0.001},
    }
    assert await left(cache) == 100 - actual


@pytest.mark.parametrize("text", ["{ things { name } broken { name } }", "{ things { name } needed { name } }"])
async def test_an_operation_that_failed_gets_nothing_back(operations: Operations, cache: Cache, text: str) -> None:
    said = await ask(operations, text)
    assert said["errors"]
    cost = said["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (11, None)
    assert await left(cache) == 89


async def test_an_operation_that_is_stopped_gets_nothing_back(operations: Operations, cache: Cache) -> None:
    asking = asyncio.create_task(ask(operations, "{ slow { name } }"))
    await Waiting.begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert await left(cache) == 90
    Waiting.on.set()
    assert (await ask(operations, "{ slow { name } }"))["extensions"]["cost"]["actualQueryCost"] == 1
    assert await left(cache) == 89


async def test_an_operation_that_takes_too_long_gets_nothing_back(operations: Operations, cache: Cache) -> None:
    hurried = made(cache, Policy(allowance=ALL, deadline_seconds=0.05))
    with pytest.raises(Rejected) as refused:
        await ask(hurried, "{ slow { name } }")
    assert (refused.value.errors[0].extensions, refused.value.status) == ({"code": "TIMEOUT"}, 503)
    assert await left(cache) == 90


@pytest.mark.parametrize(
    ("text", "remaining"),
    [("{ things { name }", 98), ("{ nothing }", 99), ("query ($n: Int!) { things(first: $n) { name } }", 80)],
    ids=["no document", "not valid", "without its variable"],
)
async def test_what_does_not_run_pays_for_the_look_at_it(
    operations: Operations, cache: Cache, text: str, remaining: int
) -> None:
    with pytest.raises(Rejected):
        await ask(operations, text)
    assert await left(cache) == remaining


DEFERRED = "{ a: things { name } ... @defer { things { name } } }"


@pytest.mark.parametrize("shape", list(Shape))
async def test_what_is_deferred_is_settled_with_the_last_part(operations: Operations, cache: Cache, shape: Shape) -> None:
    prepared = await operations.prepare(Asked(DEFERRED), KEY)
    async with aclosing(operations.results(prepared, deferring=shape)) as parts:
        seen = [(orjson.loads(part.body), await left(cache)) async for part in parts]
    assert [left for _, left in seen] == [*[80] * (len(seen) - 1), 96]
    assert [("extensions" in said, said["hasNext"]) for said, _ in seen] == [*[(False, True)] * (len(seen) - 1), (True, False)]
    assert seen[-1][0]["extensions"]["cost"]["actualQueryCost"] == 4


async def test_who_leaves_before_the_last_part_gets_nothing_back(operations: Operations, cache: Cache) -> None:
    prepared = await operations.prepare(Asked(DEFERRED), KEY)
    async with aclosing(operations.results(prepared, deferring=Shape.CURRENT)) as parts:
        assert orjson.loads((await anext(parts)).body)["data"] == {"a": [{"name": "x"}] * 2}
    assert await left(cache) == 80


async def ticks(operations: Operations, count: int) -> list[Any]:
    prepared = await operations.prepare(Asked(f"subscription {{ ticks(count: {count}) {{ name }} }}"), KEY)
    async with aclosing(operations.results(prepared)) as events:
        return [orjson.loads(event.body) async for event in events]


@pytest.mark.parametrize(("count", "paid"), [(0, 7), (1, 7), (1_000, 7), (1_001, 14), (2_001, 21)])
async def test_a_subscription_pays_when_it_begins_and_again_every_thousand_events(count: int, paid: int) -> None:
    cache = MemoryCache()
    assert await ticks(made(cache, POLICY), count) == [{"data": {"ticks": [{"name": "x"}]}}] * count
    assert await left(cache) == 100 - paid


async def test_a_subscription_that_cannot_pay_any_more_says_so_and_ends() -> None:
    cache = MemoryCache()
    *events, last = await ticks(made(cache, Policy(allowance=Bucket(10, 0.001))), 5_000)
    assert len(events) == 1_000
    (error,) = last["errors"]
    assert (last["data"], error["extensions"]["code"]) == (None, "THROTTLED")


async def test_a_subscription_that_cannot_pay_does_not_begin(operations: Operations, cache: Cache) -> None:
    await Budgets(cache, POLICY).spend(KEY, 95)
    with pytest.raises(Rejected) as refused:
        await ticks(operations, 1)
    assert ((refused.value.errors[0].extensions or {})["code"], refused.value.status) == ("THROTTLED", 429)
    assert await left(cache) == 5
