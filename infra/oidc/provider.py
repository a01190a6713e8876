"""An OpenID issuer, as its discovery document describes it (OpenID Connect Discovery 1.0; RFC 6749, 7636 and 9207)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import orjson

from domain import accounts
from domain.accounts import Expected, Person, Untrusted

KEPT_SECONDS = 3_600.0
"""So long what the issuer says of itself, and its keys, are known without asking again."""

COOLDOWN_SECONDS = 30.0
"""Tokens of keys that nobody knows make us look no more often than this."""

TIMEOUT_SECONDS = 10.0
LARGEST = 512 * 1024
"""Of an answer of the issuer, in bytes."""

SCOPES = "openid email profile"


class ProviderAway(Exception):  # noqa: N818 - the field's word for it
    """The issuer did not answer, or not as one. The text is for the operator's log."""


class Begun(NamedTuple):
    """A sign-in on its way: where the browser is sent, and what has to be remembered until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class OpenIdProvider:
    """`redirect_uri` is this installation's one address for answers."""

    def __init__(self, *, issuer: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        self._turn = asyncio.Lock()
        self._about: Mapping[str, Any] | None = None
        self._about_at = 0.0
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._keys_at = -KEPT_SECONDS

    async def begin(self) -> Begun:
        """Raises ProviderAway."""
        about = await self._described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = about["authorization_endpoint"]
        return Begun(f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}", state, nonce, verifier)

    async def finish(self, code: str, *, nonce: str, verifier: str, issuer: str | None) -> Person:
        """Whom the issuer sent back with `code`; `issuer` as its answer named it. Raises Untrusted and ProviderAway."""
        about = await self._described()
        if issuer is None and about.get("authorization_response_iss_parameter_supported") is True:
            raise Untrusted("the answer does not say of which issuer it is")
        if issuer is not None and not hmac.compare_digest(issuer.encode(), self._issuer.encode()):
            raise Untrusted("the answer is another issuer's")
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        said = await self._exchange(about, given)
        token, access = said.get("id_token"), said.get("access_token")
        if not isinstance(token, str):
            raise Untrusted("the issuer gave no ID token")
        keys = await self._published(about, accounts.id_token_key(token))
        expected = Expected(self._issuer, self._client_id, nonce)
        return accounts.read_id_token(token, keys, expected, datetime.now(UTC), access if isinstance(access, str) else "")

    async def close(self) -> None:
        await self._http.aclose()

    async def _exchange(self, about: Mapping[str, Any], given: dict[str, str]) -> Mapping[str, Any]:
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if "client_secret_basic" in methods:
            auth = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._client_secret))
        else:
            given = {**given, "client_id": self._client_id, "client_secret": self._client_secret}
        headers = {"Accept": "application/json"}
        status, said = await self._asked("POST", about["token_endpoint"], data=given, headers=headers, auth=auth)
        if status in (400, 401):
            raise Untrusted("the issuer does not take the code")
        if status != 200:
            raise ProviderAway(f"its token endpoint answered {status}")
        return said

    async def _described(self) -> Mapping[str, Any]:
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._about is None or now - self._about_at > KEPT_SECONDS:
                address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                status, about = await self._asked("GET", address)
                if status != 200:
                    raise ProviderAway(f"its description answered {status}")
                self._check(about)
                self._about, self._about_at = about, now
            return self._about

    def _check(self, about: Mapping[str, Any]) -> None:
        if about.get("issuer") != self._issuer:
            raise ProviderAway("its description is of another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            address = about.get(name)
            if not isinstance(address, str) or not _is_safe(address):
                raise ProviderAway(f"its {name} is no https address")
        if "S256" not in about.get("code_challenge_methods_supported", ["S256"]):
            raise ProviderAway("it takes no PKCE with S256")

    async def _published(self, about: Mapping[str, Any], id: str | None) -> Sequence[Mapping[str, Any]]:
        """The issuer's keys, anew where the one that is named is not among them: but not for every stranger's token."""
        async with self._turn:
            age = asyncio.get_running_loop().time() - self._keys_at
            unknown = id is not None and all(key.get("kid") != id for key in self._keys)
            if age > KEPT_SECONDS or (unknown and age > COOLDOWN_SECONDS):
                status, said = await self._asked("GET", about["jwks_uri"])
                keys = said.get("keys")
                if status != 200 or not isinstance(keys, list):
                    raise ProviderAway(f"its keys answered {status}")
                self._keys = [key for key in keys if isinstance(key, dict)]
                self._keys_at = asyncio.get_running_loop().time()
            return self._keys

    async def _asked(self, method: str, address: str, **given: Any) -> tuple[int, Mapping[str, Any]]:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._http.stream(method, address, **given) as response:
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise ProviderAway("its answer is too large")
            said = orjson.loads(body) if body else {}
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise ProviderAway(f"it did not answer as an issuer does: {type(error).__name__}") from error
        return response.status_code, said if isinstance(said, dict) else {}


def _is_safe(address: str) -> bool:
    """Over https, or on this machine."""
    try:
        parts = urlsplit(address)
        if parts.scheme == "https":
            return bool(parts.hostname)
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
