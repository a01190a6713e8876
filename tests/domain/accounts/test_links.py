"""Secrets that are mailed: another address, and a password in the place of a forgotten one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from domain import accounts
from domain.access import NOBODY
from domain.accounts import LinkKind, SignedIn
from domain.accounts.model import Link
from domain.errors import Conflict, InvalidInput, NotFound, ProblemCode
from tests.domain.accounts.people import BASE, EMAIL, HOME, KEYRING, PASSWORD, People, actor_of, people

__all__ = ["people"]

NEW = "countess@example.com"


async def request_reset(people: People, email: str = EMAIL) -> None:
    async with people.database.work(NOBODY, HOME) as work:
        await accounts.request_reset(work, email=email, keyring=KEYRING, base_url=BASE)


async def reset(people: People, token: str, password: str = "another password") -> None:
    hash = await people.passwords.hash(password)
    async with people.database.work(NOBODY, HOME) as work:
        await accounts.reset_password(work, token, password_hash=hash, keyring=KEYRING)


async def change_email(people: People, here: SignedIn, email: str = NEW) -> None:
    confirmed = await people.confirm(here.user_id)
    async with people.database.work(actor_of(here), HOME) as work:
        await accounts.change_email(work, email=email, confirmed=confirmed, keyring=KEYRING, base_url=BASE)


async def test_a_forgotten_password_is_replaced_and_all_sessions_end(people: People) -> None:
    await people.person()
    sessions = [await people.sign_in() for _ in range(2)]
    await request_reset(people, "ADA@example.com")
    mail = (await people.mails())[-1]
    assert (mail.template, mail.to) == ("PASSWORD_RESET", EMAIL)
    assert mail.values["link"] == f"https://pacemark.test/auth/reset?token={mail.token}"
    await reset(people, mail.token)
    assert await people.live(*sessions) == [False, False]
    assert (await people.mails())[-1].template == "PASSWORD_CHANGED"
    assert (await people.kinds())[-2:] == ["PASSWORD_RESET_REQUESTED", "PASSWORD_RESET"]
    with pytest.raises(InvalidInput):
        await people.sign_in()
    await people.sign_in(password="another password")


async def test_a_reset_shows_that_the_address_is_theirs(people: People) -> None:
    await people.sign_up()
    await request_reset(people)
    await reset(people, (await people.mails())[-1].token)
    await people.sign_in(password="another password")
    with pytest.raises(NotFound):  # it is not needed any more
        await people.verify((await people.mails())[0].token)


async def test_a_reset_opens_once_within_an_hour_and_closes_the_others(people: People) -> None:
    await people.person()
    await request_reset(people)
    await request_reset(people)
    first, second = [mail.token for mail in (await people.mails())[-2:]]
    assert await is_open(people, first)
    people.later(hours=1)
    assert not await is_open(people, first)
    with pytest.raises(NotFound):
        await reset(people, first)
    people.later(microseconds=-1)
    await reset(people, first)
    for token in (first, second):
        assert not await is_open(people, token)
        with pytest.raises(NotFound, match="ask for a new one"):
            await reset(people, token)
    await people.sign_in(password="another password")


async def is_open(people: People, token: str) -> bool:
    return await accounts.is_open(people.database.reader, token, LinkKind.PASSWORD_RESET, KEYRING, people.now)


async def test_who_has_no_account_gets_no_mail_and_whoever_asks_is_not_told(people: People) -> None:
    await people.person()
    before = len(await people.mails())
    await request_reset(people, "eve@example.com")
    async with people.database.work(NOBODY, HOME) as work:
        for email in ("eve@example.com", EMAIL):  # the one is unknown, the other verified
            await accounts.request_verification(work, email=email, keyring=KEYRING, base_url=BASE)
    assert len(await people.mails()) == before
    entry = (await people.log())[-1]
    assert (entry.kind, entry.user_id) == ("PASSWORD_RESET_REQUESTED", None)
    with pytest.raises(InvalidInput):
        await request_reset(people, "no address")


async def test_another_verification_is_mailed_to_who_waits_for_one(people: People) -> None:
    await people.sign_up()
    async with people.database.work(NOBODY, HOME) as work:
        await accounts.request_verification(work, email="ADA@example.com", keyring=KEYRING, base_url=BASE)
    first, second = await people.mails()
    assert (second.template, second.to) == ("EMAIL_VERIFICATION", EMAIL)
    assert first.token != second.token
    await people.verify(first.token)
    with pytest.raises(NotFound):
        await people.verify(second.token)


async def test_an_address_changes_when_the_new_one_is_shown_to_be_theirs(people: People) -> None:
    id = await people.person()
    here = await people.sign_in()
    await change_email(people, here, "Countess@Example.com")
    mail = (await people.mails())[-1]
    assert (mail.template, mail.to) == ("EMAIL_CHANGE", NEW)
    assert mail.values["link"] == f"https://pacemark.test/auth/verify?token={mail.token}"
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert row.email == EMAIL
    assert await people.verify(mail.token) == id
    notice = (await people.mails())[-1]
    assert (notice.template, notice.to) == ("EMAIL_CHANGED", EMAIL)
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert row.email == NEW
    assert (await people.kinds())[-1] == "EMAIL_CHANGED"
    assert (await people.sign_in(NEW)).user_id == id
    with pytest.raises(InvalidInput):
        await people.sign_in(EMAIL)


async def test_what_was_mailed_to_the_old_address_opens_nothing(people: People) -> None:
    await people.person()
    here = await people.sign_in()
    await request_reset(people)
    old = (await people.mails())[-1].token
    await change_email(people, here)
    await people.verify((await people.mails())[-1].token)
    with pytest.raises(NotFound):
        await reset(people, old)
    await people.sign_in(NEW, PASSWORD)


async def test_only_the_last_address_that_was_named_can_be_verified(people: People) -> None:
    id = await people.person()
    here = await people.sign_in()
    await change_email(people, here, "first@example.com")
    await change_email(people, here, NEW)
    first, second = (await people.mails())[-2:]
    with pytest.raises(NotFound):
        await people.verify(first.token)
    assert await people.verify(second.token) == id


async def test_an_address_that_has_an_account_is_told_by_mail_alone(people: People) -> None:
    await people.person("eve@example.com")
    await people.person()
    await change_email(people, await people.sign_in(), "eve@example.com")
    mail = (await people.mails())[-1]
    assert (mail.template, mail.to) == ("ALREADY_REGISTERED", "eve@example.com")


async def test_an_address_that_was_taken_meanwhile_is_not_taken_twice(people: People) -> None:
    id = await people.person()
    await change_email(people, await people.sign_in())
    token = (await people.mails())[-1].token
    await people.person(NEW)
    with pytest.raises(Conflict) as refused:
        await people.verify(token)
    assert refused.value.code is ProblemCode.ALREADY_EXISTS
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert row.email == EMAIL


async def test_no_link_is_kept_as_it_is_mailed_and_none_opens_another_door(people: People) -> None:
    await people.sign_up()
    await request_reset(people)
    verification, password = [mail.token for mail in await people.mails()]
    async with people.database.work(NOBODY) as work:
        digests = set((await work.db.execute(select(Link.digest))).scalars())
    assert digests == {KEYRING.digest(verification), KEYRING.digest(password)}
    with pytest.raises(NotFound):
        await reset(people, verification)
    with pytest.raises(NotFound):
        await people.verify(password)
