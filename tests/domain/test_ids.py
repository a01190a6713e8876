"""Ids: ordered by the time of their making, and read back only when they are exactly right."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import ids
from domain.errors import InvalidInput, ProblemCode
from domain.ids import Kind, decode, encode, new_id, parse

HEX = "018f0000000070008000000000000001"


def test_an_id_is_a_version_7_uuid_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    id = new_id()
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert before <= id.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_each_id_is_greater_than_all_made_before() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == 20_000
    assert [id.hex for id in made] == sorted(id.hex for id in made)


def test_ids_keep_their_order_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    now = time.time_ns()
    monkeypatch.setattr("domain.ids.time.time_ns", lambda: now - 3_600_000_000_000)
    assert before < new_id() < new_id()


def test_the_time_below_the_millisecond_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr("domain.ids.time.time_ns", lambda: 1_700_000_000_123_999_999)
    id = new_id()
    assert id.int >> 80 == 1_700_000_000_123
    assert id.int >> 64 & 0xFFF == 4095


@given(st.sampled_from(Kind), st.uuids())
def test_what_was_encoded_is_decoded(kind: Kind, id: UUID) -> None:
    assert parse(encode(kind, id)) == (kind, id)
    assert decode(kind, encode(kind, id)) == id


@given(st.text())
def test_no_text_breaks_the_parser_and_only_its_own_form_is_an_id(text: str) -> None:
    parsed = parse(text)
    assert parsed is None or encode(*parsed) == text


@given(st.sampled_from(Kind), st.from_regex(r"[a-z]{0,9}_?[0-9a-fA-F]{30,34}\n?", fullmatch=True))
def test_nearly_an_id_is_refused_or_reads_back_as_itself(kind: Kind, text: str) -> None:
    try:
        id = decode(kind, text)
    except InvalidInput:
        assert parse(text) is None or parse(text)[0] is not kind  # type: ignore[index]
    else:
        assert encode(kind, id) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "site",
        "site_",
        HEX,
        f"site-{HEX}",
        f"site_{HEX[:-1]}",
        f"site_{HEX}0",
        f"site_{HEX}\n",
        f" site_{HEX}",
        f"SITE_{HEX}",
        f"site_{HEX.upper()}",
        f"sites_{HEX}",
        f"site_{UUID(HEX)}",
        "site_" + "٠" * 32,
        "site_\x00" + HEX[1:],
    ],
)
def test_a_malformed_id_is_refused_by_that_name(text: str) -> None:
    assert parse(text) is None
    with pytest.raises(InvalidInput) as refused:
        decode(Kind.SITE, text, "site")
    assert refused.value.code is ProblemCode.ID_MALFORMED
    assert [fault.path for fault in refused.value.faults] == [("site",)]


def test_the_id_of_something_else_is_refused_and_both_are_named() -> None:
    with pytest.raises(InvalidInput, match="This id is of the kind page; here one of the kind site is needed") as refused:
        decode(Kind.SITE, f"page_{HEX}")
    assert refused.value.code is ProblemCode.ID_WRONG_KIND


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidInput) as refused:
        decode(Kind.SITE, "<script>\x1b[31m")
    assert "script" not in refused.value.message
