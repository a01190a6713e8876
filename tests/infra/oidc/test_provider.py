"""Sign-in by another issuer takes exactly what that issuer says of this sign-in, and nothing that only looks like it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.accounts import Person, Untrusted
from infra.oidc import Begun, OpenIdProvider, ProviderAway, provider
from tests.issuer import CLIENT, SECRET, Issuer, issuing, new_key

REDIRECT = "https://pacemark.test/auth/oidc/callback"


@pytest.fixture
async def issuer() -> AsyncGenerator[Issuer, None]:
    async with issuing() as issuer:
        yield issuer


@pytest.fixture
async def ours(issuer: Issuer) -> AsyncGenerator[OpenIdProvider, None]:
    opened = OpenIdProvider(issuer=issuer.url, client_id=CLIENT, client_secret=SECRET, redirect_uri=REDIRECT)
    yield opened
    await opened.close()


async def answer(begun: Begun) -> dict[str, str]:
    """What the browser brings back."""
    async with httpx.AsyncClient() as browser:
        sent = (await browser.get(begun.url)).headers["location"]
    assert sent.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(sent).query).items()}


async def sign_in(ours: OpenIdProvider) -> Person:
    begun = await ours.begin()
    said = await answer(begun)
    assert said["state"] == begun.state
    return await ours.finish(said["code"], nonce=begun.nonce, verifier=begun.verifier, issuer=said["iss"])


async def test_whoever_signs_in_there_is_known_here(ours: OpenIdProvider, issuer: Issuer) -> None:
    assert await sign_in(ours) == Person(issuer.url, "248289", "jane@example.com", "Jane Doe")


async def test_what_the_issuer_says_of_itself_and_its_keys_are_asked_for_once(ours: OpenIdProvider, issuer: Issuer) -> None:
    for _ in range(3):
        await sign_in(ours)
    assert sorted(issuer.asked) == ["description", "keys", "token", "token", "token"]


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_that_the_issuer_has_not_verified_counts_for_nothing(
    ours: OpenIdProvider, issuer: Issuer, verified: object
) -> None:
    issuer.changes["email_verified"] = verified
    assert (await sign_in(ours)).email is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "another"}, "another client"),
        ({"aud": ["pacemark", "another"]}, "another client"),
        ({"aud": None}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": 1}, "not good now"),
        ({"exp": None}, "from when until when"),
        ({"iat": None}, "from when until when"),
        ({"iat": int(time.time()) + 3_600}, "not good now"),
        ({"iat": int(time.time()) - 3_600}, "not good now"),
        ({"at_hash": "another"}, "at_hash"),
        ({"sub": None}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
        ({"sub": 1}, "names nobody"),
    ],
)
async def test_a_token_of_something_else_is_refused(
    ours: OpenIdProvider, issuer: Issuer, changes: dict[str, Any], why: str
) -> None:
    issuer.changes |= changes
    with pytest.raises(Untrusted, match=why):
        await sign_in(ours)


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"jku": "https://evil.example/keys"}, {"typ": "at+jwt"}, {"kid": "unknown"}, {"b64": False}]
)
async def test_a_header_that_asks_for_more_is_refused(ours: OpenIdProvider, issuer: Issuer, header: dict[str, Any]) -> None:
    issuer.header |= header
    with pytest.raises(Untrusted):
        await sign_in(ours)


async def test_a_signature_of_another_key_is_refused(ours: OpenIdProvider, issuer: Issuer) -> None:
    issuer.signs_with = new_key()
    with pytest.raises(Untrusted, match="signature"):
        await sign_in(ours)


async def test_a_new_key_of_the_issuer_is_found_but_not_asked_for_again_and_again(
    ours: OpenIdProvider, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(ours)
    issuer.key, issuer.kid = new_key(), "two"
    with pytest.raises(Untrusted, match="no single key"):
        await sign_in(ours)
    assert issuer.asked.count("keys") == 1
    monkeypatch.setattr(provider, "COOLDOWN_SECONDS", 0.0)
    assert (await sign_in(ours)).subject == "248289"
    assert issuer.asked.count("keys") == 2


async def test_a_code_is_good_once_and_with_its_own_verifier(ours: OpenIdProvider) -> None:
    begun, other = await ours.begin(), await ours.begin()
    said = await answer(begun)
    with pytest.raises(Untrusted, match="does not take the code"):
        await ours.finish(said["code"], nonce=begun.nonce, verifier=other.verifier, issuer=said["iss"])
    said = await answer(begun)
    await ours.finish(said["code"], nonce=begun.nonce, verifier=begun.verifier, issuer=said["iss"])
    with pytest.raises(Untrusted, match="does not take the code"):
        await ours.finish(said["code"], nonce=begun.nonce, verifier=begun.verifier, issuer=said["iss"])


@pytest.mark.parametrize("named", [None, "https://evil.example"])
async def test_an_answer_names_its_issuer(ours: OpenIdProvider, named: str | None) -> None:
    begun = await ours.begin()
    said = await answer(begun)
    with pytest.raises(Untrusted, match="issuer"):
        await ours.finish(said["code"], nonce=begun.nonce, verifier=begun.verifier, issuer=named)


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": 7},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
async def test_a_description_that_cannot_be_trusted_is_not(ours: OpenIdProvider, issuer: Issuer, about: dict[str, Any]) -> None:
    issuer.about |= about
    with pytest.raises(ProviderAway):
        await ours.begin()


async def test_an_issuer_that_is_away_is_told_from_one_that_refuses(ours: OpenIdProvider, free_port: int) -> None:
    away = OpenIdProvider(issuer=f"http://127.0.0.1:{free_port}", client_id="x", client_secret="y", redirect_uri=REDIRECT)
    with pytest.raises(ProviderAway, match="ConnectError"):
        await away.begin()
    await away.close()
