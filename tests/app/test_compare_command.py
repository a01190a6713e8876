"""`pacemark compare`: pages and whole sites beside one another, in the order in which they are named."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import update

from app import cli
from app.bootstrap import embedded
from app.settings import load
from domain import audits
from domain.ids import Kind
from tests.app.test_export import filled
from tests.databases import everybodys
from tests.graph.filled import Sizes


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.dispatch(["compare", *words, "--data", str(folder)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_each_has_its_median_its_audits_and_how_far_it_is_from_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two sites of two pages with two audits each, of which the second site's take 20 and 40 ms, the others 10."""

    async def make() -> tuple[str, str, str]:
        async with embedded(load(data=tmp_path), live=False) as (house, workspace_id):
            there = await filled(house, workspace_id, Sizes(2, 2, 2, 0, 0, 0))
            made = there.ids[Kind.AUDIT]
            async with everybodys(house.database) as connection:
                for ids, value in ((made[:4], 10.0), (made[4:6], 20.0), (made[6:], 40.0)):
                    await connection.execute(update(audits.Audit).where(audits.Audit.id.in_(ids)).values(ttfb_ms=value))
            pages = there.readable(Kind.PAGE)
            return pages[0], pages[2], there.readable(Kind.SITE)[0]

    page, slow, site = asyncio.run(make())
    asked = ["--metric", "ttfb", "--json"]
    status, out, err = run(capsys, tmp_path, "some-1", page, "https://some-1.example/some/000", site, *asked)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["metric"], found["unit"]) == ("TTFB", "MILLISECOND")
    numbers = ("median", "audits", "change", "rank")
    rows = found["series"]
    assert [(row["page"] and row["page"]["id"], row["site"]["slug"], *(row[name] for name in numbers)) for row in rows] == [
        (None, "some-1", 30, 4, None, 4),
        (page, "some-0", 10, 2, -2 / 3, 1),
        (slow, "some-1", 20, 2, -1 / 3, 3),
        (None, "some-0", 10, 4, -2 / 3, 1),
    ]
    assert rows[0]["conditions"]["engine"] == "PROBE"
    status, out, _ = run(capsys, tmp_path, page, slow, "--metric", "ttfb", "--profile", "Probe")
    first, second = (line.split() for line in out.splitlines() if "some-" in line)
    assert first == ["https://some-0.example/some/000", "Probe", "10", "ms", "10", "ms", "2", "–", "1"]
    assert second == ["https://some-1.example/some/000", "Probe", "20", "ms", "20", "ms", "2", "+100.0", "%", "2"]
    for words, message in (
        ([page, "nowhere"], "There is no site 'nowhere' in this workspace. A page is named by its address or its id.\n"),
        ([page, "--profile", "Fast"], "There is no profile 'Fast' in this workspace. There are: "),
    ):
        status, out, err = run(capsys, tmp_path, *words)
        assert (status, out) == (2, "")
        assert err.startswith(message)


@pytest.mark.parametrize("words", [("",), ("lcp,ttfb",), ("lcp", "ttfb")], ids=["none", "with-comma", "twice"])
def test_one_metric_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    asked = [each for word in words for each in ("--metric", word)]
    status, out, err = run(capsys, tmp_path, "https://some-1.example/", *asked)
    assert (status, out) == (2, "")
    assert err.startswith("--metric takes one metric")
