"""Nothing is taken for an access token but what we made, for us, a moment ago: every way around python-jose that is known."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from jose import jws, jwt

from domain.accounts.tokens import LEEWAY, LIFETIME, LONGEST, SigningKey, Tokens, Unreadable
from domain.ids import new_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = "https://pacemark.example"
KEY = SigningKey.new()
TOKENS = Tokens([KEY], HERE)
USER, SESSION = new_id(), new_id()
CLAIMS: dict[str, Any] = {
    "iss": HERE,
    "aud": HERE,
    "sub": USER.hex,
    "sid": SESSION.hex,
    "jti": "a",
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + LIFETIME).timestamp()),
}
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.id}


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def signed(claims: Any = None, header: Any = None, key: SigningKey = KEY) -> str:
    """With our own signature, whatever it says."""
    head, body = part(HEADER if header is None else header), part(CLAIMS if claims is None else claims)
    private = serialization.load_pem_private_key(key.pem.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(private.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
    return f"{head}.{body}.{part(r.to_bytes(32) + s.to_bytes(32))}"


def refuse(token: str, now: datetime = NOW, tokens: Tokens = TOKENS) -> None:
    with pytest.raises(Unreadable):
        tokens.read(token, now)


def test_what_was_issued_is_read() -> None:
    access = TOKENS.read(TOKENS.issue(USER, SESSION, NOW), NOW)
    assert access[:2] == (USER, SESSION)
    assert (access.issued_at, access.expires_at) == (NOW, NOW + timedelta(minutes=10))
    assert len(access.id) == 22
    assert TOKENS.read(signed(), NOW).id == "a"


def test_clocks_may_be_apart_by_the_leeway_and_no_more() -> None:
    token = TOKENS.issue(USER, SESSION, NOW)
    for now in (NOW - LEEWAY, NOW + LIFETIME + LEEWAY - timedelta(seconds=1)):
        assert TOKENS.read(token, now).user_id == USER
    for now in (NOW - LEEWAY - timedelta(seconds=1), NOW + LIFETIME + LEEWAY):
        refuse(token, now)


def test_keys_are_told_apart_by_their_thumbprints_and_overlap() -> None:
    new = SigningKey.new()
    before, between, after = TOKENS, Tokens([new, KEY], HERE), Tokens([new], HERE)
    old_token, new_token = before.issue(USER, SESSION, NOW), between.issue(USER, SESSION, NOW)
    assert between.read(old_token, NOW).user_id == between.read(new_token, NOW).user_id == USER
    refuse(old_token, tokens=after)
    refuse(new_token, tokens=before)
    assert [each["kid"] for each in between.published["keys"]] == [new.id, KEY.id]
    assert "d" not in between.published["keys"][0], "the private part is nobody's business"
    assert KEY.pem not in repr(KEY)


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS256"},
        {**HEADER, "alg": "es256"},
        {**HEADER, "typ": "JWT"},
        {**HEADER, "typ": "AT+JWT"},
        {**HEADER, "kid": "../keys/other"},
        {**HEADER, "kid": None},
        {**HEADER, "kid": [KEY.id]},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "b64": False},
        {**HEADER, "jku": "https://elsewhere.example/keys"},
        {**HEADER, "x5u": "https://elsewhere.example/keys"},
        {**HEADER, "jwk": dict(SigningKey.new().public)},
        {**HEADER, "zip": "DEF"},
        {"alg": "ES256", "typ": "at+jwt"},
        {"alg": "ES256", "kid": KEY.id},
        [],
        "text",
        b"{",
        b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"' + KEY.id.encode() + b'"}',
    ],
    ids=lambda _: "header",
)
def test_a_header_says_what_ours_say_and_nothing_else(header: Any) -> None:
    refuse(signed(header=header))


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in CLAIMS),
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example"},
        {"aud": [HERE]},
        {"sub": USER.hex + "0"},
        {"sub": 1},
        {"sid": "nonsense"},
        {"jti": 1},
        {"iat": float(CLAIMS["iat"])},
        {"exp": str(CLAIMS["exp"])},
        {"exp": True},
        {"exp": CLAIMS["exp"] + 1},
        {"exp": CLAIMS["iat"]},
        {"iat": CLAIMS["iat"] + 60, "exp": CLAIMS["exp"] + 60},
        {"nbf": CLAIMS["iat"]},
        {"role": "OWNER"},
    ],
    ids=lambda _: "claims",
)
def test_claims_are_those_that_we_make_of_the_kinds_that_we_make(changed: dict[str, Any]) -> None:
    refuse(signed({**CLAIMS, **changed}))


@pytest.mark.parametrize("name", CLAIMS)
def test_no_claim_may_be_missing(name: str) -> None:
    refuse(signed({key: value for key, value in CLAIMS.items() if key != name}))


def test_somebody_elses_signature_is_none() -> None:
    other = SigningKey.new()
    refuse(signed(key=other))
    refuse(signed(header={**HEADER, "kid": other.id}, key=other))
    head, body, signature = signed().split(".")
    refuse(f"{head}.{part({**CLAIMS, 'sub': new_id().hex})}.{signature}")
    refuse(f"{head}.{body}.{part(bytes(64))}")
    refuse(f"{head}.{body}.{part(base64.urlsafe_b64decode(signature + '==')[:-1])}")


def test_our_public_key_is_nobodys_secret() -> None:
    """The confusion of algorithms: python-jose takes a public key in DER for the secret of an HMAC (its issues 398 and 414)."""
    private = serialization.load_pem_private_key(KEY.pem.encode(), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = private.public_key().public_bytes(serialization.Encoding.DER, form)
    forged = jws.sign(CLAIMS, der, headers={"typ": "at+jwt", "kid": KEY.id}, algorithm="HS256")
    assert jwt.decode(forged, der, ["HS256"], audience=HERE, options={"verify_exp": False}), "python-jose would take it"
    refuse(forged)


def test_tokens_of_another_installation_are_not_ours() -> None:
    refuse(TOKENS.issue(USER, SESSION, NOW), tokens=Tokens([KEY], "https://other.example"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "..",
        "a..c",
        signed() + "=",
        " " + signed(),
        signed() + "\n",
        "ä.b.c",
        "a.b.c" * LONGEST,
    ],
    ids=lambda _: "text",
)
def test_what_has_not_the_shape_of_a_token_is_none(text: str) -> None:
    refuse(text)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: f"{part(HEADER)}.{part(data)}.{part(data)}"))
def test_no_text_breaks_the_reading(text: str) -> None:
    refuse(text)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
def test_keys_are_of_one_curve(curve: ec.EllipticCurve) -> None:
    private = ec.generate_private_key(curve)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    with pytest.raises(ValueError, match="P-256"):
        SigningKey(private.private_bytes(encoding, form, serialization.NoEncryption()).decode())
