"""An OpenID issuer on this machine: it implements the authorization code flow with PKCE, and can be told to do it wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "pacemark", "s3cret/with:special characters"


def new_key() -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return private.private_bytes(form, shape, serialization.NoEncryption()).decode()


@dataclass
class Issuer:
    """`person` are the claims about whoever signs in; `changes` what is wrong with the next ID token."""

    url: str = ""
    key: str = field(default_factory=new_key)
    kid: str = "one"
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "248289", "email": "jane@example.com", "email_verified": True, "name": "Jane Doe"}
    )
    about: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    signs_with: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.describe),
                Route("/keys", self.publish),
                Route("/authorize", self.authorize),
                Route("/token", self.exchange, methods=["POST"]),
            ]
        )

    async def describe(self, _request: Request) -> Response:
        self.asked.append("description")
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse({**said, **self.about})

    async def publish(self, _request: Request) -> Response:
        self.asked.append("keys")
        public = serialization.load_pem_private_key(self.key.encode(), None).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return JSONResponse({"keys": [{**jwk.construct(pem, "RS256").to_dict(), "kid": self.kid, "use": "sig"}]})

    async def authorize(self, request: Request) -> Response:
        """Whoever comes signs in at once."""
        given = dict(request.query_params)
        assert (given["response_type"], given["client_id"], given["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = given
        answer = urlencode({"code": code, "state": given["state"], "iss": self.url})
        return RedirectResponse(f"{given['redirect_uri']}?{answer}")

    async def exchange(self, request: Request) -> Response:
        self.asked.append("token")
        given = dict(parse_qsl((await request.body()).decode()))
        scheme, _, pair = request.headers["authorization"].partition(" ")
        client, _, secret = base64.b64decode(pair).decode().partition(":")
        if (scheme, unquote_plus(client), unquote_plus(secret)) != ("Basic", CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        began = self.codes.pop(given["code"], None)
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if began is None or began["redirect_uri"] != given["redirect_uri"] or began["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(16)
        return JSONResponse({"access_token": access, "token_type": "Bearer", "id_token": self.token(began["nonce"], access)})

    def token(self, nonce: str, access: str = "") -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        if access:
            half = hashlib.sha256(access.encode()).digest()[:16]
            claims["at_hash"] = base64.urlsafe_b64encode(half).decode().rstrip("=")
        claims = {name: value for name, value in {**claims, **self.changes}.items() if value is not None}
        made: str = jwt.encode(claims, self.signs_with or self.key, "RS256", headers={"kid": self.kid, **self.header})
        return made


@asynccontextmanager
async def issuing() -> AsyncGenerator[Issuer, None]:
    """On a free port of this machine."""
    issuer, listening = Issuer(), socket.socket()
    listening.bind(("127.0.0.1", 0))
    issuer.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(issuer.app(), log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        yield issuer
    finally:
        server.should_exit = True
        await serving
        listening.close()
