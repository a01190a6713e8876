"""Ids, hashes, and the percentile of a histogram."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import Checked, hash_of, p95, rules
from domain.errors import InvalidInput

# The two of the specification's appendix about persisted documents.
VECTORS = {
    "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}": (
        "7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e"
    ),
    "query($id:ID!){user(id:$id){name}}": "71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b",
}


@pytest.mark.parametrize(("text", "hash"), VECTORS.items())
def test_a_hash_is_the_one_of_the_specification(text: str, hash: str) -> None:
    assert hash_of(text) == hash
    assert rules.refusal(Checked(f"sha256:{hash}", text)) is None
    assert rules.refusal(Checked(hash, text)) is None


@pytest.mark.parametrize("id", ["a", "GetItem", "x" * 200, "web~1.0~abc/def", "x-own:1", "md5:0cc175b9c0f1b6a8", "a.b_c-d"])
def test_a_clients_own_ids_are_ids(id: str) -> None:
    assert rules.is_id(id)
    assert rules.refusal(Checked(id, "{ a }")) is None


@pytest.mark.parametrize("id", ["", "x" * 201, "a b", "a\n", "ä", "a;b", "\x00", "\ud800", "a%20", "<a>", "a?b"])
def test_what_a_url_could_not_hold_is_no_id(id: str) -> None:
    assert not rules.is_id(id)
    assert rules.refusal(Checked(id, "{ a }")) == "An id is 1 to 200 letters, digits and . _ ~ : / -"


@pytest.mark.parametrize("id", ["sha256:", "sha256:abc", f"sha256:{'0' * 64}", f"sha256:{hash_of('{ a }').upper()}"])
def test_an_id_that_says_a_hash_says_the_texts(id: str) -> None:
    expected = "An id that begins with sha256: is the SHA-256 of the text, in 64 hex digits; this one is not."
    assert rules.refusal(Checked(id, "{ a }")) == expected


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (Checked("a", "{ b }", problem="There is no field b."), "There is no field b."),
        (Checked("a", "{ a \x00 }"), "The text holds a character that no document may hold."),
        (Checked("a", "{ a \ud800 }"), "The text holds a character that no document may hold."),
        (Checked("a", ""), "A document's text is 1 to 65,536 bytes of UTF-8."),
        (Checked("a", "ä" * 32_769), "A document's text is 1 to 65,536 bytes of UTF-8."),
    ],
)
def test_what_is_refused_is_told_why(document: Checked, reason: str) -> None:
    assert rules.refusal(document) == reason


def test_the_longest_text_is_stored() -> None:
    assert rules.refusal(Checked("a", "ä" * 32_768)) is None


@pytest.mark.parametrize("version", ["1", "1.0.0-rc.1+build_7", "x" * 50])
def test_a_version_is_what_package_managers_write(version: str) -> None:
    assert rules.is_version(version)


@pytest.mark.parametrize("version", ["", "x" * 51, "1 0", "1\n", "v/1", "ä", "\x00"])
def test_other_texts_are_no_version(version: str) -> None:
    assert not rules.is_version(version)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x00", "\ud800"])
def test_a_client_needs_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(InvalidInput, match="A client's name is 1 to 100 printable characters"):
        rules.check_name(name)


@pytest.mark.parametrize(
    ("id", "hash"),
    [
        ("0" * 64, "0" * 64),
        (f"sha256:{'a' * 64}", "a" * 64),
        ("A" * 64, None),
        ("0" * 63, None),
        (f"md5:{'0' * 64}", None),
        (f"sha256:{'0' * 64}\n", None),
        ("GetItem", None),
    ],
)
def test_a_hash_is_read_from_an_id(id: str, hash: str | None) -> None:
    assert rules.hash_in(id) == hash


def test_the_boundaries_go_from_a_millisecond_to_a_minute_by_equal_ratios() -> None:
    assert (len(rules.BOUNDARIES), rules.BUCKETS) == (61, 62)
    assert rules.BOUNDARIES[0] == 0.001
    assert rules.BOUNDARIES[-1] == pytest.approx(60)
    assert all(
        later / earlier == pytest.approx(1.2013, rel=1e-4)
        for earlier, later in zip(rules.BOUNDARIES, rules.BOUNDARIES[1:], strict=False)
    )
    assert round(rules.ERROR, 3) == 0.096


def histogram(seconds: list[float]) -> list[int]:
    counts = [0] * rules.BUCKETS
    for each in seconds:
        counts[rules.bucket(each)] += 1
    return counts


@given(st.lists(st.floats(0.001, 60), min_size=1, max_size=200))
def test_the_95th_percentile_is_near_the_true_one(seconds: list[float]) -> None:
    true = sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]
    read = p95(histogram(seconds))
    assert read is not None
    assert abs(read - true) <= true * rules.ERROR * 1.000001


def test_what_is_outside_of_the_boundaries_reads_as_the_boundary() -> None:
    assert p95(histogram([0.0])) == p95(histogram([0.0001])) == pytest.approx(0.001)
    assert p95(histogram([61.0])) == p95(histogram([86_400.0])) == pytest.approx(60)
    assert p95([0] * rules.BUCKETS) is None


def test_the_95th_of_a_hundred_is_not_the_slowest_five() -> None:
    assert p95(histogram([0.01] * 95 + [10.0] * 5)) == pytest.approx(0.01, rel=0.1)
    assert p95(histogram([0.01] * 94 + [10.0] * 6)) == pytest.approx(10, rel=0.1)
