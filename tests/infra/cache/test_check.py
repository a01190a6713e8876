"""Whether a server will ever do is said in a sentence; one that is only away is no fault of the settings."""

from __future__ import annotations

import ssl

import pytest
import trustme

from infra.cache.redis import RedisCache
from infra.cache.server import RedisUnusable
from tests import servers

from .opening import client_of
from .test_outage import answering


async def test_a_valkey_will_do(valkey_url: str) -> None:
    await RedisCache(valkey_url).check()


async def test_what_is_only_away_may_do_later(free_port: int) -> None:
    await RedisCache(f"redis://127.0.0.1:{free_port}/0").check()
    async with answering(b"") as (url, _):
        await RedisCache(url).check()
    async with answering(b"-LOADING the dataset in memory\r\n") as (url, _):
        await RedisCache(url).check()


def info(text: str) -> bytes:
    return f"${len(text)}\r\n{text}\r\n".encode()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "What answers at the address of Redis does not speak Redis' protocol."),
        (b'INFO {"server_id":"nats"}\r\n', "What answers at the address of Redis does not speak Redis' protocol."),
        (b"+OK POP3\r\n", "What answers at the address of Redis is no Redis: it tells no redis_version."),
        (info("# Server\r\nredis_version:6.0.16\r\n"), "Redis 6.0 is too old: Pacemark needs Redis 6.2 or later, or Valkey."),
        (info("redis_version:5.0.14\r\n"), "Redis 5.0 is too old: Pacemark needs Redis 6.2 or later, or Valkey."),
        (b"-NOAUTH Authentication required.\r\n", "Redis refuses the user or the password of its address: Authentication r"),
        (b"-NOPERM no permissions to run 'info'\r\n", "Redis lets its user not run INFO, which tells the version: no perm"),
    ],
)
async def test_a_server_that_will_never_do_is_named(line: bytes, sentence: str) -> None:
    async with answering(line) as (url, _):
        with pytest.raises(RedisUnusable) as unusable:
            await RedisCache(url).check()
    assert str(unusable.value).startswith(sentence)


@pytest.mark.parametrize("version", ["6.2.0", "6.2.14", "7.2.4", "8.2.3", "10.0.0"])
async def test_a_server_that_is_young_enough_will_do(version: str) -> None:
    async with answering(info(f"# Server\r\nredis_version:{version}\r\nos:Linux\r\n")) as (url, _):
        await RedisCache(url).check()


async def test_a_wrong_password_and_a_database_that_is_not_there_are_named() -> None:
    with servers.valkey() as url:
        async with client_of(url) as own:
            await own.config_set("requirepass", "right")
            await RedisCache(url.replace("://", "://:right@")).check()
            for wrong in ("://:wr0ng@", "://ann:wr0ng@", "://"):
                with pytest.raises(RedisUnusable, match="Redis refuses the user or the password of its address: ") as refused:
                    await RedisCache(url.replace("://", wrong)).check()
                assert "wr0ng" not in str(refused.value)
            with pytest.raises(RedisUnusable, match="Redis does not take the address: "):
                await RedisCache(url.replace("://", "://:right@").replace("/0", "/99")).check()


async def test_a_certificate_that_nobody_vouches_for_is_named() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with answering(b"", tls=context) as (url, _):
        with pytest.raises(RedisUnusable, match=r"Redis cannot be reached over TLS: .*CERTIFICATE_VERIFY_FAILED"):
            await RedisCache(url.replace("redis://", "rediss://")).check()


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "http://localhost", "redis://:se/cret@host:x/0", "redis://host:99999/0", "redis://h/?what=1"]
)
def test_an_address_that_is_none_is_refused_at_once_and_without_its_password(url: str) -> None:
    with pytest.raises(RedisUnusable, match=r"The address of Redis is none: it is redis://") as unusable:
        RedisCache(url)
    assert "cret" not in str(unusable.value) + repr(unusable.value.__context__ and "")
