"""What settings make of GraphQL: who is shown the schema, where GraphiQL is, which pages may ask, and how much."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import bootstrap
from app.asgi import create_app, policy
from app.errors import Unusable
from app.settings import Environment, Settings, load
from domain.caching import Bucket
from graph.policy import Introspection, Policy

SECRET = "9f2c4e8ab1d70356" * 4
SCHEMA = {"query": "{ __schema { queryType { name } } }"}
PAGE = {"Accept": "text/html,application/xhtml+xml"}
OTHERS = "https://app.example.com"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PACEMARK_{name.upper()}", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"PACEMARK_{name.upper()}", value)
    return load()


@asynccontextmanager
async def client(folder: Path, *, signed_in: bool = False, **settings: Any) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with bootstrap.embedded(load(data=folder, **settings)) as (house, workspace_id):
        headers = {"Authorization": f"Bearer {await bootstrap.first_key(house, workspace_id)}"} if signed_in else {}
        transport = httpx.ASGITransport(create_app(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers) as made:
            yield made


def test_without_settings_it_is_as_the_graph_is_by_itself() -> None:
    assert policy(load()) == Policy()


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pacemark.example.com", "https://pacemark.example.com"),
        ("HTTPS://Pacemark.Example.com:443/below/", "https://pacemark.example.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://pacemärk.example:8443", "https://xn--pacemrk-9wa.example:8443"),
    ],
)
def test_our_own_origin_is_that_of_the_public_address(monkeypatch: pytest.MonkeyPatch, url: str, origin: str) -> None:
    assert policy(given(monkeypatch, public_url=url)).own_origin == origin


@pytest.mark.parametrize("url", ["https://pacemark.example.com", "http://pacemark.example.com", None])
async def test_whoever_is_reached_by_https_asks_browsers_to_stay_with_it(tmp_path: Path, url: str | None) -> None:
    expected = "max-age=31536000" if url and url.startswith("https:") else None
    async with client(tmp_path, public_url=url) as http:
        for answer in (
            await http.get("/graphql", headers=PAGE),
            await http.post("/graphql", json={"query": "{ __typename }"}),
            await http.get("/graphql/stream", params={"query": "{ __typename }"}, headers={"Accept": "text/event-stream"}),
            await http.get("/graphiql/index.html"),
            await http.get("/auth/sign-in"),
            await http.post("/auth/refresh"),
            await http.get("/healthz"),
            await http.get("/nowhere"),
        ):
            assert answer.headers.get("strict-transport-security") == expected, answer.url


@pytest.mark.parametrize(
    ("env", "said", "shown_to"),
    [
        ("development", "", Introspection.EVERYBODY),
        ("test", "", Introspection.EVERYBODY),
        ("production", "", Introspection.SIGNED_IN),
        ("production", "everybody", Introspection.EVERYBODY),
        ("production", "nobody", Introspection.NOBODY),
        ("development", "signed-in", Introspection.SIGNED_IN),
    ],
)
def test_who_is_shown_the_schema_is_said_or_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, env: str, said: str, shown_to: Introspection
) -> None:
    assert policy(given(monkeypatch, env=env, introspection=said, secret=SECRET)).introspection is shown_to


@pytest.mark.parametrize(
    ("said", "strangers", "signed_in"), [("everybody", True, True), ("signed-in", False, True), ("nobody", False, False)]
)
async def test_the_schema_is_shown_to_whom_the_setting_says(
    tmp_path: Path, said: str, strangers: bool, signed_in: bool
) -> None:
    for who, shown in ((False, strangers), (True, signed_in)):
        async with client(tmp_path, signed_in=who, introspection=said) as http:
            answer = (await http.post("/graphql", json=SCHEMA)).json()
        if shown:
            assert answer["data"] == {"__schema": {"queryType": {"name": "Query"}}}
        else:
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTROSPECTION_DISABLED"]


async def test_production_shows_strangers_no_schema(tmp_path: Path) -> None:
    async with client(tmp_path, env=Environment.PRODUCTION, secret=SECRET) as http:
        refused = await http.post("/graphql", json=SCHEMA, headers={"Accept": "application/graphql-response+json"})
        assert (refused.status_code, refused.json()["errors"][0]["message"]) == (400, "Sign in to be shown the schema.")
        assert (await http.post("/graphql", json={"query": "{ metrics { name } }"})).status_code == 200


async def test_graphiql_is_where_the_setting_says(tmp_path: Path) -> None:
    async with client(tmp_path) as http:
        page = await http.get("/graphql", headers=PAGE)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await http.get("/graphiql/index.html")).status_code == 200
    async with client(tmp_path, graphiql=False) as http:
        for path in ("/graphql", "/graphiql/index.html"):
            assert "<html" not in (await http.get(path, headers=PAGE)).text
        assert (await http.get("/graphiql/index.html")).status_code == 404
        asked = await http.get("/graphql", params={"query": "{ __typename }"})
        assert asked.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("said", "origins"),
    [
        ("", ()),
        (OTHERS, (OTHERS,)),
        (" HTTPS://App.Example.com/ , http://localhost:3000,", (OTHERS, "http://localhost:3000")),
        (f"{OTHERS},{OTHERS}", (OTHERS,)),
        ("http://[::1]:8080", ("http://[::1]:8080",)),
    ],
)
def test_origins_are_read_as_browsers_write_them(monkeypatch: pytest.MonkeyPatch, said: str, origins: tuple[str, ...]) -> None:
    settings = given(monkeypatch, allowed_origins=said)
    assert settings.allowed_origins == origins
    assert policy(settings).origins == frozenset(origins)


@pytest.mark.parametrize(
    "said",
    ["*", "app.example.com", f"{OTHERS}/path", "https://*.example.com", "null", "ftp://x", "https://user@x", "https://x:"],
)
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    with pytest.raises(Unusable) as caught:
        given(monkeypatch, allowed_origins=f"{OTHERS},{said}")
    assert str(caught.value) == (
        "PACEMARK_ALLOWED_ORIGINS: origins are such as https://app.example.com, separated by commas, without a path."
    )


async def test_a_page_of_an_allowed_origin_may_ask_and_one_of_another_may_not(tmp_path: Path) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,authorization"}
    query = {"query": "{ __typename }"}
    async with client(tmp_path, allowed_origins=OTHERS) as http:
        allowed = await http.options("/graphql", headers={"Origin": OTHERS, **preflight})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, OTHERS)
        assert allowed.headers["access-control-allow-credentials"] == "true"
        got = await http.get("/graphql", params=query, headers={"Origin": OTHERS})
        assert (got.status_code, got.headers["access-control-allow-origin"]) == (200, OTHERS)
        assert "x-ratelimit-remaining" in got.headers["access-control-expose-headers"].lower()
        foreign = await http.options("/graphql", headers={"Origin": "https://evil.example", **preflight})
        assert (foreign.status_code, "access-control-allow-origin" in foreign.headers) == (400, False)
        refused = await http.get("/graphql", params=query, headers={"Origin": "https://evil.example"})
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "CSRF_PREVENTED")
    async with client(tmp_path) as http:
        for origin in (OTHERS, "null"):
            answer = await http.get("/graphql", params=query, headers={"Origin": origin})
            assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
        own = await http.get("/graphql", params=query, headers={"Origin": "http://127.0.0.1:8000"})
        assert own.status_code == 200


def test_costs_are_read_and_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch,
        cost_capacity="5000",
        cost_per_second="0.5",
        strangers_cost_capacity="1000",
        strangers_cost_per_second="2",
        operations_at_once="3",
        streams_at_once="4",
    )
    assert policy(settings) == Policy(
        allowance=Bucket(5_000, 0.5),
        strangers_allowance=Bucket(1_000, 2),
        operations_at_once=3,
        streams_at_once=4,
        subscriptions_at_once=8,
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COST_CAPACITY", "999", "Input should be greater than or equal to 1000"),
        ("STRANGERS_COST_CAPACITY", "0", "Input should be greater than or equal to 1000"),
        ("COST_PER_SECOND", "0", "Input should be greater than 0"),
        ("STRANGERS_COST_PER_SECOND", "-1", "Input should be greater than 0"),
        ("COST_CAPACITY", "inf", "Input should be less than or equal to 1000000000000"),
        ("COST_PER_SECOND", "nan", "Input should be less than or equal to 1000000000000"),
        ("COST_CAPACITY", "much", "Input should be a valid number"),
        ("OPERATIONS_AT_ONCE", "0", "Input should be greater than or equal to 1"),
        ("STREAMS_AT_ONCE", "0", "Input should be greater than or equal to 1"),
        ("INTROSPECTION", "somebody", "Input should be 'everybody', 'signed-in' or 'nobody'"),
        ("GRAPHIQL", "perhaps", "Input should be a valid boolean"),
        ("COMPILE_QUERIES", "perhaps", "Input should be a valid boolean"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(Unusable) as caught:
        given(monkeypatch, **{name: value})
    assert str(caught.value).startswith(f"PACEMARK_{name}: {sentence}")
    assert "\n" not in str(caught.value)


async def test_what_keys_and_strangers_may_ask_for_is_what_the_settings_say(tmp_path: Path) -> None:
    # So slow that nothing comes back meanwhile.
    settings = {
        "cost_capacity": 2_000,
        "cost_per_second": 0.001,
        "strangers_cost_capacity": 1_000,
        "strangers_cost_per_second": 0.001,
    }
    for signed_in, capacity in ((True, 2_000), (False, 1_000)):
        async with client(tmp_path, signed_in=signed_in, **settings) as http:
            said = await http.post("/graphql", json={"query": "{ metrics { name } rateLimit { limit remaining } }"})
            assert said.json()["data"]["rateLimit"] == {"limit": capacity, "remaining": capacity - 31}
            assert (said.headers["x-ratelimit-limit"], said.headers["x-ratelimit-used"]) == (str(capacity), "31")
            asks = " ".join(f"a{number}: metrics {{ name }}" for number in range(20))
            codes = [
                (answer.status_code, answer.headers.get("retry-after") is not None)
                for answer in [await http.post("/graphql", json={"query": f"{{ {asks} }}"}) for _ in range(4)]
            ]
            fits = (capacity - 31) // 600
            assert codes == [(200, False)] * fits + [(429, True)] * (4 - fits)
