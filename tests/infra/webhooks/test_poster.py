"""Posts over a real socket: to the address that was checked, and no further."""

from __future__ import annotations

import ssl

import pytest
import trustme

from domain.notifications import Answer, Unreached
from infra.engines.guard import Guard
from infra.webhooks import GuardedPoster
from infra.webhooks.poster import MOST_BYTES
from tests.hooks import answer, hook

HEADERS = {"content-type": "application/json", "webhook-id": "msg_1"}


def poster(*, allow_private: bool = True, deadline: float = 10.0) -> GuardedPoster:
    return GuardedPoster(Guard(allow_private=allow_private), deadline=deadline)


async def test_what_is_posted_arrives_as_it_is() -> None:
    async with hook(answer(202, b"thanks")) as there:
        assert await poster().post(there.url, HEADERS, b'{"a":1}') == Answer(202, "thanks", None)
    [post] = there.posts
    assert (post.path, post.body) == ("/hook?to=me", b'{"a":1}')
    assert post.headers.items() >= {**HEADERS, "host": f"127.0.0.1:{there.port}"}.items()


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with hook() as secret, hook(answer(307, location=secret.url, retry_after="120")) as there:
        assert await poster().post(there.url, HEADERS, b"{}") == Answer(307, "", "120")
        assert secret.posts == []


async def test_a_private_address_is_refused_and_nothing_reaches_it() -> None:
    async with hook() as there:
        for url in (there.url, f"http://localhost:{there.port}/", f"http://[::ffff:127.0.0.1]:{there.port}/"):
            with pytest.raises(
                Unreached, match=r"^The address is a private or reserved one, to which nothing is sent from here\.$"
            ):
                await poster(allow_private=False).post(url, HEADERS, b"{}")
    assert there.posts == []


async def test_a_name_is_connected_to_at_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says something else the second time (DNS rebinding) is asked once."""
    asked = []

    async def resolve(_self: Guard, host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    monkeypatch.setattr(Guard, "resolve", resolve)
    async with hook() as there:
        said = await poster().post(f"http://hooks.example:{there.port}/x", HEADERS, b"{}")
    assert (said.status, asked) == (204, ["hooks.example"])
    assert there.posts[0].headers["host"] == f"hooks.example:{there.port}"


async def test_of_a_long_answer_the_beginning_is_read() -> None:
    async with hook(answer(500, b"x" * 1_000_000)) as there:
        said = await poster().post(there.url, HEADERS, b"{}")
    assert (said.status, len(said.text)) == (500, MOST_BYTES)


async def test_who_does_not_answer_in_time_was_not_reached() -> None:
    async with hook(None) as there:
        with pytest.raises(Unreached, match=r"^127\.0\.0\.1 did not answer within 0\.2 s\.$"):
            await poster(deadline=0.2).post(there.url, HEADERS, b"{}")


async def test_who_is_not_there_or_speaks_no_http_was_not_reached() -> None:
    async with hook(b"what?\r\n\r\n") as there:
        with pytest.raises(Unreached, match=r"^The answer of 127\.0\.0\.1 is not valid HTTP\.$"):
            await poster().post(there.url, HEADERS, b"{}")
    with pytest.raises(Unreached, match=r"^127\.0\.0\.1 refused the connection\.$"):
        await poster().post(there.url, HEADERS, b"{}")


async def test_a_certificate_that_nobody_knows_is_not_trusted() -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    known = ssl.create_default_context()
    authority.configure_trust(known)
    async with hook(tls=context) as there:
        url = there.url.replace("http://", "https://")
        with pytest.raises(Unreached, match="The certificate of 127"):
            await poster().post(url, HEADERS, b"{}")
        assert there.posts == []
        said = await GuardedPoster(Guard(allow_private=True), tls=known).post(url, HEADERS, b"{}")
    assert (said.status, len(there.posts)) == (204, 1)
