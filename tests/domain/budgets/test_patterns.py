"""Patterns of paths and regular expressions from outside."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.budgets import patterns, regexes


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        (None, "/anything", True),
        ("/", "/blog", True),
        ("/blog", "/blogs?page=2", True),
        ("/blog", "/a/blog", False),
        ("/blog/*/edit", "/blog/1/2/edit/x", True),
        ("/blog/*/edit", "/blog/edit", False),
        ("/*.html$", "/a/b.html", True),
        ("/*.html$", "/a/b.html?x", False),
        ("/$", "/", True),
        ("/$", "/a", False),
        ("/*?*id=", "/x?a=1&id=2", True),
        ("/a.c", "/abc", False),
        ("/ab*ab$", "/ab", False),
        ("*", "", True),
        ("*/x*", "/y/x", True),
    ],
)
def test_a_path_is_matched_as_robots_txt_matches_it(pattern: str | None, path: str, matches: bool) -> None:
    assert patterns.matches(pattern, path) is matches


@given(st.text("a*$/", min_size=1, max_size=8), st.text("a/$", max_size=8))
def test_a_pattern_is_what_its_regular_expression_would_be(pattern: str, path: str) -> None:
    if patterns.fault_of(pattern) is None:
        body = ".*".join(map(re.escape, pattern.removesuffix("$").split("*")))
        expected = re.match(body + (r"\Z" if pattern.endswith("$") else ""), path)
        assert patterns.matches(pattern, path) is (expected is not None)


def test_a_path_that_is_no_pattern_is_told_why() -> None:
    assert patterns.fault_of("blog") == "A path's pattern begins with / or *, such as /blog/* or /$."
    assert patterns.fault_of("/a$b") == "A $ stands at the end of a path's pattern, and means its end."
    assert "at most 500" in str(patterns.fault_of("/" + "a" * 500))


@given(st.text("ab.*+?()|[]^${}12,-\\dw", max_size=10), st.lists(st.text("ab1-", max_size=6), max_size=3))
def test_a_regular_expression_matches_where_pythons_does(pattern: str, texts: list[str]) -> None:
    if "[]" in pattern or "[^]" in pattern:  # an empty set in JavaScript, and not in Python
        return
    try:
        regexes.read(pattern)
        expected = re.compile(pattern)
    except (regexes.Unreadable, re.error, FutureWarning):
        return
    for text in texts:
        assert regexes.found(pattern, text) is (expected.search(text) is not None)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(.*.*)*x", "a*a*a*a*a*a*b", "(a?){20}a{20}$", "((a*)*)*c"])
def test_no_regular_expression_takes_longer_than_its_places_times_the_text(pattern: str) -> None:
    steps = 0
    real = regexes._reach

    def counted(*given: object) -> bool:
        nonlocal steps
        steps += 1
        return real(*given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regexes, "_reach", counted)
        regexes.found.__wrapped__(pattern, "a" * 299 + "!")
    assert steps <= regexes.MAX_PLACES * 300


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a" * 301, "at most 300 characters"),
        ("(a{50}){50}", "too large"),
        ("a{51}", "at most 50"),
        ("a{3,2}", "the larger last"),
        ("(?=a)", "no look ahead"),
        (r"(a)\1", r"\1 is not taken"),
        ("a**", "repeats a repetition"),
        ("(a", "not closed"),
        ("a)", "a ) too many"),
        ("+a", "nothing before +"),
        ("[a", "ends too early"),
        ("[z-a]", "back to front"),
        ("a{x}", "followed by numbers"),
        ("(" * 21 + ")" * 21, "inside one another"),
    ],
)
def test_a_regular_expression_that_is_not_taken_is_told_why(pattern: str, why: str) -> None:
    with pytest.raises(regexes.Unreadable) as refused:
        regexes.read(pattern)
    assert why in str(refused.value)
