"""What a page made stays text, and the report's own markup is sound."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from itertools import pairwise

import pytest
from markupsafe import Markup

from app.report import words
from domain.measuring import (
    EngineName,
    Evidence,
    FindingSeen,
    RequestSeen,
    ResourceType,
    RunResult,
    Score,
    Severity,
    UserTiming,
)

from .results import Page, loaded, probed
from .shelf import Replay, Shelf

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>`<b>`"


def hostile() -> RunResult:
    finding = FindingSeen(
        "evil", EVIL, Severity.HIGH, EVIL, EVIL, (Evidence(EVIL, EVIL),), link="javascript:alert(1)//https://a.example"
    )
    return dataclasses.replace(
        loaded(),
        final_url=f"javascript:{EVIL}",
        engine_version=EVIL,
        requests=(
            RequestSeen(f"https://a.example/{EVIL}", ResourceType.SCRIPT, EVIL, 200, EVIL, failure=EVIL),
            RequestSeen("http://[", ResourceType.OTHER),
        ),
        findings=(finding, dataclasses.replace(finding, link="https://docs.example/a?b=1&c=2")),
        scores=(Score(EVIL, EVIL, 0.5),),
        user_timings=(UserTiming(EVIL, 1, 2),),
        images=(),
        warnings=(EVIL,),
    )


async def test_whatever_a_page_made_is_shown_as_text(shelf: Shelf) -> None:
    id = await shelf.measure(Replay(EngineName.LIGHTHOUSE, [hostile()]), "Lighthouse mobile")
    html = await shelf.open(id)
    page = Page(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "b", "img", "iframe", "object", "link"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert page.links() == ["http://127.0.0.1:1/pricing", "https://docs.example/a?b=1&c=2"]
    assert {link["rel"] for link in page.all("a")} == {"noopener noreferrer"}
    assert page.text.count("<script>alert(1)</script>") >= 10


async def test_a_report_asks_no_other_host_and_its_style_is_the_one_allowed(shelf: Shelf) -> None:
    id = await shelf.measure(Replay(EngineName.LIGHTHOUSE, [loaded()]), "Lighthouse mobile")
    answer = await shelf.client.get(shelf.link(id))
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    page = Page(answer.text)
    assert {str(attributes.get("src"))[:7] for _, attributes in page.tags if "src" in attributes} == {"/files/"}


async def test_a_report_can_be_read_by_a_machine_that_reads_aloud(shelf: Shelf) -> None:
    html = await shelf.open(await shelf.measure(Replay(EngineName.PROBE, [probed()])))
    page = Page(html)
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert [tag for tag, _ in page.tags if tag == "h1"] == ["h1"]
    assert {head.get("scope") for head in page.all("th")} == {"col", "row", "rowgroup"}
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for drawing in page.all("svg"):
        assert drawing.get("aria-hidden") == "true" or (drawing.get("role") == "img" and drawing.get("aria-label"))


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://a.example/b?c#d", "https://a.example/b?c#d"),
        ("HTTP://a.example", "HTTP://a.example"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//a.example", None),
        ("https:", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_only_addresses_of_the_web_become_links(address: str | None, link: str | None) -> None:
    assert words.web_link(address) == link


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("Send `A: <b>` now", "Send <code>A: &lt;b&gt;</code> now"),
        ("one ` alone", "one ` alone"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_becomes_code(text: str, markup: str) -> None:
    assert words.with_code(text) == Markup(markup)
