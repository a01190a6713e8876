"""The keys of access tokens are rotated while tokens of both are read, in processes that hear of it at different times."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain import accounts
from domain.access import SYSTEM
from domain.accounts import signing
from domain.accounts.signing import PUBLISHED, in_order
from domain.accounts.tokens import LEEWAY, LIFETIME, Unreadable
from domain.base import Base
from domain.ids import new_id
from domain.keyring import Keyring
from infra.db.database import SqlDatabase
from tests.databases import everybodys

KEYRING = Keyring([b"secret"])
SIGNING_KEYS = Base.metadata.tables["signing_keys"]
USER, SESSION = new_id(), new_id()


def process(database: SqlDatabase, keyring: Keyring = KEYRING) -> accounts.Signing:
    return accounts.Signing(database, keyring, "https://pacemark.test")


async def rotate(database: SqlDatabase) -> str:
    async with database.work(SYSTEM) as work:
        return (await accounts.rotate(work, keyring=KEYRING)).id


async def test_the_first_process_makes_a_key_and_the_next_reads_its_tokens(database: SqlDatabase) -> None:
    issued = await process(database).issue(USER, SESSION)
    access = await process(database).read(issued.text)
    assert (access.user_id, access.session_id, access.expires_at) == (USER, SESSION, issued.expires_at)


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_is_read_after_that(database: SqlDatabase) -> None:
    old = (await process(database).tokens()).published["keys"][0]["kid"]
    new, now = await rotate(database), datetime.now(UTC)
    tokens = await process(database).tokens()
    assert [key["kid"] for key in tokens.published["keys"]] == [old, new]
    rows = await database.reader.all(signing._KEYS)

    def ids(at: datetime) -> list[str]:
        return [key.id for key in in_order(rows, KEYRING, at)]

    assert ids(now) == [old, new]
    assert ids(now + PUBLISHED) == [new, old]
    assert ids(now + PUBLISHED + LIFETIME + LEEWAY) == [new, old]
    assert ids(now + PUBLISHED + LIFETIME + 3 * LEEWAY) == [new]


async def test_rotating_again_at_once_loses_no_token(database: SqlDatabase) -> None:
    issuing = process(database)
    issued = await issuing.issue(USER, SESSION)
    for _ in range(3):
        await rotate(database)
    reading = process(database)
    assert len((await reading.tokens()).published["keys"]) == 4
    assert (await reading.read(issued.text)).user_id == USER


async def test_a_token_of_a_key_that_is_news_is_read_all_the_same(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = process(database)
    await reading.tokens()
    monkeypatch.setattr(signing, "PUBLISHED", timedelta(0))
    await rotate(database)
    issued = await process(database).issue(USER, SESSION)
    with pytest.raises(Unreadable):
        await reading.read(issued.text)  # it looked a moment ago, and a stranger's token is no reason to look again
    monkeypatch.setattr(signing, "UNKNOWN_SECONDS", 0.0)
    assert (await reading.read(issued.text)).user_id == USER


async def test_under_load_no_token_is_refused_while_keys_change(database: SqlDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "PUBLISHED", timedelta(0))
    monkeypatch.setattr(signing, "UNKNOWN_SECONDS", 0.0)
    monkeypatch.setattr(signing, "FRESH_SECONDS", 0.0)
    one, other = process(database), process(database)

    async def ask() -> None:
        for _ in range(20):
            issued = await one.issue(USER, SESSION)
            assert (await other.read(issued.text)).session_id == SESSION

    async def change() -> None:
        for _ in range(5):
            await rotate(database)

    async with asyncio.TaskGroup() as group:
        for each in (ask(), ask(), change()):
            group.create_task(each)


async def test_a_key_lies_sealed_and_opens_with_the_secrets_of_now_and_before(database: SqlDatabase) -> None:
    issued = await process(database).issue(USER, SESSION)
    async with everybodys(database) as connection:
        assert b"PRIVATE KEY" not in bytes((await connection.execute(SIGNING_KEYS.select())).one().sealed)
    rotated = process(database, Keyring([b"new", b"secret"]))
    assert (await rotated.read(issued.text)).user_id == USER
