"""A sign-in by another issuer, from leaving to coming back: what must be remembered lies sealed in a cookie."""

from __future__ import annotations

import hmac
import time

import orjson
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.doors.paths import ours
from domain.accounts import Person, Untrusted
from domain.keyring import Keyring, Unsealed
from graph import cookies
from infra.oidc import OpenIdProvider

LASTS_SECONDS = 600
PATH = "/auth/oidc"
PURPOSE = "oidc"


class SigningIn:
    def __init__(self, provider: OpenIdProvider, keyring: Keyring, *, secure: bool) -> None:
        self._provider = provider
        self._keyring = keyring
        self._secure = secure
        # __Host- keeps other names of the domain from setting it, and asks for Path=/.
        self._name, self._path = ("__Host-pacemark-oidc", "/") if secure else ("pacemark-oidc", PATH)

    async def begin(self, to: str) -> Response:
        """Raises ProviderAway."""
        begun = await self._provider.begin()
        kept = {
            "state": begun.state,
            "nonce": begun.nonce,
            "verifier": begun.verifier,
            "to": ours(to, "/"),
            "until": time.time() + LASTS_SECONDS,
        }
        answer = RedirectResponse(begun.url, 303, {"Cache-Control": "no-store"})
        self._set(answer, self._keyring.seal(orjson.dumps(kept), PURPOSE).decode(), LASTS_SECONDS)
        return answer

    async def finish(self, request: Request) -> tuple[Person, str]:
        """Who came back, and where they wanted to go. Raises Untrusted and ProviderAway."""
        sealed = cookies.read(request.headers.get("cookie", ""), self._name)
        try:
            kept = orjson.loads(self._keyring.open((sealed or "").encode(), PURPOSE))
        except Unsealed:
            raise Untrusted("this browser began no sign-in here") from None
        if kept["until"] < time.time():
            raise Untrusted("it took too long")
        given = request.query_params
        if not hmac.compare_digest(given.get("state", "").encode(), kept["state"].encode()):
            raise Untrusted("its state is of another sign-in")
        if "code" not in given:
            raise Untrusted("the issuer gave no code")
        return (
            await self._provider.finish(given["code"], nonce=kept["nonce"], verifier=kept["verifier"], issuer=given.get("iss")),
            kept["to"],
        )

    def forget(self, answer: Response) -> Response:
        self._set(answer, "", 0)
        return answer

    def _set(self, answer: Response, value: str, seconds: int) -> None:
        answer.set_cookie(
            self._name, value, max_age=seconds, path=self._path, secure=self._secure, httponly=True, samesite="lax"
        )
