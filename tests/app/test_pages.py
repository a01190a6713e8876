"""The pages at /auth as they are sent: what each holds, under which headers, and what they keep to themselves."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest
from graphql import parse, validate
from sqlalchemy import select
from structlog.testing import capture_logs

from app.wiring import House
from domain.keyring import MAIL
from domain.mails.model import StoredMail
from graph.schema import schema
from tests.app.report.results import Page
from tests.app.running import staying
from tests.app.test_auth_doors import Browser, browsing
from tests.databases import everybodys
from tests.telemetry import Spans, spans

__all__ = ["spans"]

PAGES = {
    "sign-in": ("Sign in", ["email:username", "password:current-password", "email:username"]),
    "sign-up": ("Sign up", ["name:name", "email:username", "password:new-password"]),
    "forgot": ("Choose another password", ["email:username"]),
    "verify": ("Confirm your address", ["email:username"]),
    "reset": ("Choose another password", ["newPassword:new-password"]),
    "invitation": ("Join a workspace", []),
}
EVERY = pytest.mark.parametrize("name", PAGES)
TOKEN = "pmi_hunter2-\"'><script>alert(1)</script>"
CHANGE = """
mutation ($new: AccountCreateInput!) { accountCreate(input: $new) { __typename } }"""
VERIFY = """
mutation ($input: EmailVerifyInput!) { emailVerify(input: $input) { __typename } }"""


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncGenerator[Browser, None]:
    async with browsing(tmp_path, registration="open") as browser:
        yield browser


def main(answer: httpx.Response) -> dict[str, str | None]:
    assert answer.status_code == 200
    return Page(answer.text).all("main")[0]


def link(answer: httpx.Response, leads: str) -> str | None:
    found = [each["href"] for each in Page(answer.text).all("a") if each.get("data-leads") == leads]
    return found[0] if found else None


@EVERY
async def test_a_page_allows_its_own_script_and_style_alone_and_is_kept_by_nobody(browser: Browser, name: str) -> None:
    answer = await browser.http.get(f"/auth/{name}")
    inline = {tag: re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", answer.text, re.DOTALL) for tag in ("style", "script")}
    source = {
        tag: f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"
        for tag, found in inline.items()
        if found
    }
    headers = {key: value for key, value in answer.headers.items() if key not in ("content-length", "content-type")}
    assert headers == {
        "content-security-policy": f"default-src 'none'; style-src {source['style']}; script-src {source['script']}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "cache-control": "private, no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
    page = Page(answer.text)
    assert not [attributes for _, attributes in page.tags if "src" in attributes or "style" in attributes]
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "img")]
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]


@EVERY
async def test_a_page_has_fields_that_browsers_can_fill_and_says_what_it_needs(browser: Browser, name: str) -> None:
    title, fields = PAGES[name]
    answer = await browser.http.get(f"/auth/{name}")
    page = Page(answer.text)
    assert f"<title>{title} · Pacemark</title>" in answer.text
    inputs = page.all("input")
    assert [f"{each['name']}:{each['autocomplete']}" for each in inputs] == fields
    assert [each["id"] for each in inputs] == [each["for"] for each in page.all("label")]
    described = {attributes.get("id") for _, attributes in page.tags}
    assert {each["aria-describedby"] for each in inputs} <= described
    assert len(page.all("h1")) == len([each for each in page.all("p") if each.get("aria-live") == "polite"])
    assert "This page needs JavaScript" in page.text
    # Shown by the script, which knows who is signed in.
    assert all("hidden" in each for each in page.all("section"))


@EVERY
async def test_what_a_page_asks_fits_the_schema(browser: Browser, name: str) -> None:
    script = (await browser.http.get(f"/auth/{name}")).text.partition('<script type="module">')[2]
    documents = re.findall(r"`((?:query|mutation) [^`]*)`", script)
    assert len(documents) == 8
    for document in documents:
        assert validate(schema._schema, parse(document)) == []


@EVERY
async def test_a_token_in_the_address_is_nowhere_in_the_page(browser: Browser, name: str) -> None:
    answer = await browser.http.get(f"/auth/{name}", params={"token": TOKEN, "invitation": TOKEN})
    assert answer.text == (await browser.http.get(f"/auth/{name}")).text


async def test_where_to_go_afterwards_is_written_as_text(browser: Browser) -> None:
    to = "/auth/invitation?token=\"'><script>alert(1)</script>&x=<b>"
    answer = await browser.http.get("/auth/sign-in", params={"to": to})
    assert main(answer)["data-to"] == to
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/a\r\nSet-Cookie: x=y",
        "/\t/evil.example",
        "javascript:alert(1)",
        " /graphql",
        "graphql",
        "/" + "a" * 501,
        "",
    ],
)
async def test_nobody_is_led_elsewhere(browser: Browser, to: str) -> None:
    assert main(await browser.http.get("/auth/sign-in", params={"to": to}))["data-to"] == ""
    assert main(await browser.http.get("/auth/sign-in", params=[("to", "/graphql"), ("to", to)]))["data-to"] == ""


async def test_opening_a_link_changes_nothing(browser: Browser) -> None:
    new = {"email": "ann@example.org", "name": "Ann", "password": "correct horse battery"}
    await ask(browser, CHANGE, new=new)
    address = await mailed(browser.house)
    for _ in range(10):
        answer = await browser.http.get(address)
        assert (answer.status_code, answer.headers.get_list("set-cookie")) == (200, [])
    token = parse_qs(urlsplit(address).query)["token"][0]
    verified = [(await ask(browser, VERIFY, input={"token": token}))["emailVerify"]["__typename"] for _ in range(2)]
    assert verified == ["EmailVerifyPayload", "NotFound"]


async def ask(browser: Browser, query: str, **variables: Any) -> Any:
    return (await browser.http.post("/graphql", json={"query": query, "variables": variables})).json()["data"]


async def mailed(house: House) -> str:
    """The link of the only mail."""
    async with everybodys(house.database) as connection:
        (sealed,) = (await connection.execute(select(StoredMail.sealed))).scalars()
    values = orjson.loads(house.keyring.open(sealed, MAIL))["values"]
    assert values["link"].startswith("http://127.0.0.1:8123/auth/verify?token=")
    return str(values["link"])


# What settings change


@pytest.mark.parametrize(
    ("registration", "why"),
    [
        ("closed", "Nobody can sign up here: ask whoever runs this installation."),
        ("invited", "Signing up here takes an invitation: open the link that was mailed to you."),
        ("open", ""),
    ],
)
async def test_who_may_sign_up_is_said(tmp_path: Path, registration: str, why: str) -> None:
    async with browsing(tmp_path, registration=registration) as browser:
        answer = await browser.http.get("/auth/sign-up")
        assert main(answer)["data-registration"] == registration
        assert f"<p>{why}</p>" in answer.text
        offered = link(await browser.http.get("/auth/invitation"), "sign-up")
        assert offered == (None if registration == "closed" else "/auth/sign-up")


async def test_another_issuer_is_offered_where_there_is_one(browser: Browser, tmp_path: Path) -> None:
    assert link(await browser.http.get("/auth/sign-in"), "issuer") is None
    oidc = {"oidc_issuer": "https://login.example.com/x/", "oidc_client_id": "x", "oidc_client_secret": "y"}
    async with browsing(tmp_path / "other", **oidc) as there:
        answer = await there.http.get("/auth/sign-in")
        assert link(answer, "issuer") == "/auth/oidc/start?to=/auth/sign-in"
        assert "Sign in with login.example.com" in answer.text
        answer = await there.http.get("/auth/sign-in", params={"to": "/auth/invitation?token=a&b"})
        assert link(answer, "issuer") == "/auth/oidc/start?to=/auth/invitation%3Ftoken%3Da%26b"


async def test_graphiql_is_named_where_it_is(browser: Browser, tmp_path: Path) -> None:
    assert "/graphql" in Page((await browser.http.get("/auth/sign-in")).text).links()
    async with browsing(tmp_path / "other", graphiql=False) as there:
        for name in PAGES:
            assert "/graphql" not in Page((await there.http.get(f"/auth/{name}")).text).links()


# What is told of them


async def test_spans_and_logs_hold_no_query(browser: Browser, spans: Spans, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for quiet in ("httpx", "httpcore"):  # the test's own client
        caplog.set_level(logging.WARNING, quiet)
    with capture_logs() as logs:
        for name in (*PAGES, "nothing"):
            await browser.http.get(f"/auth/{name}", params={"token": "hunter2", "to": "/hunter2", "invitation": "hunter2"})
            await browser.http.post(f"/auth/{name}?token=hunter2")
    assert sorted(spans.names) == sorted(
        [*(f"{verb} /auth/{name}" for name in PAGES for verb in ("GET", "POST")), "GET", "POST"]
    )
    assert "hunter2" not in spans.text()
    assert "hunter2" not in caplog.text
    assert logs == []


def test_a_server_writes_no_address_with_a_token_anywhere(tmp_path: Path) -> None:
    with staying(tmp_path, "up", "--data", str(tmp_path / "data"), trace_sample="1") as server:
        for name in PAGES:
            assert httpx.get(f"{server.base}/auth/{name}?token=hunter2&to=/hunter2").status_code == 200
        assert server.stop() == 0
    assert server.errors.read_text() == ""
    written = [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert written == []
