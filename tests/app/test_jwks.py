"""Others read this installation's access tokens with what it publishes, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import httpx
from jose import jwt

from app.asgi import create_app
from app.bootstrap import embedded
from app.settings import load
from domain.ids import new_id


async def test_a_token_is_read_with_the_published_keys(tmp_path: Path) -> None:
    async with embedded(load(data=tmp_path, port=8123), live=False) as (house, _):
        transport = httpx.ASGITransport(create_app(house))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8123") as client:
            user, session = new_id(), new_id()
            issued = await house.signing.issue(user, session)
            answer = await client.get("/.well-known/jwks.json")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwk-set+json")
        assert answer.headers["cache-control"] == "public, max-age=300"
        (key,) = answer.json()["keys"]
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert jwt.get_unverified_header(issued.text) == {"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]}
        claims = jwt.decode(issued.text, key, ["ES256"], audience="http://127.0.0.1:8123", issuer="http://127.0.0.1:8123")
        assert (claims["sub"], claims["sid"]) == (user.hex, session.hex)
