"""The guard of targets: which URLs and addresses may be measured."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from domain.measuring import EngineFailure, FailureKind
from infra.engines.guard import Guard, check_url, is_public

PRIVATE = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::808:808]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "localhost",
]


@pytest.mark.parametrize("host", PRIVATE)
async def test_every_spelling_of_an_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(EngineFailure) as caught:
        await Guard(allow_private=False).addresses(host, 80)
    assert (caught.value.kind, caught.value.code) == (FailureKind.PAGE, "ADDRESS_REFUSED")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("134744072", "8.8.8.8"),
        ("[2001:4860:4860::8888]", "2001:4860:4860::8888"),
        ("2001:4860:4860::8888", "2001:4860:4860::8888"),
        ("[::ffff:8.8.8.8]", "::ffff:8.8.8.8"),
        ("[64:ff9b::808:808]", "64:ff9b::808:808"),
    ],
)
async def test_a_public_address_in_any_spelling_is_answered_in_its_usual_one(host: str, address: str) -> None:
    assert await Guard(allow_private=False).addresses(host, 443) == [address]


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("[::1]", "::1")])
async def test_private_addresses_are_permitted_where_the_setting_allows_them(host: str, address: str) -> None:
    assert await Guard(allow_private=True).addresses(host, 80) == [address]


class Resolving(Guard):
    """A guard whose name server answers what the test says."""

    def __init__(self, *answers: str, allow_private: bool = False) -> None:
        super().__init__(allow_private=allow_private, deadline=0.2)
        self.answers = list(answers)

    async def resolve(self, host: str, port: int) -> list[str]:
        if not self.answers:
            await asyncio.sleep(60)
        return self.answers


async def test_of_a_mixed_answer_only_the_public_addresses_are_given_in_the_resolvers_order() -> None:
    guard = Resolving("1.1.1.1", "127.0.0.1", "2606:4700::1", "10.0.0.1", "8.8.8.8")
    assert await guard.addresses("mixed.example", 80) == ["1.1.1.1", "2606:4700::1", "8.8.8.8"]


async def test_a_name_that_leads_to_a_private_address_is_refused_and_named() -> None:
    with pytest.raises(EngineFailure, match=r"rebinding\.example leads to a private or reserved address") as caught:
        await Resolving("192.168.0.1").addresses("rebinding.example", 80)
    assert caught.value.code == "ADDRESS_REFUSED"


async def test_at_most_eight_addresses_are_given() -> None:
    guard = Resolving(*(f"8.8.4.{last}" for last in range(20)))
    assert await guard.addresses("many.example", 80) == [f"8.8.4.{last}" for last in range(8)]


async def test_an_unknown_host_is_a_page_failure() -> None:
    with pytest.raises(EngineFailure) as caught:
        await Guard(allow_private=True).addresses("nope.invalid", 80)
    assert (caught.value.kind, caught.value.code) == (FailureKind.PAGE, "DNS_FAILURE")


async def test_a_name_server_that_stays_silent_ends_at_the_deadline_and_may_be_tried_again() -> None:
    with pytest.raises(EngineFailure, match=r"slow\.example could not be looked up within 0\.2 s") as caught:
        await Resolving().addresses("slow.example", 80)
    assert (caught.value.code, caught.value.retryable) == ("DNS_FAILURE", True)


@pytest.mark.parametrize("host", ["", "a b", "x" * 70 + ".com", "bad\r\nhost", "[::1%lo]", "\x00"])
async def test_a_host_that_is_no_name_at_all_is_unknown_and_never_shown(host: str) -> None:
    with pytest.raises(EngineFailure) as caught:
        await Guard(allow_private=False).addresses(host, 80)
    assert caught.value.code == "DNS_FAILURE"
    assert "\r" not in caught.value.message


def test_a_mapped_address_is_public_exactly_when_the_embedded_one_is() -> None:
    assert is_public(ip_address("::ffff:1.1.1.1"))
    assert not is_public(ip_address("::ffff:172.16.0.1"))


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/a?b=c#d", "https://example.com/a?b=c"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("https://bücher.example/ü?q=ö", "https://xn--bcher-kva.example/%C3%BC?q=%C3%B6"),
        ("http://example.com/%zz", "http://example.com/%zz"),
        ("http://example.com?q=1", "http://example.com/?q=1"),
        ("http://example.com/" + "a" * 4000, "http://example.com/" + "a" * 4000),
    ],
)
def test_a_url_is_brought_into_the_form_in_which_it_is_sent(typed: str, sent: str) -> None:
    assert check_url(typed).geturl() == sent


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///a",
        "http://user:secret@example.com/",
        "http://user@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:http/",
        "http://ex ample.com/",
        "http://example.com/a\r\nHost: b",
        "http://example.com/\x00",
        "http://ex..ample.com/",
        "http://127%2e0.0.1/",
        "http://[::1",
        "http://[::1%25lo]/",
        "http://example.com/" + "a" * 4096,
    ],
)
def test_a_url_that_must_not_be_fetched_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(EngineFailure) as caught:
        check_url(url)
    assert (caught.value.kind, caught.value.code) == (FailureKind.PAGE, "URL_INVALID")
    assert "secret" not in caught.value.message
