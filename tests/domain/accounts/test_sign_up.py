"""Signing up: by the installation's policy, and without telling who has an account already."""

from __future__ import annotations

import asyncio

import pytest

from domain import accounts
from domain.accounts import Registration, rules
from domain.errors import InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode
from infra.cache.memory import MemoryCache
from tests.domain.accounts.people import EMAIL, HOME, KEYRING, PASSWORD, People, people

__all__ = ["people"]


async def test_a_new_account_waits_for_its_address_to_be_verified(people: People) -> None:
    await people.sign_up("  Ada@Example.COM ", name=" Ada ")
    (mail,) = await people.mails()
    assert (mail.template, mail.to, mail.values["name"]) == ("EMAIL_VERIFICATION", EMAIL, "Ada")
    assert mail.values["link"] == f"https://pacemark.test/auth/verify?token={mail.token}"
    assert len(mail.token) == 43
    id = await people.verify(mail.token)
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert (row.name, row.email, row.verified_at) == ("Ada", EMAIL, people.now)
    assert await people.kinds() == ["ACCOUNT_CREATED", "EMAIL_VERIFIED"]
    assert {entry.user_id for entry in await people.log()} == {id}


async def test_an_address_that_has_an_account_is_answered_as_a_new_one_and_told_by_mail(people: People) -> None:
    id = await people.person()
    await people.sign_up("ADA@example.com", name="Eve", password="another password")
    mails = await people.mails()
    assert [(mail.template, mail.to) for mail in mails] == [("EMAIL_VERIFICATION", EMAIL), ("ALREADY_REGISTERED", EMAIL)]
    assert "link" not in mails[1].values
    row = await accounts.get(people.database.reader, id)
    assert row is not None
    assert row.name == "Ada"
    assert (await people.sign_in()).user_id == id
    with pytest.raises(InvalidInput):
        await people.sign_in(password="another password")


async def test_of_two_who_sign_up_at_once_with_one_address_both_are_answered_alike(people: People) -> None:
    await asyncio.gather(people.sign_up(), people.sign_up())
    assert sorted(mail.template for mail in await people.mails()) == ["ALREADY_REGISTERED", "EMAIL_VERIFICATION"]


@pytest.mark.parametrize(
    ("registration", "invited", "message"),
    [
        (Registration.CLOSED, False, "Nobody can sign up here: ask whoever runs this installation."),
        (Registration.CLOSED, True, "Nobody can sign up here: ask whoever runs this installation."),
        (Registration.INVITED, False, "Signing up here takes an invitation: open the link that was mailed to you."),
        (Registration.INVITED, True, None),
        (Registration.OPEN, False, None),
    ],
)
def test_the_policy_says_who_may_sign_up(registration: Registration, invited: bool, message: str | None) -> None:
    if message is None:
        accounts.may_sign_up(registration, invited=invited)
    else:
        with pytest.raises(NotAllowed) as refused:
            accounts.may_sign_up(registration, invited=invited)
        assert refused.value.message == message


async def test_nothing_is_made_where_the_policy_refuses(people: People) -> None:
    with pytest.raises(NotAllowed):
        await people.sign_up(registration=Registration.CLOSED)
    assert await people.mails() == []
    assert await people.log() == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "a@b@c",
        "a da@example.com",
        "ada@exam ple.com",
        "ada@example.com\nBcc: x@y.z",
        "ada\x00@example.com",
        "<ada@example.com>",
        "ada@-example.com",
        "ada@example..com",
        "a" * 65 + "@example.com",
        "ada@" + "example." * 32 + "com",
        "\u212aevin@example.com",  # the sign of the kelvin, whose small letter is a plain k
        "ada@\u212aevin.example",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        accounts.checked_email(email)
    assert refused.value.faults[0].path == ("email",)
    assert refused.value.code is ProblemCode.MALFORMED


