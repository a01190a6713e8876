"""A browser stays signed in, signs out, and signs in by another issuer, with cookies that it cannot read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from app import bootstrap
from app.asgi import create_app
from app.bootstrap import embedded
from app.settings import load
from app.wiring import House
from domain import accounts, workspaces
from domain.access import NOBODY, Role
from domain.accounts import SignedIn, SignInMethod
from domain.base import Base
from domain.work import Origin
from infra.cache.memory import MemoryCache
from tests.databases import everybodys
from tests.issuer import CLIENT, SECRET, Issuer, issuing

BASE = "http://127.0.0.1:8123"
VIEWER = {"query": "{ viewer { user { name } } }"}
HERE = Origin("127.0.0.1", "Firefox")


@dataclass
class Browser:
    house: House
    http: httpx.AsyncClient

    async def viewer(self) -> Any:
        return (await self.http.post("/graphql", json=VIEWER)).json()["data"]["viewer"]

    async def sign_in(self) -> SignedIn:
        """As the owner at the command line, who has no password."""
        async with self.house.database.work(NOBODY, HERE) as work:
            user = await accounts.register(work, name="Jane")
            method = SignInMethod.PASSWORD
            found = await accounts.start_session(work, user_id=user, method=method, keyring=self.house.keyring)
        self.http.cookies.set("pacemark-refresh", found.refresh_token, domain="127.0.0.1", path="/auth")
        return found


@asynccontextmanager
async def browsing(folder: Path, **settings: Any) -> AsyncGenerator[Browser, None]:
    async with embedded(load(data=folder, port=8123, **settings), live=False) as (house, _):
        transport = httpx.ASGITransport(create_app(house), client=("127.0.0.1", 1))
        headers = {"User-Agent": "Firefox"}
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as http:
            yield Browser(house, http)


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncGenerator[Browser, None]:
    async with browsing(tmp_path) as browser:
        yield browser


async def test_a_refresh_gives_cookies_that_open_the_api(browser: Browser) -> None:
    await browser.sign_in()
    assert await browser.viewer() is None
    answer = await browser.http.post("/auth/refresh")
    assert (answer.status_code, list(answer.json())) == (200, ["expiresAt"])
    assert [each.partition("=")[0] for each in answer.headers.get_list("set-cookie")] == ["pacemark-access", "pacemark-refresh"]
    assert all("HttpOnly" in each for each in answer.headers.get_list("set-cookie"))
    assert await browser.viewer() == {"user": {"name": "Jane"}}
    assert (await browser.http.post("/auth/refresh")).status_code == 200


async def test_a_token_that_comes_back_ends_the_session(browser: Browser) -> None:
    first = await browser.sign_in()
    await browser.http.post("/auth/refresh")
    stolen = {"Cookie": f"pacemark-refresh={first.refresh_token}", "User-Agent": "curl"}
    async with httpx.AsyncClient(transport=browser.http._transport, base_url=BASE) as thief:
        assert (await thief.post("/auth/refresh", headers=stolen)).status_code == 401
    answer = await browser.http.post("/auth/refresh")
    assert (answer.status_code, answer.json()) == (401, {"error": "This session is over: sign in again."})
    assert all("Max-Age=0" in each for each in answer.headers.get_list("set-cookie"))


async def test_signing_out_ends_the_session_and_forgets_the_cookies(browser: Browser) -> None:
    first = await browser.sign_in()
    answer = await browser.http.post("/auth/sign-out")
    assert answer.status_code == 200
    assert not browser.http.cookies
    browser.http.cookies.set("pacemark-refresh", first.refresh_token, domain="127.0.0.1", path="/auth")
    assert (await browser.http.post("/auth/refresh")).status_code == 401
    assert (await browser.http.post("/auth/sign-out")).status_code == 200


async def test_signing_out_ends_the_session_of_every_cookie_by_our_names(browser: Browser) -> None:
    """A page of another name of the domain can add to them; which are the browser's own does not show."""
    first, second, third, fourth = [await browser.sign_in() for _ in range(4)]
    access = [(await browser.house.signing.issue(each.user_id, each.session_id)).text for each in (first, third)]
    carried = (
        f"pacemark-refresh=pmr_nonsense; pacemark-refresh={first.refresh_token}; pacemark-refresh={second.refresh_token}; "
        f"pacemark-access=nonsense; pacemark-access={access[0]}; pacemark-access={access[1]}"
    )
    browser.http.cookies.clear()
    answer = await browser.http.post("/auth/sign-out", headers={"Cookie": carried})
    assert answer.status_code == 200
    assert [each.partition(";")[0] for each in answer.headers.get_list("set-cookie")] == [
        "pacemark-access=",
        "pacemark-refresh=",
    ]
    ids = [each.session_id for each in (first, second, third, fourth)]
    live = await accounts.live_sessions(browser.house.database.reader, ids, datetime.now(UTC))
    assert set(live) == {fourth.session_id}
    log = Base.metadata.tables["security_log"]
    async with everybodys(browser.house.database) as connection:
        told = (await connection.execute(select(log.c.user_id).where(log.c.kind == "SIGNED_OUT"))).scalars().all()
    assert sorted(told) == sorted(each.user_id for each in (first, second, third))


