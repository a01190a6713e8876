"""Addresses, tags and secrets: what is taken, how it is written, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Fault, InvalidInput
from domain.keyring import Keyring
from domain.measuring import Access
from domain.sites import rules, split_path, split_url

TAKEN = {
    "http://Example.COM": ("http://example.com", "/"),
    "  https://example.com:443/ ": ("https://example.com", "/"),
    "http://example.com:80": ("http://example.com", "/"),
    "https://example.com:80": ("https://example.com:80", "/"),
    "http://h:8080/a": ("http://h:8080", "/a"),
    "http://h:/": ("http://h", "/"),
    "http://h:65535/": ("http://h:65535", "/"),
    "HTTP://H/Path": ("http://h", "/Path"),
    "https://Bücher.example/ü?q=ä#frag": ("https://xn--bcher-kva.example", "/%C3%BC?q=%C3%A4"),
    "https://straße.de/": ("https://xn--strae-oqa.de", "/"),
    "http://例え。テスト/": ("http://xn--r8jz45g.xn--zckzah", "/"),
    "http://\uff45xample.com/": ("http://example.com", "/"),
    "http://[::1]:8000/x": ("http://[::1]:8000", "/x"),
    "http://[::FFFF:1.2.3.4]/": ("http://[::ffff:1.2.3.4]", "/"),
    "http://127.0.0.1:1/": ("http://127.0.0.1:1", "/"),
    "http://a_b.example/": ("http://a_b.example", "/"),
    "http://h/#x": ("http://h", "/"),
    "http://h/a?": ("http://h", "/a"),
    "http://h?a=1": ("http://h", "/?a=1"),
    "http://h/?a=1&b=%20+&c[]=;": ("http://h", "/?a=1&b=%20+&c[]=;"),
    "http://h/%41%2f%2F": ("http://h", "/%41%2f%2F"),
    "http://h/%": ("http://h", "/%"),
    "http://h/\U0001f680": ("http://h", "/%F0%9F%9A%80"),
    'http://h/?q=<script>"`\\': ("http://h", "/?q=%3Cscript%3E%22%60%5C"),
    "http://h/@a:b": ("http://h", "/@a:b"),
    "http://h/a//b": ("http://h", "/a//b"),
}

REFUSED = [
    "",
    "   ",
    "h/p",
    "//h/p",
    "http:h",
    "http:///p",
    "http://",
    "javascript:alert(1)",
    "ftp://h/",
    "file:///etc/passwd",
    "http://u@h/",
    "http://u:p@h/",
    "http://:@h/",
    "http://@h/",
    "http://h\\@evil/",
    "http://h:0/",
    "http://h:65536/",
    "http://h:-1/",
    "http://h:+80/",
    "http://h:8_0/",
    "http://h:\uff18\uff10/",
    "http://h:x/",
    "http://a..b/",
    "http://.a/",
    "http://-a/",
    "http://a-/",
    "http://h%2fevil/",
    "http://h%00/",
    "http://a,b/",
    "http://[::1/",
    "http://::1/",
    "http://[fe80::1%25eth0]/",
    "http://" + "a" * 64 + ".example/",
    "http://" + ".".join(["a" * 60] * 5) + "/",
    "http://xn--/",
    "http://h/a b",
    "http://h/a\tb",
    "http://h/\r\nHost: evil",
    "http://h/\x00",
    "http://h/\ud800",
    "http://h/\u202e",
    "http://h/" + "a" * 2_048,
    "http://h/" + "é" * 1_000,
]


@pytest.mark.parametrize("url", TAKEN)
def test_an_address_is_written_in_one_way(url: str) -> None:
    address = split_url(url)
    assert address == TAKEN[url]
    assert split_url(address.origin + address.path) == address
    assert split_path(address.path) == address.path
    assert (address.origin + address.path).isascii()


@pytest.mark.parametrize("url", REFUSED, ids=ascii)
def test_what_is_no_address_of_a_page_is_refused_by_the_fields_name(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        split_url(url, "target")
    assert [fault.path for fault in refused.value.faults] == [("target",)]
    assert "evil" not in refused.value.message


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_and_never_breaks(text: str) -> None:
    for url in (text, f"http://{text}", f"http://h/{text}"):
        try:
            address = split_url(url)
        except InvalidInput:
            continue
        assert split_url(address.origin + address.path) == address


@given(st.text(max_size=60))
def test_any_path_is_written_in_one_way_or_refused(text: str) -> None:
    try:
        path = split_path("/" + text)
    except InvalidInput:
        return
    assert path.startswith("/")
    assert split_path(path) == path


@pytest.mark.parametrize("path", ["", "a", "//a", "//evil.example/", "http://h/", "?a", "#", " /a", "/a b", "\\a"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        split_path(path)
    assert [fault.path for fault in refused.value.faults] == [("path",)]


@pytest.mark.parametrize(
    ("origin", "slug"),
    [
        ("https://www.example.com", "www-example-com"),
        ("http://127.0.0.1:8080", "127-0-0-1-8080"),
        ("http://[::1]:80", "1-80"),
        ("http://" + "a" * 80, "a" * 63),
    ],
)
def test_a_slug_is_made_of_the_host(origin: str, slug: str) -> None:
    assert rules.slug_of(origin) == slug


def test_tags_are_sorted_and_each_is_there_once() -> None:
    faults: list[Fault] = []
    assert rules.check_tags(["team:web", "Zürich", "a b", "team:web"], faults) == ["Zürich", "a b", "team:web"]
    assert faults == []


@pytest.mark.parametrize("tag", ["", "x" * 61, "a\nb", "a,b", "<b>", "a\x00", "\ud800", "a\n"])
def test_a_tag_that_cannot_be_used_is_named_by_its_place(tag: str) -> None:
    faults: list[Fault] = []
    rules.check_tags(["fine", tag], faults)
    assert [fault.path for fault in faults] == [("tags", "1")]


def test_more_than_twenty_tags_are_too_many() -> None:
    faults: list[Fault] = []
    rules.check_tags([str(number) for number in range(21)], faults)
    assert [(fault.path, fault.code) for fault in faults] == [(("tags",), "TOO_MANY")]


OLD, NEW = Keyring([b"old"]), Keyring([b"new"])
ACCESS = Access({"X-Key": "s3cret"}, {"session": "c00kie"}, "user", "passw0rd é")


def test_what_was_sealed_is_opened_again_and_cannot_be_read_in_between() -> None:
    sealed = rules.sealed(ACCESS, OLD)
    assert rules.opened(sealed, OLD) == ACCESS
    for secret in (b"s3cret", b"c00kie", b"user", b"passw0rd", b"X-Key"):
        assert secret not in sealed
    assert rules.sealed(ACCESS, OLD) != sealed


def test_no_access_shows_its_secrets() -> None:
    shown = repr(ACCESS) + str(ACCESS)
    assert not any(secret in shown for secret in ("s3cret", "c00kie", "user", "passw0rd", "X-Key"))