def test_addresses_are_compared_in_lower_case() -> None:
    assert accounts.checked_email(" O'Brien+x@Sub.Example.com ") == "o'brien+x@sub.example.com"
    longest = "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 61])
    assert len(longest) == 254
    assert rules.compared(longest) == longest
    assert rules.compared(longest + "d") is None


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "Ada\nLovelace", "Ada\x00"])
def test_a_name_is_some_printable_characters(name: str) -> None:
    with pytest.raises(InvalidInput, match="A name is 1 to 100 printable characters"):
        accounts.checked_name(name)
    assert accounts.checked_name(" Ada Lovelace ") == "Ada Lovelace"


async def test_nobody_is_signed_in_before_the_address_is_verified(people: People) -> None:
    await people.sign_up()
    answers = []
    for email, password in [(EMAIL, PASSWORD), (EMAIL, "wrong password"), ("eve@example.com", PASSWORD)]:
        with pytest.raises(InvalidInput) as refused:
            await people.sign_in(email, password)
        answers.append((refused.value.faults, refused.value.code))
    assert answers[0] == answers[1] == answers[2]
    assert (await people.kinds()).count("SIGN_IN_REFUSED") == 3
    await people.verify((await people.mails())[0].token)
    assert (await people.sign_in(password=PASSWORD)).is_new_place


async def test_whoever_signs_in_before_that_is_mailed_another_link_once_an_hour_and_is_not_told(people: People) -> None:
    await people.sign_up()
    people.cache = MemoryCache(clock=lambda: people.now.timestamp())
    for password in ("wrong password", PASSWORD, PASSWORD):
        with pytest.raises(InvalidInput):
            await people.sign_in(password=password)
    first, second = await people.mails()
    assert (second.template, second.to, second.values["name"]) == ("EMAIL_VERIFICATION", EMAIL, "Ada")
    people.later(hours=1)
    with pytest.raises(InvalidInput):
        await people.sign_in()
    assert len(await people.mails()) == 3
    await people.verify(second.token)
    with pytest.raises(NotFound):
        await people.verify(first.token)
    await people.sign_in()
    assert len(await people.mails()) == 3


async def test_whether_an_address_had_an_account_is_not_told_by_what_is_left_of_the_limits(people: People) -> None:
    """Somebody signs up with addresses that are not theirs, and tries the passwords that they gave."""
    await people.person()
    left = []
    for email in (EMAIL, "new@example.com"):
        people.cache = MemoryCache()
        await people.sign_up(email, password="a strangers own")
        for _ in range(3):
            with pytest.raises(InvalidInput):
                await people.sign_in(email, "a strangers own")
        count = 0
        while count < 9 and await asked_for_mail(people, email):
            count += 1
        left.append(count)
    assert left == [5, 5]


async def asked_for_mail(people: People, email: str) -> bool:
    try:
        await accounts.pay_for_mail(people.cache, KEYRING, email=email, address=HOME.address, now=people.now)
    except LimitReached:
        return False
    return True


async def test_that_an_address_has_an_account_is_mailed_once_a_day(people: People) -> None:
    await people.person()
    people.cache = MemoryCache(clock=lambda: people.now.timestamp())

    async def told() -> int:
        return [mail.template for mail in await people.mails()].count("ALREADY_REGISTERED")

    for _ in range(9):
        await people.sign_up(EMAIL, name="Eve")
    assert await told() == 1
    people.later(days=1)
    for _ in range(2):
        await people.sign_up(EMAIL, name="Eve")
    assert await told() == 2
    # Nothing of what she may have mailed herself is used up.
    assert [await asked_for_mail(people, EMAIL) for _ in range(6)] == [True] * 5 + [False]


async def test_a_link_opens_once_and_not_for_ever(people: People) -> None:
    await people.sign_up()
    token = (await people.mails())[0].token
    people.later(hours=24)
    with pytest.raises(NotFound, match="This link was used, has expired or was never one"):
        await people.verify(token)
    people.later(seconds=-1)
    await people.verify(token)
    for wrong in (token, "never", "", "é" * 9):
        with pytest.raises(NotFound):
            await people.verify(wrong)