@pytest.mark.parametrize("address", ["/auth/refresh", "/auth/sign-out"])
@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_no_other_sites_page_refreshes_or_signs_out(browser: Browser, address: str, headers: dict[str, str]) -> None:
    await browser.sign_in()
    assert (await browser.http.post(address, headers=headers)).status_code == 403
    assert (await browser.http.post("/auth/refresh")).status_code == 200


async def test_without_an_issuer_there_is_no_such_door(browser: Browser) -> None:
    assert (await browser.http.get("/auth/oidc/start")).status_code == 404


# By another issuer


@pytest.fixture
async def issuer() -> AsyncGenerator[Issuer, None]:
    async with issuing() as issuer:
        yield issuer


@pytest.fixture
async def there(tmp_path: Path, issuer: Issuer) -> AsyncGenerator[Browser, None]:
    oidc = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    async with browsing(tmp_path, registration="open", **oidc) as browser:
        yield browser


async def back(browser: Browser, to: str = "/graphql") -> str:
    """To the issuer and back: the address to which it sends the browser."""
    begun = await browser.http.get("/auth/oidc/start", params={"to": to})
    assert begun.status_code == 303
    async with httpx.AsyncClient() as away:
        address: str = (await away.get(begun.headers["location"])).headers["location"]
    assert address.startswith(f"{BASE}/auth/oidc/callback?")
    return address


async def test_whoever_signs_in_there_is_signed_in_here(there: Browser) -> None:
    answer = await there.http.get(await back(there, "/graphql?query={viewer{user{name}}}"))
    assert answer.status_code == 200
    assert 'content="0;url=/graphql?query={viewer{user{name}}}"' in answer.text
    assert await there.viewer() == {"user": {"name": "Jane Doe"}}
    assert "pacemark-oidc" not in there.http.cookies


async def test_the_same_person_has_the_same_account(there: Browser, issuer: Issuer) -> None:
    for name in ("Jane Doe", "Jane Roe"):
        issuer.person["name"] = name
        await there.http.get(await back(there))
        assert await there.viewer() == {"user": {"name": "Jane Doe"}}


async def test_an_answer_is_taken_from_the_browser_that_asked_alone(there: Browser) -> None:
    address = await back(there)
    there.http.cookies.clear()
    refused = await there.http.get(address)
    assert (refused.status_code, "begin again" in refused.text) == (400, True)
    assert await there.viewer() is None


