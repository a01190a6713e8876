"""Secrets that are mailed: another address, and a password in the place of a forgotten one."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from domain import accounts
from domain.access import NOBODY
from domain.accounts import LinkKind, Person, Registration, SignedIn
from domain.accounts.model import Link
from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, ProblemCode
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
        await accounts.change_email(work, email=email, confirmed=confirmed, cache=people.cache, keyring=KEYRING, base_url=BASE)


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
    entries = (await people.log())[-2:]
    assert [(entry.kind, entry.user_id, entry.details) for entry in entries] == [
        ("EMAIL_CHANGE_REQUESTED", id, {"to": "c***@example.com"}),
        ("EMAIL_CHANGED", id, {"from": "a***@example.com", "to": "c***@example.com"}),
    ]
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
    first, second = [mail for mail in await people.mails() if mail.template == "EMAIL_CHANGE"]
    with pytest.raises(NotFound):
        await people.verify(first.token)
    assert await people.verify(second.token) == id


async def test_an_address_that_has_an_account_is_told_by_mail_alone(people: People) -> None:
    await people.person("eve@example.com")
    await people.person()
    await change_email(people, await people.sign_in(), "eve@example.com")
    notice, mail = (await people.mails())[-2:]
    assert (mail.template, mail.to) == ("ALREADY_REGISTERED", "eve@example.com")
    assert (notice.template, notice.to) == ("EMAIL_CHANGE_REQUESTED", EMAIL)
    assert (await people.kinds())[-1] == "EMAIL_CHANGE_REQUESTED"


async def change_password(people: People, here: SignedIn, password: str) -> None:
    confirmed, hash = await people.confirm(here.user_id), await people.passwords.hash(password)
    async with people.database.work(actor_of(here), HOME) as work:
        await accounts.change_password(work, confirmed=confirmed, password_hash=hash, keyring=KEYRING)


async def revoke_all(people: People, here: SignedIn) -> None:
    async with people.database.work(actor_of(here), HOME) as work:
        await accounts.revoke_all(work, keep_this=True)


async def test_the_old_address_is_told_before_anything_is_moved(people: People) -> None:
    await people.person()
    await change_email(people, await people.sign_in(), "thief@example.net")
    notice = (await people.mails())[-2]
    assert (notice.template, notice.to) == ("EMAIL_CHANGE_REQUESTED", EMAIL)
    assert (notice.values["name"], notice.values["email"]) == ("Ada", "t***@example.net")
    assert "link" not in notice.values


@pytest.mark.parametrize("how", ["a changed password", "the end of all other sessions"])
async def test_a_thief_who_asked_for_another_address_is_out_with_their_session(people: People, how: str) -> None:
    id = await people.person()
    owner, thief = await people.sign_in(), await people.sign_in()
    await change_email(people, thief, "thief@example.net")
    link = (await people.mails())[-1]
    assert (link.template, link.to) == ("EMAIL_CHANGE", "thief@example.net")
    if how == "a changed password":
        await change_password(people, owner, "another password")
    else:
        await revoke_all(people, owner)
    assert await people.live(owner, thief) == [True, False]
    with pytest.raises(NotFound):
        await people.verify(link.token)
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert row.email == EMAIL


async def by_issuer(people: People, subject: str, email: str, registration: Registration = Registration.CLOSED) -> UUID:
    async with people.database.work(NOBODY, HOME) as work:
        person = Person("https://idp.example", subject, email, "Ada")
        given = {"registration": registration, "invited": False, "keyring": KEYRING}
        return (await accounts.sign_in_by_identity(work, person, **given)).user_id  # type: ignore[arg-type]


async def test_whom_an_issuer_knew_is_out_after_a_reset_and_whoever_has_the_address_there_is_linked_again(
    people: People,
) -> None:
    id = await people.person()
    assert await by_issuer(people, "attacker", EMAIL) == id
    assert await by_issuer(people, "attacker", "attacker@example.net") == id
    await request_reset(people)
    await reset(people, (await people.mails())[-1].token)
    entry = next(entry for entry in await people.log() if entry.kind == "IDENTITY_UNLINKED")
    assert (entry.user_id, entry.details) == (id, {"number": 1})
    with pytest.raises(NotAllowed):
        await by_issuer(people, "attacker", "attacker@example.net")
    assert await by_issuer(people, "attacker", "attacker@example.net", Registration.OPEN) != id
    assert await by_issuer(people, "honest", EMAIL) == id
    assert await by_issuer(people, "honest", EMAIL) == id


async def test_who_knew_an_account_by_its_old_address_does_not_open_it_by_the_new_one(people: People) -> None:
    id = await people.person()
    assert await by_issuer(people, "old", EMAIL) == id
    await change_email(people, await people.sign_in())
    await people.verify((await people.mails())[-1].token)
    assert "IDENTITY_UNLINKED" in await people.kinds()
    with pytest.raises(NotAllowed):
        await by_issuer(people, "old", EMAIL)
    assert await by_issuer(people, "new", NEW) == id


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