async def test_by_https_the_cookie_is_one_that_no_other_name_of_the_domain_can_set(tmp_path: Path, issuer: Issuer) -> None:
    oidc = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    async with browsing(tmp_path, public_url="https://pacemark.example", **oidc) as browser:
        (begun,) = (await browser.http.get("/auth/oidc/start")).headers.get_list("set-cookie")
        (ended,) = (await browser.http.get("/auth/oidc/callback")).headers.get_list("set-cookie")
    for cookie, age in ((begun, 600), (ended, 0)):
        name, *attributes = cookie.partition("=")[0], *cookie.split("; ")[1:]
        assert name == "__Host-pacemark-oidc"
        assert sorted(attributes, key=str.lower) == ["HttpOnly", f"Max-Age={age}", "Path=/", "SameSite=lax", "Secure"]


@pytest.mark.parametrize("door", ["start", "callback"])
async def test_a_network_comes_to_the_doors_of_another_issuer_so_often(there: Browser, issuer: Issuer, door: str) -> None:
    assert isinstance(there.house.cache, MemoryCache)
    there.house.cache._clock = lambda: 1_000.0
    for _ in range(30):
        assert (await there.http.get(f"/auth/oidc/{door}")).status_code == {"start": 303, "callback": 400}[door]
    issuer.asked.clear()
    begun = await back(there) if door == "callback" else f"{BASE}/auth/oidc/start"
    asked = list(issuer.asked)
    refused = await there.http.get(begun)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert "Too many tried to sign in" in refused.text
    assert issuer.asked == asked, "the issuer is not asked"
    elsewhere = httpx.ASGITransport(create_app(there.house), client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url=BASE) as other:
        assert (await other.get("/auth/oidc/start")).status_code == 303


async def test_an_answer_of_another_sign_in_is_refused(there: Browser) -> None:
    first = await back(there)
    state = parse_qs(urlsplit(await back(there)).query)["state"][0]
    assert (await there.http.get(first)).status_code == 400
    assert state not in first


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x=y", "javascript:1"]
)
async def test_nobody_is_led_elsewhere(there: Browser, to: str) -> None:
    answer = await there.http.get(await back(there, to))
    assert 'content="0;url=/"' in answer.text


async def test_an_address_that_is_not_verified_makes_no_account(there: Browser, issuer: Issuer) -> None:
    issuer.person["email_verified"] = False
    answer = await there.http.get(await back(there))
    assert answer.status_code == 403
    assert await there.viewer() is None


async def test_where_nobody_may_sign_up_a_stranger_is_refused(tmp_path: Path, issuer: Issuer) -> None:
    oidc = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    async with browsing(tmp_path, registration="closed", **oidc) as browser:
        answer = await browser.http.get(await back(browser))
        assert (answer.status_code, "Nobody can sign up here" in answer.text) == (403, True)


async def test_where_signing_up_takes_an_invitation_whoever_has_one_may(tmp_path: Path, issuer: Issuer) -> None:
    oidc = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    async with browsing(tmp_path, registration="invited", **oidc) as browser:
        house = browser.house
        workspace_id = await bootstrap.first_workspace(house)

        async def invite(email: str) -> None:
            async with house.database.work(await bootstrap.owner(house, workspace_id)) as work:
                await workspaces.invite(
                    work,
                    workspace_id=workspace_id,
                    email=email,
                    role=Role.VIEWER,
                    sites=None,
                    keyring=house.keyring,
                    base_url=BASE,
                )

        await invite("somebody.else@example.com")
        answer = await browser.http.get(await back(browser))
        assert (answer.status_code, "takes an invitation" in answer.text) == (403, True)
        await invite(issuer.person["email"].upper())
        assert (await browser.http.get(await back(browser))).status_code == 200
        assert await browser.viewer() is not None


async def test_an_issuer_that_is_away_is_said_so(tmp_path: Path, free_port: int) -> None:
    oidc = {"oidc_issuer": f"http://127.0.0.1:{free_port}", "oidc_client_id": "x", "oidc_client_secret": "y"}
    async with browsing(tmp_path, **oidc) as browser:
        assert (await browser.http.get("/auth/oidc/start")).status_code == 503
